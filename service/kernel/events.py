"""The domain's log: what happened, once each, in the transaction in which it happened.

The same rows are the audit of state changes, the timeline people read, and the outbox: when a
transaction commits, one job for all its events commits with it, and the worker delivers them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.kernel import jobs
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Base, DistrictScoped, EnumText, insert_rows, one_of
from service.kernel.ids import new_id

_PENDING: Final = "pending_events"


class Event(DistrictScoped, Base):
    """One thing that happened; append-only, partitioned by month through its UUIDv7.

    `seq` orders the events of one ticket; events that are not replayed (a claim) have none.
    `data` holds ids and codes, never a person's words or names. `person_id` is whose case it is
    about: who may read it where it is public. `xid` is the transaction that
    wrote the row: who reads across tickets reads below the oldest running one and misses none.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_ticket", "district_id", "ticket_id", "seq"),
        one_of("actor_kind", ActorKind),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    kind: Mapped[str]
    ticket_id: Mapped[UUID | None]
    seq: Mapped[int | None]
    item_id: Mapped[UUID | None]
    task_id: Mapped[UUID | None]
    person_id: Mapped[UUID | None]
    actor_kind: Mapped[ActorKind] = mapped_column(EnumText(ActorKind))
    actor_id: Mapped[UUID | None]
    public: Mapped[bool]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    xid: Mapped[int] = mapped_column(server_default=text("((pg_current_xact_id())::text)::bigint"))


def emit(
    session: Session,
    kind: str,
    *,
    actor: Actor,
    at: datetime,
    ticket_id: UUID | None = None,
    seq: int | None = None,
    item_id: UUID | None = None,
    task_id: UUID | None = None,
    person_id: UUID | None = None,
    public: bool = False,
    data: Mapping[str, Any] | None = None,
) -> UUID:
    """Tell that `kind` happened; gives the event's id. It is written when the session commits.

    `public` events are told to the applicant, `person_id`. `data` may hold ids and codes only.
    """
    event_id = new_id()
    session.info.setdefault(_PENDING, []).append(
        {
            "district_id": actor.district,
            "id": event_id,
            "kind": str(kind),
            "ticket_id": ticket_id,
            "seq": seq,
            "item_id": item_id,
            "task_id": task_id,
            "person_id": person_id,
            "actor_kind": actor.kind,
            "actor_id": actor.account_id,
            "public": public,
            "data": dict(data or {}),
            "at": at,
        }
    )
    return event_id


def write_pending(session: Session) -> None:
    """Write what was emitted and enqueue its delivery; runs before every commit."""
    rows: list[dict[str, Any]] = session.info.pop(_PENDING, [])
    if not rows:
        return
    insert_rows(session, Event, rows)
    ticket = rows[0]["ticket_id"]
    jobs.defer(
        session,
        jobs.DELIVER,
        lock=str(ticket) if ticket else None,
        district=rows[0]["district_id"],
        events=[str(row["id"]) for row in rows],
    )
