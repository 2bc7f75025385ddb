"""What is known of a case, and what a source comes to in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from service.routing.conditions.asked import AsOf, Source, SourceKind
from service.routing.dates import day_of, day_of_year, whole_years

_YEAR: Final = re.compile("[0-9]{4}")

Answers = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Known:
    """What is known of a case on a day.

    `answers`: by section. `facts`: by kind, the values of those in force, the newest first; when
    `facts_complete`, a fact that is not there does not hold, otherwise nothing is known of it.
    `born`: of `applicant` and `subject`. `outcomes`: by stage that
    has come to something, `passed`, `rejected` or `skipped`.
    `requested`: the offerings asked for together or still open, None where that is not known.
    """

    today: date
    answers: Answers = field(default_factory=dict)
    facts: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    facts_complete: bool = True
    born: Mapping[str, date | None] = field(default_factory=dict)
    outcomes: Mapping[str, str] = field(default_factory=dict)
    requested: frozenset[str] | None = frozenset()

    def after(self, outcomes: Mapping[str, str]) -> Known:
        """The same with what the stages came to by now."""
        return self if outcomes == self.outcomes else replace(self, outcomes=outcomes)

    def with_facts(self, facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> Known:
        """The same with other facts."""
        return replace(self, facts=facts)


class NotKnown(Exception):
    """Something is not known; `name` says what, e.g. `field:lease.to`."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.name = f"{source.kind.value}:{source.name}"


class NotComparable(NotKnown):
    """There is something, but nothing that can be compared: no day, no number, beyond all years."""


def as_of_day(on: AsOf | None, known: Known) -> date:
    """The day as of which something is asked; the day of the case where nothing else is said.

    Raises `NotKnown` where the answer that states it is missing, and `NotComparable` where that
    states no day, or no year.
    """
    if on is None:
        return known.today
    if on.of is None:
        found = day_of(on.day)
    elif (stated := first_value(on.of, known)) is None:
        raise NotKnown(on.of)
    else:
        found = _stated_day(on.each_year, stated)
    if found is None:
        raise NotComparable(on.of or Source(SourceKind.FIELD, str(on.day)))
    return found


def _stated_day(each_year: str | None, stated: Any) -> date | None:
    if each_year is None:
        return day_of(stated)
    year = stated_year(stated)
    return None if year is None else day_of_year(each_year, year)


def stated_year(value: Any) -> int | None:
    """The year that an answer states: of a date, as four digits, or as a number; 1 to 9999."""
    if (day := day_of(value)) is not None:
        return day.year
    if isinstance(value, str) and _YEAR.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if date.min.year <= value <= date.max.year else None


def first_value(source: Source, known: Known) -> Any:
    """What a source comes to, of several facts the newest; None where nothing is known."""
    return next(values_of(source, known), None)


def is_given(source: Source, known: Known) -> bool:
    first, second = source.parts
    if source.kind is SourceKind.FACT and not known.facts_complete and first not in known.facts:
        raise NotKnown(source)
    if source.kind is SourceKind.FIELD and first not in known.answers:
        raise NotKnown(source)
    if second is None:
        return bool(known.facts.get(first))
    return any(True for _ in values_of(source, known))


def values_of(source: Source, known: Known) -> Iterator[Any]:
    """What is there to compare with: one value, several of facts, or none where it is unknown."""
    return _READERS[source.kind](source, known)


def _field(source: Source, known: Known) -> Iterator[Any]:
    section, name = source.parts
    value = known.answers.get(section, {}).get(name or "")
    if value is not None:
        yield value


def _fact(source: Source, known: Known) -> Iterator[Any]:
    kind, name = source.parts
    for fact in known.facts.get(kind, ()):
        value = fact.get(name or "")
        if value is not None:
            yield value


def _age(source: Source, known: Known) -> Iterator[Any]:
    """Before their birth somebody is of no age, which is not a small one."""
    born = known.born.get(source.name)
    if born is not None:
        if known.today < born:
            raise NotComparable(source)
        yield whole_years(born, known.today)


def _stage(source: Source, known: Known) -> Iterator[Any]:
    """A stage that has come to nothing yet is pending, which is known."""
    yield known.outcomes.get(source.name, "pending")


def _requested(source: Source, known: Known) -> Iterator[Any]:
    if known.requested is not None:
        yield source.name in known.requested


_READERS: Final[Mapping[SourceKind, Callable[[Source, Known], Iterator[Any]]]] = {
    SourceKind.FIELD: _field,
    SourceKind.FACT: _fact,
    SourceKind.AGE: _age,
    SourceKind.STAGE: _stage,
    SourceKind.REQUESTED: _requested,
}
