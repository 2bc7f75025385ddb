"""What a talent's mini-program asks of tickets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from service.calendars.queries import calendar_for
from service.catalogue.queries import offering_definition
from service.kernel import clock, http
from service.kernel.errors import NotFound
from service.kernel.events import Event
from service.kernel.permissions import Permission
from service.tickets import actions
from service.tickets.models import Draft, Ticket
from service.tickets.queries import drafts, shapes, talent
from service.tickets.rules import UNDECIDED, Dependency, Filing, Standing, consequences
from service.tickets.schemas import (
    ConsequencesOut,
    DraftIn,
    PageIn,
    TicketIn,
    TicketOut,
    TicketPageOut,
    TimelineOut,
    examples,
)

blp = http.Blueprint(
    "tickets", __name__, url_prefix="/v1", description="Joint tickets: file once, follow all."
)


def _files() -> bool:
    """Whether a body asks for a filing, whose ticket keeps the key; a draft does not keep it."""
    body = http.read_json()
    return not isinstance(body, dict) or body.get("file", True) is not False


@blp.post(
    "/tickets",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    keyed=http.Keyed.REQUIRED,
    keeps_key=_files,
    problems={
        400: ["idempotency_key_missing"],
        409: ["profile_incomplete", "item_already_open"],
        422: ["criterion_not_met"],
    },
)
@blp.arguments(TicketIn, example=examples.FILING)
@blp.response(201, TicketOut, example=examples.TICKET)
def create_ticket(sent: tuple[Filing, bool]) -> tuple[dict[str, Any], dict[str, str]]:
    """File offerings of a bundle as one joint ticket, everything or nothing; or keep a draft."""
    session, actor, at = http.session(), http.actor(), clock.now()
    key, digest = http.idempotency_key()
    filing, files = sent
    if files:
        rows = actions.file_ticket(session, actor, filing=filing, key=key, digest=digest, at=at)
        return shaped(rows), _location(rows.ticket.id)
    draft = actions.keep_draft(session, actor, filing=filing, at=at)
    return shapes.draft_shape(draft), _location(draft.id)


@blp.patch(
    "/tickets/<uuid:ticket_id>",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
)
@blp.arguments(DraftIn, example={"consents": ["processing@1", "sensitive@1"]})
@blp.response(200, TicketOut, example=examples.DRAFT)
def update_ticket(changes: dict[str, Any], ticket_id: UUID) -> dict[str, Any]:
    """Go on with a draft: the parts that are sent replace those that were kept."""
    draft = actions.change_draft(
        http.session(),
        http.actor(),
        draft_id=ticket_id,
        version=http.if_match(),
        changes=changes,
        at=clock.now(),
    )
    return shapes.draft_shape(draft)


@blp.delete(
    "/tickets/<uuid:ticket_id>",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
)
@blp.response(204)
def delete_ticket(ticket_id: UUID) -> None:
    """Throw a draft away."""
    actions.forget_draft(http.session(), http.actor(), draft_id=ticket_id, version=http.if_match())


@blp.post(
    "/tickets/<uuid:ticket_id>/filing",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    keyed=http.Keyed.REQUIRED,
    keeps_key=lambda: True,
    versioned=True,
    problems={
        409: ["profile_incomplete", "item_already_open"],
        422: ["criterion_not_met"],
    },
)
@blp.response(201, TicketOut, example=examples.TICKET)
def file_ticket(ticket_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """File a draft: everything or nothing."""
    key, digest = http.idempotency_key()
    rows = actions.file_draft(
        http.session(),
        http.actor(),
        ticket_id=ticket_id,
        version=http.if_match(),
        key=key,
        digest=digest,
        at=clock.now(),
    )
    return shaped(rows), _location(rows.ticket.id)


@blp.get("/tickets", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.arguments(PageIn, location="query", as_kwargs=True)
@blp.response(200, TicketPageOut, example=examples.TICKET_PAGE)
def list_tickets(limit: int, after: str | None) -> dict[str, Any]:
    """List my tickets and drafts, the newest first."""
    session, actor = http.session(), http.actor()
    page = http.Page(limit, after, account=actor.account, filters={"list": "tickets"})
    before = None if page.position is None else UUID(page.position[0])
    tickets = talent.tickets_for(session, actor, before=before, limit=limit)
    kept = drafts.drafts_for(session, actor, before=before, limit=limit)
    both: list[Ticket | Draft] = [*tickets, *kept]
    found = sorted(both, key=lambda one: one.id, reverse=True)[: limit + 1]
    calendar = calendar_for(session, actor.district)

    def summary(one: Ticket | Draft) -> dict[str, Any]:
        if isinstance(one, Draft):
            return shapes.draft_summary(one)
        return shapes.ticket_summary(one, calendar)

    return page.answer(found, summary, lambda one: [one.id])


@blp.get("/tickets/<uuid:ticket_id>", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, TicketOut, example=examples.TICKET)
def get_ticket(ticket_id: UUID) -> dict[str, Any]:
    """Show one of my tickets with its items, stages, deadlines and results; or a draft."""
    session, actor = http.session(), http.actor()
    try:
        return shaped(talent.ticket_for(session, actor, ticket_id))
    except NotFound:
        return shapes.draft_shape(drafts.draft_for(session, actor, ticket_id))


@blp.get("/tickets/<uuid:ticket_id>/timeline", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, TimelineOut, example=examples.TIMELINE)
def get_ticket_timeline(ticket_id: UUID) -> dict[str, Any]:
    """Tell what has happened to one of my tickets, in Chinese and English."""
    return told(ticket_id, talent.timeline_for(http.session(), http.actor(), ticket_id))


def told(ticket_id: UUID, events: Sequence[Event]) -> dict[str, Any]:
    """What happened to a ticket, in words."""
    session, actor = http.session(), http.actor()
    versions = talent.offering_versions_of(session, actor, ticket_id)
    titles = {
        code: offering_definition(session, actor.district, version).title
        for code, version in versions.items()
    }
    names = talent.department_names(session, actor)
    return {"items": [shapes.happening(event, titles, names) for event in events]}


def _location(ticket_id: UUID) -> dict[str, str]:
    return {"Location": f"/v1/tickets/{ticket_id}"}


def shaped(rows: talent.TicketRows) -> dict[str, Any]:
    """A ticket as its applicant sees it."""
    session, actor = http.session(), http.actor()
    versions = {item.offering_version_id for item in rows.items}
    return shapes.ticket_shape(
        rows,
        {one: offering_definition(session, actor.district, one) for one in versions},
        talent.recorded_results(session, actor, rows),
        clock.now(),
    )


@blp.get(
    "/tickets/<uuid:ticket_id>/withdrawal", allow=Permission.TICKET_READ, audiences=("talent",)
)
@blp.response(200, ConsequencesOut, example=examples.CONSEQUENCES)
def preview_ticket_withdrawal(ticket_id: UUID) -> dict[str, Any]:
    """Tell what withdrawing the whole ticket would come to; nothing is done."""
    rows = talent.ticket_for(http.session(), http.actor(), ticket_id)
    return foreseen(rows, {item.id for item in rows.items if item.phase in UNDECIDED})


@blp.post(
    "/tickets/<uuid:ticket_id>/withdrawal",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["ticket_decided"]},
)
@blp.response(200, TicketOut, example=examples.TICKET)
def withdraw_ticket(ticket_id: UUID) -> dict[str, Any]:
    """Withdraw every item of a ticket that is not decided yet."""
    session, actor = http.session(), http.actor()
    actions.withdraw_ticket(
        session, actor, ticket_id=ticket_id, version=http.if_match(), at=clock.now()
    )
    return shaped(talent.ticket_for(session, actor, ticket_id))


def foreseen(rows: talent.TicketRows, withdrawn: set[UUID]) -> dict[str, Any]:
    """What a withdrawal of these items would come to."""
    session, actor = http.session(), http.actor()
    told = consequences(
        [Standing(one.id, one.offering_code, one.phase, one.outcome) for one in rows.items],
        [
            Dependency(one.item_id, one.predecessor, one.kind, one.on, one.otherwise, one.status)
            for one in rows.edges
        ],
        withdrawn,
    )
    return {
        "items": [
            {
                "item": item.id,
                "number": item.number,
                "offering": item.offering_code,
                "title": offering_definition(
                    session, actor.district, item.offering_version_id
                ).title,
                "consequence": told[item.id],
            }
            for item in rows.items
        ]
    }
