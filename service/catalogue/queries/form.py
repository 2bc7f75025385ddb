"""What a talent fills in for a bundle: each section and material once, what is known filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.calendars.queries import calendar_at_sign_in
from service.catalogue.queries.definitions import get_bundle
from service.catalogue.rules.definitions import (
    AskedMaterial,
    BundleDefinition,
    Need,
    OfferingDefinition,
    Rule,
    SectionForm,
    forms_of,
    looks_at,
    materials_of,
)
from service.catalogue.rules.pack import Consent, Material, Scope
from service.catalogue.rules.prefill import prefilled
from service.facts.queries import facts_of
from service.facts.rules import by_kind
from service.identity.people.queries import own_details
from service.kernel.actor import Actor
from service.kernel.errors import FieldError, Invalid
from service.routing.bundle import EdgeRule
from service.routing.flow import Sees


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
    statement, three for a talent. Raises `NotFound`, and `Invalid` for an offering that is not in
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
    today = calendar_at_sign_in(session, actor).local_date(at)
    details = own_details(session, actor)  # with the key that opens the facts
    found = facts_of(session, actor, persons=[actor.person], on=today)
    return details, by_kind(found[actor.person])


@dataclass(frozen=True, slots=True, repr=False)
class FormSectionView:
    """A section of the form; `asked_by` are offerings, `prefilled` what is known already."""

    code: str
    scope: Scope
    title: Mapping[str, str]
    schema: Mapping[str, Any]
    rules: Sequence[Rule]
    asked_by: Sequence[str]
    prefilled: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AskedBy:
    """An offering that asks for a document, and `when`, as packs write it."""

    offering: str
    need: Need
    when: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class FormMaterialView:
    """A document that the form asks for."""

    code: str
    scope: Scope
    title: Mapping[str, str]
    note: Mapping[str, str] | None
    formats: Sequence[str]
    most: int
    asked_by: Sequence[AskedBy]


@dataclass(frozen=True, slots=True, repr=False)
class FormView:
    """The form as the API shows it; `edges` are those between the offerings chosen."""

    bundle: str
    version: int
    offerings: Sequence[OfferingDefinition]
    sections: Sequence[FormSectionView]
    materials: Sequence[FormMaterialView]
    consents: Sequence[Consent]
    edges: Sequence[EdgeRule]


def form_view(form: BundleForm) -> FormView:
    """The form as the API shows it; no statement is sent."""
    chosen = {offering.code for offering in form.offerings}
    return FormView(
        bundle=form.bundle.code,
        version=form.bundle.version,
        offerings=form.offerings,
        sections=[_section(section, form) for section in form.sections],
        materials=[_material(material, form.offerings) for material in form.materials],
        consents=form.bundle.consents,
        edges=[
            edge
            for edge in form.bundle.edges
            if edge.predecessor in chosen and edge.successor in chosen
        ],
    )


@dataclass(frozen=True, slots=True)
class FiledSectionView:
    """A section of the form under which an item was filed."""

    code: str
    scope: Scope
    title: Mapping[str, str]
    schema: Mapping[str, Any]
    rules: Sequence[Rule]


@dataclass(frozen=True, slots=True)
class FiledMaterialView:
    """A document that the form of an item asks for, and `when`, as packs write it."""

    code: str
    scope: Scope
    title: Mapping[str, str]
    note: Mapping[str, str] | None
    formats: Sequence[str]
    most: int
    need: Need
    when: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class FiledFormView:
    """The form under which an item was filed and is corrected, whatever was published since."""

    offering: str
    version: int
    title: Mapping[str, str]
    sections: Sequence[FiledSectionView]
    materials: Sequence[FiledMaterialView]


def filed_form(definition: OfferingDefinition, sees: Sees | None = None) -> FiledFormView:
    """The form of a version; with `sees`, what of it a stage reads. No statement is sent."""
    sections = [_filed_section(form, sees) for form in definition.forms]
    return FiledFormView(
        offering=definition.code,
        version=definition.version,
        title=definition.title,
        sections=[one for one in sections if one is not None],
        materials=[
            _filed_material(asked)
            for asked in definition.materials
            if sees is None or sees.shows_material(asked.code)
        ],
    )


def _filed_section(form: SectionForm, sees: Sees | None) -> FiledSectionView | None:
    """A section with the fields that are read, and the rules that look at those alone."""
    known = form.schema["properties"]
    shown = known if sees is None else sees.visible(form.code, known)
    if not shown:
        return None
    hidden = {f"{form.code}.{name}" for name in known.keys() - shown.keys()}
    rules = [rule for rule in form.rules if not looks_at(rule.must, hidden)]
    return FiledSectionView(form.code, form.scope, form.title, _narrowed(form.schema, shown), rules)


def _narrowed(schema: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    def of(one: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in one.items() if name in shown}

    return {
        **schema,
        "properties": dict(shown),
        "required": [name for name in schema.get("required", ()) if name in shown],
        "examples": [of(one) for one in schema.get("examples", ())],
    }


def _filed_material(asked: AskedMaterial) -> FiledMaterialView:
    material = asked.material
    return FiledMaterialView(
        code=material.code,
        scope=material.scope,
        title=material.title,
        note=material.note,
        formats=material.formats,
        most=material.most,
        need=asked.need,
        when=asked.plain,
    )


def _section(section: SectionForm, form: BundleForm) -> FormSectionView:
    return FormSectionView(
        code=section.code,
        scope=section.scope,
        title=section.title,
        schema=section.schema,
        rules=section.rules,
        asked_by=[each.code for each in form.offerings if section.code in each.sections],
        prefilled=form.prefilled.get(section.code, {}),
    )


def _material(material: Material, offerings: Sequence[OfferingDefinition]) -> FormMaterialView:
    return FormMaterialView(
        code=material.code,
        scope=material.scope,
        title=material.title,
        note=material.note,
        formats=material.formats,
        most=material.most,
        asked_by=[
            AskedBy(offering=offering.code, need=asked.need, when=asked.plain)
            for offering in offerings
            for asked in offering.materials
            if asked.code == material.code
        ],
    )
