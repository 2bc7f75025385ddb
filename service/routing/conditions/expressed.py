"""An expression against what is known of a case: one fact of a kind at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from service.kernel.expressions import Expression, ExpressionFailed
from service.routing.conditions.asked import CelClause, Source, SourceKind, Truth, truth_of
from service.routing.conditions.known import (
    Known,
    NotComparable,
    NotKnown,
    first_value,
)


def cel_truth(clause: CelClause, known: Known) -> Truth:
    """Met where it holds of one case.

    Raises `NotKnown` where something is missing, and `NotComparable` where it holds of none and
    fails on one, by a division by nothing for example.
    """
    truths = {_holds(clause.expression, values) for values in cel_cases(clause, known)}
    if Truth.MET not in truths and Truth.UNKNOWN in truths:
        raise NotComparable(clause.needs[0])
    return truth_of(Truth.MET in truths)


def _holds(expression: Expression, values: Mapping[str, Any]) -> Truth:
    try:
        return truth_of(expression.holds(values))
    except ExpressionFailed:
        return Truth.UNKNOWN


def cel_cases(clause: CelClause, known: Known) -> Iterator[dict[str, Any]]:
    """What an expression is given, time after time: one fact of each kind that it needs.

    All values of a kind are those of one fact, the newest first; one that lacks a value is passed
    over. Nested by the parts of names: `{"today": …, "lease": {"to": …}, "facts": {"recognition":
    …}}`. Raises `NotKnown` where something is missing, at least one case otherwise.
    """
    values: dict[str, Any] = {"today": known.today.isoformat()}
    asked: dict[str, list[Source]] = {}
    for source in clause.needs:
        first, second = source.parts
        if source.kind is SourceKind.FACT:
            asked.setdefault(first, []).append(source)
        elif (found := first_value(source, known)) is None:
            raise NotKnown(source)
        else:
            values.setdefault(first, {})[second] = _whole(found)
    for chosen in product(*(_facts_with(needs, known) for needs in asked.values())):
        yield {**values, "facts": dict(zip(asked, chosen, strict=True))}


def _facts_with(needs: Sequence[Source], known: Known) -> list[dict[str, Any]]:
    """Of the facts of one kind that have all these values, the values, by name."""
    (kind, _), names = needs[0].parts, [source.parts[1] or "" for source in needs]
    facts = known.facts.get(kind, ())
    found = [
        {name: _whole(fact[name]) for name in names}
        for fact in facts
        if all(fact.get(name) is not None for name in names)
    ]
    if not found:
        newest = next(iter(facts), {})
        raise NotKnown(next(need for need in needs if newest.get(need.parts[1] or "") is None))
    return found


def _whole(value: Any) -> Any:
    """A whole number as an integer, however it was written: CEL does not compare the two."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
