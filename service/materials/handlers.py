"""What the worker calls when a material was erased."""

from __future__ import annotations

from service.kernel import storage
from service.kernel.events import Event, payload_of
from service.materials.rules import blob_of
from service.materials.vocabulary import MaterialCodes


def delete_content(event: Event) -> None:
    """Delete the content of the event's material from the storage; a second time is no error.

    To be called outside of any transaction.
    """
    erased = payload_of(event, MaterialCodes)
    storage.in_use().delete(blob_of(event.district_id, erased.material))
