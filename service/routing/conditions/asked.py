"""What a condition is, how it is read out of its plain form, and what it may come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from service.kernel.expressions import Expression


class Truth(StrEnum):
    """The three answers."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


def truth_of(holds: bool) -> Truth:
    return Truth.MET if holds else Truth.NOT_MET


class SourceKind(StrEnum):
    """Where a clause looks."""

    FIELD = "field"
    FACT = "fact"
    AGE = "age"
    STAGE = "stage"
    REQUESTED = "requested"
    CEL = "cel"


@dataclass(frozen=True, slots=True)
class Source:
    """What a clause is about: `lease.address`, `recognition.class`, `applicant`, a stage's key."""

    kind: SourceKind
    name: str

    @property
    def parts(self) -> tuple[str, str | None]:
        """Section and field, or kind of fact and its value (None: the fact as such)."""
        first, _, second = self.name.partition(".")
        return first, second or None


@dataclass(frozen=True, slots=True)
class AsOf:
    """The day as of which a clause is asked; one of three.

    `day`: always the same, `YYYY-MM-DD`. `of` alone: the day that an answer states. `of` with
    `each_year` (`MM-DD`): that day in the year that an answer states.
    """

    day: str | None = None
    each_year: str | None = None
    of: Source | None = None


@dataclass(frozen=True, slots=True)
class Clause:
    """A comparison of one source with a value; `operand` is in plain form, as the pack has it.

    `on`: the day as of which ages and spans count; None is the day on which the case is judged.
    """

    source: Source
    op: str
    operand: Any
    on: AsOf | None = None

    @property
    def dated(self) -> bool:
        """Whether what it comes to depends on the day."""
        return self.op in DATED or self.source.kind is SourceKind.AGE


@dataclass(frozen=True, slots=True)
class CelClause:
    """An expression over sources that it lists; unknown while one of them is."""

    expression: Expression
    needs: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: Condition


Condition = Clause | CelClause | AllOf | AnyOf | Not


class MalformedCondition(ValueError):
    """The raw condition has not the shape of the pack format."""


COMPARISONS: Final = (
    "is",
    "in",
    "at_least",
    "at_most",
    "given",
    "within_last",
    "at_least_ago",
)


DATED: Final = ("within_last", "at_least_ago")
"""The comparisons with a day."""

DEEPEST: Final = 8
"""How deep conditions may be nested."""


def parse_condition(raw: Mapping[str, Any], *, depth: int = 1) -> Condition:
    """The condition in its plain form, e.g. `{field: lease.to, at_least: {field: lease.from}}`.

    Only the shape is read here; whether what it names exists is for who knows the pack. Raises
    `MalformedCondition`, also for an expression that cannot be used.
    """
    if depth > DEEPEST:
        raise MalformedCondition(f"conditions are nested at most {DEEPEST} deep")
    try:
        if "all" in raw:
            return AllOf(tuple(parse_condition(part, depth=depth + 1) for part in raw["all"]))
        if "any" in raw:
            return AnyOf(tuple(parse_condition(part, depth=depth + 1) for part in raw["any"]))
        if "not" in raw:
            return Not(parse_condition(raw["not"], depth=depth + 1))
        if "cel" in raw:
            needs = tuple(map(source_of, raw["needs"]))
            return CelClause(Expression(raw["cel"], cel_names(needs)), needs)
        return _clause(raw)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedCondition(str(error)) from error


def cel_names(needs: Iterable[Source]) -> tuple[str, ...]:
    """How an expression names what it needs: `lease.to`, `facts.recognition.class`, `today`."""
    facts = SourceKind.FACT
    return ("today", *(f"facts.{need.name}" if need.kind is facts else need.name for need in needs))


def source_of(raw: Mapping[str, Any]) -> Source:
    for kind in SourceKind:
        if kind.value in raw:
            return Source(kind, str(raw[kind.value]))
    raise MalformedCondition("a clause needs something to look at")


def _clause(raw: Mapping[str, Any]) -> Clause:
    source = source_of(raw)
    if source.kind is SourceKind.REQUESTED:
        return Clause(source, "is", True)
    found = [op for op in COMPARISONS if op in raw]
    if len(found) != 1:
        raise MalformedCondition("a clause makes one comparison")
    clause = Clause(source, found[0], raw[found[0]], as_of(raw["on"]) if "on" in raw else None)
    if clause.on is not None and not clause.dated:
        raise MalformedCondition("`on` is the day of an age or of a span")
    return clause


def as_of(raw: str | Mapping[str, Any]) -> AsOf:
    """The day in its plain form: `"2026-08-31"`, `{field: …}`, `{each_year: "08-31", of: …}`."""
    if isinstance(raw, str):
        return AsOf(day=raw)
    if "each_year" in raw:
        return AsOf(each_year=raw["each_year"], of=source_of(raw["of"]))
    return AsOf(of=source_of(raw))


def sources(condition: Condition) -> Iterator[Source]:
    """Everything that a condition looks at, operands included."""
    match condition:
        case Clause(source, _, operand, on):
            yield source
            if on is not None and on.of is not None:
                yield on.of
            if isinstance(operand, Mapping) and "field" in operand:
                yield source_of(operand)
        case CelClause(_, needs):
            yield from needs
        case Not(part):
            yield from sources(part)
        case _:
            for part in condition.parts:
                yield from sources(part)
