"""What the worker calls when a material was erased."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from service.kernel import storage
from service.kernel.events import Event
from service.materials.rules import blob_of


def delete_content(_session: Session, event: Event) -> None:
    """Delete the content of the event's material from the storage; a second time is no error."""
    blob = blob_of(event.district_id, UUID(event.data["material"]))
    storage.in_use().delete(blob)
