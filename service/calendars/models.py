"""Published calendars. A version is never changed: what changes is which one is the newest."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.calendars.rules import DayKind
from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by, rooted


class Calendar(DistrictScoped, Base):
    """One version of a district's calendar.

    `hours` is a list of pairs `["09:00", "12:00"]` of local time in `zone`.
    """

    __tablename__ = "calendars"
    __table_args__ = (
        rooted(),
        UniqueConstraint("district_id", "code", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint(
            "first_day <= published_through AND published_through <= last_day", name="days_in_order"
        ),
    )

    code: Mapped[str]
    version: Mapped[int]
    zone: Mapped[str]
    hours: Mapped[list[Any]]
    first_day: Mapped[date]
    last_day: Mapped[date]
    published_through: Mapped[date]
    published_at: Mapped[datetime]


class CalendarDay(DistrictScoped, Base):
    """A holiday or a make-up workday of one version."""

    __tablename__ = "calendar_days"
    __table_args__ = (
        owned_by("calendars", "calendar_id"),
        UniqueConstraint("district_id", "calendar_id", "day"),
        one_of("kind", DayKind),
    )

    calendar_id: Mapped[UUID]
    day: Mapped[date]
    kind: Mapped[DayKind] = mapped_column(EnumText(DayKind))
