"""Rows that are written last go together, and before anything that could miss them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from service.kernel.db import Scope, insert_last, insert_rows
from service.kernel.deliveries import DeadDelivery, HandledEvent

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)
DEMO = Scope.system("demo")


def handled(**changes):
    return {"district_id": "demo", "event_id": uuid4(), "handler": "one", "at": AT} | changes


def dead(**changes):
    row = {"district_id": "demo", "event_id": uuid4(), "subscriber": "one", "ticket_id": None}
    return row | {"tries": 1, "cause": "Error", "at": AT} | changes


def kept(session, row):
    found = select(HandledEvent.id).where(HandledEvent.event_id == row["event_id"])
    return session.scalars(found).all()


def stored(database, row):
    with database.transaction(DEMO) as session:
        return kept(session, row)


@pytest.fixture
def trips(monkeypatch):
    """How often the process waited for all answers of several statements."""
    seen = []
    pipeline = psycopg.Connection.pipeline

    def counting(self):
        seen.append(self)
        return pipeline(self)

    monkeypatch.setattr(psycopg.Connection, "pipeline", counting)
    return seen


def test_they_are_there_after_the_commit_and_were_one_trip(database, sql_count, trips):
    rows = [handled(), handled(), handled()]
    with database.transaction(DEMO) as session, sql_count() as sent:
        insert_last(session, HandledEvent, rows[:2])
        insert_last(session, HandledEvent, rows[2:])
        insert_last(session, DeadDelivery, [dead()])
        assert sent.total == 0
        database.commit(session)
        assert sent.total == 3
    assert len(trips) == 1
    assert all(stored(database, row) for row in rows)


def test_one_statement_needs_no_pipeline(database, trips):
    row = handled()
    with database.transaction(DEMO) as session:
        insert_last(session, HandledEvent, [row])
    assert stored(database, row)
    assert trips == []


def test_no_row_is_no_statement(session, sql_count):
    with sql_count() as sent:
        insert_last(session, HandledEvent, [])
        session.flush()
    assert sent.total == 0


def test_whatever_is_asked_next_sees_them(session):
    first, second = handled(), handled()
    insert_last(session, HandledEvent, [first])
    insert_last(session, HandledEvent, [second])
    assert kept(session, first)
    assert kept(session, second)


def test_they_stand_before_what_is_written_at_once(session, sql_count):
    with sql_count() as sent:
        insert_last(session, DeadDelivery, [dead()])
        insert_rows(session, HandledEvent, [handled()])
    assert [text.split()[2] for text in sent.texts] == ["dead_deliveries", "handled_events"]


def test_a_session_that_commits_by_itself_forgets_none(database):
    row = handled()
    session = database.open(DEMO)
    insert_last(session, HandledEvent, [row])
    session.commit()
    session.close()
    assert stored(database, row)


def test_a_rollback_takes_them_back(database):
    row, session = handled(), database.open(DEMO)
    insert_last(session, HandledEvent, [row])
    session.rollback()
    assert session.execute(text("SELECT 1")).scalar_one() == 1
    session.commit()
    session.close()
    assert stored(database, row) == []


def test_a_savepoint_has_its_own(session):
    before, within, after = handled(), handled(), handled()
    insert_last(session, HandledEvent, [before])
    taken_back = session.begin_nested()
    insert_last(session, HandledEvent, [within])
    taken_back.rollback()
    with session.begin_nested():
        insert_last(session, HandledEvent, [after])
    assert [bool(kept(session, row)) for row in (before, within, after)] == [True, False, True]


def test_a_refusal_leaves_nothing_and_the_connection_goes_on(database):
    """What is wrong is told, and not that what came behind it was not looked at."""
    rows = [handled(), handled()]

    def write() -> None:
        with database.transaction(DEMO) as session:
            insert_last(session, HandledEvent, rows[:1])
            insert_last(session, DeadDelivery, [dead(tries=0)])
            insert_last(session, HandledEvent, rows[1:])

    for _ in range(3):
        with pytest.raises(IntegrityError, match="ck_dead_deliveries_tries"):
            write()
    assert [stored(database, row) for row in rows] == [[], []]


@pytest.mark.parametrize("others", [0, 1])
def test_a_refusal_is_told_before_what_is_asked_next(session, others):
    insert_last(session, DeadDelivery, [dead(tries=0)])
    for _ in range(others):
        insert_last(session, HandledEvent, [handled()])
    with pytest.raises(IntegrityError, match="ck_dead_deliveries_tries"):
        session.execute(text("SELECT 1"))
