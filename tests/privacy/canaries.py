"""Values that occur nowhere else, wherever a form leaves room for one; and finding them again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from stdnum.cn import uscc

ROOM = 10_000
"""A number of fewer possible values is not told from others."""
LONG = 6

_LETTERS = str.maketrans("0123456789", "ABCDEFGHJK")
_MARK = re.compile(r"KNR[A-K]{3}")
# A figure, a date or a number of an identity card by itself, not inside an id or a moment.
_FIGURE = re.compile(r"(?<![0-9A-Za-z.-])[0-9]+(?:[.-][0-9]+)*X?(?![0-9A-SU-Za-z-])")
_PATTERNS = {
    "^1[3-9][0-9]{9}$": lambda n: f"139{40_000_000 + 7919 * n}",
    "^[1-9][0-9]{5}$": lambda n: f"{430_000 + 17 * n}",
    "^[0-9]{12,19}$": lambda n: f"62{7 * n:017}",
    "^20[0-9]{2}-(0[1-9]|1[0-2])$": lambda n: f"20{60 + n % 40}-03",
}
_YEAR = "^20[0-9]{2}$"
"""Of the school year: the child's age is asked as of it, and four digits are found anywhere."""
_AHEAD = {"contract_to", "to", "available_from", "valid_until"}
_OF_LATE = {"signed_on", "subscribed_on"}


class Canaries:
    """Hands them out and knows what each stands for; none is a word of `taken`."""

    def __init__(self, taken: str, today: date) -> None:
        self._taken, self._today = taken, today
        self._numbers = itertools.count(1)
        self.known: dict[str, str] = {}

    def found_in(self, text: str) -> set[str]:
        """What a text gives away."""
        tokens = {*_MARK.findall(text), *_FIGURE.findall(text)}
        return {self.known[token] for token in tokens & self.known.keys()}

    def found_in_bytes(self, text: str) -> set[str]:
        """What a text gives away in hexadecimal; too short a value might be there by chance."""
        return {
            name
            for one, name in self.known.items()
            if len(one) >= LONG and one.encode().hex() in text
        }

    def text(self, stands_for: str) -> str:
        """Words; they may be anybody's name, and are long enough for every field."""
        return f"金丝雀{self._mark(stands_for)}飞过"

    def note(self, value: str, stands_for: str) -> str:
        """A value from elsewhere that is looked for, too; it stands for nothing else."""
        assert self.known.get(value, stands_for) == stands_for, f"{self.known[value]}, {stands_for}"
        self.known[value] = stands_for
        return value

    def value(self, stands_for: str, name: str, schema: dict[str, Any], example: Any) -> Any:
        """One that a form's field allows; the example where it leaves no room for any."""
        kind, form, pattern = (schema.get(key) for key in ("type", "format", "pattern"))
        if form == "date":
            return self._figure(stands_for, self._days(name))
        if pattern == _YEAR:
            return example
        if pattern in _PATTERNS:
            return self._figure(stands_for, map(_PATTERNS[pattern], self._numbers))
        if kind in {"integer", "number"}:
            return self._amount(stands_for, schema, example)
        if kind == "string" and "enum" not in schema:
            return self._words(stands_for, form, pattern)
        return example

    def _words(self, stands_for: str, form: str | None, pattern: str | None) -> str:
        if form == "uscc":
            body = f"91350100000{self._mark(stands_for)}"
            return body + uscc.calc_check_digit(body)
        if form == "email":
            return f"{self._mark(stands_for)}@example.com"
        return self.text(stands_for) if pattern in {None, r"\S"} else f"{self._mark(stands_for)}000"

    def _amount(self, stands_for: str, schema: dict[str, Any], example: Any) -> Any:
        if schema["type"] == "number":
            return self._figure(stands_for, (round(example + n / 997, 3) for n in self._numbers))
        if schema["maximum"] - schema["minimum"] < ROOM:
            return example
        return self._figure(
            stands_for, ((example or schema["minimum"]) + 101 * n for n in self._numbers)
        )

    def _days(self, name: str) -> Iterable[str]:
        """Dates that fit what a field is about: ahead, of late, or more than a year ago."""
        if name in _AHEAD:
            first, step = self._today + timedelta(days=2000), 1
        else:
            first, step = self._today - timedelta(days=60 if name in _OF_LATE else 500), -1
        return (str(first + timedelta(days=step * n)) for n in itertools.count())

    def _figure(self, stands_for: str, values: Iterable[Any]) -> Any:
        one = next(value for value in values if self._free(str(value)))
        self.known[str(one)] = stands_for
        return one

    def _free(self, text: str) -> bool:
        return text not in self.known and text not in self._taken

    def _mark(self, stands_for: str) -> str:
        mark = f"KNR{next(self._numbers):03}".translate(_LETTERS)
        self.known[mark] = stands_for
        return mark
