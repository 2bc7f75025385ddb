"""Drafts and filing over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from service.applicants.queries.views import TicketView, draft_view, ticket_view
from service.applicants.schemas import TicketOut
from service.filing.actions import drafts, file
from service.filing.rules.filing import Filing
from service.filing.schemas import DraftIn, TicketIn
from service.kernel import clock, http
from service.kernel.http.examples import recorded
from service.kernel.permissions import Permission
from service.tickets.rules.states import Tagged

blp = http.Blueprint(
    "filing",
    __name__,
    tag="tickets",
    url_prefix="/v1",
    description="Joint tickets: file once, follow all.",
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
@blp.arguments(TicketIn, example=recorded("filing"))
@blp.response(201, TicketOut, example=recorded("ticket"))
def create_ticket(sent: tuple[Filing, bool]) -> tuple[TicketView, dict[str, str]]:
    """File offerings of a bundle as one joint ticket, everything or nothing; or keep a draft."""
    session, actor, at = http.session(), http.actor(), clock.now()
    key, digest = http.idempotency_key()
    filing, files = sent
    if files:
        rows = file.file_ticket(session, actor, filing=filing, key=key, digest=digest, at=at)
        return ticket_view(session, actor, rows, at), _location(rows.ticket.id)
    draft = drafts.keep_draft(session, actor, filing=filing, at=at)
    return draft_view(session, draft), _location(draft.id)


@blp.patch(
    "/tickets/<uuid:ticket_id>",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
)
@blp.arguments(DraftIn, example={"consents": ["processing@1", "sensitive@1"]})
@blp.response(200, TicketOut, example=recorded("draft"))
def update_ticket(changes: dict[str, Any], ticket_id: UUID) -> TicketView:
    """Go on with a draft: the parts that are sent replace those that were kept."""
    session = http.session()
    draft = drafts.change_draft(
        session,
        http.actor(),
        draft_id=ticket_id,
        version=http.if_match(Tagged.DRAFT, ticket_id),
        changes=changes,
        at=clock.now(),
    )
    return draft_view(session, draft)


@blp.delete(
    "/tickets/<uuid:ticket_id>",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
)
@blp.response(204)
def delete_ticket(ticket_id: UUID) -> None:
    """Throw a draft away."""
    drafts.forget_draft(
        http.session(),
        http.actor(),
        draft_id=ticket_id,
        version=http.if_match(Tagged.DRAFT, ticket_id),
    )


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
@blp.response(201, TicketOut, example=recorded("ticket"))
def file_ticket(ticket_id: UUID) -> tuple[TicketView, dict[str, str]]:
    """File a draft: everything or nothing."""
    session, actor, at = http.session(), http.actor(), clock.now()
    key, digest = http.idempotency_key()
    rows = file.file_draft(
        session,
        actor,
        ticket_id=ticket_id,
        version=http.if_match(Tagged.DRAFT, ticket_id),
        key=key,
        digest=digest,
        at=at,
    )
    return ticket_view(session, actor, rows, at), _location(rows.ticket.id)


def _location(ticket_id: UUID) -> dict[str, str]:
    return {"Location": f"/v1/tickets/{ticket_id}"}
