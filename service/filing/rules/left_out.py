"""What a filing brings and nobody asks for: it is left out, and said so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from service.catalogue.rules.definitions import BundleDefinition, OfferingDefinition, SectionForm
from service.catalogue.rules.pack import Scope
from service.filing.rules.filing import Filing, RequestedItem, Sections
from service.filing.rules.materials import Asked
from service.tickets.rules.left_out import LeftOut


def without_fields(filing: Filing, bundle: BundleDefinition, *, today: date) -> Filing:
    """The filing without answers to fields that do not apply; each item names those of its own."""
    forms = {form.code: form for form in bundle.forms}
    shared, gone = _applying(filing.sections, forms, today)
    return replace(
        filing,
        sections=shared,
        items=[_item(one, bundle, forms, gone, today) for one in filing.items],
    )


def _item(
    requested: RequestedItem,
    bundle: BundleDefinition,
    forms: Mapping[str, SectionForm],
    shared: Sequence[LeftOut],
    today: date,
) -> RequestedItem:
    sections, gone = _applying(requested.sections, forms, today)
    definition = bundle.offerings.get(requested.offering)
    asked = definition.sections if definition is not None else {}
    return replace(
        requested,
        sections=sections,
        left_out=(*(one for one in shared if one.section in asked), *gone),
    )


def _applying(
    sections: Sections, forms: Mapping[str, SectionForm], today: date
) -> tuple[dict[str, Any], list[LeftOut]]:
    kept, left_out = dict[str, Any](), list[LeftOut]()
    for code, answers in sections.items():
        form = forms.get(code)
        left, gone = (answers, ()) if form is None else form.applying(answers, today=today)
        kept[code] = left
        left_out += [LeftOut(section=code, field=name) for name in gone]
    return kept, left_out


def without_documents(filing: Filing, asked: Asked) -> Filing:
    """The filing without documents whose condition is not met; each item names those of its own.

    A shared document is kept where one item asks for it; others name it all the same: it does not
    count for them.
    """
    not_asked = [one.offering.not_asked(one.known) for one in asked]
    needless = _of_none([one.offering for one in asked], not_asked)
    return replace(
        filing,
        materials=[one for one in filing.materials if one.code not in needless],
        items=[
            replace(
                requested,
                materials=[one for one in requested.materials if one.code not in codes],
                left_out=(
                    *requested.left_out,
                    *(
                        LeftOut(material=code)
                        for code in dict.fromkeys(
                            one.code for one in (*filing.materials, *requested.materials)
                        )
                        if code in codes
                    ),
                ),
            )
            for requested, codes in zip(filing.items, not_asked, strict=True)
        ],
    )


def _of_none(
    definitions: Sequence[OfferingDefinition], not_asked: Sequence[frozenset[str]]
) -> frozenset[str]:
    """The shared materials that an item names, and none asks for."""
    named, wanted = set[str](), set[str]()
    for definition, codes in zip(definitions, not_asked, strict=True):
        shared = {one.code for one in definition.materials if one.material.scope is Scope.TICKET}
        named |= shared
        wanted |= shared - codes
    return frozenset(named - wanted)
