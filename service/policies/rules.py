"""Eligibility, criterion by criterion: values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from service.catalogue.rules.definitions import Criterion, FactForm, OfferingDefinition, SectionForm
from service.catalogue.rules.pack import Subject
from service.kernel.errors import FieldError
from service.routing.conditions.answered import Answer, evaluate
from service.routing.conditions.asked import Truth
from service.routing.conditions.known import Known

Sections = Mapping[str, Any]
"""By section what somebody sent; it need not even be an object."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A member of a talent's family, as far as criteria care; a stated one has no person."""

    kinship: Subject
    born: date | None
    person: UUID | None = None


@dataclass(frozen=True, slots=True)
class StatedFact:
    """What somebody says a department has established about them."""

    kind: str
    value: Mapping[str, Any]


@dataclass(frozen=True)
class Stated:
    """What is asked, and what the asker says of themselves.

    `offerings`: those asked for, all where none is named. `together`: those that are meant to be
    filed with them, or are under way.
    """

    offerings: Sequence[str] = ()
    together: Sequence[str] = ()
    sections: Sections = field(default_factory=dict)
    facts: Sequence[StatedFact] = ()
    family: Sequence[Relative] = ()
    born: date | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A criterion with what it came to."""

    criterion: Criterion
    answer: Answer


@dataclass(frozen=True, slots=True)
class Eligibility:
    """What an offering's criteria come to for the talent or one of their family.

    `verdict`: not met when a criterion is not met that refuses a filing; unknown while one of
    those is; else met. Criteria that advise do not count.
    """

    offering: OfferingDefinition
    subject: Relative | None
    verdict: Truth
    criteria: tuple[Judged, ...]


def eligibility(
    offering: OfferingDefinition, known: Known, subject: Relative | None
) -> Eligibility:
    """What is known, asked criterion by criterion."""
    judged = tuple(Judged(one, evaluate(one.met_when, known)) for one in offering.criteria)
    return Eligibility(offering, subject, _verdict(judged), judged)


def _verdict(judged: Iterable[Judged]) -> Truth:
    truths = {one.answer.truth for one in judged if one.criterion.binding.refuses}
    return next((one for one in (Truth.NOT_MET, Truth.UNKNOWN) if one in truths), Truth.MET)


def subjects(offering: OfferingDefinition, family: Sequence[Relative]) -> list[Relative | None]:
    """Whom an offering could be about: the talent, or each such member of the family.

    Where there is none, somebody of whom nothing is known.
    """
    if offering.subject is Subject.SELF:
        return [None]
    found: list[Relative | None] = [one for one in family if one.kinship is offering.subject]
    return found or [Relative(offering.subject, None)]


def stated_faults(
    sections: Sections, facts: Sequence[StatedFact], offerings: Iterable[OfferingDefinition]
) -> list[FieldError]:
    """What is wrong with what somebody states; answers may be left out, but not be wrong."""
    known_sections: dict[str, SectionForm] = {}
    known_facts: dict[str, FactForm] = {}
    for offering in offerings:
        known_sections |= offering.sections
        known_facts |= offering.facts
    faults = []
    for code, answers in sections.items():
        at = f"sections.{code}"
        if code not in known_sections:
            faults.append(FieldError(at, "section_not_expected"))
        elif not isinstance(answers, Mapping):
            faults.append(FieldError(at, "not_an_object"))
        else:
            faults += _given(known_sections[code].form.faults(answers, at=at))
    for place, fact in enumerate(facts):
        if fact.kind not in known_facts:
            faults.append(FieldError(f"facts.{place}.kind", "fact_unknown"))
        else:
            at = f"facts.{place}.value"
            faults += _given(known_facts[fact.kind].form.faults(fact.value, at=at))
    return faults


def _given(faults: Iterable[FieldError]) -> list[FieldError]:
    """The faults of what was given; what was left out is merely not known."""
    return [fault for fault in faults if fault.code != "required"]
