"""Spans of the civil calendar: years, months and days, not working days."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Span:
    """So many months, then so many days."""

    months: int
    days: int

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Span:
        """Out of `{years, months, days}`, any of them left out."""
        return cls(12 * raw.get("years", 0) + raw.get("months", 0), raw.get("days", 0))


def shifted(day: str, span: Span, *, back: bool = False) -> str:
    """The date so much later, or earlier when `back`; both as `YYYY-MM-DD`.

    A month has no 31st: the last day that it has stands for it. Beyond year 1 to 9999 the first
    or last date there is. Raises ValueError for what is no date.
    """
    start, sign = date.fromisoformat(day), -1 if back else 1
    months = start.year * 12 + start.month - 1 + sign * span.months
    year, month = divmod(months, 12)
    if not date.min.year <= year <= date.max.year:
        return (date.min if back else date.max).isoformat()
    last = calendar.monthrange(year, month + 1)[1]
    moved = date(year, month + 1, min(start.day, last))
    try:
        return (moved + timedelta(days=sign * span.days)).isoformat()
    except OverflowError:
        return (date.min if back else date.max).isoformat()


def whole_years(born: date, today: date) -> int:
    """Completed years of age; who was born on 29 February is a year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
