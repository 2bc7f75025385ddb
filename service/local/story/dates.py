"""Examples of a pack, as if they had been written lately: their dates do not grow old."""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Final

_WRITTEN: Final = 2026 * 12 + 2
"""The month of the pack's examples, March 2026, counted from the year 0: whatever they say has
happened lies before it."""

_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})(?:-([0-9]{2}))?")
_LAST_DAY_OF_EVERY_MONTH: Final = 28
_LAST_MONTH_OF_ENTRY: Final = 8


def renewed(example: Any, today: date) -> Any:
    """The example with every date (`2025-06-30`) and month (`2025-06`) as many months later as
    today is after it was written, so that what lies between any two of them stays.

    Whole months, because limits are counted in months and years; a day that a month may lack
    becomes the 28th. A school year becomes the next one to begin.
    """
    if isinstance(example, dict):
        return {name: _member(name, value, today) for name, value in example.items()}
    if isinstance(example, list):
        return [renewed(one, today) for one in example]
    found = _DAY.fullmatch(example) if isinstance(example, str) else None
    return example if found is None else _later(*found.groups(), today=today)


def school_year(today: date) -> int:
    """The year in which the next school year begins, in autumn."""
    return today.year + (today.month > _LAST_MONTH_OF_ENTRY)


def _member(name: str, value: Any, today: date) -> Any:
    return str(school_year(today)) if name == "school_year" else renewed(value, today)


def _later(year: str, month: str, day: str | None, *, today: date) -> str:
    passed = today.year * 12 + today.month - 1 - _WRITTEN
    later = int(year) * 12 + int(month) - 1 + passed
    text = f"{later // 12:04}-{later % 12 + 1:02}"
    return text if day is None else f"{text}-{min(int(day), _LAST_DAY_OF_EVERY_MONTH):02}"
