"""The table of authorities."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped

from service.kernel.db import Base, DistrictScoped, owned_by


class EmployeeAuthority(DistrictScoped, Base):
    """An employee lets agents of their employer file for them, until they revoke it.

    It rests on one confirmed employment, open once for each, and counts for nothing once that has
    ended. `account_id` gave it, and receives the notices of tickets filed by it. Person and account
    have no foreign key, because both are of the global family.
    """

    __tablename__ = "authorities"
    __table_args__ = (
        owned_by("enterprises", "enterprise_id"),
        owned_by("employments", "employment_id"),
        CheckConstraint("revoked_at >= given_at", name="revoked_after_given"),
        Index(
            "uq_authorities_open",
            "district_id",
            "employment_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_authorities_person", "district_id", "person_id", "id"),
        Index(
            "ix_authorities_enterprise",
            "district_id",
            "enterprise_id",
            "id",
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )

    person_id: Mapped[UUID]
    account_id: Mapped[UUID]
    enterprise_id: Mapped[UUID]
    employment_id: Mapped[UUID]
    given_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
