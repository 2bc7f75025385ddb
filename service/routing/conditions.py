"""Conditions: questions about a case with three answers, and the reasons for the answer.

A condition is made of clauses. A clause compares one thing that is known of a case (an answer of
the form, a fact that a department has established, an age, what an earlier stage came to) and is
met, not met or, where that thing is missing, unknown. `all`, `any` and `not` combine them by
Kleene's logic. Because clauses are values and not code, an answer always comes with the clauses
it rests on: what is missing, and what would change it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from itertools import product
from typing import Any, Final

from service.kernel.expressions import Expression, ExpressionFailed
from service.routing.dates import Span, shifted, whole_years


class Truth(StrEnum):
    """The three answers."""

    MET = "met"
    NOT_MET = "not_met"
    UNKNOWN = "unknown"


_OPPOSITE: Final = {
    Truth.MET: Truth.NOT_MET,
    Truth.NOT_MET: Truth.MET,
    Truth.UNKNOWN: Truth.UNKNOWN,
}


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


@dataclass(frozen=True, slots=True)
class Finding:
    """One clause and what it came to; `truth` is as the whole condition counts it (after `not`).

    `missing`: what has to be known first. `asked` is the clause's comparison and its value in
    plain form, e.g. `("within_last", {"years": 5})`.
    """

    source: Source
    asked: tuple[str, Any]
    truth: Truth
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a condition came to, and the clauses that made it so."""

    truth: Truth
    reasons: tuple[Finding, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """What would have to be known, each once, as `field:lease.to` or `fact:recognition`."""
        return tuple(dict.fromkeys(name for one in self.reasons for name in one.missing))


@dataclass(frozen=True, slots=True)
class Clause:
    """A comparison of one source with a value; `operand` is in plain form, as the pack has it."""

    source: Source
    op: str
    operand: Any


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
            return AllOf(tuple(parse_condition(one, depth=depth + 1) for one in raw["all"]))
        if "any" in raw:
            return AnyOf(tuple(parse_condition(one, depth=depth + 1) for one in raw["any"]))
        if "not" in raw:
            return Not(parse_condition(raw["not"], depth=depth + 1))
        if "cel" in raw:
            needs = tuple(map(_source, raw["needs"]))
            return CelClause(Expression(raw["cel"], cel_names(needs)), needs)
        return _clause(raw)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedCondition(str(error)) from error


def cel_names(needs: Iterable[Source]) -> tuple[str, ...]:
    """How an expression names what it needs: `lease.to`, `facts.recognition.class`, `today`."""
    facts = SourceKind.FACT
    return ("today", *(f"facts.{one.name}" if one.kind is facts else one.name for one in needs))


def _source(raw: Mapping[str, Any]) -> Source:
    for kind in SourceKind:
        if kind.value in raw:
            return Source(kind, str(raw[kind.value]))
    raise MalformedCondition("a clause needs something to look at")


def _clause(raw: Mapping[str, Any]) -> Clause:
    source = _source(raw)
    if source.kind is SourceKind.REQUESTED:
        return Clause(source, "is", True)
    found = [op for op in COMPARISONS if op in raw]
    if len(found) != 1:
        raise MalformedCondition("a clause makes one comparison")
    return Clause(source, found[0], raw[found[0]])


def evaluate(condition: Condition, known: Known) -> Answer:
    """What a condition comes to for a case, with the clauses that decide it.

    Of `all` that is not met, those are the parts that are not met; of one that is unknown, the
    unknown ones; and so for `any`, the other way round.
    """
    match condition:
        case Clause():
            return _alone(condition.source, (condition.op, condition.operand), condition, known)
        case CelClause():
            asked = ("is", condition.expression.text)
            return _alone(Source(SourceKind.CEL, ""), asked, condition, known)
        case Not(part):
            answer = evaluate(part, known)
            reasons = tuple(replace(one, truth=_OPPOSITE[one.truth]) for one in answer.reasons)
            return Answer(_OPPOSITE[answer.truth], reasons)
        case AllOf(parts):
            return _combined(parts, known, decisive=Truth.NOT_MET, otherwise=Truth.MET)
        case _:
            return _combined(condition.parts, known, decisive=Truth.MET, otherwise=Truth.NOT_MET)


def sources(condition: Condition) -> Iterator[Source]:
    """Everything that a condition looks at, operands included."""
    match condition:
        case Clause(source, _, operand):
            yield source
            if isinstance(operand, Mapping) and "field" in operand:
                yield _source(operand)
        case CelClause(_, needs):
            yield from needs
        case Not(part):
            yield from sources(part)
        case _:
            for part in condition.parts:
                yield from sources(part)


def first_value(source: Source, known: Known) -> Any:
    """What a source comes to, of several facts the newest; None where nothing is known."""
    return next(_values(source, known), None)


def _combined(
    parts: Sequence[Condition], known: Known, *, decisive: Truth, otherwise: Truth
) -> Answer:
    answers = [evaluate(part, known) for part in parts]
    truths = {answer.truth for answer in answers}
    whole = next((one for one in (decisive, Truth.UNKNOWN) if one in truths), otherwise)
    return Answer(
        whole, tuple(one for each in answers if each.truth is whole for one in each.reasons)
    )


def _alone(
    source: Source, asked: tuple[str, Any], clause: Clause | CelClause, known: Known
) -> Answer:
    missing: tuple[str, ...] = ()
    try:
        truth = _clause_truth(clause, known) if isinstance(clause, Clause) else _cel(clause, known)
    except NotKnown as lacking:
        truth, missing = Truth.UNKNOWN, (lacking.name,)
    return Answer(truth, (Finding(source, asked, truth, missing),))


class NotKnown(Exception):
    """Something is not known; `name` says what, e.g. `field:lease.to`."""

    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.name = f"{source.kind.value}:{source.name}"


def _truth(holds: bool) -> Truth:
    return Truth.MET if holds else Truth.NOT_MET


def _clause_truth(clause: Clause, known: Known) -> Truth:
    if clause.op == "given":
        return _truth(_is_given(clause.source, known) is clause.operand)
    values = list(_values(clause.source, known))
    if not values:
        raise NotKnown(clause.source)
    compare = _COMPARE[clause.op]
    operand = _operand(clause.operand, known) if clause.op in {"at_least", "at_most"} else None
    wanted = clause.operand if operand is None else operand
    return _truth(any(compare(value, wanted, known.today) for value in values))


def _cel(clause: CelClause, known: Known) -> Truth:
    """Met where it holds of one case; one on which it fails is as good as unknown."""
    truths = {_holds(clause.expression, values) for values in cel_cases(clause, known)}
    return next(one for one in (Truth.MET, Truth.UNKNOWN, Truth.NOT_MET) if one in truths)


def _holds(expression: Expression, values: Mapping[str, Any]) -> Truth:
    try:
        return _truth(expression.holds(values))
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
        raise NotKnown(next(one for one in needs if newest.get(one.parts[1] or "") is None))
    return found


def _whole(value: Any) -> Any:
    """A whole number as an integer, however it was written: CEL does not compare the two."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_given(source: Source, known: Known) -> bool:
    first, second = source.parts
    if source.kind is SourceKind.FACT and not known.facts_complete and first not in known.facts:
        raise NotKnown(source)
    if source.kind is SourceKind.FIELD and first not in known.answers:
        raise NotKnown(source)
    if second is None:
        return bool(known.facts.get(first))
    return any(True for _ in _values(source, known))


def _values(source: Source, known: Known) -> Iterator[Any]:
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


def _operand(raw: Any, known: Known) -> Any:
    """The value to compare with: itself, or that of a field, its date moved by what is said.

    A year's lease from 10 July ends on 9 July: `plus` a year, then `minus` a day.
    """
    if not isinstance(raw, Mapping):
        return raw
    source = _source(raw)
    for value in _values(source, known):
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
    "in": lambda value, wanted, _: any(_same(value, one) for one in wanted),
    "at_least": lambda value, wanted, _: _ordered(value, wanted, ascending=True),
    "at_most": lambda value, wanted, _: _ordered(value, wanted, ascending=False),
    "within_last": lambda value, span, today: _ordered(
        value, shifted(today.isoformat(), Span.of(span), back=True), ascending=True
    ),
    "at_least_ago": lambda value, span, today: _ordered(
        value, shifted(today.isoformat(), Span.of(span), back=True), ascending=False
    ),
}
