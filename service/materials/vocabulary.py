"""The kinds of events that materials emit."""

from __future__ import annotations

from uuid import UUID

from service.kernel.vocabulary import Kind, Payload, register
from service.materials.rules import MaterialEvent


class MaterialCodes(Payload, frozen=True, kw_only=True):
    """Which document, and what it is as the district's pack says."""

    material: UUID
    code: str


register(Kind(kind.value, MaterialCodes) for kind in MaterialEvent)
