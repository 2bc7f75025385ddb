"""What a talent's mini-program asks of tickets."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from service.applicants.actions import withdraw
from service.applicants.queries.drafts import draft_for, drafts_for
from service.applicants.queries.lists import ListedTicket, listed_tickets
from service.applicants.queries.tickets import (
    find_ticket,
    rows_of,
    ticket_for,
    tickets_for,
    timeline_for,
)
from service.applicants.queries.views import (
    ItemConsequence,
    TicketView,
    draft_view,
    ticket_view,
    withdrawal_view,
)
from service.applicants.schemas import ConsequencesOut, TicketOut, TicketPageOut
from service.kernel import clock, http
from service.kernel.http.examples import recorded
from service.kernel.permissions import Permission
from service.kernel.views import Listing, PageOf
from service.tickets.models.filed import Draft, Ticket
from service.tickets.queries.timeline import TimelineLine, timeline_view
from service.tickets.rules.states import UNDECIDED, Tagged
from service.tickets.schemas import PageIn, TimelineOut

blp = http.Blueprint(
    "tickets", __name__, url_prefix="/v1", description="Joint tickets: file once, follow all."
)


@blp.get("/tickets", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.arguments(PageIn, location="query", as_kwargs=True)
@blp.response(200, TicketPageOut, example=recorded("ticket_page"))
def list_tickets(limit: int, after: str | None) -> PageOf[ListedTicket]:
    """List my tickets and drafts, what was filed or begun last first."""
    session, actor = http.session(), http.actor()
    page = http.Page(limit, after, account=actor.account, filters={"list": "tickets"})
    tickets = tickets_for(session, actor, before=page.behind_moment, limit=limit)
    kept = drafts_for(session, actor, before=page.behind_moment, limit=limit)
    both: list[Ticket | Draft] = [*tickets, *kept]
    found = sorted(both, key=_place, reverse=True)[: limit + 1]
    line = listed_tickets(session, actor, found[:limit], clock.now())
    return page.answer(found, line, _place)


def _place(one: Ticket | Draft) -> tuple[datetime, UUID]:
    """Where it stands in the list: by when it was filed, or begun."""
    return (one.created_at if isinstance(one, Draft) else one.filed_at), one.id


@blp.get("/tickets/<uuid:ticket_id>", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, TicketOut, example=recorded("ticket"))
def get_ticket(ticket_id: UUID) -> TicketView:
    """Show one of my tickets with its items, stages, deadlines and results; or a draft."""
    session, actor = http.session(), http.actor()
    ticket = find_ticket(session, actor, ticket_id)
    if ticket is None:
        return draft_view(session, draft_for(session, actor, ticket_id))
    return ticket_view(session, actor, rows_of(session, actor, ticket), clock.now())


@blp.get(
    "/tickets/<uuid:ticket_id>/timeline",
    allow=Permission.TICKET_READ,
    audiences=("talent",),
    problems={409: ["not_filed"]},
)
@blp.response(200, TimelineOut, example=recorded("timeline"))
def get_ticket_timeline(ticket_id: UUID) -> Listing[TimelineLine]:
    """Tell what has happened to one of my tickets, in Chinese and English."""
    return timeline_view(
        http.session(),
        http.actor(),
        ticket_id,
        timeline_for(http.session(), http.actor(), ticket_id),
        reasons=True,
    )


@blp.get(
    "/tickets/<uuid:ticket_id>/withdrawal",
    allow=Permission.TICKET_READ,
    audiences=("talent",),
    problems={409: ["not_filed"]},
)
@blp.response(200, ConsequencesOut, example=recorded("consequences"))
def preview_ticket_withdrawal(ticket_id: UUID) -> Listing[ItemConsequence]:
    """Tell what withdrawing the whole ticket would come to; nothing is done."""
    rows = ticket_for(http.session(), http.actor(), ticket_id)
    return withdrawal_view(
        http.session(),
        http.actor(),
        rows,
        {item.id for item in rows.items if item.phase in UNDECIDED},
    )


@blp.post(
    "/tickets/<uuid:ticket_id>/withdrawal",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["ticket_decided", "not_filed"]},
)
@blp.response(200, TicketOut, example=recorded("ticket"))
def withdraw_ticket(ticket_id: UUID) -> TicketView:
    """Withdraw every item of a ticket that is not decided yet."""
    session, actor = http.session(), http.actor()
    withdraw.withdraw_ticket(
        session,
        actor,
        ticket_id=ticket_id,
        seq=http.if_match(Tagged.TICKET, ticket_id),
        at=clock.now(),
    )
    return ticket_view(session, actor, ticket_for(session, actor, ticket_id), clock.now())
