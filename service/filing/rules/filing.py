"""What is asked for in a filing, and everything that is wrong with it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from service.catalogue.rules.definitions import BundleDefinition, OfferingDefinition, faulty_fields
from service.catalogue.rules.pack import Subject
from service.identity.consents.rules import (
    EMPLOYED_SINCE,
    EMPLOYER_CODE,
    EMPLOYER_VIEW,
    EMPLOYMENT,
    parse_consent,
)
from service.kernel.errors import FieldError
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.corrections import section_missing
from service.tickets.rules.left_out import LeftOut

Sections = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RequestedItem:
    """One item asked for: an offering, whom it is about, and what is given for it alone.

    `left_out`: what was given for it, shared things included, and is not kept (`rules.left_out`).
    """

    offering: str
    subject: UUID | None
    sections: Sections
    materials: Sequence[AttachedDocument] = ()
    left_out: Sequence[LeftOut] = ()


@dataclass(frozen=True, slots=True)
class Filing:
    """A bundle's offerings asked for together, with the answers and documents they share."""

    bundle: str
    items: Sequence[RequestedItem]
    sections: Sections
    consents: Sequence[str]
    materials: Sequence[AttachedDocument] = ()


def filing_of(plain: Mapping[str, Any]) -> Filing:
    """The filing in the plain form in which a draft keeps it."""
    items = [
        RequestedItem(
            one["offering"],
            UUID(one["subject"]) if one["subject"] else None,
            one["sections"],
            _handed(one["materials"]),
        )
        for one in plain["items"]
    ]
    materials = _handed(plain["materials"])
    return Filing(plain["bundle"], items, plain["sections"], plain["consents"], materials)


def with_changes(filing: Filing, changes: Mapping[str, Any]) -> Filing:
    """A draft after a change: what is left out stays.

    `changes` may hold `bundle`, `consents`, `materials`, which replace what was there; `sections`,
    each of which replaces the section of that code, or removes it where it is None; and `items`,
    mappings with `offering` and `subject`, which are all that there are then: of an item that was
    there before, `sections` and `materials` change in the same way.
    """
    parts = dict(changes)
    if "sections" in parts:
        parts["sections"] = _merged(filing.sections, parts["sections"])
    if "items" in parts:
        before = {(one.offering, one.subject): one for one in filing.items}
        parts["items"] = [_changed_item(before, one) for one in parts["items"]]
    return replace(filing, **parts)


def _changed_item(
    before: Mapping[tuple[str, UUID | None], RequestedItem], change: Mapping[str, Any]
) -> RequestedItem:
    key = (change["offering"], change["subject"])
    kept = before.get(key) or RequestedItem(*key, sections={})
    return replace(
        kept,
        sections=_merged(kept.sections, change.get("sections", {})),
        materials=change.get("materials", kept.materials),
    )


def _merged(sections: Sections, changes: Sections) -> Sections:
    return {
        code: answers for code, answers in {**sections, **changes}.items() if answers is not None
    }


def _handed(plain: Sequence[Mapping[str, str]]) -> list[AttachedDocument]:
    return [AttachedDocument(one["code"], UUID(one["material"])) for one in plain]


def plain_filing(filing: Filing) -> dict[str, Any]:
    """A filing as plain JSON."""
    return {
        "bundle": filing.bundle,
        "items": [
            {
                "offering": requested.offering,
                "subject": str(requested.subject) if requested.subject else None,
                "sections": dict(requested.sections),
                "materials": _plain(requested.materials),
            }
            for requested in filing.items
        ],
        "sections": dict(filing.sections),
        "consents": list(filing.consents),
        "materials": _plain(filing.materials),
    }


def _plain(attached: Sequence[AttachedDocument]) -> list[dict[str, str]]:
    return [{"code": one.code, "material": str(one.material)} for one in attached]


def filing_faults(
    filing: Filing, bundle: BundleDefinition, kinship: Mapping[UUID, str], *, today: date
) -> list[FieldError]:
    """Everything wrong with what a filing says; empty means that it is well said.

    `kinship`: by person, how the members of the applicant's family are related to them. Whether
    the applicant fulfils the criteria, and which documents are needed, is asked of what is right of
    it: `unsound` says what is not.
    """
    return [
        *_item_faults(filing, bundle, kinship, today),
        *_shared_faults(filing, bundle, today),
        *_consent_faults(filing, bundle),
    ]


def unsound(faults: Sequence[FieldError], place: int) -> frozenset[str] | None:
    """What no condition of an item can look at: the fields with faults, shared ones included.

    As `definitions.faulty_fields` names them. None where nothing can be asked of the item at all:
    there is no such offering, or not whom it is about.
    """
    item = f"items.{place}"
    if any(fault.path in {f"{item}.offering", f"{item}.subject"} for fault in faults):
        return None
    found: set[str] = set()
    for holder in ("sections", f"{item}.sections"):
        paths = (one.path for one in faults if one.path.startswith(f"{holder}."))
        for code in {path[len(holder) + 1 :].partition(".")[0] for path in paths}:
            found |= faulty_fields(code, faults, at=f"{holder}.{code}")
    return frozenset(found)


def answers_for(filing: Filing, requested: RequestedItem) -> dict[str, Any]:
    """The answers that count for an item: those given for it, and the shared ones."""
    return {**filing.sections, **requested.sections}


@dataclass(frozen=True, slots=True)
class StatedEmployment:
    """For whom an applicant says they work, by credit code, and since when."""

    credit_code: str
    since: date | None


def followed_by(filing: Filing) -> StatedEmployment | None:
    """The employer whom a filing names and lets follow; None where it does not, or names none.

    The day is None where the form has none that can be read: what it asks is for the pack to say.
    """
    codes = {parsed[0] for ref in filing.consents if (parsed := parse_consent(ref))}
    stated = filing.sections.get(EMPLOYMENT)
    if EMPLOYER_VIEW not in codes or not isinstance(stated, Mapping):
        return None
    code = stated.get(EMPLOYER_CODE)
    if not isinstance(code, str):
        return None
    try:
        return StatedEmployment(code, date.fromisoformat(str(stated.get(EMPLOYED_SINCE))))
    except ValueError:
        return StatedEmployment(code, None)


def section_holders(filing: Filing) -> Iterator[tuple[int | None, str, Any]]:
    """Every section given: the index of its item (none: shared), its code, its answers."""
    for code, answers in filing.sections.items():
        yield None, code, answers
    for index, requested in enumerate(filing.items):
        for code, answers in requested.sections.items():
            yield index, code, answers


def _item_faults(
    filing: Filing, bundle: BundleDefinition, kinship: Mapping[UUID, str], today: date
) -> Iterator[FieldError]:
    seen = set()
    for index, requested in enumerate(filing.items):
        path = f"items.{index}"
        definition = bundle.offerings.get(requested.offering)
        if definition is None:
            yield FieldError(f"{path}.offering", "offering_not_in_bundle")
            continue
        if (requested.offering, requested.subject) in seen:
            yield FieldError(path, "item_repeated")
        seen.add((requested.offering, requested.subject))
        yield from _subject_faults(definition, requested, kinship, f"{path}.subject")
        yield from _section_faults(
            dict.fromkeys(definition.item_sections, definition),
            requested.sections,
            f"{path}.sections",
            today,
        )


def _subject_faults(
    definition: OfferingDefinition, requested: RequestedItem, kinship: Mapping[UUID, str], path: str
) -> Iterator[FieldError]:
    if definition.subject is Subject.SELF:
        if requested.subject is not None:
            yield FieldError(path, "subject_not_expected")
    elif requested.subject is None:
        yield FieldError(path, "subject_missing")
    elif kinship.get(requested.subject) != definition.subject.value:
        yield FieldError(path, "subject_unknown")


def _shared_faults(filing: Filing, bundle: BundleDefinition, today: date) -> Iterator[FieldError]:
    """The union of the shared sections of all offerings asked for, each once."""
    asked = [
        bundle.offerings[requested.offering]
        for requested in filing.items
        if requested.offering in bundle.offerings
    ]
    expected = {code: one for one in asked for code in one.ticket_sections}
    return _section_faults(expected, filing.sections, "sections", today)


def _section_faults(
    expected: Mapping[str, OfferingDefinition], given: Sections, path: str, today: date
) -> Iterator[FieldError]:
    for code, definition in expected.items():
        if code in given:
            yield from definition.section_faults(
                code, given[code], at=f"{path}.{code}", today=today
            )
        else:
            yield section_missing(definition, code, f"{path}.{code}")
    for code in given:
        if code not in expected:
            yield FieldError(f"{path}.{code}", "section_not_expected")


def _consent_faults(filing: Filing, bundle: BundleDefinition) -> Iterator[FieldError]:
    for consent in bundle.consents:
        if not consent.optional and consent.ref not in filing.consents:
            title = {"title": consent.title}
            yield FieldError(f"consents.{consent.ref}", "consent_missing", title)
    known = {consent.ref for consent in bundle.consents}
    for index, ref in enumerate(filing.consents):
        if ref not in known:
            yield FieldError(f"consents.{index}", "not_one_of")
