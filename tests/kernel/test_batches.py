"""What waits for the same subscriber goes along in one transaction; nothing depends on that."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest
from procrastinate.jobs import Job
from psycopg.rows import dict_row
from sqlalchemy import select, text

from service import worker
from service.kernel import audit, batches, clock, deliveries, events, jobs, subscriptions
from service.kernel.actor import system
from service.kernel.audit import AuditEntry
from service.kernel.db import Scope
from service.kernel.deliveries import DeadDelivery, HandledEvent
from service.kernel.jobs import Queue
from service.kernel.subscriptions import TRIES, Inside
from service.subscribers import SUBSCRIPTIONS
from tests.conftest import url_of
from tests.kernel.kinds import TESTED

DEMO = Scope.system("demo")
FETCH = "SELECT * FROM procrastinate_fetch_job_v2(ARRAY['deliveries', 'default']::varchar[], %s)"
LEFT = """
SELECT args ->> 'subscriber' AS subscriber, status::text, attempts, lock, args -> 'events' AS events
FROM procrastinate_jobs WHERE task_name = 'deliver' ORDER BY id
"""


@pytest.fixture(scope="module")
def superuser(database_name):
    address = url_of("superuser", database_name)
    with psycopg.connect(address, autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture(autouse=True)
def at_once(superuser, monkeypatch):
    """Nothing waits in the queue, and no batch waits for company."""
    superuser.execute("TRUNCATE procrastinate_jobs, dead_deliveries, procrastinate_workers CASCADE")
    monkeypatch.setattr(batches, "GATHERING", 0)
    yield
    subscriptions.use(SUBSCRIPTIONS)


class Subscriber:
    """Takes several events; keeps what it is handed, and fails with some of it."""

    def __init__(self, name="several", tries=TRIES, queue=Queue.DELIVERIES):
        self.handed, self.broken, self.error = [], set(), ZeroDivisionError
        self.subscription = Inside(
            name=name,
            kinds=frozenset({TESTED.name}),
            handler=lambda session, event: self.together(session, [event]),
            together=self.together,
            tries=tries,
            queue=queue,
        )

    def together(self, session, events):
        self.handed.append([event.id for event in events])
        for event in events:
            audit.record(session, "had", actor=system("demo"), at=clock.now(), subject=event.id)
        if self.broken & {event.id for event in events}:
            raise self.error


@pytest.fixture
def several():
    one = Subscriber()
    subscriptions.use([one.subscription])
    return one


@pytest.fixture
def tell(database):
    def emit(ticket=None):
        """An event of a ticket of its own, or of one that is named, in its own transaction."""
        with database.transaction(DEMO) as session:
            return events.emit(
                session,
                TESTED.name,
                actor=system("demo"),
                at=clock.now(),
                ticket_id=ticket or uuid4(),
            )

    return emit


@pytest.fixture
def begin(superuser):
    """Begins the first job that may be, as the runner does; returns it, or None."""

    def fetch():
        insert = "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
        row = superuser.execute(FETCH, (superuser.execute(insert).fetchone()["id"],)).fetchone()
        return None if row["id"] is None else Job.from_row(row)

    return fetch


@pytest.fixture
def effects(database):
    """How often each of some events has had its effect."""

    def of(*ids):
        with database.transaction(DEMO) as session:
            found = session.scalars(
                select(AuditEntry.subject).where(AuditEntry.subject.in_(ids))
            ).all()
        return [found.count(one) for one in ids]

    return of


def left(superuser):
    return superuser.execute(LEFT).fetchall()


def marks(database, *ids):
    with database.transaction(DEMO) as session:
        return len(
            session.scalars(select(HandledEvent).where(HandledEvent.event_id.in_(ids))).all()
        )


def test_what_waits_goes_along_in_one_transaction(
    database, superuser, several, tell, begin, effects
):
    told = [tell() for _ in range(5)]
    job = begin()
    batches.deliver(database, job)
    assert several.handed == [told]
    assert effects(*told) == [1] * 5
    assert marks(database, *told) == 5
    assert [one["status"] for one in left(superuser)] == ["doing"], "the runner finishes its own"


def test_a_batch_costs_as_many_statements_as_one(database, several, tell, begin, sql_count):
    costs = []
    for number in (1, 2, 40):
        for _ in range(number):
            tell()
        job = begin()
        with sql_count() as sent:
            batches.deliver(database, job)
        costs.append(sum("audit_log" not in sql for sql in sent.texts))
        assert len(several.handed.pop()) == number
    alone, *more = costs
    # Two looks for company; whose transaction, the events, the marks; and the jobs that went along.
    assert alone == 7
    assert more == [8, 8]


def test_a_full_batch_does_not_wait_for_company(
    database, several, tell, begin, monkeypatch, superuser
):
    monkeypatch.setattr(batches, "MOST", 3)
    monkeypatch.setattr(batches.time, "sleep", pytest.fail)
    told = [tell() for _ in range(5)]
    batches.deliver(database, begin())
    assert several.handed == [told[:4]]
    assert [one["status"] for one in left(superuser)] == ["doing", "todo"]


def test_a_batch_that_is_not_full_takes_what_comes_within_a_moment(
    database, several, tell, begin, monkeypatch
):
    told = [tell()]
    monkeypatch.setattr(batches.time, "sleep", lambda _seconds: told.append(tell()))
    batches.deliver(database, begin())
    assert several.handed == [told]


def test_of_one_ticket_they_come_one_after_another_and_in_order(
    database, superuser, several, tell, begin
):
    ticket, other = uuid4(), uuid4()
    first, second, third = (tell(ticket) for _ in range(3))
    alone, later = tell(other), tell(other)
    job = begin()
    batches.deliver(database, job)
    assert several.handed == [[first, alone]]
    superuser.execute("DELETE FROM procrastinate_jobs WHERE id = %s", (job.id,))
    job = begin()
    batches.deliver(database, job)
    assert several.handed[1:] == [[second, later]]
    superuser.execute("DELETE FROM procrastinate_jobs WHERE id = %s", (job.id,))
    batches.deliver(database, begin())
    assert several.handed[2:] == [[third]]


def test_who_waits_behind_one_that_runs_is_left(database, superuser, several, tell, begin):
    ticket = uuid4()
    tell(ticket), tell(ticket)
    told = [tell(), tell()]
    assert begin() is not None, "another worker has the first of the ticket"
    batches.deliver(database, begin())
    assert several.handed == [told]
    assert [one["status"] for one in left(superuser)] == ["doing", "todo", "doing"]


def test_only_what_is_fresh_and_the_subscribers_own_goes_along(database, superuser, tell, begin):
    ours, other = Subscriber(), Subscriber("other")
    subscriptions.use([ours.subscription])
    first = tell()
    subscriptions.use([ours.subscription, other.subscription])
    tried, waiting, elsewhere, foreign, last = (tell() for _ in range(5))
    change = "UPDATE procrastinate_jobs SET {} WHERE args -> 'events' ? %s"
    for event, told in (
        (tried, "attempts = 1"),
        (waiting, "scheduled_at = now() - interval '1 hour'"),
        (elsewhere, "queue_name = 'default'"),
        (foreign, """args = jsonb_set(args, '{district}', '"elsewhere"')"""),
    ):
        superuser.execute(change.format(told), (str(event),))
    batches.deliver(database, begin())
    assert ours.handed == [[first, last]]
    assert other.handed == []


def test_one_that_fails_is_tried_again_alone_and_the_others_are_not(
    database, superuser, several, tell, begin, effects
):
    told = [tell() for _ in range(5)]
    several.broken = {told[2]}
    job = begin()
    batches.deliver(database, job)
    assert several.handed[0] == told
    assert sorted(several.handed[1:]) == [[one] for one in told]
    assert effects(*told) == [1, 1, 0, 1, 1]
    own, failed = left(superuser)
    assert own["status"] == "doing"
    assert (failed["status"], failed["attempts"], failed["events"]) == (
        "todo",
        1,
        [str(told[2])],
    )
    assert failed["lock"].startswith("retry:"), "what comes later of its ticket does not wait"
    several.broken.clear()
    superuser.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    later = tell()
    again = begin()
    batches.deliver(database, again)
    assert several.handed[-1] == [told[2]], "what has failed takes nobody along"
    assert effects(*told, later) == [1, 1, 1, 1, 1, 0]


def test_the_first_that_fails_is_the_runners_to_try_again(
    database, superuser, several, tell, begin, effects
):
    told = [tell() for _ in range(3)]
    several.broken = {told[0]}
    job = begin()
    with pytest.raises(ZeroDivisionError):
        batches.deliver(database, job)
    assert effects(*told) == [0, 1, 1]
    assert [one["events"] for one in left(superuser)] == [[str(told[0])]]


def test_tries_end_in_a_batch_too(database, superuser, tell, begin):
    hasty = Subscriber(tries=1)
    subscriptions.use([hasty.subscription])
    told = [tell() for _ in range(3)]
    hasty.broken = {told[1]}
    batches.deliver(database, begin())
    with database.transaction(DEMO) as session:
        dead = session.execute(select(DeadDelivery.event_id, DeadDelivery.cause)).all()
    assert dead == [(told[1], "ZeroDivisionError")]
    assert len(left(superuser)) == 1


def test_what_a_subscriber_has_had_it_is_not_handed_again(
    database, several, tell, begin, effects, superuser
):
    """A sweep may enqueue an event twice, and a restore bring back its job."""
    told = [tell() for _ in range(3)]
    superuser.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " SELECT queue_name, task_name, args FROM procrastinate_jobs"
    )
    batches.deliver(database, begin())
    deliveries.deliver(
        database, district="demo", events=[str(one) for one in told], subscriber="several"
    )
    assert several.handed == [told]
    assert effects(*told) == [1, 1, 1]


class Killed(BaseException):
    """What no handler of errors sees: the process is gone."""


def test_a_worker_that_is_killed_in_a_batch_loses_nothing_and_does_nothing_twice(
    settings, database, superuser, several, tell, begin, effects
):
    """All of it counts as tried, and comes back alone: what kills workers kills no batch again."""
    told = [tell() for _ in range(4)]
    several.broken, several.error = {told[1]}, Killed
    with pytest.raises(Killed):
        batches.deliver(database, begin())
    assert {one["status"] for one in left(superuser)} == {"doing"}
    assert effects(*told) == [0] * 4
    superuser.execute("DELETE FROM procrastinate_workers")

    async def rescue():
        async with worker.build(settings, database).open_async() as app:
            await worker.retry_stalled(app)

    asyncio.run(rescue())
    assert [(one["status"], one["attempts"]) for one in left(superuser)] == [("todo", 1)] * 4
    several.broken = set()
    several.handed.clear()
    while (job := begin()) is not None:
        batches.deliver(database, job)
        superuser.execute("DELETE FROM procrastinate_jobs WHERE id = %s", (job.id,))
    assert several.handed == [[one] for one in told]
    assert effects(*told) == [1] * 4


def test_workers_at_once_take_each_job_once(database, superuser, several, tell, begin, effects):
    told = [tell() for _ in range(40)]
    begun = [begin() for _ in range(4)]
    start = Barrier(4)

    def work(job):
        start.wait(30)
        batches.deliver(database, job)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, begun))
    assert effects(*told) == [1] * 40
    assert sorted(one for handed in several.handed for one in handed) == told
    assert len(left(superuser)) == 4


def test_who_is_second_with_a_lock_takes_nobody_along(
    database, superuser, several, tell, begin, monkeypatch
):
    """An earlier job that committed later than one of its lock that runs: only the index knows."""
    told = [tell() for _ in range(3)]
    original = jobs.take_along

    def clashing(session, job, *, most):
        session.execute(
            text("UPDATE procrastinate_jobs SET lock = 'same', status = 'doing' WHERE id <> :id"),
            {"id": job.id},
        )
        return original(session, job, most=most)

    monkeypatch.setattr(jobs, "take_along", clashing)
    batches.deliver(database, begin())
    assert several.handed == [[told[0]]]
    assert [one["status"] for one in left(superuser)] == ["doing", "todo", "todo"]


@pytest.mark.parametrize("statement", ["finish", "retry"])
def test_a_worker_that_cannot_say_what_became_of_a_batch_ends(
    settings, database, several, tell, monkeypatch, statement
):
    """Else the jobs stay marked as running by a worker that lives, and nothing rescues them."""

    def fails(*_arguments, **_more):
        raise psycopg.OperationalError

    told = [tell() for _ in range(3)]
    several.broken = {told[1]}
    monkeypatch.setattr(jobs, statement, fails)

    async def work():
        async with worker.build(settings, database).open_async() as app:
            # One place: the first job takes the others along, and what fails is among these.
            lane = worker.Lane((Queue.DELIVERIES.value,), 1)
            serving = asyncio.create_task(worker.serve(app, lane))
            await asyncio.wait_for(app.connector.failed.wait(), 20)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            return True

    assert asyncio.run(work())


def test_nothing_that_gathers_holds_a_connection(database, several, tell, begin, monkeypatch):
    """While a batch waits for company, none of its connections is taken."""
    monkeypatch.setattr(
        batches.time, "sleep", lambda _: taken.append(database.engine.pool.checkedout())
    )
    taken = []
    tell()
    batches.deliver(database, begin())
    assert taken == [0]
