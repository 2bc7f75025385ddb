"""The job runner: delivers events to their handlers, and runs the timers.

A transaction's events arrive together, after it has committed, at least once. `handled_events`
keeps what each handler has done, in the handler's own transaction, so that nothing is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import procrastinate
from sqlalchemy import make_url, select, text
from sqlalchemy.orm import Session

import service.notifications.handlers
from service.app import open_database
from service.kernel import clock, deliveries, idempotency, jobs, logs
from service.kernel.actor import system
from service.kernel.db import Database, District, Scope
from service.kernel.events import Event
from service.kernel.settings import Settings
from service.tickets import actions as tickets
from service.tickets.rules import Happening

Handler = Callable[[Session, Event], None]

_TOLD: Final = (service.notifications.handlers.tell_applicant,)

HANDLERS: Final[Mapping[str, Sequence[Handler]]] = {
    Happening.TICKET_FILED: _TOLD,
    Happening.ITEM_ACCEPTED: _TOLD,
    Happening.ITEM_DEEMED_ACCEPTED: _TOLD,
    Happening.ITEM_NOT_ACCEPTED: _TOLD,
    Happening.ITEM_APPROVED: _TOLD,
    Happening.ITEM_REJECTED: _TOLD,
    Happening.TICKET_COMPLETED: _TOLD,
    Happening.TICKET_CLOSED: _TOLD,
}
"""Which functions react to which kind of event: the whole table."""

_LOG: Final = logs.logger("worker")
_CONCURRENCY: Final = 4
_RETRY: Final = procrastinate.RetryStrategy(max_attempts=12, exponential_wait=2)


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
    with database.transaction(Scope()) as session:
        districts = session.scalars(select(District.id).order_by(District.id)).all()
    for district in districts:
        while _deem(database, district) == tickets.SILENCE_BATCH:
            pass


def _deem(database: Database, district: str) -> int:
    with database.transaction(Scope(district=district)) as session:
        deemed = tickets.deem_silent_acceptances(session, system(district), at=clock.now())
    if deemed:
        _LOG.info("deemed_accepted", district=district, items=deemed)
    return deemed


def keep_house(database: Database) -> None:
    """Once a day: forget what need not be kept, and make the partitions of the months to come."""
    with database.transaction(Scope()) as session:
        districts = session.scalars(select(District.id).order_by(District.id)).all()
    for district in districts:
        with database.transaction(Scope(district=district)) as session:
            idempotency.forget_old_answers(session, at=clock.now())
            deliveries.forget_old_deliveries(session, at=clock.now())
    with database.transaction(Scope()) as session:
        session.execute(text("SELECT ensure_partitions(now() + interval '3 months')"))


async def retry_stalled(app: procrastinate.App) -> None:
    """Put back what a worker that died had begun; its handlers do nothing twice.

    A worker tells that it lives every ten seconds, and counts as dead after thirty.
    """
    for job in await app.job_manager.get_stalled_jobs():
        _LOG.warning("stalled_job_retried", job=job.id, task=job.task_name)
        await app.job_manager.retry_job(job)


def build(settings: Settings, database: Database) -> procrastinate.App:
    """The runner with its tasks; nothing is connected before it is opened."""
    url = make_url(settings.database_url).set(drivername="postgresql")
    connector = procrastinate.PsycopgConnector(
        conninfo=url.render_as_string(hide_password=False),
        kwargs={"options": f"-c role={settings.database_role}"},
    )
    app = procrastinate.App(connector=connector)

    @app.task(name=jobs.DELIVER, retry=_RETRY)
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
    """Work until told to stop (SIGTERM, SIGINT); what is being done is finished first."""
    database = open_database(settings)
    with build(settings, database).open() as app:
        app.run_worker(
            concurrency=_CONCURRENCY,
            delete_jobs="successful",
            shutdown_graceful_timeout=15,
            fetch_job_polling_interval=5,
        )
    database.dispose()
