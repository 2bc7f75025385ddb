"""Counts that people see: exact, or bounded and saying so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MOST_COUNTED: Final = 2_000
"""Some numbers of a desk take reading this many entries of an index, each a third of a µs."""


MOST_SOUGHT: Final = 200
"""How many items a search by number may find."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many there are; not `exact`: at least so many."""

    value: int
    exact: bool


def counted(found: Iterable[int], *, whole: bool = True) -> Count:
    """The sum over ranges, each of which was counted to one beyond `MOST_COUNTED` at most.

    `whole`: no range held more than was looked at, where that does not show in the numbers.
    """
    total = sum(found)
    return Count(min(total, MOST_COUNTED), whole and total <= MOST_COUNTED)
