"""Rows of a ticket whose visibility was decided before: what acts and other queries load."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from service.authorities.queries import giver_of
from service.kernel.db import prepared
from service.kernel.events import Event
from service.routing.states import Phase
from service.tickets.models.filed import Ticket, TicketSection
from service.tickets.models.items import Correction, Edge, Item
from service.tickets.models.stages import Task
from service.tickets.rules.states import TaskStatus

OfTicket = TypeVar("OfTicket", Item, Edge)


def not_ended() -> ColumnElement[bool]:
    """Items that have not ended; written out, like `standing`, for the partial index of those."""
    return Item.phase != literal(Phase.ENDED, Item.phase.type, literal_execute=True)


def items_of(session: Session, ticket: Ticket) -> Sequence[Item]:
    """The items of a ticket, in the order of filing; to be read, not changed."""
    return _ITEMS.all(session, district=ticket.district_id, ticket=ticket.id)


_ITEMS: Final = prepared(
    select(Item)
    .where(Item.district_id == bindparam("district"), Item.ticket_id == bindparam("ticket"))
    .order_by(Item.ordinal)
)


def items_of_all(session: Session, tickets: Sequence[Ticket]) -> dict[UUID, list[Item]]:
    """`items_of` for several tickets of one district, by ticket; one statement."""
    return by_ticket(session.scalars(_ITEMS_TO_CHANGE, _of(tickets)))


def sections_of(session: Session, item: Item) -> Sequence[TicketSection]:
    """The newest revision of every section of an item, shared ones included; to be read."""
    return _SECTIONS.all(session, district=item.district_id, ticket=item.ticket_id, item=item.id)


_SECTIONS: Final = prepared(
    select(TicketSection)
    .where(
        TicketSection.district_id == bindparam("district"),
        TicketSection.ticket_id == bindparam("ticket"),
        or_(TicketSection.item_id.is_(None), TicketSection.item_id == bindparam("item")),
    )
    .order_by(TicketSection.section, TicketSection.revision.desc())
    .ext(distinct_on(TicketSection.section))
)


def corrections_of(session: Session, item: Item) -> Sequence[Correction]:
    """Everything that the applicant was ever asked to correct of an item, the first first."""
    return _CORRECTIONS.all(session, district=item.district_id, item=item.id)


_CORRECTIONS: Final = prepared(
    select(Correction)
    .where(
        Correction.district_id == bindparam("district"),
        Correction.item_id == bindparam("item"),
        Correction.sent_at.is_not(None),
    )
    .order_by(Correction.id)
)


def open_corrections(session: Session, item: Item) -> Sequence[Correction]:
    """What is asked of the applicant about an item, and neither answered yet nor dropped."""
    return [one for one in unsettled_corrections(session, item) if one.sent_at is not None]


def unsettled_corrections(session: Session, item: Item) -> Sequence[Correction]:
    """The same with what a department has returned while others of its stage still have to speak.

    One statement.
    """
    return session.scalars(
        select(Correction)
        .where(
            Correction.district_id == item.district_id,
            Correction.item_id == item.id,
            Correction.answered_at.is_(None),
            Correction.dropped_at.is_(None),
        )
        .order_by(Correction.id)
    ).all()


def edges_of(session: Session, ticket: Ticket) -> Sequence[Edge]:
    """What the items of a ticket wait or waited for; to be read, not changed."""
    return _EDGES.all(session, district=ticket.district_id, ticket=ticket.id)


_EDGES: Final = prepared(
    select(Edge)
    .where(Edge.district_id == bindparam("district"), Edge.ticket_id == bindparam("ticket"))
    .order_by(Edge.id)
)


def edges_of_all(session: Session, tickets: Sequence[Ticket]) -> dict[UUID, list[Edge]]:
    """`edges_of` for several tickets of one district, by ticket; one statement."""
    return by_ticket(session.scalars(_EDGES_TO_CHANGE, _of(tickets)))


def _of(tickets: Sequence[Ticket]) -> dict[str, Any]:
    """The values of some tickets, at least one, of one district."""
    return {"district": tickets[0].district_id, "tickets": [ticket.id for ticket in tickets]}


def _of_tickets(model: type[Item] | type[Edge]) -> ColumnElement[bool]:
    ids = any_(bindparam("tickets", type_=ARRAY(Uuid())))
    return (model.district_id == bindparam("district")) & (model.ticket_id == ids)


_ITEMS_TO_CHANGE: Final = (
    select(Item).where(_of_tickets(Item)).order_by(Item.ticket_id, Item.ordinal)
)
_EDGES_TO_CHANGE: Final = select(Edge).where(_of_tickets(Edge)).order_by(Edge.id)


def belongs_to_one_of(model: type[Item] | type[Edge], tickets: Sequence[Ticket]) -> Any:
    """What belongs to some tickets, at least one, of one district."""
    ids = one_of_ids(ticket.id for ticket in tickets)
    return (model.district_id == tickets[0].district_id) & (model.ticket_id == ids)


def by_ticket(found: Iterable[OfTicket]) -> dict[UUID, list[OfTicket]]:
    """Rows that belong to tickets, by ticket, as they are ordered; a list for every ticket."""
    rows: dict[UUID, list[OfTicket]] = defaultdict(list)
    for row in found:
        rows[row.ticket_id].append(row)
    return rows


def with_status(statuses: Sequence[TaskStatus]) -> ColumnElement[bool]:
    """Tasks in one of these states, which are written out in the statement.

    A prepared statement may be planned once for any values; that plan could not know that a
    partial index holds what is asked for.
    """
    return Task.status.in_(
        bindparam("states", statuses, unique=True, expanding=True, literal_execute=True)
    )


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom to tell of an event, and the number by which people know its ticket."""

    account_id: UUID
    number: str


def recipients_of(session: Session, events: Sequence[Event]) -> dict[UUID, Recipient]:
    """Whom to tell of some events of one district, by event; one statement, none for no event.

    It is the applicant's account: that which filed, or which gave the authority to file. The number
    is the item's where the event is about an item, else the ticket's. An event whose ticket is gone
    has no recipient.
    """
    if not events:
        return {}
    named = {event.item_id for event in events if event.item_id is not None}
    rows = session.execute(
        select(
            Ticket.id,
            func.coalesce(
                giver_of(district=Ticket.district_id, authority=Ticket.authority_id),
                Ticket.account_id,
            ).label("account_id"),
            Ticket.number,
            Item.id.label("item_id"),
            Item.number.label("of_item"),
        )
        .outerjoin(
            Item,
            (Item.district_id == Ticket.district_id)
            & (Item.ticket_id == Ticket.id)
            & (Item.id == one_of_ids(named)),
        )
        .where(
            Ticket.district_id == events[0].district_id,
            Ticket.id == one_of_ids({event.ticket_id for event in events if event.ticket_id}),
        )
    ).all()
    of_ticket = {row.id: Recipient(row.account_id, row.number) for row in rows}
    numbers = {(row.id, row.item_id): row.of_item for row in rows}
    return {
        event.id: replace(
            recipient, number=numbers.get((event.ticket_id, event.item_id)) or recipient.number
        )
        for event in events
        if (recipient := of_ticket.get(event.ticket_id)) is not None
    }


def one_of_ids(ids: Iterable[UUID]) -> ColumnElement[Any]:
    """Any of some ids: one text of a statement, however many there are."""
    return any_(literal(sorted(ids), ARRAY(Uuid())))
