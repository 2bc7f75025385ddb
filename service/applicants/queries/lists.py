"""The list of what an applicant has filed and begun: a line for each, with what is to be done next.

Read models, and how they follow from rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of
from service.applicants.queries.items import Texts, light_of
from service.applicants.queries.tickets import edges_asked, items_of_tickets
from service.applicants.queries.views import (
    NextStepView,
    TicketLine,
    bundles_now,
    draft_line,
    next_steps,
    ticket_line,
)
from service.calendars.queries import calendar_at_sign_in
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import bundle_titles, offering_definition
from service.kernel.actor import Actor
from service.kernel.shown import as_coded
from service.kernel.views import extended
from service.routing.states import Hold, Outcome, Phase
from service.tickets.models.filed import Draft, Ticket
from service.tickets.models.items import Edge, Item
from service.tickets.rules.states import Light, TicketStatus


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item in a list of tickets."""

    id: UUID
    number: str
    offering: str
    title: Texts
    phase: Phase
    hold: Hold | None
    outcome: Outcome | None
    due_on: date
    light: Light | None


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of a ticket's items have ended."""

    ended: int
    items: int


@dataclass(frozen=True, slots=True)
class ListedTicket(TicketLine):
    """A ticket or a draft in a list.

    `light`: the most urgent of its items that are not decided. `offerings`: those asked for, once
    each; of a draft, so far.
    """

    bundle_title: Texts
    light: Light | None
    progress: Progress | None
    offerings: Sequence[str]
    items: Sequence[ItemLine]
    next_steps: Sequence[NextStepView]
    updated_at: datetime | None


def listed_tickets(
    session: Session, actor: Actor, found: Sequence[Ticket | Draft], at: datetime
) -> Callable[[Ticket | Draft], ListedTicket]:
    """How each of these is shown in a list.

    One statement; one more where a ticket waits for the applicant, and one for bundles that this
    process has not named before. Two where there is a draft, one of them for its key.
    """
    tickets = [one for one in found if isinstance(one, Ticket)]
    drafts = any(isinstance(one, Draft) for one in found)
    calendar = calendar_at_sign_in(session, actor)
    items = items_of_tickets(session, tickets)
    awaiting = [one for one in tickets if one.status is TicketStatus.AWAITING_APPLICANT]
    asked = edges_asked(session, awaiting)
    titles = bundle_titles(session, actor.district, {one.bundle_version_id for one in tickets})
    now = bundles_now(session, actor.district) if drafts else {}

    def line(one: Ticket | Draft) -> ListedTicket:
        if isinstance(one, Draft):
            return _listed_draft(session, one, now)
        own, edges = items.get(one.id, ()), asked.get(one.id, ())
        return _listed_ticket(session, one, own, edges, titles, calendar, at)

    return line


def _listed_draft(session: Session, draft: Draft, titles: Mapping[str, Texts]) -> ListedTicket:
    asked = [one["offering"] for one in content_of(session, draft)["items"]]
    return extended(
        draft_line(draft),
        ListedTicket,
        bundle_title=titles.get(draft.bundle_code, as_coded(draft.bundle_code)),
        light=None,
        progress=None,
        offerings=list(dict.fromkeys(asked)),
        items=(),
        next_steps=(),
        updated_at=draft.updated_at,
    )


def _listed_ticket(
    session: Session,
    ticket: Ticket,
    items: Sequence[Item],
    asked: Sequence[Edge],
    titles: Mapping[UUID, Texts],
    calendar: WorkingCalendar,
    at: datetime,
) -> ListedTicket:
    lines = [_item_line(session, item, calendar, at) for item in items]
    lights = [one.light for one in lines if one.light is not None]
    return extended(
        ticket_line(ticket, calendar),
        ListedTicket,
        bundle_title=titles.get(ticket.bundle_version_id, as_coded(ticket.bundle_code)),
        light=max(lights, key=list(Light).index, default=None),
        progress=Progress(sum(item.phase is Phase.ENDED for item in items), len(items)),
        offerings=list(dict.fromkeys(item.offering_code for item in items)),
        items=lines,
        next_steps=next_steps(items, asked),
        updated_at=None,
    )


def _item_line(session: Session, item: Item, calendar: WorkingCalendar, at: datetime) -> ItemLine:
    definition = offering_definition(session, item.district_id, item.offering_version_id)
    return ItemLine(
        id=item.id,
        number=item.number,
        offering=item.offering_code,
        title=definition.title,
        phase=item.phase,
        hold=item.hold,
        outcome=item.outcome,
        due_on=calendar.local_date(item.due_at),
        light=light_of(item, at),
    )
