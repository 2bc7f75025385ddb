"""Reading calendars: the newest version, built once per process."""

from __future__ import annotations

from datetime import date
from threading import Lock
from typing import Any, Final
from uuid import UUID

from cachetools import LRUCache, cached
from sqlalchemy import ColumnElement, ScalarSelect, Select, bindparam, select
from sqlalchemy.orm import Session

from service.calendars.models import Calendar, CalendarDay
from service.calendars.rules import (
    DEFAULT_CODE,
    DayKind,
    WorkingCalendar,
    days_of_kind,
    working_calendar,
)
from service.kernel.actor import Actor
from service.kernel.db import Prepared, prepared

built: Final[LRUCache[tuple[str, UUID], WorkingCalendar]] = LRUCache(64)
"""The calendars that this process has built, some 100 KB each, by the identity of their version.

An identity is never used again and its rows never change: an entry cannot become wrong, not even
when the transaction that published it rolls back.
"""
_lock: Final = Lock()


def calendar_for(session: Session, district: str, *, code: str = DEFAULT_CODE) -> WorkingCalendar:
    """The newest version of a district's calendar.

    One statement where this process has built that version before, otherwise two. Raises
    `LookupError` where none is published: a district is set up with one.
    """
    row = newest_version(session, district, code=code)
    if row is None:
        raise LookupError(f"district {district!r} has published no calendar {code!r}")
    return _built_of(session, row)


def calendar_at_sign_in(session: Session, actor: Actor) -> WorkingCalendar:
    """`calendar_for` the actor's district, as it was when they were found to be signed in.

    No statement where this process has built that version before. For what is shown: what moves a
    due date asks for the newest version when it holds the ticket.
    """
    if actor.calendar is None:
        return calendar_for(session, actor.district)
    return calendar_of(session, actor.district, actor.calendar)


def newest_version_id(
    district: ColumnElement[str], *, code: str = DEFAULT_CODE
) -> ScalarSelect[UUID]:
    """Which version is the newest, as part of a statement that asks for more; see `calendar_of`."""
    return _newest(Calendar.id, district, code).scalar_subquery()


@cached(built, key=lambda _session, district, version_id: (district, version_id), lock=_lock)
def calendar_of(session: Session, district: str, version_id: UUID) -> WorkingCalendar:
    """A version of a district's calendar; no statement where this process has built it before."""
    return _built_of(session, session.get_one(Calendar, (district, version_id)))


def newest_version(session: Session, district: str, *, code: str) -> Calendar | None:
    """The row of the newest version; one statement."""
    return _NEWEST.one_or_none(session, district=district, code=code)


def days_of(session: Session, calendar: Calendar) -> dict[date, DayKind]:
    """The holidays and make-up workdays of a version; one statement."""
    rows = session.execute(
        select(CalendarDay.day, CalendarDay.kind).where(
            CalendarDay.district_id == calendar.district_id,
            CalendarDay.calendar_id == calendar.id,
        )
    )
    return dict(rows.all())


def _newest(what: Any, district: Any, code: Any) -> Select[Any]:
    return (
        select(what)
        .where(Calendar.district_id == district, Calendar.code == code)
        .order_by(Calendar.version.desc())
        .limit(1)
    )


_NEWEST: Final[Prepared[Calendar]] = prepared(
    _newest(Calendar, bindparam("district"), bindparam("code"))
)


@cached(built, key=lambda _session, row: (row.district_id, row.id), lock=_lock)
def _built_of(session: Session, row: Calendar) -> WorkingCalendar:
    days = days_of(session, row)
    return working_calendar(
        version_id=row.id,
        zone=row.zone,
        hours=row.hours,
        first_day=row.first_day,
        last_day=row.last_day,
        published_through=row.published_through,
        holidays=days_of_kind(days, DayKind.HOLIDAY),
        makeup_days=days_of_kind(days, DayKind.MAKEUP),
    )
