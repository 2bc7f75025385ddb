"""What a talent fills in for a bundle: each section and material once, what is known filled in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.catalogue.queries.definitions import get_bundle
from service.catalogue.rules.definitions import (
    BundleDefinition,
    OfferingDefinition,
    SectionForm,
    forms_of,
    materials_of,
)
from service.catalogue.rules.pack import Material
from service.catalogue.rules.prefill import prefilled
from service.facts.queries import facts_of
from service.facts.rules import by_kind
from service.identity.people.queries import own_details
from service.kernel.actor import Actor
from service.kernel.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True)
class BundleForm:
    """What a talent fills in for the offerings chosen: each section and material once.

    `prefilled`: by section, the answers that are known already.
    """

    bundle: BundleDefinition
    offerings: Sequence[OfferingDefinition]
    sections: Sequence[SectionForm]
    materials: Sequence[Material]
    prefilled: Mapping[str, Mapping[str, Any]]


def bundle_form(
    session: Session,
    actor: Actor,
    district: str,
    code: str,
    *,
    offerings: Sequence[str],
    at: datetime,
) -> BundleForm:
    """The form of a bundle for these offerings of it, or for all where none is named.

    For a talent of the district it is filled in as far as their profile and their facts go. One
    statement, four for a talent. Raises `NotFound`, and `Invalid` for an offering that is not in
    the bundle.
    """
    bundle = get_bundle(session, district, code)
    faults = [
        FieldError(f"offerings.{place}", "offering_not_in_bundle")
        for place, name in enumerate(offerings)
        if name not in bundle.offerings
    ]
    if faults:
        raise Invalid(errors=faults)
    chosen = [
        offering for offering in bundle.members if not offerings or offering.code in offerings
    ]
    sections = forms_of(chosen)
    known: dict[str, Mapping[str, Any]] = {}
    if actor.person_id is not None and actor.district == district:
        details, facts = _known_of(session, actor, at)
        known = {section.code: prefilled(section, details, facts) for section in sections}
    return BundleForm(bundle, chosen, sections, materials_of(chosen), known)


def _known_of(
    session: Session, actor: Actor, at: datetime
) -> tuple[dict[str, str], dict[str, list[Mapping[str, Any]]]]:
    today = calendar_for(session, actor.district).local_date(at)
    details = own_details(session, actor)  # with the key that opens the facts
    found = facts_of(session, actor, persons=[actor.person], on=today)
    return details, by_kind(found[actor.person])


def form_shape(form: BundleForm) -> dict[str, Any]:
    """The form as the API shows it."""
    chosen = {offering.code for offering in form.offerings}
    return {
        "bundle": form.bundle.code,
        "version": form.bundle.version,
        "offerings": form.offerings,
        "sections": [
            {
                "code": section.code,
                "scope": section.scope,
                "title": section.title,
                "schema": section.schema,
                "rules": section.rules,
                "asked_by": [each.code for each in form.offerings if section.code in each.sections],
                "prefilled": form.prefilled.get(section.code, {}),
            }
            for section in form.sections
        ],
        "materials": [_material(material, form.offerings) for material in form.materials],
        "consents": form.bundle.consents,
        "edges": [
            edge
            for edge in form.bundle.edges
            if edge.predecessor in chosen and edge.successor in chosen
        ],
    }


def _material(material: Material, offerings: Sequence[OfferingDefinition]) -> dict[str, Any]:
    return {
        "code": material.code,
        "scope": material.scope,
        "title": material.title,
        "note": material.note,
        "formats": material.formats,
        "most": material.most,
        "asked_by": list(_asked_by(material.code, offerings)),
    }


def _asked_by(code: str, offerings: Sequence[OfferingDefinition]) -> Iterator[dict[str, Any]]:
    for offering in offerings:
        for asked in offering.materials:
            if asked.code == code:
                yield {"offering": offering.code, "need": asked.need, "when": asked.plain}
