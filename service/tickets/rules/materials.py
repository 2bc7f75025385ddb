"""Which documents a filing needs, and what is wrong with those that were handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from service.catalogue.rules import AskedMaterial, Material, Need, OfferingDefinition, Scope
from service.kernel.errors import FieldError
from service.materials.rules import KnownMaterial
from service.routing import Known, Truth, evaluate
from service.tickets.rules.filing import Filing, Handed

Kept = Mapping[UUID, KnownMaterial]
"""The applicant's own documents, by id; one that is not here does not exist for them."""
Asked = Sequence[tuple[OfferingDefinition, Known]]
"""By item, its offering and what is known of it."""


def material_faults(filing: Filing, asked: Asked, kept: Kept) -> list[FieldError]:
    """What is wrong with the documents of a filing: missing, not asked for, or not fit."""
    faults = list(_faults(filing.materials, asked, Scope.TICKET, kept, "materials"))
    for place, (wish, one) in enumerate(zip(filing.items, asked, strict=True)):
        faults += _faults(wish.materials, [one], Scope.ITEM, kept, f"items.{place}.materials")
    return faults


def needed(material: AskedMaterial, known: Known) -> bool:
    """Whether a material has to be there; where it cannot be said yet, it need not."""
    if material.need is Need.CONDITIONAL and material.when is not None:
        return evaluate(material.when, known).truth is Truth.MET
    return material.need is Need.ALWAYS


def _faults(
    handed: Sequence[Handed], asked: Asked, scope: Scope, kept: Kept, path: str
) -> Iterator[FieldError]:
    wanted = {
        one.code: one.material
        for offering, _ in asked
        for one in offering.materials
        if one.material.scope is scope
    }
    yield from _handed_faults(handed, wanted, kept, path)
    given = {one.code for one in handed}
    for code in _missing(asked, scope, given):
        title = wanted[code].title
        yield FieldError(
            path,
            "material_missing",
            {"material": code},
            {tongue: _MISSING[tongue].format(title=title[tongue]) for tongue in _MISSING},
        )


_MISSING = {"zh": "缺少材料：{title}", "en": "A document is missing: {title}."}


def _missing(asked: Asked, scope: Scope, given: Collection[str]) -> Iterable[str]:
    codes = (
        one.code
        for offering, known in asked
        for one in offering.materials
        if one.material.scope is scope and one.code not in given and needed(one, known)
    )
    return dict.fromkeys(codes)


def _handed_faults(
    handed: Sequence[Handed], wanted: Mapping[str, Material], kept: Kept, path: str
) -> Iterator[FieldError]:
    """What is wrong with the documents that are there."""
    seen: set[UUID] = set()
    for place, one in enumerate(handed):
        yield from _document_faults(one, wanted, kept, f"{path}.{place}")
        if one.material in seen:
            yield FieldError(f"{path}.{place}.material", "material_twice")
        seen.add(one.material)
    for code, number in Counter(one.code for one in handed).items():
        if code in wanted and number > wanted[code].most:
            yield FieldError(path, "material_too_many", {"most": wanted[code].most})


def _document_faults(
    handed: Handed, wanted: Mapping[str, Material], kept: Kept, path: str
) -> Iterator[FieldError]:
    if handed.code not in wanted:
        yield FieldError(f"{path}.code", "material_not_asked")
        return
    document = kept.get(handed.material)
    if document is None or document.code != handed.code:
        yield FieldError(f"{path}.material", "material_unknown")
    elif document.media_type.ending not in wanted[handed.code].formats:
        formats = ", ".join(wanted[handed.code].formats)
        yield FieldError(f"{path}.material", "material_format", {"formats": formats})


def replacement_faults(
    definition: OfferingDefinition, codes: set[str], handed: Sequence[Handed], kept: Kept
) -> list[FieldError]:
    """What is wrong with the documents of a correction: all that was asked for, nothing else."""
    wanted = {one.code: one.material for one in definition.materials if one.code in codes}
    faults = list(_handed_faults(handed, wanted, kept, "materials"))
    faults += [
        FieldError("materials", "material_missing", {"material": code})
        for code in sorted(codes - {one.code for one in handed})
    ]
    return faults
