"""The State Council's notices for 2025 and 2026, typed from the notices and not from a library."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from service.calendars.rules import DEFAULT_HOURS, WorkingCalendar, working_calendar


def days(first: str, last: str) -> set[date]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return {start + timedelta(days=n) for n in range((end - start).days + 1)}


HOLIDAYS = (
    days("2025-01-01", "2025-01-01")
    | days("2025-01-28", "2025-02-04")
    | days("2025-04-04", "2025-04-06")
    | days("2025-05-01", "2025-05-05")
    | days("2025-05-31", "2025-06-02")
    | days("2025-10-01", "2025-10-08")
    | days("2026-01-01", "2026-01-03")
    | days("2026-02-15", "2026-02-23")
    | days("2026-04-04", "2026-04-06")
    | days("2026-05-01", "2026-05-05")
    | days("2026-06-19", "2026-06-21")
    | days("2026-09-25", "2026-09-27")
    | days("2026-10-01", "2026-10-07")
)
MAKEUP_DAYS = {
    date.fromisoformat(day)
    for day in (
        *("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"),
        *("2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"),
    )
}


def calendar(**changes) -> WorkingCalendar:
    parts = {
        "version_id": UUID(int=0),
        "zone": "Asia/Shanghai",
        "hours": DEFAULT_HOURS,
        "first_day": date(2015, 1, 1),
        "last_day": date(2036, 12, 31),
        "published_through": date(2026, 12, 31),
        "holidays": HOLIDAYS,
        "makeup_days": MAKEUP_DAYS,
    }
    return working_calendar(**parts | changes)


CHINA = calendar()
