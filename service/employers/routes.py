"""What an employer's agent asks of employees' tickets."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from service.calendars.queries import calendar_at_sign_in
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import offering_definition
from service.employers.queries import (
    RequestRow,
    Requests,
    RequestView,
    request_for,
    request_view,
    requests_for,
)
from service.employers.schemas import RequestOut, RequestPageOut, RequestQuery
from service.enterprises.queries import enterprise_for
from service.kernel import clock, http
from service.kernel.http.examples import recorded
from service.kernel.permissions import Permission
from service.kernel.views import PageOf
from service.tickets.rules.states import TicketStatus

blp = http.Blueprint(
    "requests",
    __name__,
    url_prefix="/v1/enterprise/requests",
    description="How the tickets stand by which employees let their employer follow.",
)

_NONE: Final = {403: ["no_enterprise_in_district"]}


@blp.get("", allow=Permission.ENTERPRISE_READ, audiences=("enterprise",), problems=_NONE)
@blp.arguments(RequestQuery, location="query", as_kwargs=True)
@blp.response(200, RequestPageOut, example=recorded("request_page"))
def list_employee_requests(
    limit: int, after: str | None, status: TicketStatus | None
) -> PageOf[RequestView]:
    """List the tickets of employees who let us follow, the newest first.

    What an employee withdraws their consent from is not in the list from the next request on.
    """
    session, actor, at = http.session(), http.actor(), clock.now()
    calendar, employer = _employer(at)
    filters = {"list": "requests", "enterprise": employer, "status": status}
    page = http.Page(limit, after, account=actor.account, filters=filters)
    found = requests_for(
        session, actor, employer, status=status, before=page.behind_moment, limit=limit
    )
    viewed = _viewer(found, calendar, at)
    return page.answer(found.rows, viewed, lambda row: [row.filed_at, row.id])


@blp.get(
    "/<uuid:ticket_id>",
    allow=Permission.ENTERPRISE_READ,
    audiences=("enterprise",),
    problems=_NONE,
)
@blp.response(200, RequestOut, example=recorded("request"))
def get_employee_request(ticket_id: UUID) -> RequestView:
    """Show how one of these tickets stands, and what the employee has to do."""
    at = clock.now()
    calendar, employer = _employer(at)
    found = request_for(http.session(), http.actor(), employer, ticket_id)
    return _viewer(found, calendar, at)(found.rows[0])


def _employer(at: datetime) -> tuple[WorkingCalendar, UUID]:
    """The district's calendar, and for whom the agent acts today."""
    session, actor = http.session(), http.actor()
    calendar = calendar_at_sign_in(session, actor)
    return calendar, enterprise_for(session, actor, on=actor.local_date(at)).id


def _viewer(
    found: Requests, calendar: WorkingCalendar, at: datetime
) -> Callable[[RequestRow], RequestView]:
    session, actor = http.session(), http.actor()
    definitions = {
        one: offering_definition(session, actor.district, one) for one in found.offering_versions
    }
    return lambda row: request_view(found, row, definitions, calendar, at)
