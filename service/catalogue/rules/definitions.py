"""Published versions, compiled: what filing and processing run on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from service.catalogue.rules.forms import Form
from service.catalogue.rules.pack import Consent, Scope, Subject, Text, consent
from service.kernel.errors import FieldError
from service.routing import Flow, parse_flow


@dataclass(frozen=True)
class SectionForm:
    """A section as an offering's version has frozen it."""

    code: str
    scope: Scope
    title: Text
    schema: Mapping[str, Any]
    form: Form

    def faults(self, answers: Any, *, at: str) -> list[FieldError]:
        """What is wrong with the answers, by field; `at` is their path in what was sent."""
        return self.form.faults(answers, at=at)


@dataclass(frozen=True)
class OfferingDefinition:
    """One version of an offering: immutable, safe to share between threads.

    `records`: by stage key, the form of the result that the stage's passing verdict must bring.
    """

    code: str
    version_id: UUID
    version: int
    title: Text
    summary: Text
    subject: Subject
    citations: tuple[Mapping[str, Text], ...]
    flow: Flow
    sections: Mapping[str, SectionForm]
    records: Mapping[str, Form]

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

    def _scoped(self, scope: Scope) -> tuple[str, ...]:
        return tuple(code for code, section in self.sections.items() if section.scope is scope)

    def section_faults(self, code: str, answers: Any, *, at: str) -> list[FieldError]:
        """What is wrong with the answers to one of the offering's sections."""
        return self.sections[code].faults(answers, at=at)

    def result_faults(self, stage: str, result: Any, *, at: str = "result") -> list[FieldError]:
        """What is wrong with the result of a stage; raises KeyError where it records none."""
        return self.records[stage].faults(result, at=at)


@dataclass(frozen=True)
class BundleDefinition:
    """One version of a bundle with the current versions of its offerings, in its order.

    `consents`: what an applicant must have agreed to before filing it.
    """

    code: str
    version_id: UUID
    version: int
    title: Text
    summary: Text
    consents: tuple[Consent, ...]
    offerings: Mapping[str, OfferingDefinition]

    @property
    def members(self) -> tuple[OfferingDefinition, ...]:
        """The offerings in the order of the bundle."""
        return tuple(self.offerings.values())

    @property
    def forms(self) -> tuple[SectionForm, ...]:
        """Every section of the offerings, once, in the order in which they ask for it."""
        once = {form.code: form for offering in self.members for form in offering.forms}
        return tuple(once.values())


def compile_offering(
    content: Mapping[str, Any], *, version_id: UUID, version: int
) -> OfferingDefinition:
    """The definition in a published content (`pack.offering_content`)."""
    flow = parse_flow(content["flow"])
    sections = (_section(raw) for raw in content["sections"])
    return OfferingDefinition(
        code=content["code"],
        version_id=version_id,
        version=version,
        title=content["title"],
        summary=content["summary"],
        subject=Subject(content["subject"]),
        citations=tuple(content["citations"]),
        flow=flow,
        sections={section.code: section for section in sections},
        records={stage.key: Form(stage.records) for stage in flow.stages if stage.records},
    )


def compile_bundle(
    content: Mapping[str, Any],
    *,
    version_id: UUID,
    version: int,
    offerings: Mapping[str, OfferingDefinition],
) -> BundleDefinition:
    """The definition in a published content (`pack.bundle_content`) with these offerings."""
    return BundleDefinition(
        code=content["code"],
        version_id=version_id,
        version=version,
        title=content["title"],
        summary=content["summary"],
        consents=tuple(map(consent, content["consents"])),
        offerings=offerings,
    )


def _section(raw: Mapping[str, Any]) -> SectionForm:
    return SectionForm(
        code=raw["code"],
        scope=Scope(raw["scope"]),
        title=raw["title"],
        schema=raw["schema"],
        form=Form(raw["schema"]),
    )
