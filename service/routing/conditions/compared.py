"""One clause against what is known of a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from typing import Any, Final

from service.routing.conditions.asked import Clause, Truth, source_of, truth_of
from service.routing.conditions.known import Known, NotKnown, is_given, values_of
from service.routing.dates import Span, shifted


def clause_truth(clause: Clause, known: Known) -> Truth:
    """What a clause comes to; raises `NotKnown` where there is nothing to compare."""
    if clause.op == "given":
        return truth_of(is_given(clause.source, known) is clause.operand)
    values = list(values_of(clause.source, known))
    if not values:
        raise NotKnown(clause.source)
    compare = _COMPARE[clause.op]
    operand = _operand(clause.operand, known) if clause.op in {"at_least", "at_most"} else None
    wanted = clause.operand if operand is None else operand
    return truth_of(any(compare(value, wanted, known.today) for value in values))


def _operand(raw: Any, known: Known) -> Any:
    """The value to compare with: itself, or that of a field, its date moved by what is said.

    A year's lease from 10 July ends on 9 July: `plus` a year, then `minus` a day.
    """
    if not isinstance(raw, Mapping):
        return raw
    source = source_of(raw)
    for value in values_of(source, known):
        with suppress(TypeError, ValueError):  # a form takes a year 0, which no calendar has
            later = shifted(value, Span.of(raw["plus"])) if "plus" in raw else value
            return shifted(later, Span.of(raw["minus"]), back=True) if "minus" in raw else later
    raise NotKnown(source)


def _same(value: Any, wanted: Any) -> bool:
    """Equal as JSON has it: true is not 1."""
    return value == wanted and isinstance(value, bool) is isinstance(wanted, bool)


_ORDERED: Final = ((int, float), str)


def _ordered(value: Any, wanted: Any, *, ascending: bool) -> bool:
    """Numbers with numbers, dates (as text) with dates; anything else does not compare."""
    if not any(isinstance(value, kind) and isinstance(wanted, kind) for kind in _ORDERED):
        return False
    return bool(value >= wanted if ascending else value <= wanted)


_COMPARE: Final[Mapping[str, Callable[[Any, Any, date], bool]]] = {
    "is": lambda value, wanted, _: _same(value, wanted),
    "in": lambda value, wanted, _: any(_same(value, choice) for choice in wanted),
    "at_least": lambda value, wanted, _: _ordered(value, wanted, ascending=True),
    "at_most": lambda value, wanted, _: _ordered(value, wanted, ascending=False),
    "within_last": lambda value, span, today: _ordered(
        value, shifted(today.isoformat(), Span.of(span), back=True), ascending=True
    ),
    "at_least_ago": lambda value, span, today: _ordered(
        value, shifted(today.isoformat(), Span.of(span), back=True), ascending=False
    ),
}
