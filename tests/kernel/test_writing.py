"""Rows are written as they are given, in one statement, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm.exc import StaleDataError

from service.kernel.actor import ActorKind
from service.kernel.db import insert_new_rows, insert_rows, update_changed
from service.kernel.deliveries import HandledEvent
from service.kernel.events import Event
from service.kernel.ids import new_id
from service.routing.flow import Verdict
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.rules.states import TaskStatus

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)


def handled(**changes):
    return {"district_id": "demo", "event_id": uuid4(), "handler": "one", "at": AT} | changes


def kept(session, row):
    found = select(HandledEvent).where(HandledEvent.event_id == row["event_id"])
    return session.scalars(found).all()


def test_many_rows_are_one_statement_and_get_ids(session, sql_count):
    rows = [handled() for _ in range(3)]
    with sql_count() as sent:
        insert_rows(session, HandledEvent, rows)
    assert sent.total == 1
    found = [one for row in rows for one in kept(session, row)]
    assert len({one.id for one in found}) == 3
    assert {(one.handler, one.at) for one in found} == {("one", AT)}


def test_no_row_is_no_statement(session, sql_count):
    with sql_count() as sent:
        insert_rows(session, HandledEvent, [])
        assert insert_new_rows(session, HandledEvent, []) == set()
    assert sent.total == 0


def test_states_json_and_what_the_database_fills_in(session):
    """Every type binds its value, and a column that is not given has the default of its table."""
    row = {
        "district_id": "demo",
        "id": new_id(),
        "kind": "tried",
        "actor_kind": ActorKind.SYSTEM,
        "public": False,
        "data": {"with": ["quotes '", 'and "', "100 %s"]},
        "at": AT,
    }
    insert_rows(session, Event, [row])
    event = session.scalars(select(Event).where(Event.id == row["id"])).one()
    assert (event.actor_kind, event.data) == (ActorKind.SYSTEM, row["data"])
    assert event.xid > 0


def test_what_is_there_already_is_skipped(session):
    there, new = handled(), handled()
    insert_rows(session, HandledEvent, [there])
    written = insert_new_rows(session, HandledEvent, [there, new])
    (other,) = kept(session, new)
    assert written == {other.id}
    assert len(kept(session, there)) == 1


@pytest.mark.parametrize("write", [insert_rows, insert_new_rows])
def test_rows_of_different_columns_are_refused(session, write):
    odd = handled()
    del odd["handler"]
    for rows in ([handled(), odd], [odd, handled()]):
        with pytest.raises(ValueError, match="handled_events"):
            write(session, HandledEvent, rows)


def test_a_value_that_nobody_makes_is_missed(session):
    """The unit of work would have filled the version in; here it has to be given."""
    with pytest.raises(LookupError, match="items: no value for version"):
        insert_rows(session, Item, [{"district_id": "demo", "id": new_id()}])


# --- entities that have changed


@pytest.fixture
def changed(world, session):
    """The items and tasks of two tickets, of which some have changed."""
    for _ in range(2):
        world.ticket()
    tasks = session.scalars(select(Task).order_by(Task.id)).all()
    for task in tasks:
        task.status, task.verdict, task.next_alarm_at = TaskStatus.CLOSED, Verdict.PASS, None
        task.closed_at = AT
    return tasks


def test_what_has_changed_is_one_statement_for_each_set_of_columns(session, changed, sql_count):
    changed[0].deemed = True
    versions = [task.version for task in changed]
    with sql_count() as sent:
        update_changed(session, Task)
        update_changed(session, Item)
        session.flush()
    assert sent.total == 2
    assert [task.version for task in changed] == [one + 1 for one in versions]
    assert not any(session.is_modified(task) for task in changed)
    session.expire_all()
    assert [task.version for task in changed] == [one + 1 for one in versions]
    assert {(task.status, task.verdict, task.closed_at) for task in changed} == {
        (TaskStatus.CLOSED, Verdict.PASS, AT)
    }
    assert [task.deemed for task in changed].count(True) == 1


def test_a_row_of_another_version_is_not_overwritten(session, changed):
    session.execute(
        update(Task)
        .where(Task.id == changed[0].id)
        .values(version=Task.version + 1)
        .execution_options(synchronize_session=False)
    )
    with pytest.raises(StaleDataError):
        update_changed(session, Task)


def test_lists_and_documents_are_left_to_the_unit_of_work(session, changed):
    one, *others = changed
    one.barred = [uuid4()]
    update_changed(session, Task)
    assert session.is_modified(one)
    assert not any(session.is_modified(task) for task in others)
    session.flush()
    session.expire_all()
    assert len(one.barred) == 1
    assert one.status is TaskStatus.CLOSED
