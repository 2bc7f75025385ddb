"""Finding events whose delivery was lost, and enqueueing it again.

On one database an event and its job commit together. On a distributed one they commit one after
the other, and a restore may bring back the one without the other: an event is left that no job
delivers. `handled_events` sees to it that nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Row, UniqueConstraint, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session

from service.kernel import jobs, subscriptions
from service.kernel.db import Base, Database, DistrictScoped, Scope
from service.kernel.deliveries import DeadDelivery, Delivery, enqueue, handled
from service.kernel.events import Event
from service.kernel.ids import lowest_id, new_id
from service.kernel.subscriptions import Subscription

GRACE: Final = timedelta(minutes=10)
"""How old an event has to be: far older than a transaction can be that has yet to commit."""

PAGE: Final = 500
PAGES: Final = 20
"""At most `PAGE * PAGES` events of a subscriber are looked at in one sweep of a district."""


Page = Sequence[Row[UUID, UUID | None]]


class DeliveryCursor(DistrictScoped, Base):
    """Up to which event the deliveries of a subscriber are known to be complete or under way.

    It begins when the subscriber is first seen: nobody is handed what happened before.
    """

    __tablename__ = "delivery_cursors"
    __table_args__ = (UniqueConstraint("district_id", "subscriber"),)

    subscriber: Mapped[str]
    swept_to: Mapped[UUID]


def sweep(database: Database, *, district: str, at: datetime) -> int:
    """Enqueue again what has no delivery in a district; returns the number of deliveries.

    An event counts as delivered where it is handled, dead, or named by a job that waits or runs.
    One transaction for each page.
    """
    found = 0
    for subscription in subscriptions.in_use().by_name.values():
        for _ in range(PAGES):
            with database.transaction(Scope.system(district)) as session:
                lost, more = _sweep_page(session, subscription, district, at)
            found += lost
            if not more:
                break
    return found


def _sweep_page(
    session: Session, subscription: Subscription, district: str, at: datetime
) -> tuple[int, bool]:
    """Sweep from the cursor on; returns how many were lost, and whether there is more to do."""
    end, cursor = lowest_id(at - GRACE), _cursor(session, subscription, district, at)
    page = session.execute(
        select(Event.id, Event.ticket_id)
        .where(
            Event.district_id == district,
            Event.id >= cursor.swept_to,
            Event.id < end,
            Event.kind.in_(subscription.kinds),
        )
        .order_by(Event.id)
        .limit(PAGE)
    ).all()
    lost = _lost(session, subscription, district, page)
    enqueue(session, district=district, wanted=lost)
    more = len(page) == PAGE
    cursor.swept_to = UUID(int=page[-1].id.int + 1) if more else max(cursor.swept_to, end)
    return len(lost), more


def _cursor(
    session: Session, subscription: Subscription, district: str, at: datetime
) -> DeliveryCursor:
    """The subscriber's cursor, locked; a new cursor stands at `at`."""
    new = {"district_id": district, "id": new_id(), "subscriber": subscription.name}
    session.execute(
        insert(DeliveryCursor)
        .values(**new, swept_to=lowest_id(at))
        .on_conflict_do_nothing(index_elements=["district_id", "subscriber"])
    )
    query = select(DeliveryCursor).where(
        DeliveryCursor.district_id == district, DeliveryCursor.subscriber == subscription.name
    )
    return session.scalars(query.with_for_update()).one()


def _lost(
    session: Session, subscription: Subscription, district: str, page: Page
) -> list[Delivery]:
    name, ids = subscription.name, [row.id for row in page]
    if not ids:
        return []
    missing = set(ids) - handled(session, district=district, subscriber=name, ids=ids)
    missing -= _dead(session, district, name, missing)
    missing -= _under_way(session, district, name, missing)
    return [Delivery(name, row.id, row.ticket_id) for row in page if row.id in missing]


def _dead(session: Session, district: str, name: str, ids: Collection[UUID]) -> set[UUID]:
    if not ids:
        return set()
    query = select(DeadDelivery.event_id).where(
        DeadDelivery.district_id == district,
        DeadDelivery.subscriber == name,
        DeadDelivery.event_id.in_(ids),
    )
    return set(session.scalars(query))


# A job that names no subscriber is of a release before names were stored, and for all of them.
_JOBS: Final = text("""
SELECT DISTINCT event FROM procrastinate_jobs, jsonb_array_elements_text(args -> 'events') AS event
WHERE status IN ('todo', 'doing') AND task_name = :task AND args ->> 'district' = :district
    AND coalesce(args ->> 'subscriber', :name) = :name AND event = ANY(:ids)
""")


def _under_way(session: Session, district: str, name: str, ids: Collection[UUID]) -> set[UUID]:
    if not ids:
        return set()
    asked = {"task": jobs.DELIVER, "district": district, "name": name}
    found = session.scalars(_JOBS, asked | {"ids": [str(event) for event in ids]})
    return {UUID(event) for event in found}
