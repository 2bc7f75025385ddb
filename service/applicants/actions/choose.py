"""The applicant's answer where an item cannot have what it waited for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.tickets import locked_item_for
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, Stale
from service.routing import EdgeStatus
from service.tickets.acts import Step
from service.tickets.edges import choose, settle_edges
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
    step = Step.of(session, actor, ticket, at)
    asked = [
        edge for edge in step.edges() if edge.item_id == item_id and edge.status is EdgeStatus.ASKED
    ]
    if not asked or any(edge.next_at is not None and edge.next_at < at for edge in asked):
        raise Conflict("nothing_to_choose")
    step.last_event = step.tell(
        TicketEvent.CHOICE_MADE,
        item=item,
        data={"offering": item.offering_code, "proceed": proceed},
    )
    choose(step, asked, proceed=proceed)
    settle_edges(step)
    step.finish()
    return ticket
