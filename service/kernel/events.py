"""The domain's log: what happened, once each, in the transaction in which it happened.

The same rows are the audit of state changes, the timeline people read, and the outbox: when a
transaction commits, the jobs that deliver its events commit with it (`kernel.deliveries`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Base, DistrictScoped, EnumText, insert_last, one_of
from service.kernel.ids import new_id
from service.kernel.vocabulary import P, Payload, PayloadError, kind_of

_PENDING: Final = "pending_events"


class Event(DistrictScoped, Base):
    """One thing that happened; append-only, partitioned by month through its UUIDv7.

    `seq` orders the events of one ticket; events that are not replayed (a claim) have none.
    `data` holds ids and codes, never a person's words or names; `payload_of` reads it, in the
    `version` that it was written in. `person_id` is whose case it is about: who may read it where
    it is public. `xid` is the transaction that wrote the row: who reads across
    tickets reads below the oldest running one and misses none.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("ix_events_ticket", "district_id", "ticket_id", "seq"),
        one_of("actor_kind", ActorKind),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    kind: Mapped[str]
    version: Mapped[int] = mapped_column(server_default=text("1"))
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
    public: bool | None = None,
    data: Payload | Mapping[str, Any] | None = None,
) -> UUID:
    """Record that `kind` happened; returns the event's id. It is written when the session commits.

    `data` is an instance of the kind's payload type, or a mapping with exactly its keys. Raises
    at once, because each is an error of the program: `UnregisteredKind`, `PayloadError`, and
    `ValueError` where `public` is given and is not what the kind is registered as.
    """
    registered = kind_of(kind)
    if public is not None and public is not registered.public:
        raise ValueError(f"{registered.name} is registered as public={registered.public}")
    event_id, stored = new_id(), registered.stored(data)
    session.info.setdefault(_PENDING, []).append(
        {
            "district_id": actor.district,
            "id": event_id,
            "kind": registered.name,
            "version": registered.version,
            "ticket_id": ticket_id,
            "seq": seq,
            "item_id": item_id,
            "task_id": task_id,
            "person_id": person_id,
            "actor_kind": actor.kind,
            "actor_id": actor.account_id,
            "public": registered.public,
            "data": stored,
            "at": at,
        }
    )
    return event_id


def payload_of(event: Event, payload: type[P]) -> P:
    """What was stored with an event, as the payload type of its kind.

    Raises `UnregisteredKind`, and `PayloadError` where the type or the version is another.
    """
    kind = kind_of(event.kind)
    if event.version != kind.version:
        raise PayloadError(f"{kind.name}: version {event.version} cannot be read")
    read = kind.read(event.data)
    if not isinstance(read, payload):
        raise PayloadError(f"{kind.name}: its payload is no {payload.__name__}")
    return read


def write_emitted(session: Session) -> Sequence[Mapping[str, Any]]:
    """Write what was emitted, in one statement; returns the rows, in the order of emission."""
    rows: list[dict[str, Any]] = session.info.pop(_PENDING, [])
    insert_last(session, Event, rows)
    return rows
