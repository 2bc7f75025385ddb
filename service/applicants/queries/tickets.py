"""What an applicant sees: their own tickets, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    DateTime,
    Integer,
    Select,
    Uuid,
    any_,
    bindparam,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from service.applicants.queries.drafts import no_such_ticket
from service.calendars.queries import calendar_at_sign_in
from service.calendars.rules import WorkingCalendar
from service.kernel.actor import Actor
from service.kernel.db import for_change, prepared
from service.kernel.errors import NotFound
from service.kernel.events import Event
from service.kernel.ids import lowest_since
from service.routing.bundle import EdgeStatus
from service.routing.flow import StageKind
from service.tickets.models.filed import Ticket
from service.tickets.models.items import DueChange, Edge, Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.rows import edges_of, items_of
from service.tickets.rules.reasons import REFUSALS
from service.tickets.visibility import Anyone, Seen, asking, visible


@dataclass(frozen=True, slots=True)
class TicketRows:
    """A ticket with its items, in the order of filing, and their stages, in that of opening.

    `calendar` is the one by which its moments are dates.
    """

    ticket: Ticket
    items: Sequence[Item]
    stages: Sequence[ItemStage]
    edges: Sequence[Edge]
    calendar: WorkingCalendar


def find_ticket(session: Session, actor: Actor, ticket_id: UUID) -> Ticket | None:
    """One of the actor's tickets, where there is one; one statement."""
    return _TICKET.by(actor).one_or_none(session, **asking(actor), ticket=ticket_id)


_TICKET: Final = Seen(
    lambda who: prepared(
        select(Ticket).where(visible(who, Ticket), Ticket.id == bindparam("ticket"))
    )
)


def ticket_for(session: Session, actor: Actor, ticket_id: UUID) -> TicketRows:
    """One of the actor's tickets; raises `NotFound` for anybody else's, and
    `Conflict("not_filed")` for a draft. Four statements.
    """
    ticket = find_ticket(session, actor, ticket_id)
    if ticket is None:
        raise no_such_ticket(session, actor, ticket_id)
    return rows_of(session, actor, ticket)


def rows_of(session: Session, actor: Actor, ticket: Ticket) -> TicketRows:
    """The rows of a ticket that the actor was found to see; three statements."""
    items = items_of(session, ticket)
    stages = _STAGES.all(session, district=ticket.district_id, items=[item.id for item in items])
    edges = edges_of(session, ticket)
    return TicketRows(ticket, items, stages, edges, calendar_at_sign_in(session, actor))


_STAGES: Final = prepared(
    select(ItemStage)
    .where(
        ItemStage.district_id == bindparam("district"),
        ItemStage.item_id == any_(bindparam("items", type_=ARRAY(Uuid()))),
    )
    .order_by(ItemStage.id)
)


def item_for(session: Session, actor: Actor, item_id: UUID) -> tuple[TicketRows, Item]:
    """One of the actor's items with the rows of its ticket; raises `NotFound`. Five statements."""
    owner = session.scalar(select(Item.ticket_id).where(visible(actor, Item), Item.id == item_id))
    if owner is None:
        raise NotFound
    rows = ticket_for(session, actor, owner)
    return rows, next(item for item in rows.items if item.id == item_id)


def version_of(session: Session, actor: Actor, item_id: UUID) -> UUID:
    """The version under which one of the actor's items was filed; raises `NotFound`.

    One statement.
    """
    found = session.scalar(
        select(Item.offering_version_id).where(visible(actor, Item), Item.id == item_id)
    )
    if found is None:
        raise NotFound
    return found


def due_changes_for(session: Session, actor: Actor, item_id: UUID) -> Sequence[DueChange]:
    """What moved the due date of one of the actor's items; raises `NotFound`. Two statements."""
    ticket_id = session.scalar(
        select(Item.ticket_id).where(visible(actor, Item), Item.id == item_id)
    )
    if ticket_id is None:
        raise NotFound
    return session.scalars(
        select(DueChange)
        .where(
            DueChange.district_id == actor.district,
            DueChange.ticket_id == ticket_id,
            DueChange.item_id == item_id,
        )
        .order_by(DueChange.id)
    ).all()


def locked_item_for(session: Session, actor: Actor, item_id: UUID) -> tuple[Ticket, Item]:
    """One of the actor's items with its ticket, locked for a change; raises `NotFound`."""
    query = (
        select(Ticket, Item)
        .join(Item, (Item.district_id == Ticket.district_id) & (Item.ticket_id == Ticket.id))
        .where(visible(actor, Ticket), Item.id == item_id)
    )
    row = session.execute(for_change(query, Ticket, Item)).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def locked_ticket_for(
    session: Session, actor: Actor, ticket_id: UUID
) -> tuple[Ticket, Sequence[Item]]:
    """One of the actor's tickets with its items, locked for a change; raises as `ticket_for`."""
    owned = select(Ticket).where(visible(actor, Ticket), Ticket.id == ticket_id)
    ticket = session.scalars(for_change(owned, Ticket)).one_or_none()
    if ticket is None:
        raise no_such_ticket(session, actor, ticket_id)
    items = (
        select(Item)
        .where(Item.district_id == actor.district, Item.ticket_id == ticket_id)
        .order_by(Item.id)
    )
    return ticket, session.scalars(for_change(items, Item)).all()


def tickets_for(
    session: Session, actor: Actor, *, before: tuple[datetime, UUID] | None, limit: int
) -> Sequence[Ticket]:
    """The actor's tickets, the last filed first, from before that moment and id.

    At most `limit` + 1 of them. A ticket that was a draft for long has the draft's old id: ids are
    not the order of filing.
    """
    asked = {**asking(actor), "limit": limit + 1}
    if before is None:
        return _NEWEST.by(actor).all(session, **asked)
    return _OLDER.by(actor).all(session, **asked, filed_at=before[0], id=before[1])


def _newest(who: Anyone) -> Select[Ticket]:
    return (
        select(Ticket)
        .where(visible(who, Ticket))
        .order_by(Ticket.filed_at.desc(), Ticket.id.desc())
        .limit(bindparam("limit", type_=Integer()))
    )


def _older(who: Anyone) -> Select[Ticket]:
    place = tuple_(
        bindparam("filed_at", type_=DateTime(timezone=True)), bindparam("id", type_=Uuid())
    )
    return _newest(who).where(tuple_(Ticket.filed_at, Ticket.id) < place)


_NEWEST: Final = Seen(lambda who: prepared(_newest(who)))
_OLDER: Final = Seen(lambda who: prepared(_older(who)))


def items_of_tickets(session: Session, tickets: Sequence[Ticket]) -> dict[UUID, Sequence[Item]]:
    """By ticket its items, in the order of filing; one statement, none for none."""
    found = defaultdict[UUID, list[Item]](list)
    if tickets:
        asked = [one.id for one in tickets]
        for item in _ITEMS.all(session, district=tickets[0].district_id, tickets=asked):
            found[item.ticket_id].append(item)
    return dict(found)


_ITEMS: Final = prepared(
    select(Item)
    .where(
        Item.district_id == bindparam("district"),
        Item.ticket_id == any_(bindparam("tickets", type_=ARRAY(Uuid()))),
    )
    .order_by(Item.ticket_id, Item.ordinal)
)


def edges_asked(session: Session, tickets: Sequence[Ticket]) -> dict[UUID, Sequence[Edge]]:
    """By ticket the edges at which its applicant is asked; one statement, none for none."""
    found = defaultdict[UUID, list[Edge]](list)
    if tickets:
        query = select(Edge).where(
            Edge.district_id == tickets[0].district_id,
            Edge.ticket_id.in_([one.id for one in tickets]),
            Edge.status == EdgeStatus.ASKED,
        )
        for edge in session.scalars(query.order_by(Edge.id)):
            found[edge.ticket_id].append(edge)
    return dict(found)


def recorded_results(
    session: Session, actor: Actor, rows: TicketRows
) -> dict[UUID, Sequence[Task]]:
    """By item, the tasks that hold what its applicant is shown, in the order in which they closed:
    the results of its decision and its fulfilment, and reasons of refusals and returns. What other
    stages record is theirs.

    One statement, none where nothing is decided, refused or returned, and one for keys not at hand.
    """
    refused = {stage.item_id for stage in rows.stages if stage.verdict in REFUSALS}
    told = [
        item.id
        for item in rows.items
        if item.decided_at is not None or item.segments or item.id in refused
    ]
    if not told:
        return {}
    found = defaultdict[UUID, list[Task]](list)
    for task in _RECORDED.all(session, district=actor.district, items=told):
        found[task.item_id].append(task)
    return dict(found)


_RECORDED: Final = prepared(
    select(Task)
    .where(
        Task.district_id == bindparam("district"),
        Task.item_id == any_(bindparam("items", type_=ARRAY(Uuid()))),
        or_(
            Task.kind.in_((StageKind.DECISION, StageKind.FULFILMENT)) & Task.result.is_not(None),
            Task.reason.is_not(None),
        ),
    )
    .order_by(Task.closed_at, Task.id)
)


def timeline_for(session: Session, actor: Actor, ticket_id: UUID) -> Sequence[Event]:
    """What the applicant is told of a ticket, in order; raises as `ticket_for`.

    Two statements; no partition of events from before the ticket is looked at.
    """
    if find_ticket(session, actor, ticket_id) is None:
        raise no_such_ticket(session, actor, ticket_id)
    return _TOLD.all(
        session, district=actor.district, ticket=ticket_id, since=lowest_since(ticket_id)
    )


_TOLD: Final = prepared(
    select(Event)
    .where(
        Event.district_id == bindparam("district"),
        Event.ticket_id == bindparam("ticket"),
        Event.id >= bindparam("since"),
        Event.seq.is_not(None),
        Event.public,
    )
    .order_by(Event.seq)
)
