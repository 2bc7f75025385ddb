"""The job runner: delivers events to their handlers, and runs the timers.

A transaction's events arrive together, after it has committed, at least once. `handled_events`
keeps what each handler has done, in the handler's own transaction, so that nothing is done twice.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import procrastinate
import psycopg
from procrastinate.jobs import Status
from psycopg_pool import PoolTimeout
from sqlalchemy import make_url, select, text
from sqlalchemy.orm import Session

import service.materials.handlers
import service.notifications.handlers
from service.kernel import clock, deliveries, idempotency, jobs, logs, storage
from service.kernel.actor import system
from service.kernel.db import Database, District, Scope
from service.kernel.events import Event
from service.kernel.settings import Settings
from service.materials import actions as materials
from service.materials.queries import kept_ids
from service.materials.rules import MaterialEvent
from service.runtime import open_database
from service.tickets import timers
from service.tickets.rules.states import TicketEvent

Handler = Callable[[Session, Event], None]

_TOLD: Final = (service.notifications.handlers.tell_applicant,)

HANDLERS: Final[Mapping[str, Sequence[Handler]]] = {
    TicketEvent.TICKET_FILED: _TOLD,
    TicketEvent.ITEM_ACCEPTED: _TOLD,
    TicketEvent.ITEM_DEEMED_ACCEPTED: _TOLD,
    TicketEvent.ITEM_NOT_ACCEPTED: _TOLD,
    TicketEvent.ITEM_APPROVED: _TOLD,
    TicketEvent.ITEM_REJECTED: _TOLD,
    TicketEvent.ITEM_BEGUN: _TOLD,
    TicketEvent.ITEM_CANCELLED: _TOLD,
    TicketEvent.CHOICE_ASKED: _TOLD,
    TicketEvent.ITEM_RETURNED: _TOLD,
    TicketEvent.CORRECTION_DROPPED: _TOLD,
    TicketEvent.TICKET_COMPLETED: _TOLD,
    TicketEvent.TICKET_CLOSED: _TOLD,
    MaterialEvent.MATERIAL_ERASED: (service.materials.handlers.delete_content,),
}
"""Which functions react to which kind of event: the whole table."""

_LOG: Final = logs.logger("worker")
_CONCURRENCY: Final = 4
_WORRYING: Final = 5
_LONGEST_WAIT: Final = 600


def deliver(database: Database, *, district: str, events: Sequence[str]) -> None:
    """Give every event to every handler of its kind that has not had it, in order."""
    with database.transaction(Scope(district=district)) as session:
        found = session.scalars(
            select(Event)
            .where(Event.district_id == district, Event.id.in_([UUID(one) for one in events]))
            .order_by(Event.id)
        ).all()
    for event in found:
        for handler in HANDLERS.get(event.kind, ()):
            name = f"{handler.__module__}.{handler.__name__}"
            with database.transaction(Scope(district=district)) as session:
                if deliveries.first_time(session, event, handler=name, at=clock.now()):
                    handler(session, event)


def run_timers(database: Database) -> None:
    """What time does by itself, in every district: once a minute."""
    for district in _districts(database):
        for timer in timers.TIMERS:
            with _guarded(timer.name, district=district):
                moved = run_timer(database, timer, district, at=clock.now())
                if moved:
                    _LOG.info(timer.name, district=district, items=moved)


def run_timer(database: Database, timer: timers.Timer, district: str, *, at: datetime) -> int:
    """One round of one timer in one district; gives how many items moved.

    One transaction for each ticket: one that cannot be dealt with is logged and passed over.
    """
    actor, scope = system(district), Scope(district=district)
    moved, behind = 0, None
    while True:
        with database.transaction(scope) as session:
            found = timer.candidates(session, actor, at=at, behind=behind)
        for ticket_id in dict.fromkeys(row.ticket_id for row in found):
            guard = _guarded(timer.name, ticket=str(ticket_id))
            with guard, database.transaction(scope) as session:
                moved += timer.act(session, actor, ticket_id=ticket_id, at=at)
        if len(found) < timers.BATCH:
            return moved
        behind = (found[-1].due_at, found[-1].id)


def keep_house(database: Database) -> None:
    """Once a day: make the partitions of the months to come, forget what need not be kept.

    Files that belong to nothing are forgotten too.
    """
    with _guarded("ensure_partitions"), database.transaction(Scope()) as session:
        session.execute(text("SELECT ensure_partitions(now() + interval '3 months')"))
    for district in _districts(database):
        guard = _guarded("forget", district=district)
        with guard, database.transaction(Scope(district=district)) as session:
            idempotency.forget_old_answers(session, at=clock.now())
            deliveries.forget_old_deliveries(session, at=clock.now())
        with _guarded("sweep_orphans", district=district):
            swept = sweep_orphans(database, district, at=clock.now())
            if swept:
                _LOG.warning("sweep_orphans", district=district, blobs=swept)


def sweep_orphans(database: Database, district: str, *, at: datetime) -> int:
    """Delete the contents of a district that no material has any more, or ever had."""

    def kept(ids: Collection[UUID]) -> Collection[UUID]:
        with database.transaction(Scope(district=district)) as session:
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
                await app.job_manager.retry_job(job)
            else:
                await app.job_manager.finish_job(job, Status.FAILED, delete_job=True)


def _districts(database: Database) -> Sequence[str]:
    with database.transaction(Scope()) as session:
        return session.scalars(select(District.id).order_by(District.id)).all()


@contextmanager
def _guarded(work: str, **about: object) -> Iterator[None]:
    """Let one piece of work fail by itself: it is logged, and what comes after it goes on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, the others must not wait for it
        _LOG.error("work_failed", work=work, exc_info=error, **about)


class Endlessly(procrastinate.BaseRetryStrategy):
    """Try again, ever more slowly but at least every ten minutes: what happened must be told."""

    def get_retry_decision(
        self, *, exception: BaseException, job: procrastinate.jobs.Job
    ) -> procrastinate.RetryDecision:
        """The wait in seconds doubles with every attempt; from the fifth on it is an error."""
        log = _LOG.error if job.attempts >= _WORRYING else _LOG.warning
        log("delivery_failed", job=job.id, attempts=job.attempts, cause=type(exception).__name__)
        wait = min(2 ** min(job.attempts + 1, 10), _LONGEST_WAIT)
        return procrastinate.RetryDecision(retry_in={"seconds": wait})


def build(settings: Settings, database: Database) -> procrastinate.App:
    """The runner with its tasks; nothing is connected before it is opened."""
    url = make_url(settings.database_url).set(drivername="postgresql")
    connector = procrastinate.PsycopgConnector(
        conninfo=url.render_as_string(hide_password=False),
        kwargs={"options": f"-c role={settings.database_role}"},
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=jobs.DELIVER, retry=Endlessly())
    def _deliver(**arguments: Any) -> None:
        deliver(database, **arguments)

    @app.periodic(cron="* * * * *")
    @app.task(name="run_timers", queueing_lock="run_timers", lock="run_timers")
    def _run_timers(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes it
        run_timers(database)

    @app.periodic(cron="* * * * * */15")
    @app.task(name="retry_stalled", queueing_lock="retry_stalled")
    async def _retry_stalled(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes it
        await retry_stalled(app)

    @app.periodic(cron="17 3 * * *")
    @app.task(name="keep_house", queueing_lock="keep_house", lock="keep_house")
    def _keep_house(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes it
        keep_house(database)

    return app


def run(settings: Settings) -> None:
    """Work until told to stop (SIGTERM, SIGINT); what is being done is finished first.

    Raises `WorkerLost` where the database is, or has gone, away: whoever keeps the worker running
    starts it again.
    """
    database = open_database(settings)
    database.verify()
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
    async with app.open_async():
        working = asyncio.create_task(
            app.run_worker_async(
                concurrency=_CONCURRENCY,
                delete_jobs="successful",
                shutdown_graceful_timeout=15,
                fetch_job_polling_interval=5,
                install_signal_handlers=False,
            )
        )
        waiting = asyncio.create_task(asked.wait())
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if not asked.is_set():
            await working
            raise WorkerLost("the worker has lost its database")
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
