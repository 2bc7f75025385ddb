"""Eligibility, criterion by criterion: values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from service.catalogue.rules.definitions import Criterion, FactForm, OfferingDefinition, SectionForm
from service.catalogue.rules.pack import Subject, Text
from service.kernel.errors import FieldError
from service.kernel.messages import LANGUAGES, say
from service.kernel.shown import as_coded, text_of
from service.routing.conditions.answered import Answer, Finding, evaluate
from service.routing.conditions.asked import Source, SourceKind, Truth
from service.routing.conditions.known import Known

Titles = Mapping[str, Text]
"""What the offerings in force are called, by code."""

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


def titled(
    finding: Finding, criterion: Criterion, offering: OfferingDefinition, offerings: Titles
) -> Text:
    """What people call the thing that a clause looks at; of an expression, its criterion."""
    source = finding.source
    first, second = source.parts
    match source.kind:
        case SourceKind.FIELD:
            return offering.section_title(first, second)
        case SourceKind.FACT:
            return offering.fact_title(first, second)
        case SourceKind.REQUESTED:
            return offerings.get(first, as_coded(first))
        case SourceKind.AGE:
            return _worded(f"age_of_{source.name}")
        case _:
            return criterion.title


def sentence(
    finding: Finding, criterion: Criterion, offering: OfferingDefinition, offerings: Titles
) -> Text:
    """What a clause asks for, as a sentence: its thing, the comparison, and what with.

    An age has the day as of which it is counted, where that is known. What an expression asks its
    criterion says.
    """
    title = titled(finding, criterion, offering, offerings)
    op, expected = finding.asked
    if finding.source.kind is SourceKind.CEL:
        return title
    if finding.source.kind is SourceKind.REQUESTED:
        op = "requested"
    elif op == "at_least_ago" and not any(expected.values()):
        op = "past"
    negated = finding.negated is not (op == "given" and expected is False)
    code = f"asked_{op}_not" if negated else f"asked_{op}"
    asked = _worded(code, title=title, expected=_expected(finding, offering))
    if finding.source.kind is SourceKind.AGE and finding.on is not None:
        return _worded("asked_as_of", asked=asked, day=finding.on.isoformat())
    return asked


def _expected(finding: Finding, offering: OfferingDefinition) -> Text:
    """What a clause compares with, in words: options by their titles, spans, another field."""
    value = finding.asked[1]
    if isinstance(value, Mapping):
        return _operand(value, offering)
    if finding.source.kind is SourceKind.AGE:
        return _worded("age_years", number=text_of({}, value))
    return text_of(_schema_of(finding.source, offering), value)


def _schema_of(source: Source, offering: OfferingDefinition) -> Mapping[str, Any]:
    first, second = source.parts
    forms: Mapping[str, SectionForm | FactForm]
    forms = offering.sections if source.kind is SourceKind.FIELD else offering.facts
    form = forms.get(first)
    schema = {} if form is None else form.schema.get("properties", {}).get(second, {})
    return schema if source.kind in {SourceKind.FIELD, SourceKind.FACT} else {}


def _operand(value: Mapping[str, Any], offering: OfferingDefinition) -> Text:
    """A span, or another field with spans added and taken away."""
    if "field" not in value:
        return _span(value)
    first, _, second = str(value["field"]).partition(".")
    words = dict(offering.section_title(first, second))
    for sign, key in (("+", "plus"), ("-", "minus")):
        if key in value:
            span = _span(value[key])
            words = {tongue: f"{said} {sign} {span[tongue]}" for tongue, said in words.items()}
    return words


def _span(span: Mapping[str, Any]) -> Text:
    parts = [
        _worded(f"span_{unit}_one" if number == 1 else f"span_{unit}", number=number)
        for unit, number in span.items()
    ]
    return {tongue: " ".join(part[tongue] for part in parts) for tongue in LANGUAGES}


def _worded(code: str, **params: Any) -> dict[str, str]:
    return {language: say(code, language, params) for language in LANGUAGES}


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
