"""The kinds of events that the catalogue emits."""

from __future__ import annotations

from enum import StrEnum

from service.kernel.vocabulary import Kind, Payload, register


class CatalogueEvent(StrEnum):
    """What happens to a district's definitions."""

    CATALOGUE_PUBLISHED = "catalogue.published"


class CataloguePublished(Payload, frozen=True, kw_only=True):
    """What a publication made and retired, as `offerings/settlement@2`."""

    new: tuple[str, ...]
    retired: tuple[str, ...]


register([Kind(CatalogueEvent.CATALOGUE_PUBLISHED.value, CataloguePublished)])
