"""Which documents a filing needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from service.catalogue.rules.definitions import (
    AskedMaterial,
    Need,
    OfferingDefinition,
    looks_at,
)
from service.catalogue.rules.pack import Scope
from service.filing.rules.filing import Filing
from service.kernel.errors import FieldError
from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Truth
from service.routing.conditions.known import Known
from service.tickets.rules.attached import AttachedDocument, Kept, _handed_faults, material_missing


@dataclass(frozen=True, slots=True)
class AskedFor:
    """An item's offering, what is known of it, and the fields that are not (`filing.unsound`)."""

    offering: OfferingDefinition
    known: Known
    unsound: Collection[str] = ()


Asked = Sequence[AskedFor]
"""By item of a filing."""


def material_faults(filing: Filing, asked: Asked, kept: Kept) -> list[FieldError]:
    """What is wrong with the documents of a filing: missing, not asked for, or not fit.

    Whether one is needed that depends on an answer with a fault is not asked.
    """
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
        for each in asked
        for one in each.offering.materials
        if one.material.scope is scope
    }
    yield from _handed_faults(attached, wanted, kept, path)
    given = {one.code for one in attached}
    for code in _missing(asked, scope, given):
        yield material_missing(code, wanted[code].title, path)


def _missing(asked: Asked, scope: Scope, given: Collection[str]) -> Iterable[str]:
    codes = (
        one.code
        for each in asked
        for one in each.offering.materials
        if one.material.scope is scope
        and one.code not in given
        and not (one.when and looks_at(one.when, each.unsound))
        and needed(one, each.known)
    )
    return dict.fromkeys(codes)
