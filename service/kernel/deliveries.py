"""Which handler has had which event: what turns at least once into exactly once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session

from service.kernel.db import Base, DistrictScoped
from service.kernel.events import Event
from service.kernel.ids import new_id

KEPT: Final = timedelta(days=30)
"""Far longer than a delivery is tried again."""


class HandledEvent(DistrictScoped, Base):
    """A handler has done what an event asks of it, in the transaction of this row."""

    __tablename__ = "handled_events"
    __table_args__ = (
        UniqueConstraint("district_id", "event_id", "handler"),
        Index("ix_handled_events_at", "district_id", "at"),
    )

    event_id: Mapped[UUID]
    handler: Mapped[str]
    at: Mapped[datetime]


def first_time(session: Session, event: Event, *, handler: str, at: datetime) -> bool:
    """Take the event for this handler; false where it has had it.

    Two workers with the same event wait for each other here: the second sees what the first
    committed, or does it itself where the first failed.
    """
    taken = session.execute(
        insert(HandledEvent)
        .values(
            district_id=event.district_id,
            id=new_id(),
            event_id=event.id,
            handler=handler,
            at=at,
        )
        .on_conflict_do_nothing(index_elements=["district_id", "event_id", "handler"])
        .returning(HandledEvent.id)
    )
    return taken.one_or_none() is not None


def forget_old_deliveries(session: Session, *, at: datetime) -> None:
    """Delete what nobody will deliver again; row-level security keeps it to the district."""
    session.execute(delete(HandledEvent).where(HandledEvent.at < at - KEPT))
