"""The documents of tickets: which count for an item, and which a task may show."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.kernel.actor import Actor
from service.tickets.models.filed import TicketMaterial
from service.tickets.models.items import Item


def documents_of(
    session: Session, item: Item, definition: OfferingDefinition, *, every: bool = False
) -> Sequence[TicketMaterial]:
    """The documents that count for an item: of every code that it asks for, the newest revision.

    A shared one that another item asks for, and this one does not, counts for the other alone;
    `every` has it too. One statement.
    """
    left_out = set() if every else {one.get("material") for one in item.left_out}
    asked = [one.code for one in definition.materials if one.code not in left_out]
    newest = func.max(TicketMaterial.revision).over(
        partition_by=(TicketMaterial.item_id, TicketMaterial.code)
    )
    rows = (
        select(TicketMaterial, newest.label("newest"))
        .where(
            TicketMaterial.district_id == item.district_id,
            TicketMaterial.ticket_id == item.ticket_id,
            or_(TicketMaterial.item_id.is_(None), TicketMaterial.item_id == item.id),
            TicketMaterial.code.in_(asked),
        )
        .order_by(TicketMaterial.code, TicketMaterial.id)
    )
    return [row[0] for row in session.execute(rows) if row[0].revision == row.newest]


def material_in_use(session: Session, actor: Actor, material_id: UUID) -> bool:
    """Whether an item that has not ended rests on a document; one statement."""
    return bool(
        session.scalar(
            select(
                select(TicketMaterial.id)
                .join(
                    Item,
                    (Item.district_id == TicketMaterial.district_id)
                    & (Item.ticket_id == TicketMaterial.ticket_id)
                    & or_(TicketMaterial.item_id.is_(None), TicketMaterial.item_id == Item.id),
                )
                .where(
                    TicketMaterial.district_id == actor.district,
                    TicketMaterial.material_id == material_id,
                    Item.ended_at.is_(None),
                )
                .exists()
            )
        )
    )
