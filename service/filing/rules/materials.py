"""Which documents a filing needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from service.catalogue.rules.definitions import AskedMaterial, Need, OfferingDefinition
from service.catalogue.rules.pack import Scope
from service.filing.rules.filing import Filing
from service.kernel.errors import FieldError
from service.kernel.messages import LANGUAGES, say
from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Truth
from service.routing.conditions.known import Known
from service.tickets.rules.attached import AttachedDocument, Kept, _handed_faults

Asked = Sequence[tuple[OfferingDefinition, Known]]
"""By item, its offering and what is known of it."""


def material_faults(filing: Filing, asked: Asked, kept: Kept) -> list[FieldError]:
    """What is wrong with the documents of a filing: missing, not asked for, or not fit."""
    faults = list(_faults(filing.materials, asked, Scope.TICKET, kept, "materials"))
    for place, (requested, one) in enumerate(zip(filing.items, asked, strict=True)):
        faults += _faults(requested.materials, [one], Scope.ITEM, kept, f"items.{place}.materials")
    return faults


def needed(material: AskedMaterial, known: Known) -> bool:
    """Whether a material has to be there; where it cannot be said yet, it need not."""
    if material.need is Need.CONDITIONAL and material.when is not None:
        return evaluate(material.when, known).truth is Truth.MET
    return material.need is Need.ALWAYS


def _faults(
    attached: Sequence[AttachedDocument], asked: Asked, scope: Scope, kept: Kept, path: str
) -> Iterator[FieldError]:
    wanted = {
        one.code: one.material
        for offering, _ in asked
        for one in offering.materials
        if one.material.scope is scope
    }
    yield from _handed_faults(attached, wanted, kept, path)
    given = {one.code for one in attached}
    for code in _missing(asked, scope, given):
        title = wanted[code].title
        yield FieldError(
            path,
            "material_missing",
            {"material": code},
            {
                language: say("material_missing_named", language, {"title": title[language]})
                for language in LANGUAGES
            },
        )


def _missing(asked: Asked, scope: Scope, given: Collection[str]) -> Iterable[str]:
    codes = (
        one.code
        for offering, known in asked
        for one in offering.materials
        if one.material.scope is scope and one.code not in given and needed(one, known)
    )
    return dict.fromkeys(codes)
