"""The documents of tickets: which count for an item, and which have to stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Text, any_, bindparam, func, or_, select
from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.facts.queries import last_days_of
from service.kernel.actor import Actor
from service.kernel.db import prepared
from service.materials.rules import Hold
from service.tickets.models.filed import TicketMaterial
from service.tickets.models.items import Item
from service.tickets.rules.evidence import Use, hold_of


def documents_of(
    session: Session, item: Item, definition: OfferingDefinition, *, every: bool = False
) -> Sequence[TicketMaterial]:
    """The documents that count for an item: of every code that it asks for, the newest revision.

    A shared one that another item asks for, and this one does not, counts for the other alone;
    `every` has it too. One statement.
    """
    left_out = set() if every else {one.get("material") for one in item.left_out}
    asked = [one.code for one in definition.materials if one.code not in left_out]
    rows = _OF_ITEM.all(
        session,
        district=item.district_id,
        ticket=item.ticket_id,
        item=item.id,
        codes=asked,
    )
    return [row.TicketMaterial for row in rows if row.TicketMaterial.revision == row.newest]


_OF_ITEM: Final = prepared(
    select(
        TicketMaterial,
        func.max(TicketMaterial.revision)
        .over(partition_by=(TicketMaterial.item_id, TicketMaterial.code))
        .label("newest"),
    )
    .where(
        TicketMaterial.district_id == bindparam("district"),
        TicketMaterial.ticket_id == bindparam("ticket"),
        or_(TicketMaterial.item_id.is_(None), TicketMaterial.item_id == bindparam("item")),
        TicketMaterial.code == any_(bindparam("codes", type_=ARRAY(Text()))),
    )
    .order_by(TicketMaterial.code, TicketMaterial.id)
)


def document_hold(
    session: Session, actor: Actor, material_id: UUID, at: datetime, *, years: int
) -> Hold | None:
    """What keeps a document from being erased (`rules.evidence.hold_of`); two statements at most.

    What belongs to no item of a ticket is taken to count for all of its items.
    """
    items = session.execute(
        select(Item.id, Item.ended_at, Item.outcome)
        .select_from(TicketMaterial)
        .join(
            Item,
            (Item.district_id == TicketMaterial.district_id)
            & (Item.ticket_id == TicketMaterial.ticket_id)
            & or_(TicketMaterial.item_id.is_(None), TicketMaterial.item_id == Item.id),
        )
        .where(
            TicketMaterial.district_id == actor.district,
            TicketMaterial.material_id == material_id,
        )
    ).all()
    facts = last_days_of(session, actor, items={item.id for item in items})
    uses = [
        Use(
            ended_on=None if item.ended_at is None else actor.local_date(item.ended_at),
            outcome=item.outcome,
            facts=tuple(facts[item.id]),
        )
        for item in items
    ]
    return hold_of(uses, years=years, today=actor.local_date(at))
