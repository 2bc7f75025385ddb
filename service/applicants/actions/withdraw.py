"""Withdrawing one item or a whole ticket, with all that follows."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.tickets import locked_item_for, locked_ticket_for
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, Stale
from service.routing.events import Withdrawn
from service.tickets.acts import act_on
from service.tickets.models.filed import Ticket
from service.tickets.rules.states import UNDECIDED, TicketEvent


def withdraw_item(
    session: Session, actor: Actor, *, item_id: UUID, version: int, at: datetime
) -> Ticket:
    """End an item that is not decided yet; what waits for it goes on, is asked, or is closed.

    Raises `NotFound`, `Stale`, and `Conflict("item_decided")`.
    """
    ticket, item = locked_item_for(session, actor, item_id)
    if item.version != version:
        raise Stale
    if item.phase not in UNDECIDED:
        raise Conflict("item_decided")
    return _withdrawn(session, actor, ticket, {item.id}, at)


def withdraw_ticket(
    session: Session, actor: Actor, *, ticket_id: UUID, seq: int, at: datetime
) -> Ticket:
    """End every item of a ticket that is not decided yet.

    `seq` is that of the last event when the applicant saw the ticket: whatever has happened to an
    item since then, they are shown it first. Raises `NotFound`, `Stale`, and
    `Conflict("ticket_decided")` where none is left.
    """
    ticket, items = locked_ticket_for(session, actor, ticket_id)
    if ticket.last_seq != seq:
        raise Stale
    undecided = {item.id for item in items if item.phase in UNDECIDED}
    if not undecided:
        raise Conflict("ticket_decided")
    ticket.version += 1
    return _withdrawn(session, actor, ticket, undecided, at)


def _withdrawn(
    session: Session, actor: Actor, ticket: Ticket, which: set[UUID], at: datetime
) -> Ticket:
    """All of them end before any edge is followed: what is withdrawn is asked nothing."""
    with act_on(session, actor, ticket, at=at) as act:
        for item in act.items:
            if item.id in which:
                act.apply(item, Withdrawn(), TicketEvent.ITEM_WITHDRAWN)
    return ticket
