"""The one place that asks what time it is; everything else is told, as `at`."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present, aware, in UTC."""
    return datetime.now(UTC)


def local_date(at: datetime, zone: str) -> date:
    """The date that a moment has in a time zone; a district's is in its row and in its actors."""
    return at.astimezone(ZoneInfo(zone)).date()
