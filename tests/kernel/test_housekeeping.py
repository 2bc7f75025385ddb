"""What the worker does once a day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import func, select

from service import worker
from service.kernel import clock, deliveries
from service.kernel.db import Scope, insert_rows
from service.kernel.deliveries import HandledEvent
from service.kernel.ids import lowest_id, new_id
from tests.conftest import url_of

pytestmark = pytest.mark.dated


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


def test_old_rows_are_deleted_in_batches_until_time_is_up(database, monkeypatch):
    long_ago = clock.now() - deliveries.KEPT - timedelta(hours=1)
    rows = [
        {"district_id": "demo", "event_id": new_id(), "handler": "test", "at": long_ago}
        for _ in range(7)
    ]
    with database.transaction(Scope.system("demo")) as session:
        insert_rows(session, HandledEvent, rows)
    monkeypatch.setattr(worker, "BATCH", 3)
    forget, asked = deliveries.forget_old_deliveries, []

    def counted(session, *, most, **about):
        asked.append(most)
        return forget(session, most=most, **about)

    assert worker.delete_old(database, "demo", counted, seconds=0) == 0
    assert worker.delete_old(database, "demo", counted) == 7
    assert asked == [3, 3, 3]


def test_it_is_done_at_night(settings, database):
    """The cron is evaluated in UTC; the offices are in China."""
    app = worker.build(settings, database)
    (cron,) = [
        one.cron
        for one in app.periodic_registry.periodic_tasks.values()
        if one.task.name == "keep_house"
    ]
    minute, hour, *_ = cron.split()
    local = datetime(2026, 11, 2, int(hour), int(minute), tzinfo=UTC).astimezone(
        ZoneInfo("Asia/Shanghai")
    )
    assert 1 <= local.hour <= 5


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
