"""The documents of tickets: which count for an item, and which have to stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.facts.models import Fact
from service.kernel.actor import Actor
from service.materials.rules import Hold
from service.tickets.models.filed import TicketMaterial
from service.tickets.models.items import Item
from service.tickets.rules.evidence import Use, hold_of


def documents_of(
    session: Session, item: Item, definition: OfferingDefinition
) -> Sequence[TicketMaterial]:
    """The documents that count for an item: of every code that it asks for, the newest revision.

    One statement.
    """
    newest = func.max(TicketMaterial.revision).over(
        partition_by=(TicketMaterial.item_id, TicketMaterial.code)
    )
    rows = (
        select(TicketMaterial, newest.label("newest"))
        .where(
            TicketMaterial.district_id == item.district_id,
            TicketMaterial.ticket_id == item.ticket_id,
            or_(TicketMaterial.item_id.is_(None), TicketMaterial.item_id == item.id),
            TicketMaterial.code.in_([one.code for one in definition.materials]),
        )
        .order_by(TicketMaterial.code, TicketMaterial.id)
    )
    return [row[0] for row in session.execute(rows) if row[0].revision == row.newest]


def document_hold(
    session: Session, actor: Actor, material_id: UUID, at: datetime, *, years: int
) -> Hold | None:
    """What keeps a document from being erased (`rules.evidence.hold_of`); one statement.

    What belongs to no item of a ticket is taken to count for all of its items.
    """
    rows = session.execute(
        select(Item.ended_at, Item.outcome, Fact.id, Fact.valid_to, Fact.revoked_at)
        .select_from(TicketMaterial)
        .join(
            Item,
            (Item.district_id == TicketMaterial.district_id)
            & (Item.ticket_id == TicketMaterial.ticket_id)
            & or_(TicketMaterial.item_id.is_(None), TicketMaterial.item_id == Item.id),
        )
        .outerjoin(Fact, (Fact.district_id == Item.district_id) & (Fact.item_id == Item.id))
        .where(
            TicketMaterial.district_id == actor.district,
            TicketMaterial.material_id == material_id,
        )
    )
    uses = [
        Use(
            ended_on=_day(actor, row.ended_at),
            outcome=row.outcome,
            fact=row.id is not None,
            fact_last=min(
                (day for day in (row.valid_to, _day(actor, row.revoked_at)) if day is not None),
                default=None,
            ),
        )
        for row in rows
    ]
    return hold_of(uses, years=years, today=actor.local_date(at))


def _day(actor: Actor, at: datetime | None) -> date | None:
    return None if at is None else actor.local_date(at)
