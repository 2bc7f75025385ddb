"""Documents attached to a ticket, and what is wrong with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from service.catalogue.rules.definitions import OfferingDefinition
from service.catalogue.rules.pack import Material
from service.kernel.errors import FieldError
from service.materials.rules import MediaType


@dataclass(frozen=True, slots=True)
class AttachedDocument:
    """A document handed in as one of the materials that are asked for."""

    code: str
    material: UUID


class Document(Protocol):
    """What counts of a document that was handed in."""

    @property
    def code(self) -> str: ...
    @property
    def media_type(self) -> MediaType: ...


Kept = Mapping[UUID, Document]
"""The applicant's own documents, by id; one that is not here does not exist for them."""


def handed_faults(
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
    attached: Sequence[AttachedDocument],
    kept: Kept,
    *,
    asked: Collection[str],
    possible: Collection[str],
) -> list[FieldError]:
    """What is wrong with the documents of a correction.

    All that were asked for have to be there, and those alone, but `possible`: the codes that the
    corrected answers make necessary.
    """
    materials = {one.code: one.material for one in definition.materials}
    wanted = {code: one for code, one in materials.items() if code in {*asked, *possible}}
    given = {one.code for one in attached}
    return [
        *handed_faults(attached, wanted, kept, "materials"),
        *(
            material_missing(code, materials[code].title, "materials")
            for code in sorted({*asked} - given)
        ),
    ]
