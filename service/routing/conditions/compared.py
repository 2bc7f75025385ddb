"""One clause against what is known of a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from service.routing.conditions.asked import Clause, Source, Truth, source_of, truth_of
from service.routing.conditions.known import (
    Known,
    NotComparable,
    NotKnown,
    as_of_day,
    is_given,
    values_of,
)
from service.routing.dates import Span, day_of, moved, shifted


def clause_truth(clause: Clause, known: Known) -> Truth:
    """What a clause comes to.

    Raises `NotKnown` where there is nothing to compare, and `NotComparable` where what is there
    cannot be compared: that makes no rule void, and no criterion met.
    """
    if clause.op == "given":
        return truth_of(is_given(clause.source, known) is clause.operand)
    if clause.on is not None:
        known = replace(known, today=as_of_day(clause.on, known))
    values = list(values_of(clause.source, known))
    if not values:
        raise NotKnown(clause.source)
    compare = _COMPARE[clause.op]
    operand = _operand(clause.operand, known) if clause.op in {"at_least", "at_most"} else None
    wanted = clause.operand if operand is None else operand
    found = [compare(value, wanted, known.today) for value in values]
    if not any(found) and None in found:
        raise NotComparable(clause.source)
    return truth_of(any(found))


def _operand(raw: Any, known: Known) -> Any:
    """The value to compare with: itself, or that of a field, its date moved by what is said.

    A year's lease from 10 July ends on 9 July: `plus` a year, then `minus` a day.
    """
    if not isinstance(raw, Mapping):
        return raw
    source = source_of(raw)
    value = next(values_of(source, known), None)
    if value is None:
        raise NotKnown(source)
    return _moved(value, raw, source)


def _moved(value: Any, raw: Mapping[str, Any], source: Source) -> Any:
    try:
        later = moved(value, Span.of(raw["plus"])) if "plus" in raw else value
        return moved(later, Span.of(raw["minus"]), back=True) if "minus" in raw else later
    except (ValueError, OverflowError):
        raise NotComparable(source) from None


def _same(value: Any, wanted: Any) -> bool:
    """Equal as JSON has it: true is not 1."""
    return value == wanted and isinstance(value, bool) is isinstance(wanted, bool)


def _ordered(value: Any, wanted: Any, *, ascending: bool) -> bool | None:
    """Numbers with numbers, days (as text) with days; None where they do not compare."""
    if isinstance(value, str):
        value, wanted = day_of(value), day_of(wanted)
        if value is None or wanted is None:
            return None
    elif not (_is_number(value) and _is_number(wanted)):
        return None
    return bool(value >= wanted if ascending else value <= wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_COMPARE: Final[Mapping[str, Callable[[Any, Any, date], bool | None]]] = {
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
