"""What is known of a case, and what a source comes to in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final

from service.routing.conditions.asked import Source, SourceKind
from service.routing.dates import whole_years

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
    born = known.born.get(source.name)
    if born is not None:
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
