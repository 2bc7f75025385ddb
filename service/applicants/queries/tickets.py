"""What an applicant sees: their own tickets, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select, tuple_
from sqlalchemy.orm import Session

from service.applicants.queries.drafts import no_such_ticket
from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.kernel.actor import Actor
from service.kernel.db import for_change
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
from service.tickets.visibility import visible


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
    return session.scalars(
        select(Ticket).where(visible(actor, Ticket), Ticket.id == ticket_id)
    ).one_or_none()


def ticket_for(session: Session, actor: Actor, ticket_id: UUID) -> TicketRows:
    """One of the actor's tickets; raises `NotFound` for anybody else's, and
    `Conflict("not_filed")` for a draft. Five statements.
    """
    ticket = find_ticket(session, actor, ticket_id)
    if ticket is None:
        raise no_such_ticket(session, actor, ticket_id)
    return rows_of(session, ticket)


def rows_of(session: Session, ticket: Ticket) -> TicketRows:
    """The rows of a ticket that was found before; four statements."""
    items = items_of(session, ticket)
    stages = session.scalars(
        select(ItemStage)
        .where(
            ItemStage.district_id == ticket.district_id,
            ItemStage.item_id.in_([item.id for item in items]),
        )
        .order_by(ItemStage.id)
    ).all()
    edges = edges_of(session, ticket)
    return TicketRows(ticket, items, stages, edges, calendar_for(session, ticket.district_id))


def item_for(session: Session, actor: Actor, item_id: UUID) -> tuple[TicketRows, Item]:
    """One of the actor's items with the rows of its ticket; raises `NotFound`. Six statements."""
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
    query = (
        select(Ticket)
        .where(visible(actor, Ticket))
        .order_by(Ticket.filed_at.desc(), Ticket.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(tuple_(Ticket.filed_at, Ticket.id) < before)
    return session.scalars(query).all()


def items_of_tickets(session: Session, tickets: Sequence[Ticket]) -> dict[UUID, Sequence[Item]]:
    """By ticket its items, in the order of filing; one statement, none for none."""
    found = defaultdict[UUID, list[Item]](list)
    if tickets:
        query = select(Item).where(
            Item.district_id == tickets[0].district_id,
            Item.ticket_id.in_([one.id for one in tickets]),
        )
        for item in session.scalars(query.order_by(Item.ticket_id, Item.ordinal)):
            found[item.ticket_id].append(item)
    return dict(found)


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
    for task in session.scalars(
        select(Task)
        .where(
            Task.district_id == actor.district,
            Task.item_id.in_(told),
            or_(
                Task.kind.in_((StageKind.DECISION, StageKind.FULFILMENT))
                & Task.result.is_not(None),
                Task.reason.is_not(None),
            ),
        )
        .order_by(Task.closed_at, Task.id)
    ):
        found[task.item_id].append(task)
    return dict(found)


def timeline_for(session: Session, actor: Actor, ticket_id: UUID) -> Sequence[Event]:
    """What the applicant is told of a ticket, in order; raises as `ticket_for`.

    Two statements; no partition of events from before the ticket is looked at.
    """
    owned = session.scalar(select(Ticket.id).where(visible(actor, Ticket), Ticket.id == ticket_id))
    if owned is None:
        raise no_such_ticket(session, actor, ticket_id)
    return session.scalars(
        select(Event)
        .where(
            Event.district_id == actor.district,
            Event.ticket_id == ticket_id,
            Event.id >= lowest_since(ticket_id),
            Event.seq.is_not(None),
            Event.public,
        )
        .order_by(Event.seq)
    ).all()
