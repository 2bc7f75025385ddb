"""What a talent's mini-program asks of tickets."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from service.calendars.queries import calendar_for
from service.catalogue.queries import offering_definition
from service.kernel import clock, http
from service.kernel.permissions import Permission
from service.tickets import actions
from service.tickets.queries import shapes, talent
from service.tickets.rules import Choice, Filing
from service.tickets.schemas import (
    ChoiceIn,
    FilingIn,
    PageIn,
    TicketOut,
    TicketPageOut,
    TimelineOut,
    examples,
)

blp = http.Blueprint(
    "tickets", __name__, url_prefix="/v1", description="Joint tickets: file once, follow all."
)


@blp.post(
    "/tickets",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    keyed=http.Keyed.REQUIRED,
    problems={
        400: ["idempotency_key_missing"],
        409: ["profile_incomplete", "item_already_open"],
        422: ["criterion_not_met"],
    },
)
@blp.arguments(FilingIn, example=examples.FILING)
@blp.response(201, TicketOut, example=examples.TICKET)
def create_ticket(filing: Filing) -> tuple[dict[str, Any], dict[str, str]]:
    """File offerings of a bundle as one joint ticket: everything or nothing."""
    session, actor, at = http.session(), http.actor(), clock.now()
    key, digest = http.idempotency_key()
    rows = actions.file_ticket(session, actor, filing=filing, key=key, digest=digest, at=at)
    return _shaped(rows), {"Location": f"/v1/tickets/{rows.ticket.id}"}


@blp.get("/tickets", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.arguments(PageIn, location="query", as_kwargs=True)
@blp.response(200, TicketPageOut, example=examples.TICKET_PAGE)
def list_tickets(limit: int, after: str | None) -> dict[str, Any]:
    """List my tickets, the newest first."""
    session, actor = http.session(), http.actor()
    page = http.Page(limit, after, account=actor.account, filters={"list": "tickets"})
    before = None if page.position is None else UUID(page.position[0])
    found = talent.tickets_for(session, actor, before=before, limit=limit)
    calendar = calendar_for(session, actor.district)
    return page.answer(
        found, lambda one: shapes.ticket_summary(one, calendar), lambda one: [one.id]
    )


@blp.get("/tickets/<uuid:ticket_id>", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, TicketOut, example=examples.TICKET)
def get_ticket(ticket_id: UUID) -> dict[str, Any]:
    """Show one of my tickets with its items, stages, deadlines and results."""
    return _shaped(talent.ticket_for(http.session(), http.actor(), ticket_id))


@blp.post(
    "/items/<uuid:item_id>/choice",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["nothing_to_choose"]},
)
@blp.arguments(ChoiceIn, as_kwargs=True, example={"choice": "proceed"})
@blp.response(200, TicketOut, example=examples.TICKET)
def choose_item(item_id: UUID, choice: Choice) -> dict[str, Any]:
    """Go on without what an item waited for, or let it be closed; If-Match names the item."""
    session, actor = http.session(), http.actor()
    ticket = actions.choose_item(
        session,
        actor,
        item_id=item_id,
        version=http.if_match(),
        proceed=choice is Choice.PROCEED,
        at=clock.now(),
    )
    return _shaped(talent.ticket_for(session, actor, ticket.id))


@blp.get("/tickets/<uuid:ticket_id>/timeline", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, TimelineOut, example=examples.TIMELINE)
def get_ticket_timeline(ticket_id: UUID) -> dict[str, Any]:
    """Tell what has happened to one of my tickets, in Chinese and English."""
    session, actor = http.session(), http.actor()
    told = talent.timeline_for(session, actor, ticket_id)
    versions = talent.offering_versions_of(session, actor, ticket_id)
    titles = {
        code: offering_definition(session, actor.district, version).title
        for code, version in versions.items()
    }
    names = talent.department_names(session, actor)
    return {"items": [shapes.happening(event, titles, names) for event in told]}


def _shaped(rows: talent.TicketRows) -> dict[str, Any]:
    session, actor = http.session(), http.actor()
    versions = {item.offering_version_id for item in rows.items}
    return shapes.ticket_shape(
        rows,
        {one: offering_definition(session, actor.district, one) for one in versions},
        talent.recorded_results(session, actor, rows),
        clock.now(),
    )
