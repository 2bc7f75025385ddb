"""Publishing calendars: by hand from the State Council's yearly notice, or seeded."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from holidays import country_holidays
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.calendars.models import Calendar, CalendarDay
from service.calendars.queries import days_of, newest_version
from service.calendars.rules import (
    DEFAULT_HOURS,
    BadCalendar,
    DayKind,
    days_of_kind,
    working_calendar,
)
from service.calendars.vocabulary import CalendarEvent, CalendarPublished
from service.kernel.actor import Actor
from service.kernel.db import insert_rows, zone_of
from service.kernel.errors import FieldError, Invalid
from service.kernel.events import emit
from service.kernel.ids import new_id

FIRST_DAY: Final = date(2008, 1, 1)
"""Where calendars begin: the statutory holidays of today's shape came into force that year."""

YEARS_AHEAD: Final = 20
"""How far past its last published year a calendar can answer, provisionally."""

COMPARED: Final = ("zone", "hours", "first_day", "last_day", "published_through")


def publish_calendar(
    session: Session,
    actor: Actor,
    *,
    code: str,
    zone: str,
    hours: Iterable[Sequence[str]],
    holidays: Collection[date],
    makeup_days: Collection[date],
    published_through: date,
    at: datetime,
) -> Calendar | None:
    """Publish a new version of the actor's district's calendar; None where nothing changed.

    It reaches from 2008 to the end of the twentieth year after `published_through`. Versions
    count from 1 without gaps; concurrent publishers wait for each other. Raises `Invalid`, also at
    `zone` for another time zone than the district's: a moment has one date there.
    """
    draft = Calendar(
        district_id=actor.district,
        id=new_id(),
        code=code,
        zone=zone,
        hours=[list(span) for span in hours],
        first_day=FIRST_DAY,
        last_day=_last_day(published_through),
        published_through=published_through,
        published_at=at,
    )
    _refuse_nonsense(draft, holidays, makeup_days)
    if zone != zone_of(session, actor.district):
        raise Invalid(errors=[FieldError("zone", "calendar_zone_wrong")])
    days = dict.fromkeys(holidays, DayKind.HOLIDAY) | dict.fromkeys(makeup_days, DayKind.MAKEUP)
    if not _write_if_new(session, draft, days):
        return None
    published = CalendarPublished(calendar=draft.id, code=code, version=draft.version)
    emit(session, CalendarEvent.CALENDAR_PUBLISHED, actor=actor, at=at, data=published)
    return draft


def seed_calendar(
    session: Session,
    actor: Actor,
    *,
    code: str,
    at: datetime,
    hours: Iterable[Sequence[str]] = DEFAULT_HOURS,
) -> Calendar | None:
    """Publish what the `holidays` library knows of China's calendar; None where it adds nothing.

    It has the district's time zone. The days that the district has published itself stay, up to
    where they are published: a later release of the library only carries them on. Raises `Invalid`.
    """
    days, published_through = _announced(at.year)
    newest = newest_version(session, actor.district, code=code)
    if newest is not None:
        days = _carried_on(days_of(session, newest), newest.published_through, days)
        published_through = max(published_through, newest.published_through)
    return publish_calendar(
        session,
        actor,
        code=code,
        zone=zone_of(session, actor.district),
        hours=hours,
        holidays=days_of_kind(days, DayKind.HOLIDAY),
        makeup_days=days_of_kind(days, DayKind.MAKEUP),
        published_through=published_through,
        at=at,
    )


def _announced(year: int) -> tuple[dict[date, DayKind], date]:
    """China's holidays and make-up workdays as known in `year`, and until when they are final.

    The State Council announces a year's make-up workdays with its days off, so the last year
    with make-up workdays is the last one announced. Later years have their statutory holidays,
    as far as they can be computed.
    """
    known = country_holidays("CN", years=range(FIRST_DAY.year, year + YEARS_AHEAD + 2))
    makeup_days = {day for day in known.weekend_workdays if day >= FIRST_DAY}
    published_through = date(max(makeup_days).year, 12, 31)
    holidays = {day for day in known if FIRST_DAY <= day <= _last_day(published_through)}
    days = dict.fromkeys(holidays, DayKind.HOLIDAY) | dict.fromkeys(makeup_days, DayKind.MAKEUP)
    return days, published_through


def _carried_on(
    own: Mapping[date, DayKind], published_through: date, announced: Mapping[date, DayKind]
) -> dict[date, DayKind]:
    kept = {day: kind for day, kind in own.items() if day <= published_through}
    return kept | {day: kind for day, kind in announced.items() if day > published_through}


def _last_day(published_through: date) -> date:
    return date(published_through.year + YEARS_AHEAD, 12, 31)


def _refuse_nonsense(
    draft: Calendar, holidays: Collection[date], makeup_days: Collection[date]
) -> None:
    """What is published must stay readable: build it once before it is written."""
    try:
        working_calendar(
            version_id=draft.id,
            zone=draft.zone,
            hours=draft.hours,
            first_day=draft.first_day,
            last_day=draft.last_day,
            published_through=draft.published_through,
            holidays=holidays,
            makeup_days=makeup_days,
        )
    except BadCalendar as bad:
        raise Invalid(errors=[FieldError(bad.path, "calendar_contradictory")]) from bad


def _write_if_new(session: Session, draft: Calendar, days: Mapping[date, DayKind]) -> bool:
    """Write the draft as the next version unless the newest says the same."""
    _wait_for_other_publishers(session, draft)
    newest = newest_version(session, draft.district_id, code=draft.code)
    if newest is not None and _same(newest, draft) and days_of(session, newest) == days:
        return False
    draft.version = newest.version + 1 if newest is not None else 1
    session.add(draft)
    session.flush()
    insert_rows(session, CalendarDay, [_row(draft, day, kind) for day, kind in days.items()])
    return True


def _wait_for_other_publishers(session: Session, draft: Calendar) -> None:
    """Let one transaction at a time choose the next version; the first has no row to lock."""
    name = f"calendar/{draft.district_id}/{draft.code}"
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _same(one: Calendar, other: Calendar) -> bool:
    return all(getattr(one, part) == getattr(other, part) for part in COMPARED)


def _row(calendar: Calendar, day: date, kind: DayKind) -> dict[str, Any]:
    return {
        "district_id": calendar.district_id,
        "calendar_id": calendar.id,
        "day": day,
        "kind": kind,
    }
