"""Departments of a district, and the posts that accounts hold in them."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.identity.staff.rules import DepartmentKind
from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by, rooted
from service.kernel.permissions import Role


class Department(DistrictScoped, Base):
    """Who processes: a part of the government, a company, or an authority outside."""

    __tablename__ = "departments"
    __table_args__ = (
        rooted(),
        UniqueConstraint("district_id", "code"),
        one_of("kind", DepartmentKind),
    )

    code: Mapped[str]
    name: Mapped[dict[str, str]]
    kind: Mapped[DepartmentKind] = mapped_column(EnumText(DepartmentKind))


class StaffPost(DistrictScoped, Base):
    """A role that an account has in a department, from a day to a day (inclusive) or open-ended.

    `account_id` has no foreign key: no table of the district family refers to a global one.
    """

    __tablename__ = "posts"
    __table_args__ = (
        owned_by("departments", "department", "code"),
        UniqueConstraint("district_id", "account_id", "department", "role", "valid_from"),
        Index("ix_posts_department", "district_id", "department"),
        one_of("role", Role),
        CheckConstraint("valid_to >= valid_from", name="days_in_order"),
    )

    account_id: Mapped[UUID]
    department: Mapped[str]
    role: Mapped[Role] = mapped_column(EnumText(Role))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
