"""What a condition comes to for a case, and the clauses it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from service.routing.conditions.asked import (
    AllOf,
    CelClause,
    Clause,
    Condition,
    Not,
    Source,
    SourceKind,
    Truth,
)
from service.routing.conditions.compared import clause_truth
from service.routing.conditions.expressed import cel_truth
from service.routing.conditions.known import Known, NotComparable, NotKnown, as_of_day

_OPPOSITE: Final = {
    Truth.MET: Truth.NOT_MET,
    Truth.NOT_MET: Truth.MET,
    Truth.UNKNOWN: Truth.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One clause and what it came to; `truth` is as the whole condition counts it (after `not`).

    `missing`: what has to be known first; `malformed`: it is there, and cannot be compared.
    `asked` is the clause's comparison and its value in plain form, e.g.
    `("within_last", {"years": 5})`; `negated`: it stands under `not`. `on`: the day as of which an
    age or a span counts, None where the clause is about neither, or the day is not known.
    """

    source: Source
    asked: tuple[str, Any]
    truth: Truth
    missing: tuple[str, ...] = ()
    malformed: bool = False
    on: date | None = None
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a condition came to, and the clauses that made it so."""

    truth: Truth
    reasons: tuple[Finding, ...]

    @property
    def malformed(self) -> bool:
        """Whether it is unknown because something that is there cannot be compared."""
        return self.truth is Truth.UNKNOWN and any(one.malformed for one in self.reasons)

    @property
    def missing(self) -> tuple[str, ...]:
        """What would have to be known, each once, as `field:lease.to` or `fact:recognition`."""
        return tuple(dict.fromkeys(name for reason in self.reasons for name in reason.missing))


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
            reasons = tuple(
                replace(reason, truth=_OPPOSITE[reason.truth], negated=not reason.negated)
                for reason in answer.reasons
            )
            return Answer(_OPPOSITE[answer.truth], reasons)
        case AllOf(parts):
            return _combined(parts, known, decisive=Truth.NOT_MET, otherwise=Truth.MET)
        case _:
            return _combined(condition.parts, known, decisive=Truth.MET, otherwise=Truth.NOT_MET)


def _combined(
    parts: Sequence[Condition], known: Known, *, decisive: Truth, otherwise: Truth
) -> Answer:
    answers = [evaluate(part, known) for part in parts]
    truths = {answer.truth for answer in answers}
    whole = next((truth for truth in (decisive, Truth.UNKNOWN) if truth in truths), otherwise)
    return Answer(
        whole, tuple(reason for each in answers if each.truth is whole for reason in each.reasons)
    )


def _alone(
    source: Source, asked: tuple[str, Any], clause: Clause | CelClause, known: Known
) -> Answer:
    day: date | None = None
    truth, missing, malformed = Truth.UNKNOWN, tuple[str, ...](), False
    try:
        if isinstance(clause, CelClause):
            truth = cel_truth(clause, known)
        else:
            day = as_of_day(clause.on, known) if clause.dated else None
            truth = clause_truth(clause, known)
    except NotKnown as lacking:
        missing, malformed = (lacking.name,), isinstance(lacking, NotComparable)
    return Answer(truth, (Finding(source, asked, truth, missing, malformed, day),))
