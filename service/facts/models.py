"""The tables of facts and of their kinds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.kernel.db import Base, DistrictScoped, owned_by, rooted
from service.kernel.sealed import Owner, sealed_column

FACTS: Final = "facts"


class FactKind(DistrictScoped, Base):
    """A kind of fact that a district knows, as its pack declares it.

    `schema` is the JSON Schema of the values; `json` and not `jsonb`, which would forget the order
    in which the pack has their fields. A publication changes the row in place: a fact keeps the
    value with which it was issued. `published_at` is when the row last changed.
    """

    __tablename__ = "fact_kinds"
    __table_args__ = (rooted(), UniqueConstraint("district_id", "code"))

    code: Mapped[str]
    title: Mapped[dict[str, str]]
    schema: Mapped[dict[str, Any]] = mapped_column(JSON())
    published_at: Mapped[datetime]


class Fact(DistrictScoped, Base):
    """What a department has established about a person, valid to its last day (inclusive).

    Nothing of it ever changes but that it is revoked, once. `value` is JSON, sealed like the
    reason of a revocation. `person_id` has no foreign key, because persons are of the global
    family, nor have `item_id` and `material_id`, the evidence: those tables lie above this slice.
    """

    __tablename__ = FACTS
    __table_args__ = (
        owned_by("fact_kinds", "kind", "code"),
        owned_by("departments", "issuer", "code"),
        CheckConstraint("valid_to >= valid_from", name="days_in_order"),
        CheckConstraint(
            "(revoked_at IS NULL) = (revoked_by IS NULL)"
            " AND (revoked_at IS NULL) = (revocation_reason IS NULL)",
            name="revocation_whole",
        ),
        Index("ix_facts_person", "district_id", "person_id", "kind", "id"),
    )

    person_id: Mapped[UUID]
    kind: Mapped[str]
    value: Mapped[bytes] = sealed_column(of=Owner("person_id"))
    issuer: Mapped[str]
    item_id: Mapped[UUID | None]
    material_id: Mapped[UUID | None]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    issued_at: Mapped[datetime]
    issued_by: Mapped[UUID | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]
    revocation_reason: Mapped[bytes | None] = sealed_column(of=Owner("person_id"))
