"""What an approval establishes: the value and the days of a fact, from its template."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from service.routing.dates import Span, shifted
from service.routing.flow import FactTemplate

Answers = Mapping[str, Mapping[str, Any]]


class EndsBeforeItBegins(ValueError):
    """The last day of a fact would lie before its first."""


def fact_value(
    plain: Mapping[str, Any], *, result: Mapping[str, Any], answers: Answers
) -> dict[str, Any]:
    """The value of a fact; what its parts are taken from and is not there is left out."""
    found = {name: _part(part, result, answers) for name, part in plain.items()}
    return {name: value for name, value in found.items() if value is not None}


def fact_dates(
    template: FactTemplate, *, result: Mapping[str, Any], answers: Answers, today: date
) -> tuple[date, date | None]:
    """The first and the last day of a fact: today and none, unless the template says otherwise.

    A span counts from the first day: a year from 1 March ends with the last of February. Raises
    ValueError where what it says is no date, or the end comes before the beginning.
    """
    begins = str(_part(template.begins, result, answers) or today.isoformat())
    if isinstance(template.ends, Mapping) and not template.ends.keys() & {"result", "field"}:
        ends: Any = shifted(shifted(begins, Span.of(template.ends)), Span(0, 1), back=True)
    else:
        ends = _part(template.ends, result, answers)
    first = date.fromisoformat(begins)
    last = None if ends is None else date.fromisoformat(str(ends))
    if last is not None and last < first:
        raise EndsBeforeItBegins("it would end before it begins")
    return first, last


def _part(part: Any, result: Mapping[str, Any], answers: Answers) -> Any:
    if not isinstance(part, Mapping):
        return part
    if "result" in part:
        return result.get(part["result"])
    section, _, field = str(part["field"]).partition(".")
    return answers.get(section, {}).get(field)
