"""Published versions, compiled: what filing and processing run on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Any
from uuid import UUID

from service.catalogue.rules.forms import Form
from service.catalogue.rules.pack import Consent, Material, Scope, Subject, Text, consent, material
from service.kernel.errors import FieldError
from service.kernel.shown import ShownValue, as_coded, shown_values, title_of
from service.routing.bundle import EdgeRule, parse_edges
from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import (
    Condition,
    Source,
    SourceKind,
    Truth,
    parse_condition,
    sources,
)
from service.routing.conditions.known import Known
from service.routing.flow import Flow, parse_flow


@dataclass(frozen=True)
class Rule:
    """What must hold between the fields of a section; a breach is reported at the field `at`."""

    at: str
    must: Condition
    message: Text


@dataclass(frozen=True)
class SectionForm:
    """A section as an offering's version has frozen it."""

    code: str
    scope: Scope
    title: Text
    schema: Mapping[str, Any]
    form: Form
    rules: tuple[Rule, ...]

    def faults(self, answers: Any, *, at: str, today: date) -> list[FieldError]:
        """What is wrong with the answers, by field; `at` is their path in what was sent.

        What must hold between fields is asked where each of them is right by itself. A rule that
        something makes impossible to ask, not by being left out, is as good as broken.
        """
        faults = self.form.faults(answers, at=at)
        if not isinstance(answers, Mapping):
            return faults
        wrong = faulty_fields(self.code, faults, at=at)
        known = Known(today, answers={self.code: answers})
        answered = [
            (rule, evaluate(rule.must, known))
            for rule in self.rules
            if not looks_at(rule.must, wrong)
        ]
        return faults + [
            FieldError(f"{at}.{rule.at}", "rule_broken", {}, rule.message)
            for rule, answer in answered
            if answer.truth is Truth.NOT_MET or answer.malformed
        ]

    def title_of(self, field: str) -> Text | None:
        """What people call a field."""
        title: Text | None = self.schema["properties"].get(field, {}).get("x-title")
        return title


def faulty_fields(section: str, faults: Iterable[FieldError], *, at: str) -> frozenset[str]:
    """The fields of a section with faults, as conditions name them; `section.*` is all of it.

    A broken rule is a fault between fields: each of them is right by itself.
    """
    found = set()
    for fault in faults:
        if fault.code == "rule_broken" or not f"{fault.path}.".startswith(f"{at}."):
            continue
        field, _, _ = fault.path[len(at) + 1 :].partition(".")
        found.add(f"{section}.{field or '*'}")
    return frozenset(found)


def looks_at(condition: Condition, fields: Collection[str]) -> bool:
    """Whether a condition looks at one of these fields (`faulty_fields`): it cannot be asked."""
    return any(
        source.name in fields or f"{source.parts[0]}.*" in fields
        for source in sources(condition)
        if source.kind is SourceKind.FIELD
    )


@dataclass(frozen=True, slots=True, repr=False)
class ShownSection:
    """A section as people read it."""

    code: str
    title: Text
    fields_: Sequence[ShownValue]


@dataclass(frozen=True)
class FactForm:
    """A kind of fact as an offering's version has frozen it."""

    title: Text
    schema: Mapping[str, Any]
    form: Form


class Need(StrEnum):
    """Whether an offering needs a material."""

    ALWAYS = "always"
    CONDITIONAL = "conditional"
    OPTIONAL = "optional"


@dataclass(frozen=True)
class AskedMaterial:
    """A material as an offering asks for it: always, where `when` holds, or as a possibility.

    `plain` is `when` as the pack has it, for clients.
    """

    material: Material
    optional: bool
    when: Condition | None
    plain: Mapping[str, Any] | None

    @property
    def code(self) -> str:
        return self.material.code

    @property
    def need(self) -> Need:
        if self.optional:
            return Need.OPTIONAL
        return Need.ALWAYS if self.when is None else Need.CONDITIONAL


class Binding(StrEnum):
    """What a criterion that is not met does to a filing."""

    REFUSE = "refuse"
    ADVISE = "advise"

    @property
    def refuses(self) -> bool:
        return self is Binding.REFUSE


@dataclass(frozen=True, slots=True)
class NamedDepartment:
    """A department's code with what it is called."""

    code: str
    name: Text


@dataclass(frozen=True)
class Cited:
    """A rule that something rests on, and where in it."""

    title: Text
    article: Text | None


@dataclass(frozen=True)
class Citation(Cited):
    """One of the rules that an offering names, by its code."""

    code: str


@dataclass(frozen=True)
class Criterion:
    """What an applicant must fulfil, with the rule that says so: `citation`, at its `article`."""

    code: str
    title: Text
    met_when: Condition
    citation: Text
    article: Text | None
    binding: Binding


@dataclass(frozen=True)
class OfferingDefinition:
    """One version of an offering: immutable, safe to share between threads.

    `records`: by stage key, the form of the result that the stage's passing verdict must bring.
    `facts`: by kind, the facts that it looks at or that an approval establishes. `private`: an
    employer is shown its status and its due date, no more; what is about family always is.
    `remedies`: what somebody can do who is refused, where the pack says it. `departments`: what
    those are called that its flow may come to, by code.
    """

    code: str
    version_id: UUID
    version: int
    title: Text
    summary: Text
    subject: Subject
    private: bool
    citations: tuple[Mapping[str, Any], ...]
    criteria: tuple[Criterion, ...]
    flow: Flow
    sections: Mapping[str, SectionForm]
    materials: tuple[AskedMaterial, ...]
    records: Mapping[str, Form]
    facts: Mapping[str, FactForm]
    remedies: Text | None = None
    departments: Mapping[str, Text] = field(default_factory=dict)

    @property
    def named_departments(self) -> list[NamedDepartment]:
        """The departments that its flow may come to, each once."""
        codes = dict.fromkeys(code for one in self.flow.stages for code in one.choice.possible)
        return [NamedDepartment(code, self.department_name(code)) for code in codes]

    def department_name(self, code: str) -> Text:
        """What a department of its flow is called; its code where the version does not say."""
        return self.departments.get(code) or as_coded(code)

    @cached_property
    def rules(self) -> Mapping[str, Citation]:
        """The rules that it names, by code; those without one cannot be cited."""
        return {
            raw["code"]: Citation(raw["title"], raw.get("article"), raw["code"])
            for raw in self.citations
            if "code" in raw
        }

    def shown_answers(self, answers: Mapping[str, Any]) -> list[ShownSection]:
        """Answers by section, as people read them, in the order of the form."""
        return [
            ShownSection(form.code, form.title, shown_values(form.schema, answers[form.code]) or [])
            for form in self.forms
            if form.code in answers
        ]

    def shown_result(self, stage: str, result: Mapping[str, Any] | None) -> list[ShownValue] | None:
        """What a stage recorded, as people read it; None of None."""
        return shown_values(self.flow.by_key[stage].records or {}, result)

    def shown_fact(self, kind: str, value: Mapping[str, Any]) -> list[ShownValue]:
        """A fact's value, as people read it."""
        known = self.facts.get(kind)
        return shown_values({} if known is None else known.schema, value) or []

    def fact_title(self, kind: str, value: str | None = None) -> Text:
        """What a kind of fact is called, or a value of it; its code where that is not known."""
        known = self.facts.get(kind)
        if known is None:
            return as_coded(value or kind)
        return known.title if value is None else title_of(known.schema, value)

    def material_title(self, code: str) -> Text:
        """What a document is called; its code where the version does not ask for it."""
        found = (one.material.title for one in self.materials if one.code == code)
        return next(found, as_coded(code))

    def section_title(self, code: str, field: str | None = None) -> Text:
        """What a section is called, or a field of it; its code where the version has it not."""
        form = self.sections.get(code)
        if form is None:
            return as_coded(field or code)
        return form.title if field is None else title_of(form.schema, field)

    def cited(self, code: str, article: Text | None = None) -> Cited | None:
        """One of its rules, at this article or its own; None where it names no such rule."""
        rule = self.rules.get(code)
        return None if rule is None else Cited(rule.title, article or rule.article)

    @property
    def forms(self) -> tuple[SectionForm, ...]:
        """The sections in the order of the form."""
        return tuple(self.sections.values())

    @cached_property
    def ticket_sections(self) -> tuple[str, ...]:
        """The sections given once for the ticket, in the order of the form."""
        return self._scoped(Scope.TICKET)

    @cached_property
    def item_sections(self) -> tuple[str, ...]:
        """The sections given for each item, in the order of the form."""
        return self._scoped(Scope.ITEM)

    def title_of(self, source: Source) -> Text | None:
        """What people call the thing that a clause looks at, where the form or a fact has words."""
        first, second = source.parts
        if source.kind is SourceKind.FIELD and first in self.sections:
            return self.sections[first].title_of(second or "")
        if source.kind is SourceKind.FACT and first in self.facts:
            fact = self.facts[first]
            value = fact.schema["properties"].get(second, {}) if second else {}
            title: Text = value.get("x-title", fact.title)
            return title
        return None

    @property
    def gives(self) -> frozenset[str]:
        """The kinds of facts that an approval establishes."""
        return frozenset(template.fact for template in self.flow.decision.gives)

    def _scoped(self, scope: Scope) -> tuple[str, ...]:
        return tuple(code for code, section in self.sections.items() if section.scope is scope)

    def section_faults(self, code: str, answers: Any, *, at: str, today: date) -> list[FieldError]:
        """What is wrong with the answers to one of the offering's sections."""
        return self.sections[code].faults(answers, at=at, today=today)

    def result_faults(self, stage: str, result: Any, *, at: str = "result") -> list[FieldError]:
        """What is wrong with the result of a stage; raises KeyError where it records none."""
        return self.records[stage].faults(result, at=at)


@dataclass(frozen=True)
class BundleDefinition:
    """One version of a bundle with the versions of its offerings in one release, in its order.

    `consents`: what an applicant must have agreed to before filing it. `edges`: which offering
    waits for which.
    """

    code: str
    version_id: UUID
    version: int
    release: int
    title: Text
    summary: Text
    consents: tuple[Consent, ...]
    edges: tuple[EdgeRule, ...]
    offerings: Mapping[str, OfferingDefinition]

    @property
    def members(self) -> tuple[OfferingDefinition, ...]:
        """The offerings in the order of the bundle."""
        return tuple(self.offerings.values())

    @property
    def forms(self) -> tuple[SectionForm, ...]:
        """Every section of the offerings, once, in the order in which they ask for it."""
        return forms_of(self.members)


def forms_of(offerings: Iterable[OfferingDefinition]) -> tuple[SectionForm, ...]:
    """Every section of these offerings, once, in the order in which they ask for it."""
    return tuple({form.code: form for offering in offerings for form in offering.forms}.values())


def materials_of(offerings: Iterable[OfferingDefinition]) -> tuple[Material, ...]:
    """Every material that these offerings ask for, once."""
    asked = (material for offering in offerings for material in offering.materials)
    return tuple({material.code: material.material for material in asked}.values())


def compile_offering(
    content: Mapping[str, Any], *, version_id: UUID, version: int
) -> OfferingDefinition:
    """The definition in a published content (`contents.offering_content`).

    Contents are never rewritten: what one does not have, because it was published before there was
    such a thing, is empty.
    """
    flow, subject = parse_flow(content["flow"]), Subject(content["subject"])
    sections = map(_section, content["sections"])
    return OfferingDefinition(
        code=content["code"],
        version_id=version_id,
        version=version,
        title=content["title"],
        summary=content["summary"],
        subject=subject,
        private=subject is not Subject.SELF or content.get("private", False),
        citations=tuple(content["citations"]),
        criteria=_criteria(content.get("criteria", ()), content["citations"]),
        flow=flow,
        sections={section.code: section for section in sections},
        materials=tuple(map(_asked, content.get("materials", ()))),
        records={stage.key: Form(stage.records) for stage in flow.stages if stage.records},
        facts={
            kind["code"]: FactForm(kind["title"], kind["schema"], Form(kind["schema"]))
            for kind in content.get("facts", ())
        },
        remedies=content.get("remedies"),
        departments=content.get("departments", {}),
    )


def compile_bundle(
    content: Mapping[str, Any],
    *,
    version_id: UUID,
    version: int,
    release: int,
    offerings: Mapping[str, OfferingDefinition],
) -> BundleDefinition:
    """The definition in a published content (`contents.bundle_content`) as a release has it.

    `offerings`: the definitions of its offerings in that release, by code.
    """
    return BundleDefinition(
        code=content["code"],
        version_id=version_id,
        version=version,
        release=release,
        title=content["title"],
        summary=content["summary"],
        consents=tuple(map(consent, content["consents"])),
        edges=parse_edges(content.get("edges", ())),
        offerings=offerings,
    )


def _section(raw: Mapping[str, Any]) -> SectionForm:
    rules = (
        Rule(rule["at"], parse_condition(rule["must"]), rule["message"])
        for rule in raw.get("rules", ())
    )
    return SectionForm(
        code=raw["code"],
        scope=Scope(raw["scope"]),
        title=raw["title"],
        schema=raw["schema"],
        form=Form(raw["schema"]),
        rules=tuple(rules),
    )


def _asked(raw: Mapping[str, Any]) -> AskedMaterial:
    return AskedMaterial(
        material=material(raw["material"]),
        optional=raw.get("optional", False),
        when=parse_condition(raw["when"]) if "when" in raw else None,
        plain=raw.get("when"),
    )


def _criteria(
    raw: Sequence[Mapping[str, Any]], citations: Sequence[Mapping[str, Any]]
) -> tuple[Criterion, ...]:
    cited = {source["code"]: source for source in citations if "code" in source}
    return tuple(_criterion(criterion, cited[criterion["cites"]["citation"]]) for criterion in raw)


def _criterion(raw: Mapping[str, Any], citation: Mapping[str, Any]) -> Criterion:
    return Criterion(
        code=raw["code"],
        title=raw["title"],
        met_when=parse_condition(raw["met_when"]),
        citation=citation["title"],
        article=raw["cites"].get("article", citation.get("article")),
        binding=Binding(raw.get("binding", Binding.REFUSE)),
    )
