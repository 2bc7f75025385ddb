"""The job runner: delivers events to their subscribers, and runs the timers.

What a transaction has emitted for one subscriber arrives together, after it has committed. How it
is handed over is `kernel.deliveries`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, LiteralString, cast
from uuid import UUID

import procrastinate
import psycopg
from procrastinate.jobs import Status
from psycopg_pool import AsyncConnectionPool, PoolTimeout
from sqlalchemy import func, make_url, select, text

from service.desk.actions.give_back import GIVING_BACK
from service.kernel import (
    batches,
    clock,
    deliveries,
    idempotency,
    jobs,
    logs,
    storage,
    subscriptions,
)
from service.kernel.actor import system
from service.kernel.db import Database, Scope, districts
from service.kernel.jobs import Queue
from service.kernel.settings import Settings
from service.kernel.sweeping import sweep
from service.materials import actions as materials
from service.materials.queries import kept_ids
from service.runtime import open_database
from service.tickets import timers
from service.tickets.rescheduling import RESCHEDULING

_LOG: Final = logs.logger("worker")
_WORRYING: Final = 5
BATCH: Final = 5000
_AT_NIGHT: Final = "17 19 * * *"  # in UTC: 03:17 in China


@dataclass(frozen=True, slots=True)
class Lane:
    """Queues that are served together, and how many of their jobs run at once."""

    queues: tuple[str, ...]
    concurrency: int


LANES: Final = (
    # The four timers that use a connection of the pool, and the rescue of stalled jobs.
    Lane((Queue.TIMERS.value,), 5),
    # One: of several workers each fires alarms, and of one none waits for the others' sake.
    Lane((Queue.ALARMS.value,), 1),
    # `default` is where releases before there were queues put their jobs.
    # Two: what there is goes in batches, of which the one is handed over while the other gathers.
    Lane((Queue.DELIVERIES.value, "default"), 2),
    Lane((Queue.OUTBOUND.value,), 1),
)
"""A lane waits for no other: however many deliveries there are, timers run on time."""

LOOKING_SECONDS: Final = 0.25
"""How often a lane without work looks for some, each time with one statement. Nothing announces
jobs: transactions that announce something commit one after another in the whole server."""

CONNECTIONS: Final = sum(lane.concurrency for lane in LANES) - 1
"""How many jobs may want a connection of the pool at once: all, but for the rescue of others."""

MOST_JOINING: Final = 3
"""How many workers at most join the one that runs the timers, where there are so many alarms."""

NICENESS: Final = 5
"""How much the worker gives way (nice(1)): nobody waits for it, and somebody for every request.
Beside busy web processes it has a third of what one of them has, alone all there is."""

_firing: Final = threading.Lock()


def run_timers(database: Database) -> None:
    """What time does by itself, in every district: once a minute."""
    fire_alarms(database)
    _run_everywhere(database, GIVING_BACK)


def fire_alarms(database: Database) -> None:
    """The part of it of which there may be very much: several workers do it at once.

    Of the same tickets each takes what no other has. Of one process one thread does: it can use
    one processor only, and others are to be left some of it.
    """
    with _firing:
        for timer in timers.TIMERS:
            _run_everywhere(database, timer)


def _run_everywhere(database: Database, timer: timers.Timer) -> None:
    for district in districts(database):
        with _guarded(timer.name, district=district):
            moved = run_timer(database, timer, district)
            if moved:
                _LOG.info(timer.name, district=district, items=moved)


def follow_calendars(database: Database) -> None:
    """Let open tickets follow a calendar that was published, in every district: once a minute.

    A job of its own: alarms do not wait for however many tickets there are.
    """
    for district in districts(database):
        with _guarded(RESCHEDULING.name, district=district):
            moved = run_timer(database, RESCHEDULING, district)
            if moved:
                _LOG.info(RESCHEDULING.name, district=district, tickets=moved)


def run_timer(
    database: Database,
    timer: timers.Timer,
    district: str,
    *,
    now: Callable[[], datetime] = clock.now,
    seconds: float = 600,
) -> int:
    """One round of one timer in one district; returns how many items moved.

    Several tickets in one transaction, each at its own moment: what a round does late is not dated
    before what has happened to the ticket meanwhile. One that cannot be dealt with is logged and
    passed over. No batch begins after `seconds`: what is left then is for the next round.
    """
    actor, scope = system(district), Scope.system(district)
    end, moved, behind = time.monotonic() + seconds, 0, None
    while True:
        with database.transaction(scope) as session:
            found = timer.candidates(session, actor, at=now(), behind=behind)
        tickets = list(dict.fromkeys(row.ticket_id for row in found))
        for first in range(0, len(tickets), timers.TOGETHER):
            some = tickets[first : first + timers.TOGETHER]
            moved += _deal_with(database, timer, district, some, now)
        if len(found) < timers.BATCH or time.monotonic() >= end:
            return moved
        behind = (found[-1].place, found[-1].id)


def _deal_with(
    database: Database,
    timer: timers.Timer,
    district: str,
    tickets: Sequence[UUID],
    now: Callable[[], datetime],
) -> int:
    """Some tickets in one transaction where the timer can; each in its own where that fails."""
    actor, scope = system(district), Scope.system(district)
    if timer.together is not None and len(tickets) > 1:
        try:
            with database.transaction(scope) as session:
                return timer.together(session, actor, ticket_ids=tickets, now=now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others must not suffer it
            _LOG.warning(
                "timer_batch_failed",
                work=timer.name,
                tickets=len(tickets),
                cause=type(error).__name__,
            )
    moved = 0
    for ticket_id in tickets:
        guard = _guarded(timer.name, ticket=str(ticket_id))
        with guard, database.transaction(scope) as session:
            moved += timer.act(session, actor, ticket_id=ticket_id, at=now())
    return moved


def sweep_events(database: Database) -> None:
    """Enqueue again, in every district, the deliveries that were lost; every five minutes."""
    for district in districts(database):
        with _guarded("sweep_events", district=district):
            lost = sweep(database, district=district, at=clock.now())
            if lost:
                _LOG.warning("sweep_events", district=district, deliveries=lost)


def keep_house(database: Database) -> None:
    """Once a night: make the partitions of the months to come, delete what need not be kept.

    Files that belong to nothing are deleted too.
    """
    with _guarded("ensure_partitions"), database.transaction(Scope.system()) as session:
        session.execute(text("SELECT ensure_partitions(now() + interval '3 months')"))
    for district in districts(database):
        for forget in (idempotency.forget_old_answers, deliveries.forget_old_deliveries):
            with _guarded(forget.__name__, district=district):
                delete_old(database, district, forget)
        with _guarded("sweep_orphans", district=district):
            swept = sweep_orphans(database, district, at=clock.now())
            if swept:
                _LOG.warning("sweep_orphans", district=district, blobs=swept)


def delete_old(
    database: Database, district: str, forget: Callable[..., int], *, seconds: float = 600
) -> int:
    """Delete a district's old rows in transactions of `BATCH` rows; returns how many.

    It ends after `seconds`, what is left then is for the next night.
    """
    end, deleted = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        with database.transaction(Scope.system(district)) as session:
            found = forget(session, district=district, at=clock.now(), most=BATCH)
        deleted += found
        if found < BATCH:
            break
    return deleted


def sweep_orphans(database: Database, district: str, *, at: datetime) -> int:
    """Delete the contents of a district that no material has any more, or ever had."""

    def kept(ids: Collection[UUID]) -> Collection[UUID]:
        with database.transaction(Scope.system(district)) as session:
            return kept_ids(session, district=district, ids=ids)

    return materials.sweep_orphans(storage.in_use(), district=district, kept=kept, at=at)


async def retry_stalled(app: procrastinate.App) -> None:
    """Put back what a worker that died had begun; its handlers do nothing twice.

    A worker tells that it lives every ten seconds, and counts as dead after thirty. A timer's job
    is dropped instead: its next run comes anyway, and may stand in the queue already, where only
    one of its kind has room.
    """
    for job in await app.job_manager.get_stalled_jobs():
        _LOG.warning("stalled_job", job=job.id, task=job.task_name)
        with _guarded("retry_stalled", job=job.id):
            if job.queueing_lock is None:
                again = jobs.lock_after_failure(job.id) if job.attempts else None
                await app.job_manager.retry_job(job, lock=again)
            else:
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


@contextmanager
def _guarded(work: str, **about: object) -> Iterator[None]:
    """Let one piece of work fail by itself: it is logged, and what comes after it goes on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the others must not wait for it
        _LOG.error("work_failed", work=work, exc_info=error, **about)


class UntilDead(procrastinate.BaseRetryStrategy):
    """Try a delivery again, ever more slowly, for as often as it raises: it ends its tries itself.

    From then on it has a lock of its own: later deliveries of its ticket do not wait for it.
    """

    def get_retry_decision(
        self, *, exception: BaseException, job: procrastinate.jobs.Job
    ) -> procrastinate.RetryDecision:
        """From the fifth attempt on the log calls it an error."""
        log = _LOG.error if job.attempts >= _WORRYING else _LOG.warning
        log("delivery_failed", job=job.id, attempts=job.attempts, cause=type(exception).__name__)
        wait = subscriptions.wait_after(job.attempts)
        return procrastinate.RetryDecision(
            retry_in={"seconds": int(wait.total_seconds())}, lock=jobs.lock_after_failure(job.id)
        )


def clock_offset(database: Database) -> float:
    """By how many seconds this machine's clock is ahead of the database's; negative: behind.

    0 where the database's lies between two readings of ours: no more can be told. Two statements.
    """
    before = clock.now()
    with database.transaction(Scope.system()) as session:
        theirs = session.execute(select(func.now())).scalar_one()
    nearest = min(max(theirs, before), clock.now())
    return (nearest - theirs).total_seconds()


def clocks_agree(database: Database, *, tolerance: float) -> bool:
    """Whether this machine's clock is so many seconds off the database's at the most.

    What time does cannot be undone: a worker whose clock is ahead would accept in silence what is
    not due for days. It is said in the log where they differ by more.
    """
    offset = clock_offset(database)
    if abs(offset) <= tolerance:
        return True
    _LOG.error("clock_off", seconds=round(offset, 3), tolerance=tolerance)
    return False


class Connector(procrastinate.PsycopgConnector):
    """The runner's own connections; `failed` is set once one of its statements has failed.

    Procrastinate writes what a job has come to once, and goes on where that fails: the job stays
    marked as running, by a worker that lives, so nothing ever rescues it, and what has the same
    lock waits for it. A worker whose statement has failed therefore ends; what it had begun counts
    as stalled soon after.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.failed = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open_async(self, pool: AsyncConnectionPool | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().open_async(pool)

    def lose(self) -> None:
        """Set `failed`, from whichever thread: jobs were left as begun by something else."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.failed.set)

    async def execute_query_async(self, query: LiteralString, **arguments: Any) -> None:
        with self._watched():
            await super().execute_query_async(query, **arguments)

    async def execute_query_one_async(
        self, query: LiteralString, **arguments: Any
    ) -> dict[str, Any]:
        with self._watched():
            row: dict[str, Any] = await super().execute_query_one_async(query, **arguments)
            return row

    async def execute_query_all_async(
        self, query: LiteralString, **arguments: Any
    ) -> list[dict[str, Any]]:
        with self._watched():
            rows: list[dict[str, Any]] = await super().execute_query_all_async(query, **arguments)
            return rows

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (procrastinate.exceptions.UniqueViolation, procrastinate.exceptions.NoResult):
            raise  # an answer, too: a job of the kind waits already, or there is none
        except procrastinate.exceptions.ConnectorException:
            self.failed.set()
            raise


def build(settings: Settings, database: Database) -> procrastinate.App:
    """The runner with its tasks; nothing is connected before it is opened."""
    url = make_url(settings.database_url).set(drivername="postgresql")
    connector = Connector(
        conninfo=url.render_as_string(hide_password=False),
        kwargs={"options": f"-c role={settings.database_role}"},
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=jobs.DELIVER, retry=UntilDead(), pass_context=True)
    def _deliver(context: procrastinate.JobContext, /, **_arguments: Any) -> None:
        try:
            batches.deliver(database, context.job)
        except batches.Unsettled:
            connector.lose()
            raise

    def on_time() -> bool:
        return clocks_agree(database, tolerance=settings.clock_tolerance)

    _add_timer(app, "run_timers", "* * * * *", on_time, lambda: run_timers(database))
    for number in range(1, MOST_JOINING + 1):
        name = f"help_timers_{number}"
        _add_timer(app, name, "* * * * *", on_time, lambda: fire_alarms(database), Queue.ALARMS)
    _add_timer(app, "follow_calendars", "* * * * *", on_time, lambda: follow_calendars(database))
    _add_timer(app, "sweep_events", "*/5 * * * *", on_time, lambda: sweep_events(database))
    _add_timer(app, "keep_house", _AT_NIGHT, on_time, lambda: keep_house(database))

    @app.periodic(cron="* * * * * */15")
    @app.task(name="retry_stalled", queue=Queue.TIMERS.value, queueing_lock="retry_stalled")
    async def _retry_stalled(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes it
        await retry_stalled(app)

    return app


def _add_timer(
    app: procrastinate.App,
    name: str,
    cron: str,
    may: Callable[[], bool],
    work: Callable[[], None],
    queue: Queue = Queue.TIMERS,
) -> None:
    """Add a timer: of all workers together one at most runs it, and one job at most waits.

    It does nothing where it may not.
    """

    @app.periodic(cron=cron)
    @app.task(name=name, queue=queue.value, queueing_lock=name, lock=name)
    def _timer(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes it
        if may():
            work()


def run(settings: Settings) -> None:
    """Work until told to stop (SIGTERM, SIGINT); what is being done is finished first.

    The process gives way to others from then on, unless it does so more already.

    Raises `WorkerLost` where the database is, or has gone, away: whoever keeps the worker running
    starts it again.
    """
    pool = max(settings.database_pool, CONNECTIONS)
    database = open_database(replace(settings, database_pool=pool))
    database.verify()
    os.setpriority(os.PRIO_PROCESS, 0, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    _LOG.info("worker_started", lanes=[lane.queues[0] for lane in LANES])
    try:
        asyncio.run(_work(build(settings, database)))
    except (procrastinate.exceptions.ConnectorException, psycopg.Error, PoolTimeout) as error:
        raise WorkerLost(f"the worker has no database: {type(error).__name__}") from None
    finally:
        database.dispose()


class WorkerLost(Exception):
    """The worker ended without having been asked to."""


async def _work(app: procrastinate.App) -> None:
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    failed = cast("Connector", app.connector).failed
    async with app.open_async():
        lanes = {asyncio.create_task(serve(app, lane)) for lane in LANES}
        waiting = {asyncio.create_task(event.wait()) for event in (asked, failed)}
        done, _ = await asyncio.wait({*lanes, *waiting}, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        for lane in lanes - done:
            lane.cancel()
        ended = await asyncio.gather(*lanes, return_exceptions=True)
    if not asked.is_set():
        for error in ended:
            if isinstance(error, Exception):
                raise error
        raise WorkerLost("the worker has lost its database")


async def serve(app: procrastinate.App, lane: Lane) -> None:
    """Work on some queues; what is being done is finished first when it is cancelled.

    No finished job is kept: what a delivery came to is in tables of its own, and a timer that
    fails is in the log.
    """
    await app.run_worker_async(
        name=lane.queues[0],
        queues=list(lane.queues),
        concurrency=lane.concurrency,
        delete_jobs="always",
        shutdown_graceful_timeout=15,
        fetch_job_polling_interval=LOOKING_SECONDS,
        listen_notify=False,
        install_signal_handlers=False,
    )
