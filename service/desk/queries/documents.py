"""The documents of tickets: which count for an item, and which a task may show."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.desk.queries.tasks import TaskFound
from service.kernel.actor import Actor
from service.kernel.errors import NotFound
from service.materials.queries import materials_allowed
from service.materials.rules import KnownMaterial
from service.tickets.queries.documents import documents_of


def documents_seen(
    session: Session, actor: Actor, found: TaskFound, definition: OfferingDefinition
) -> list[KnownMaterial]:
    """The documents of a task's item that its stage may read; two statements, none for none."""
    sees = definition.flow.by_key[found.task.stage_key].sees
    if not sees.materials:
        return []
    listed = [
        one
        for one in documents_of(session, found.item, definition)
        if sees.shows_material(one.code)
    ]
    kept = materials_allowed(session, actor, ids=[one.material_id for one in listed])
    return [kept[one.material_id] for one in listed]


def document_seen(
    session: Session,
    actor: Actor,
    found: TaskFound,
    definition: OfferingDefinition,
    material_id: UUID,
) -> KnownMaterial:
    """One of those documents; raises `NotFound` for any other."""
    for one in documents_seen(session, actor, found, definition):
        if one.id == material_id:
            return one
    raise NotFound
