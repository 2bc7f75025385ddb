"""Events that no job delivers are found, and delivered once."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select

from service import worker
from service.kernel import clock, deliveries, events, subscriptions, sweeping
from service.kernel.actor import system
from service.kernel.db import Scope
from service.kernel.deliveries import DeadDelivery
from service.kernel.subscriptions import Inside
from service.kernel.sweeping import DeliveryCursor, sweep
from service.subscribers import SUBSCRIPTIONS
from tests.conftest import url_of
from tests.kernel.kinds import OTHER, TESTED

DEMO = Scope.system("demo")
LATER = sweeping.GRACE + timedelta(seconds=1)


@pytest.fixture(scope="module")
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def had(database, superuser):
    """What a subscriber to `tested` has had; it has been seen before, and the queue is empty."""
    told = []

    def keen(_session, event):
        told.append(event.id)

    subscriptions.use([Inside(name="keen", kinds=frozenset({TESTED.name}), handler=keen)])
    tables = "procrastinate_jobs, dead_deliveries, delivery_cursors, handled_events"
    superuser.execute(f"TRUNCATE {tables} CASCADE")
    sweep(database, district="demo", at=clock.now())
    yield told
    subscriptions.use(SUBSCRIPTIONS)


def tell(database, kind=TESTED, count=1, ticket=None):
    with database.transaction(DEMO) as session:
        return [
            events.emit(session, kind.name, actor=system("demo"), at=clock.now(), ticket_id=ticket)
            for _ in range(count)
        ]


def lose_jobs(superuser):
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")


def jobs(superuser):
    query = "SELECT args FROM procrastinate_jobs WHERE task_name = 'deliver' ORDER BY id"
    return [row[0] for row in superuser.execute(query)]


def deliver_all(database, superuser):
    for arguments in jobs(superuser):
        deliveries.deliver(database, **arguments)


def test_what_lost_its_job_is_delivered_once(database, superuser, had):
    ticket = uuid4()
    told = tell(database, count=2, ticket=ticket)
    lose_jobs(superuser)
    assert sweep(database, district="demo", at=clock.now()) == 0, "it may be committing just now"
    assert sweep(database, district="demo", at=clock.now() + LATER) == 2
    assert sweep(database, district="demo", at=clock.now() + LATER) == 0
    deliver_all(database, superuser)
    deliver_all(database, superuser)
    assert had == told


def test_what_is_handled_dead_or_under_way_is_left_alone(database, superuser, had):
    (handled,) = tell(database)
    deliver_all(database, superuser)
    lose_jobs(superuser)
    (dead,) = tell(database)
    lose_jobs(superuser)
    with database.transaction(DEMO) as session:
        row = {"subscriber": "keen", "event_id": dead, "tries": 1, "cause": "A", "at": clock.now()}
        session.add(DeadDelivery(district_id="demo", **row))
    tell(database)
    before = jobs(superuser)
    assert sweep(database, district="demo", at=clock.now() + LATER) == 0
    assert jobs(superuser) == before
    assert had == [handled]


def test_a_job_of_the_release_before_counts_for_every_subscriber(database, superuser, had):
    tell(database)
    superuser.execute("UPDATE procrastinate_jobs SET args = args - 'subscriber'")
    assert sweep(database, district="demo", at=clock.now() + LATER) == 0


def test_what_nobody_subscribes_to_is_not_looked_at(database, superuser, had):
    tell(database, OTHER)
    assert sweep(database, district="demo", at=clock.now() + LATER) == 0


def test_a_new_subscriber_is_handed_nothing_of_before(database, superuser, had):
    tell(database)
    lose_jobs(superuser)
    subscriptions.use([Inside(name="new", kinds=frozenset({TESTED.name}), handler=print)])
    at = clock.now() + LATER
    assert sweep(database, district="demo", at=at) == 0
    assert sweep(database, district="demo", at=at + LATER) == 0


def test_a_sweep_is_bounded_and_goes_on_where_it_ended(database, superuser, had, monkeypatch):
    monkeypatch.setattr(sweeping, "PAGE", 2)
    monkeypatch.setattr(sweeping, "PAGES", 2)
    told = tell(database, count=7)
    lose_jobs(superuser)
    at = clock.now() + LATER
    assert [sweep(database, district="demo", at=at) for _ in range(3)] == [4, 3, 0]
    deliver_all(database, superuser)
    assert had == told


def test_the_cursor_stands_behind_the_events_that_may_still_commit(database, had):
    at = clock.now() + LATER
    sweep(database, district="demo", at=at)
    with database.transaction(DEMO) as session:
        (cursor,) = session.scalars(select(DeliveryCursor)).all()
    assert cursor.swept_to == sweeping.lowest_id(at - sweeping.GRACE)
    sweep(database, district="demo", at=at - timedelta(days=1))
    with database.transaction(DEMO) as session:
        assert session.scalars(select(DeliveryCursor.swept_to)).all() == [cursor.swept_to]


def test_every_district_is_swept_and_one_that_fails_holds_up_none(database, superuser, monkeypatch):
    superuser.execute("INSERT INTO districts VALUES ('broken', '{}', '{}') ON CONFLICT DO NOTHING")
    swept = []

    def broken(_database, *, district, at):
        if district == "broken":
            raise ZeroDivisionError
        swept.append(district)
        return 0

    monkeypatch.setattr(worker, "sweep", broken)
    worker.sweep_events(database)
    assert swept == ["demo"]
