"""Events are delivered at least once, and handled exactly once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from service import worker
from service.kernel import audit, clock, deliveries, events
from service.kernel.actor import system
from service.kernel.audit import AuditEntry
from service.kernel.db import Scope
from service.kernel.deliveries import HandledEvent
from service.kernel.events import Event
from service.notifications.models import Notice
from tests.conftest import url_of

DEMO = Scope.system("demo")


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def no_jobs(superuser):
    """Whatever others have left in the queue is gone."""
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")


def queued(superuser):
    """The deliveries; the timers of a worker that runs stand in the same queue."""
    return superuser.execute(
        "SELECT args, status FROM procrastinate_jobs WHERE task_name = 'deliver' ORDER BY id"
    ).fetchall()


def tell(session, kind="tested"):
    return events.emit(session, kind, actor=system("demo"), at=clock.now())


def seen(database, model, *conditions):
    with database.transaction(DEMO) as session:
        return session.scalars(select(model).where(*conditions)).all()


@pytest.fixture
def handlers(monkeypatch):
    """A table of handlers for the kind `tested` instead of the real one."""

    def put(*functions):
        monkeypatch.setattr(worker, "HANDLERS", {"tested": functions})

    return put


def deliver(database, *told):
    worker.deliver(database, district="demo", events=[str(one) for one in told])


def test_an_event_is_handled_once_however_often_it_is_delivered(database, handlers):
    had = []

    def first(_session, event):
        had.append(("first", event.id))

    def second(_session, event):
        had.append(("second", event.id))

    handlers(first, second)
    with database.transaction(DEMO) as session:
        one, two = tell(session), tell(session)
    deliver(database, two, one)
    deliver(database, one, two)
    assert had == [("first", one), ("second", one), ("first", two), ("second", two)]


def test_an_event_of_another_kind_or_district_is_nobodys(database, handlers):
    had = []
    handlers(lambda _session, event: had.append(event.id))
    with database.transaction(DEMO) as session:
        other = tell(session, "something else")
        ours = tell(session)
    deliver(database, other, uuid4())
    worker.deliver(database, district="elsewhere", events=[str(ours)])
    assert had == []


def test_a_handler_that_fails_leaves_nothing_and_gets_the_event_again(database, handlers):
    subject, failures = uuid4(), [ZeroDivisionError()]
    had = []

    def earlier(_session, _event):
        had.append("earlier")

    def failing(session, event):
        audit.record(session, "half", actor=system("demo"), at=clock.now(), subject=subject)
        tell(session, "half done")
        if failures:
            raise failures.pop()

    handlers(earlier, failing)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    with pytest.raises(ZeroDivisionError):
        deliver(database, event_id)
    assert seen(database, AuditEntry, AuditEntry.subject == subject) == []
    assert len(seen(database, HandledEvent, HandledEvent.event_id == event_id)) == 1
    deliver(database, event_id)
    assert len(seen(database, AuditEntry, AuditEntry.subject == subject)) == 1
    assert len(seen(database, HandledEvent, HandledEvent.event_id == event_id)) == 2
    assert had == ["earlier"]


def test_two_workers_with_the_same_event_handle_it_once(database, handlers):
    subject = uuid4()
    begin = threading.Barrier(4)

    def slow(session, _event):
        audit.record(session, "slow", actor=system("demo"), at=clock.now(), subject=subject)
        session.execute(text("SELECT pg_sleep(0.05)"))

    handlers(slow)
    with database.transaction(DEMO) as session:
        event_id = tell(session)

    def work(_):
        begin.wait()
        deliver(database, event_id)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert len(seen(database, AuditEntry, AuditEntry.subject == subject)) == 1


def test_an_item_whose_handler_is_lost_to_a_crash_is_done_by_the_next_worker(database, handlers):
    """What a killed worker leaves is an open transaction that the server rolls back."""
    had = []
    handlers(lambda _session, event: had.append(event.id))
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    crashed = database.open(DEMO)
    event = crashed.scalars(select(Event).where(Event.id == event_id)).one()
    (handler,) = worker.HANDLERS["tested"]
    name = f"{handler.__module__}.{handler.__name__}"
    assert deliveries.first_time(crashed, event, handler=name, at=clock.now())
    crashed.close()
    deliver(database, event_id)
    assert had == [event_id]


def test_the_real_handlers_tell_the_applicant_once(database, superuser, no_jobs, world):
    ticket = world.ticket()
    ((arguments, _),) = queued(superuser)
    for _ in range(3):
        worker.deliver(database, **arguments)
    (notice,) = seen(database, Notice, Notice.ticket_id == ticket["id"])
    assert notice.kind == "ticket_filed"


# --- the runner -----------------------------------------------------------------------------


def run_worker(settings, database):
    """Work until the queue is empty."""
    with worker.build(settings, database).open() as app:
        app.run_worker(wait=False, install_signal_handlers=False, delete_jobs="successful")


def test_the_runner_delivers_and_forgets_the_job(settings, database, superuser, no_jobs, world):
    talent = world.talent()
    ticket = world.ticket(talent)
    run_worker(settings, database)
    assert queued(superuser) == []
    told = talent.get("/v1/notices").json
    assert [notice["ticket"] for notice in told["items"]] == [ticket["id"]]
    assert told["unread"] == {"value": 1, "exact": True}


def test_the_runner_tries_again_what_failed(settings, database, superuser, no_jobs, handlers):
    failures, had = [ZeroDivisionError()], []

    def failing(_session, event):
        if failures:
            raise failures.pop()
        had.append(event.id)

    handlers(failing)
    with database.transaction(DEMO) as session:
        event_id = tell(session)
    run_worker(settings, database)
    ((_, status),) = queued(superuser)
    assert status == "todo"
    assert had == []
    again = superuser.execute(
        "UPDATE procrastinate_jobs SET scheduled_at = NULL RETURNING attempts"
    ).fetchone()
    assert again == (1,)
    run_worker(settings, database)
    assert had == [event_id]
    assert queued(superuser) == []


def test_the_timers_run_in_every_district(database):
    worker.run_timers(database)
    worker.run_timers(database)


def test_what_a_dead_worker_had_begun_is_taken_up_again(settings, database, superuser, no_jobs):
    """Its delivery goes back to the queue; its timer, whose next run waits there, is dropped."""
    insert = (
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status, lock, queueing_lock, args)"
        " VALUES ('default', %s, %s, %s, %s, '{}')"
    )
    superuser.execute(insert, ("run_timers", "doing", "run_timers", "run_timers"))
    superuser.execute(insert, ("run_timers", "todo", "run_timers", "run_timers"))
    superuser.execute(insert, ("deliver", "doing", None, None))

    async def retry() -> None:
        async with worker.build(settings, database).open_async() as app:
            await worker.retry_stalled(app)

    asyncio.run(retry())
    left = "SELECT task_name, status::text FROM procrastinate_jobs ORDER BY task_name"
    assert superuser.execute(left).fetchall() == [("deliver", "todo"), ("run_timers", "todo")]
