"""What happened is written with what it changed, and so is the job that delivers it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from service import worker
from service.kernel import audit, clock, events, ids, jobs, subscriptions
from service.kernel.actor import Actor, ActorKind, system
from service.kernel.audit import AuditEntry
from service.kernel.db import Scope
from service.kernel.events import Event
from service.kernel.subscriptions import Inside
from service.subscribers import SUBSCRIPTIONS
from tests.conftest import url_of
from tests.kernel.kinds import OTHER, TESTED

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
    return superuser.execute(
        "SELECT task_name, lock, args, status FROM procrastinate_jobs ORDER BY id"
    ).fetchall()


def tell(session, kind=TESTED, **more):
    return events.emit(session, kind.name, actor=system("demo"), at=clock.now(), **more)


@pytest.fixture
def subscribe():
    """Makes a table in which each of some names subscribes to the kind `tested`."""

    def put(*names):
        kinds = frozenset({TESTED.name})
        subscriptions.use(Inside(name=name, kinds=kinds, handler=print) for name in names)

    yield put
    subscriptions.use(SUBSCRIPTIONS)


def seen(database, model, *conditions):
    with database.transaction(DEMO) as session:
        return session.scalars(select(model).where(*conditions)).all()


# --- writing --------------------------------------------------------------------------------


def test_an_event_and_its_delivery_come_with_the_commit(database, superuser, no_jobs, subscribe):
    subscribe("one")
    with database.transaction(DEMO) as session:
        event_id = tell(session, data={"code": "a"})
        assert seen(database, Event, Event.id == event_id) == []
        assert queued(superuser) == []
    (event,) = seen(database, Event, Event.id == event_id)
    assert (event.kind, event.data, event.actor_kind) == ("tested", {"code": "a"}, ActorKind.SYSTEM)
    arguments = {"district": "demo", "subscriber": "one", "events": [str(event_id)]}
    assert queued(superuser) == [(jobs.DELIVER, None, arguments, "todo")]


def test_nothing_is_told_after_a_rollback(database, superuser, no_jobs, subscribe):
    subscribe("one")
    told = []

    def fail():
        with database.transaction(DEMO) as session:
            told.append(tell(session))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    session = database.open(DEMO)
    told.append(tell(session))
    session.close()
    assert seen(database, Event, Event.id.in_(told)) == []
    assert queued(superuser) == []
    with database.transaction(DEMO) as session:
        session.execute(text("SELECT 1"))
    assert queued(superuser) == [], "what one transaction took back is not told by the next"


def test_a_commit_that_fails_tells_nothing(database, superuser, no_jobs, subscribe):
    """The job and the event are in the transaction, not before and not after it."""
    subscribe("one")
    district = f"d{uuid4().hex[:8]}"
    session = database.open(Scope.system(district))
    event_id = tell(session)
    with pytest.raises(Exception, match="row-level security"):
        database.commit(session)
    session.close()
    assert seen(database, Event, Event.id == event_id) == []
    assert queued(superuser) == []


def test_a_transaction_has_one_job_for_each_subscriber(
    database, superuser, no_jobs, subscribe, sql_count
):
    """With all events that it subscribes to, in order; one statement for all the jobs."""
    subscribe("one", "another")
    ticket = uuid4()
    with sql_count() as sent, database.transaction(DEMO) as session:
        told = [tell(session, ticket_id=ticket, seq=seq) for seq in range(1, 6)]
        tell(session, OTHER, ticket_id=ticket)
    assert sent.total == 3, "the scope, the events, the jobs"
    events_of_it = [str(event) for event in told]
    assert queued(superuser) == [
        (
            jobs.DELIVER,
            f"{name}:{ticket}",
            {"district": "demo", "subscriber": name, "events": events_of_it},
            "todo",
        )
        for name in ("one", "another")
    ]
    assert told == sorted(told)


def test_where_nobody_subscribes_no_job_is_enqueued(
    database, superuser, no_jobs, subscribe, sql_count
):
    subscribe("one")
    with sql_count() as sent, database.transaction(DEMO) as session:
        tell(session, OTHER, ticket_id=uuid4())
    assert sent.total == 2, "the scope and the event"
    assert queued(superuser) == []


def test_a_claim_enqueues_nothing(superuser, world, no_jobs, sql_count):
    item = world.ticket(None, "settlement")["items"][0]
    clerk = world.staff(f"clerk.{item['stages'][0]['department']}")
    superuser.execute("TRUNCATE procrastinate_jobs CASCADE")
    with sql_count() as sent:
        world.claimed(clerk, item["number"])
    assert queued(superuser) == []
    assert not [text for text in sent.texts if "procrastinate" in text]


def test_jobs_hold_ids_alone(database, superuser, no_jobs, world):
    """A filing with a name, a number and answers leaves none of them in the queue or the events."""
    world.ticket(world.talent("欧阳金丝雀"))
    rows = queued(superuser)
    assert rows
    for task, lock, arguments, _ in rows:
        assert task == jobs.DELIVER
        assert set(arguments) == {"district", "subscriber", "events"}
        assert arguments["subscriber"] in [one.name for one in SUBSCRIPTIONS]
        ticket = lock.removeprefix(f"{arguments['subscriber']}:")
        assert all(len(one) == 36 for one in (ticket, *arguments["events"]))
    kept = superuser.execute(
        "SELECT string_agg(to_jsonb(e)::text, '') || (SELECT coalesce(string_agg(to_jsonb(a)::text,"
        " ''), '') FROM audit_log a) FROM events e"
    ).fetchone()[0]
    assert "欧阳" not in kept
    assert "110105" not in kept


def test_events_of_a_ticket_are_numbered_without_a_gap(database, world):
    ticket = world.ticket(None, "settlement")
    world.through(ticket["items"][0])
    told = seen(database, Event, Event.ticket_id == ticket["id"], Event.seq.is_not(None))
    assert sorted(event.seq for event in told) == list(range(1, len(told) + 1))


def test_what_is_audited_stands_with_the_commit(database):
    actor = Actor(ActorKind.STAFF, "demo", account_id=uuid4())
    subject = uuid4()
    with database.transaction(DEMO) as session:
        audit.record(
            session, "looked", actor=actor, at=clock.now(), subject=subject, data={"field": "phone"}
        )
    (entry,) = seen(database, AuditEntry, AuditEntry.subject == subject)
    assert (entry.action, entry.actor_id, entry.actor_kind) == (
        "looked",
        actor.account_id,
        ActorKind.STAFF,
    )
    assert entry.data == {"field": "phone"}
    session = database.open(DEMO)
    lost = uuid4()
    audit.record(session, "looked", actor=actor, at=clock.now(), subject=lost)
    session.close()
    assert seen(database, AuditEntry, AuditEntry.subject == lost) == []


# --- partitions -----------------------------------------------------------------------------


def partition_of(superuser, table, row_id):
    return superuser.execute(
        f"SELECT tableoid::regclass::text FROM {table} WHERE id = %s", (row_id,)
    ).fetchone()[0]


def test_a_row_lies_in_the_partition_of_its_month(database, superuser):
    subject = uuid4()
    with database.transaction(DEMO) as session:
        event_id = tell(session)
        audit.record(session, "looked", actor=system("demo"), at=clock.now(), subject=subject)
    (entry,) = seen(database, AuditEntry, AuditEntry.subject == subject)
    month = clock.now().strftime("_%Y_%m")
    assert partition_of(superuser, "events", event_id) == f"events{month}"
    assert partition_of(superuser, "audit_log", entry.id) == f"audit_log{month}"


@pytest.mark.parametrize("months", [0, 1, 2])
def test_the_first_and_the_last_millisecond_of_a_month_are_its_own(database, superuser, months):
    now = clock.now()
    year, month = divmod(now.year * 12 + now.month - 1 + months, 12)
    first = datetime(year, month + 1, 1, tzinfo=UTC)
    after = datetime(year + (month == 11), (month + 1) % 12 + 1, 1, tzinfo=UTC)
    last = ids.lowest_id(after).int - 1
    for value in (ids.lowest_id(first).int, last):
        row_id = type(uuid4())(int=value)
        superuser.execute(
            "INSERT INTO events (district_id, id, kind, actor_kind, public, data, at)"
            " VALUES ('demo', %s, 'edge', 'system', false, '{}', now())",
            (row_id,),
        )
        assert partition_of(superuser, "events", row_id) == first.strftime("events_%Y_%m")


def test_partitions_are_made_ahead_once(database, superuser):
    def parts():
        return {
            row[0]
            for row in superuser.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits"
                " WHERE inhparent = 'events'::regclass"
            )
        }

    before = parts()
    assert len(before) == 5, "this month, three more, and the default"
    worker.keep_house(database)
    worker.keep_house(database)
    assert parts() == before
    with database.transaction(Scope.system()) as session:
        session.execute(text("SELECT ensure_partitions(now() + interval '5 months')"))
    assert len(parts()) == len(before) + 2
    assert len({name.replace("events", "") for name in parts()}) == len(parts())
