"""Spans of the civil calendar: years, months and days, not working days."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Span:
    """So many months, then so many days."""

    months: int
    days: int

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Span:
        """Out of `{years, months, days}`, any of them left out."""
        return cls(12 * raw.get("years", 0) + raw.get("months", 0), raw.get("days", 0))


_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def day_of(value: Any) -> date | None:
    """The day that a text spells as `YYYY-MM-DD`, year 0001 to 9999; None for anything else."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def day_of_year(month_day: str, year: int) -> date:
    """A day of the year, `MM-DD`, in a year from 1 to 9999; 29 February is else the 28th."""
    month, day = map(int, month_day.split("-"))
    return date(year, month, min(day, calendar.monthrange(year, month)[1]))


def shifted(day: str, span: Span, *, back: bool = False) -> str:
    """`moved`, where beyond year 1 to 9999 the first or last date there is stands for it.

    Raises ValueError for what is no date.
    """
    try:
        return moved(day, span, back=back)
    except OverflowError:
        return (date.min if back else date.max).isoformat()


def moved(day: str, span: Span, *, back: bool = False) -> str:
    """The date so much later, or earlier when `back`; both as `YYYY-MM-DD`.

    A month has no 31st: the last day that it has stands for it. Raises OverflowError beyond year 1
    to 9999, and ValueError for what is no date.
    """
    start, sign = day_of(day), -1 if back else 1
    if start is None:
        raise ValueError(f"no date: {day!r}")
    months = start.year * 12 + start.month - 1 + sign * span.months
    year, month = divmod(months, 12)
    if not date.min.year <= year <= date.max.year:
        raise OverflowError(year)
    last = calendar.monthrange(year, month + 1)[1]
    there = date(year, month + 1, min(start.day, last))
    return (there + timedelta(days=sign * span.days)).isoformat()


def whole_years(born: date, today: date) -> int:
    """Completed years of age; who was born on 29 February is a year older on 1 March."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
