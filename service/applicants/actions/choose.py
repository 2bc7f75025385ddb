"""The applicant's answer where an item cannot have what it waited for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.tickets import locked_item_for
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, Stale
from service.routing.bundle import EdgeStatus
from service.tickets.acts import act_on
from service.tickets.models.filed import Ticket
from service.tickets.rules.states import TicketEvent


def choose_item(
    session: Session, actor: Actor, *, item_id: UUID, version: int, proceed: bool, at: datetime
) -> Ticket:
    """Go on without what the item waited for, or let it be closed.

    Raises `NotFound`, `Stale`, and `Conflict("nothing_to_choose")` where nothing is asked (any
    more: when the time to answer is over, the default counts).
    """
    ticket, item = locked_item_for(session, actor, item_id)
    if item.version != version:
        raise Stale
    with act_on(session, actor, ticket, at=at) as act:
        asked = [edge for edge in act.edges_to(item) if edge.status is EdgeStatus.ASKED]
        if not asked or any(edge.next_at is not None and edge.next_at < at for edge in asked):
            raise Conflict("nothing_to_choose")
        act.last_event = act.emit(
            TicketEvent.CHOICE_MADE,
            item=item,
            data={"offering": item.offering_code, "proceed": proceed},
        )
        act.settle(asked, EdgeStatus.WAIVED if proceed else EdgeStatus.FAILED)
    return ticket
