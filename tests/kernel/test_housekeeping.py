"""What the worker does once a day."""

from __future__ import annotations

from datetime import timedelta

import psycopg
from sqlalchemy import func, select

from service import worker
from service.kernel import clock, deliveries
from service.kernel.db import Scope, insert_rows
from service.kernel.deliveries import HandledEvent
from service.kernel.ids import lowest_id, new_id
from tests.conftest import url_of


def test_old_deliveries_are_forgotten_and_young_ones_kept(database):
    now = clock.now()
    rows = [
        {"district_id": "demo", "event_id": new_id(), "handler": "test", "at": now - age}
        for age in (deliveries.KEPT + timedelta(hours=1), deliveries.KEPT - timedelta(hours=1))
    ]
    with database.transaction(Scope.system("demo")) as session:
        insert_rows(session, HandledEvent, rows)
    worker.keep_house(database)
    with database.transaction(Scope.system("demo")) as session:
        left = session.scalars(select(HandledEvent.event_id)).all()
    assert left == [rows[1]["event_id"]]


def test_the_partitions_of_the_next_months_are_there(database):
    worker.keep_house(database)
    month = clock.now() + timedelta(days=85)
    with database.transaction(Scope.system()) as session:
        found = session.scalar(select(func.to_regclass(f"public.events_{month:%Y_%m}")))
    assert found is not None


def test_a_row_that_came_before_its_partition_moves_there(database, database_name):
    """A worker that was away for months, or a clock that jumped: nothing stays behind."""
    ahead = clock.now() + timedelta(days=200)
    insert = (
        "INSERT INTO events (district_id, id, kind, actor_kind, public, data, at)"
        " VALUES ('demo', %s, 'tested', 'system', false, '{}', now()) RETURNING tableoid::regclass"
    )
    where = "SELECT tableoid::regclass::text FROM events WHERE id = %s"
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as superuser:
        row = lowest_id(ahead)
        assert superuser.execute(insert, (row,)).fetchone() == ("events_default",)
        superuser.execute("SELECT ensure_partitions(%s)", (ahead,))
        assert superuser.execute(where, (row,)).fetchone() == (f"events_{ahead:%Y_%m}",)
        attached = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'events'::regclass"
        parts = superuser.execute(attached).fetchone()
        superuser.execute("SELECT ensure_partitions(%s)", (ahead,))
        assert superuser.execute(attached).fetchone() == parts
