"""What the worker does once a day."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from service import worker
from service.kernel import clock, deliveries
from service.kernel.db import Scope, insert_rows
from service.kernel.deliveries import HandledEvent
from service.kernel.ids import new_id


def test_old_deliveries_are_forgotten_and_young_ones_kept(database):
    now = clock.now()
    rows = [
        {"district_id": "demo", "event_id": new_id(), "handler": "test", "at": now - age}
        for age in (deliveries.KEPT + timedelta(hours=1), deliveries.KEPT - timedelta(hours=1))
    ]
    with database.transaction(Scope("demo")) as session:
        insert_rows(session, HandledEvent, rows)
    worker.keep_house(database)
    with database.transaction(Scope("demo")) as session:
        left = session.scalars(select(HandledEvent.event_id)).all()
    assert left == [rows[1]["event_id"]]


def test_the_partitions_of_the_next_months_are_there(database):
    worker.keep_house(database)
    month = clock.now() + timedelta(days=85)
    with database.transaction(Scope()) as session:
        found = session.scalar(select(func.to_regclass(f"public.events_{month:%Y_%m}")))
    assert found is not None
