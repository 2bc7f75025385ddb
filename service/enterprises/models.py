"""The tables of enterprises: themselves, who acts for them, who works for them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.enterprises.rules import EmploymentSource
from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by, rooted


class Enterprise(DistrictScoped, Base):
    """An employer that is known in the district, by its unified social credit code."""

    __tablename__ = "enterprises"
    __table_args__ = (
        rooted(),
        UniqueConstraint("district_id", "credit_code"),
        CheckConstraint("credit_code ~ '^[0-9A-HJ-NP-RTUWXY]{18}$'", name="credit_code"),
    )

    credit_code: Mapped[str]
    name: Mapped[str]
    created_at: Mapped[datetime]


class EnterpriseAgent(DistrictScoped, Base):
    """An account acts for an enterprise, from a day to a day (inclusive) or open-ended.

    For one enterprise at a time. `account_id` has no foreign key, because accounts are of the
    global family.
    """

    __tablename__ = "enterprise_agents"
    __table_args__ = (
        owned_by("enterprises", "enterprise_id"),
        CheckConstraint("valid_to >= valid_from", name="days_in_order"),
        Index(
            "uq_enterprise_agents_open",
            "district_id",
            "account_id",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        Index("ix_enterprise_agents_account", "district_id", "account_id", "valid_from"),
    )

    enterprise_id: Mapped[UUID]
    account_id: Mapped[UUID]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Employment(DistrictScoped, Base):
    """A person works for an enterprise, since a stated day, until it is known to have ended.

    Open once per person and enterprise. `person_id` has no foreign key, because persons are of the
    global family.
    """

    __tablename__ = "employments"
    __table_args__ = (
        owned_by("enterprises", "enterprise_id"),
        one_of("source", EmploymentSource),
        CheckConstraint("ended_on >= since", name="days_in_order"),
        Index(
            "uq_employments_open",
            "district_id",
            "person_id",
            "enterprise_id",
            unique=True,
            postgresql_where=text("ended_on IS NULL"),
        ),
        Index(
            "ix_employments_enterprise",
            "district_id",
            "enterprise_id",
            "id",
            postgresql_where=text("ended_on IS NULL"),
        ),
    )

    person_id: Mapped[UUID]
    enterprise_id: Mapped[UUID]
    since: Mapped[date | None]
    confirmed_at: Mapped[datetime]
    source: Mapped[EmploymentSource] = mapped_column(EnumText(EmploymentSource))
    ended_on: Mapped[date | None]
