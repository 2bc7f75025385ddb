"""Documents attached to a ticket, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from service.catalogue.rules.definitions import OfferingDefinition
from service.catalogue.rules.pack import Material
from service.kernel.errors import FieldError
from service.materials.rules import KnownMaterial


@dataclass(frozen=True, slots=True)
class AttachedDocument:
    """A document handed in as one of the materials that are asked for."""

    code: str
    material: UUID


Kept = Mapping[UUID, KnownMaterial]
"""The applicant's own documents, by id; one that is not here does not exist for them."""


def _handed_faults(
    attached: Sequence[AttachedDocument], wanted: Mapping[str, Material], kept: Kept, path: str
) -> Iterator[FieldError]:
    """What is wrong with the documents that are there."""
    seen: set[UUID] = set()
    for place, one in enumerate(attached):
        yield from _document_faults(one, wanted, kept, f"{path}.{place}")
        if one.material in seen:
            yield FieldError(f"{path}.{place}.material", "material_twice")
        seen.add(one.material)
    for code, number in Counter(one.code for one in attached).items():
        if code in wanted and number > wanted[code].most:
            yield FieldError(path, "material_too_many", {"most": wanted[code].most})


def _document_faults(
    attached: AttachedDocument, wanted: Mapping[str, Material], kept: Kept, path: str
) -> Iterator[FieldError]:
    if attached.code not in wanted:
        yield FieldError(f"{path}.code", "material_not_asked")
        return
    document = kept.get(attached.material)
    if document is None or document.code != attached.code:
        yield FieldError(f"{path}.material", "material_unknown")
    elif document.media_type.ending not in wanted[attached.code].formats:
        formats = ", ".join(wanted[attached.code].formats)
        yield FieldError(f"{path}.material", "material_format", {"formats": formats})


def material_missing(code: str, title: Mapping[str, str], path: str) -> FieldError:
    """A document that has to be there and is not: its code ends the path, its title is said."""
    return FieldError(f"{path}.{code}", "material_missing", {"title": title})


def replacement_faults(
    definition: OfferingDefinition,
    codes: set[str],
    attached: Sequence[AttachedDocument],
    kept: Kept,
) -> list[FieldError]:
    """What is wrong with the documents of a correction: all that was asked for, nothing else."""
    wanted = {one.code: one.material for one in definition.materials if one.code in codes}
    faults = list(_handed_faults(attached, wanted, kept, "materials"))
    faults += [
        material_missing(code, definition.material_title(code), "materials")
        for code in sorted(codes - {one.code for one in attached})
    ]
    return faults
