"""The table of notices."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from service.kernel.db import Base, DistrictScoped, owned_by


class Notice(DistrictScoped, Base):
    """One event told to one account.

    `kind` is the event's kind and names the words; `params` fills them and holds codes and numbers
    of tickets or items only, never a person's words or names. `at` is when it happened.
    """

    __tablename__ = "notices"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("items", "item_id"),
        UniqueConstraint("district_id", "account_id", "event_id"),
        Index("ix_notices_account", "district_id", "account_id", "id"),
        Index(
            "ix_notices_unread",
            "district_id",
            "account_id",
            postgresql_where=text("read_at IS NULL"),
        ),
    )

    account_id: Mapped[UUID]
    event_id: Mapped[UUID]
    kind: Mapped[str]
    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID | None]
    params: Mapped[dict[str, Any]]
    at: Mapped[datetime]
    read_at: Mapped[datetime | None]
