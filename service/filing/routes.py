"""Drafts and filing over HTTP."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Response, jsonify

from service.applicants.queries.drafts import draft_for
from service.applicants.queries.tickets import find_ticket, rows_of
from service.applicants.queries.views import TicketView, draft_view, ticket_view
from service.applicants.schemas import TicketOut
from service.authorities.queries import act_for, usable_authority
from service.enterprises.queries import enterprise_for
from service.filing.actions import drafts, file
from service.filing.rules.filing import Filing
from service.filing.schemas import AgentFilingIn, DraftIn, FiledOut, TicketIn
from service.identity.people.queries import own_person
from service.kernel import clock, http
from service.kernel.errors import Conflict, NotFound
from service.kernel.http.examples import recorded
from service.kernel.permissions import Permission
from service.tickets.rules.applicant import Applicant, ApplicantKind
from service.tickets.rules.states import Tagged

blp = http.Blueprint(
    "filing",
    __name__,
    tag="tickets",
    url_prefix="/v1",
    description="Joint tickets: file once, follow all.",
)

for_employees = http.Blueprint(
    "filing_for_employees",
    __name__,
    tag="authorities",
    url_prefix="/v1/enterprise/authorities",
    description="Filing for employees who let their employer's agents file.",
)

_BY_AGENT: Final = {name: value for name, value in recorded("filing").items() if name != "consents"}
_FILED: Final = {
    name: value
    for name, value in recorded("ticket").items()
    if name in {"id", "number", "filed_at", "due_on"}
}


def _files() -> bool:
    """Whether a body asks for a filing, whose ticket keeps the key; a draft does not keep it."""
    body = http.read_json()
    return not isinstance(body, dict) or body.get("file", True) is not False


def _draft_again(location: str) -> Response:
    """The draft that a request made before it came again, or the ticket that it has become.

    Raises `Conflict("draft_gone")` where it was thrown away since.
    """
    session, actor, ticket_id = http.session(), http.actor(), UUID(location.rpartition("/")[2])
    ticket = find_ticket(session, actor, ticket_id)
    try:
        shown = TicketOut().dump(
            draft_view(session, draft_for(session, actor, ticket_id))
            if ticket is None
            else ticket_view(session, actor, rows_of(session, actor, ticket), clock.now())
        )
    except NotFound:
        raise Conflict("draft_gone") from None
    response = jsonify(shown)
    response.status_code = 201
    response.headers.update({"ETag": shown["etag"], "Location": location})
    return response


@blp.post(
    "/tickets",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    keyed=http.Keyed.REQUIRED,
    keeps_key=_files,
    again=_draft_again,
    problems={
        400: ["idempotency_key_missing"],
        409: ["profile_incomplete", "item_already_open", "subject_item_open", "draft_gone"],
        422: ["criterion_not_met", "criterion_unknown"],
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
        applicant = Applicant.themselves(own_person(actor))
        rows = file.file_ticket(
            session, actor, applicant=applicant, filing=filing, key=key, digest=digest, at=at
        )
        return ticket_view(session, actor, rows, at), _location(rows.ticket.id)
    draft = drafts.keep_draft(session, actor, filing=filing, at=at)
    return draft_view(session, draft), _location(draft.id)


@blp.patch(
    "/tickets/<uuid:ticket_id>",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["already_filed"]},
)
@blp.arguments(DraftIn, example={"consents": ["processing@1", "sensitive@1"]})
@blp.response(200, TicketOut, example=recorded("draft"))
def update_ticket(changes: dict[str, Any], ticket_id: UUID) -> TicketView:
    """Go on with a draft: what is sent replaces what was kept, section by section.

    Of an item that is there already, what is left out stays; items that are not named are dropped.
    """
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
    problems={409: ["already_filed"]},
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
        409: ["profile_incomplete", "item_already_open", "subject_item_open", "already_filed"],
        422: ["criterion_not_met", "criterion_unknown"],
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


@for_employees.post(
    "/<uuid:authority_id>/tickets",
    allow=Permission.AUTHORITY_USE,
    audiences=("enterprise",),
    keyed=http.Keyed.REQUIRED,
    keeps_key=lambda: True,
    problems={
        400: ["idempotency_key_missing"],
        403: ["no_enterprise_in_district"],
        409: [
            "profile_incomplete",
            "item_already_open",
            "subject_item_open",
            "consents_not_standing",
        ],
        422: ["criterion_not_met", "criterion_unknown"],
    },
)
@for_employees.arguments(AgentFilingIn, example=_BY_AGENT)
@for_employees.response(201, FiledOut, example=_FILED)
def file_for_employee(filing: Filing, authority_id: UUID) -> tuple[dict[str, Any], dict[str, str]]:
    """File for an employee who lets us, everything or nothing; the ticket is theirs.

    Consents are those that the employee has given before. Documents are those that were handed in
    for the employee, by whomever. How the ticket goes on is for the employee to let us follow.
    """
    session, actor, at = http.session(), http.actor(), clock.now()
    key, digest = http.idempotency_key()
    enterprise = enterprise_for(session, actor, on=actor.local_date(at)).id
    authority = usable_authority(session, actor, enterprise, authority_id)
    act_for(session, actor, authority)
    applicant = Applicant(
        ApplicantKind.PERSON,
        authority.person_id,
        authority_id=authority.id,
        employer_id=enterprise,
    )
    rows = file.file_ticket(
        session, actor, applicant=applicant, filing=filing, key=key, digest=digest, at=at
    )
    ticket = rows.ticket
    shown = {
        "id": ticket.id,
        "number": ticket.number,
        "filed_at": ticket.filed_at,
        "due_on": rows.calendar.local_date(ticket.due_at),
    }
    return shown, {"Location": f"/v1/enterprise/requests/{ticket.id}"}


def _location(ticket_id: UUID) -> dict[str, str]:
    return {"Location": f"/v1/tickets/{ticket_id}"}
