"""The districts of an installation: names, time zone, office hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.kernel.db import District, Scope, set_scope
from service.kernel.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Hours without a break, `HH:MM` of local time; the last of a day may close at 24:00."""

    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class DistrictView:
    """A district as anybody sees it."""

    code: str
    name: Mapping[str, str]
    zone: str
    office_hours: Sequence[OfficeHours]


def list_districts(session: Session) -> list[DistrictView]:
    """Every district that has published a calendar, by its code.

    One statement, and up to two more for each district; the scope of the session is that of the
    last one's guests afterwards.
    """
    rows = session.execute(
        select(District.id, District.name, District.zone).order_by(District.id)
    ).all()
    found = []
    for code, name, zone in rows:
        set_scope(session, Scope.guest(code))
        try:
            calendar = calendar_for(session, code)
        except LookupError:
            continue
        hours = [OfficeHours(_clock(span.opens), _clock(span.closes)) for span in calendar.hours]
        found.append(DistrictView(code, name, zone, hours))
    return found


def require_district(session: Session, district: str) -> None:
    """Raise `Invalid("district_unknown")` where there is no such district; one statement."""
    if not session.scalar(select(exists().where(District.id == district))):
        fault = FieldError("district", "district_unknown")
        raise Invalid("district_unknown", errors=[fault])


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
