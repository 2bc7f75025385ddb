"""The audit log: who looked at what is sensitive, and what identity and administration did.

State changes are audited by their events. Rows are append-only, written in the transaction of
what they tell of, and hold ids and codes alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, Session, mapped_column

from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Base, DistrictScoped, EnumText, insert_rows, one_of


class AuditEntry(DistrictScoped, Base):
    """One entry; partitioned by month like the events."""

    __tablename__ = "audit_log"
    __table_args__ = (
        one_of("actor_kind", ActorKind),
        {"postgresql_partition_by": "RANGE (id)"},
    )

    action: Mapped[str]
    actor_kind: Mapped[ActorKind] = mapped_column(EnumText(ActorKind))
    actor_id: Mapped[UUID | None]
    subject: Mapped[UUID | None]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


def record(
    session: Session,
    action: str,
    *,
    actor: Actor,
    at: datetime,
    subject: UUID | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Write one entry now. `subject` is the id of what was touched; `data` holds codes only."""
    entry = {
        "district_id": actor.district,
        "action": action,
        "actor_kind": actor.kind,
        "actor_id": actor.account_id,
        "subject": subject,
        "data": dict(data or {}),
        "at": at,
    }
    insert_rows(session, AuditEntry, [entry])
