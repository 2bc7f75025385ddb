"""What an applicant is shown of a ticket or a draft: read models, and how they follow from rows.

No statement is sent here but by `ticket_view`, and one where the applicant's key is not at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of
from service.applicants.queries.items import Definitions, ItemView, Texts, item_view
from service.applicants.queries.tickets import (
    TicketRows,
    recorded_results,
)
from service.applicants.rules import Consequence, Dependency, Standing, consequences
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import (
    bundle_titles,
    list_bundles,
    offering_definition,
)
from service.kernel.actor import Actor
from service.kernel.etags import etag
from service.kernel.shown import as_coded
from service.kernel.views import Listing, extended
from service.routing.bundle import EdgeKind, EdgeOn, EdgeStatus, Otherwise
from service.routing.states import Hold
from service.tickets.models.filed import Draft, Ticket
from service.tickets.models.items import Edge, Item
from service.tickets.models.stages import Task
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import (
    NextStep,
    Tagged,
    TicketStatus,
)


@dataclass(frozen=True, slots=True)
class EdgeView:
    """What an item waits or waited for."""

    predecessor: str
    predecessor_title: Texts
    item: UUID
    kind: EdgeKind
    on: EdgeOn
    state: EdgeStatus
    next_at: datetime | None
    default: Otherwise | None


@dataclass(frozen=True, slots=True)
class NextStepView:
    """What the applicant has to do."""

    item: UUID
    kind: NextStep
    by: datetime | None


@dataclass(frozen=True, slots=True, repr=False)
class DraftContent:
    """What a draft says so far; `items` and `materials` as they were sent."""

    items: Sequence[Mapping[str, Any]]
    sections: Mapping[str, Any]
    materials: Sequence[Mapping[str, Any]]
    consents: Sequence[str]
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A ticket or a draft, in short; a draft has no number, and nothing of it is due."""

    id: UUID
    number: str | None
    version: int
    etag: str
    bundle: str
    status: TicketStatus
    filed_at: datetime | None
    ended_at: datetime | None
    due_on: date | None
    due_at: datetime | None
    due_basis: DueBasis | None
    provisional: bool


@dataclass(frozen=True, slots=True, repr=False)
class TicketView(TicketLine):
    """A ticket, whole; of what is not filed yet, the draft alone."""

    bundle_title: Texts
    items: Sequence[ItemView]
    edges: Sequence[EdgeView]
    next_steps: Sequence[NextStepView]
    draft: DraftContent | None


@dataclass(frozen=True, slots=True)
class ItemConsequence:
    """What would become of an item."""

    item: UUID
    number: str
    offering: str
    title: Texts
    consequence: Consequence


def ticket_line(ticket: Ticket, calendar: WorkingCalendar) -> TicketLine:
    """A ticket in a list."""
    return TicketLine(
        id=ticket.id,
        number=ticket.number,
        version=ticket.version,
        etag=etag(Tagged.TICKET, ticket.id, ticket.last_seq),
        bundle=ticket.bundle_code,
        status=ticket.status,
        filed_at=ticket.filed_at,
        ended_at=ticket.ended_at,
        due_on=calendar.local_date(ticket.due_at),
        due_at=ticket.due_at,
        due_basis=ticket.due_basis,
        provisional=ticket.provisional,
    )


def draft_line(draft: Draft) -> TicketLine:
    """A draft in a list of tickets."""
    return TicketLine(
        id=draft.id,
        number=None,
        version=draft.version,
        etag=etag(Tagged.DRAFT, draft.id, draft.version),
        bundle=draft.bundle_code,
        status=TicketStatus.DRAFT,
        filed_at=None,
        ended_at=None,
        due_on=None,
        due_at=None,
        due_basis=None,
        provisional=False,
    )


def bundles_now(session: Session, district: str) -> dict[str, Texts]:
    """What the bundles in force are called, by code; one statement."""
    return {one.code: one.title for one in list_bundles(session, district)}


def draft_view(session: Session, draft: Draft) -> TicketView:
    """A ticket that is not filed yet; one statement, for what its bundle is called."""
    content = content_of(session, draft)
    kept = DraftContent(
        items=content["items"],
        sections=content["sections"],
        materials=content["materials"],
        consents=content["consents"],
        updated_at=draft.updated_at,
    )
    title = bundles_now(session, draft.district_id).get(draft.bundle_code)
    return extended(
        draft_line(draft),
        TicketView,
        bundle_title=title or as_coded(draft.bundle_code),
        items=(),
        edges=(),
        next_steps=(),
        draft=kept,
    )


def ticket_view(session: Session, actor: Actor, rows: TicketRows, at: datetime) -> TicketView:
    """A ticket as its applicant sees it; one statement, none where nothing is decided."""
    recorded = recorded_results(session, actor, rows)
    return _ticket(session, rows, definitions_of(session, rows), recorded, at)


def definitions_of(session: Session, rows: TicketRows) -> Definitions:
    """The versions under which the items of a ticket were filed."""
    district = rows.ticket.district_id
    versions = {item.offering_version_id for item in rows.items}
    return {version: offering_definition(session, district, version) for version in versions}


def _ticket(
    session: Session,
    rows: TicketRows,
    definitions: Definitions,
    recorded: Mapping[UUID, Sequence[Task]],
    at: datetime,
) -> TicketView:
    bundle = rows.ticket.bundle_version_id
    named = bundle_titles(session, rows.ticket.district_id, {bundle})
    titles = {
        item.offering_code: definitions[item.offering_version_id].title for item in rows.items
    }
    items = [
        item_view(session, rows, item, definitions, recorded.get(item.id, ()), at)
        for item in rows.items
    ]
    return extended(
        ticket_line(rows.ticket, rows.calendar),
        TicketView,
        bundle_title=named.get(bundle, as_coded(rows.ticket.bundle_code)),
        items=items,
        edges=[_edge(edge, titles) for edge in rows.edges],
        next_steps=next_steps(rows.items, rows.edges),
        draft=None,
    )


def next_steps(items: Sequence[Item], edges: Sequence[Edge]) -> list[NextStepView]:
    steps = [
        NextStepView(item=item.id, kind=NextStep.CORRECT, by=item.hold_until)
        for item in items
        if item.hold is Hold.CORRECTION
    ]
    steps += [
        NextStepView(item=edge.item_id, kind=NextStep.CHOOSE, by=edge.next_at)
        for edge in edges
        if edge.status is EdgeStatus.ASKED
    ]
    return sorted(steps, key=_urgency)


def _urgency(step: NextStepView) -> Any:
    return step.by


def _edge(edge: Edge, titles: Mapping[str, Texts]) -> EdgeView:
    return EdgeView(
        predecessor=edge.predecessor,
        predecessor_title=titles.get(edge.predecessor, as_coded(edge.predecessor)),
        item=edge.item_id,
        kind=edge.kind,
        on=edge.on,
        state=edge.status,
        next_at=edge.next_at,
        default=edge.default if edge.status is EdgeStatus.ASKED else None,
    )


def withdrawal_view(
    session: Session, actor: Actor, rows: TicketRows, withdrawn: set[UUID]
) -> Listing[ItemConsequence]:
    """What the withdrawal of these items would lead to; no statement."""
    found = consequences(
        [Standing(item.id, item.offering_code, item.phase, item.outcome) for item in rows.items],
        [
            Dependency(
                edge.item_id, edge.predecessor, edge.kind, edge.on, edge.otherwise, edge.status
            )
            for edge in rows.edges
        ],
        withdrawn,
    )
    return Listing(
        [
            ItemConsequence(
                item=item.id,
                number=item.number,
                offering=item.offering_code,
                title=offering_definition(session, actor.district, item.offering_version_id).title,
                consequence=found[item.id],
            )
            for item in rows.items
        ]
    )
