"""What an applicant is shown of tickets and items: read models, and how they follow from rows.

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
from service.applicants.queries.tickets import TicketRows, recorded_results
from service.applicants.rules import Consequence, Dependency, Standing, consequences
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import offering_definition
from service.catalogue.rules.definitions import OfferingDefinition
from service.kernel import messages
from service.kernel.actor import Actor
from service.kernel.etags import etag
from service.kernel.sealed import opened_json
from service.kernel.views import Listing, extended
from service.routing.bundle import UNSETTLED, EdgeKind, EdgeOn, EdgeStatus, Otherwise
from service.routing.flow import StageKind, Verdict
from service.routing.states import Hold, Outcome, Phase, StageStatus
from service.tickets.models.filed import Draft, Ticket, TicketMaterial
from service.tickets.models.items import Correction, DueChange, Edge, Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.corrections import CorrectionView, correction_view
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.left_out import LeftOut
from service.tickets.rules.states import Light, NextStep, Tagged, TicketStatus, light

Definitions = Mapping[UUID, OfferingDefinition]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage that has been opened; `department` is the first of its departments."""

    key: str
    round: int
    title: Texts
    department: str | None
    departments: Sequence[str]
    state: StageStatus
    verdict: Verdict | None
    due_at: datetime
    light: Light | None


@dataclass(frozen=True, slots=True, repr=False)
class DeliveryView:
    """What a department recorded when it delivered what was decided."""

    stage: str
    title: Texts
    department: str
    delivered_at: datetime | None
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, repr=False)
class ItemView:
    """An item of a ticket."""

    id: UUID
    number: str
    version: int
    etag: str
    offering: str
    title: Texts
    subject: UUID | None
    phase: Phase
    hold: Hold | None
    hold_until: datetime | None
    outcome: Outcome | None
    due_on: date
    due_at: datetime
    due_basis: DueBasis
    provisional: bool
    light: Light | None
    result: Mapping[str, Any] | None
    deliveries: Sequence[DeliveryView]
    waiting_for: Sequence[str]
    left_out: Sequence[LeftOut]
    stages: Sequence[StageView]


@dataclass(frozen=True, slots=True)
class ItemMaterial:
    """A document that counts for an item."""

    code: str
    material: UUID


@dataclass(frozen=True, slots=True, repr=False)
class ItemDetail(ItemView):
    """An item with one's own answers, by section, and what was asked to be corrected."""

    ticket: UUID
    sections: Mapping[str, Any]
    materials: Sequence[ItemMaterial]
    corrections: Sequence[CorrectionView]


@dataclass(frozen=True, slots=True)
class EdgeView:
    """What an item waits or waited for."""

    predecessor: str
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
    """A ticket or a draft in a list; a draft has no number, and nothing of it is due."""

    id: UUID
    number: str | None
    version: int
    etag: str
    bundle: str
    status: TicketStatus
    filed_at: datetime | None
    due_on: date | None
    due_at: datetime | None
    due_basis: DueBasis | None
    provisional: bool


@dataclass(frozen=True, slots=True, repr=False)
class TicketView(TicketLine):
    """A ticket, whole; of what is not filed yet, the draft alone."""

    items: Sequence[ItemView]
    edges: Sequence[EdgeView]
    next_steps: Sequence[NextStepView]
    draft: DraftContent | None


@dataclass(frozen=True, slots=True)
class DueChangeView:
    """A due date that moved, with the reason in both languages."""

    at: datetime
    before: datetime
    after: datetime
    basis: DueBasis
    cause: str
    text: Texts


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
        due_on=None,
        due_at=None,
        due_basis=None,
        provisional=False,
    )


def draft_view(session: Session, draft: Draft) -> TicketView:
    """A ticket that is not filed yet."""
    content = content_of(session, draft)
    kept = DraftContent(
        items=content["items"],
        sections=content["sections"],
        materials=content["materials"],
        consents=content["consents"],
        updated_at=draft.updated_at,
    )
    return extended(draft_line(draft), TicketView, items=(), edges=(), next_steps=(), draft=kept)


def ticket_view(session: Session, actor: Actor, rows: TicketRows, at: datetime) -> TicketView:
    """A ticket as its applicant sees it; one statement, none where nothing is decided."""
    recorded = recorded_results(session, actor, rows)
    versions = {item.offering_version_id for item in rows.items}
    definitions = {
        version: offering_definition(session, actor.district, version) for version in versions
    }
    return _ticket(session, rows, definitions, recorded, at)


def _ticket(
    session: Session,
    rows: TicketRows,
    definitions: Definitions,
    recorded: Mapping[UUID, Sequence[Task]],
    at: datetime,
) -> TicketView:
    items = [
        item_view(
            session,
            rows,
            item,
            definitions[item.offering_version_id],
            recorded.get(item.id, ()),
            at,
        )
        for item in rows.items
    ]
    return extended(
        ticket_line(rows.ticket, rows.calendar),
        TicketView,
        items=items,
        edges=[_edge(edge) for edge in rows.edges],
        next_steps=_next_steps(rows),
        draft=None,
    )


def _next_steps(rows: TicketRows) -> list[NextStepView]:
    steps = [
        NextStepView(item=item.id, kind=NextStep.CORRECT, by=item.hold_until)
        for item in rows.items
        if item.hold is Hold.CORRECTION
    ]
    steps += [
        NextStepView(item=edge.item_id, kind=NextStep.CHOOSE, by=edge.next_at)
        for edge in rows.edges
        if edge.status is EdgeStatus.ASKED
    ]
    return sorted(steps, key=_urgency)


def _urgency(step: NextStepView) -> Any:
    return step.by


def item_detail(
    session: Session,
    rows: TicketRows,
    item: Item,
    definition: OfferingDefinition,
    recorded: Sequence[Task],
    corrections: Sequence[Correction],
    answers: Mapping[str, Any],
    documents: Sequence[TicketMaterial],
    at: datetime,
) -> ItemDetail:
    """One item, with one's own answers as they stand and what was asked to be corrected."""
    return extended(
        item_view(session, rows, item, definition, recorded, at),
        ItemDetail,
        ticket=item.ticket_id,
        sections=answers,
        materials=[ItemMaterial(one.code, one.material_id) for one in documents],
        corrections=[correction_view(session, one) for one in corrections],
    )


def item_view(
    session: Session,
    rows: TicketRows,
    item: Item,
    definition: OfferingDefinition,
    recorded: Sequence[Task],
    at: datetime,
) -> ItemView:
    """One item out of the rows of its ticket; `recorded`: the tasks that recorded its results."""
    running = item.decided_at is None
    results = [_result(session, task) for task in recorded if task.kind is StageKind.DECISION]
    delivered = [task for task in recorded if task.kind is StageKind.FULFILMENT]
    return ItemView(
        id=item.id,
        number=item.number,
        version=item.version,
        etag=etag(Tagged.ITEM, item.id, item.version),
        offering=item.offering_code,
        title=definition.title,
        subject=item.subject_id,
        phase=item.phase,
        hold=item.hold,
        hold_until=item.hold_until,
        outcome=item.outcome,
        due_on=rows.calendar.local_date(item.due_at),
        due_at=item.due_at,
        due_basis=item.due_basis,
        provisional=item.provisional,
        light=light(at, warn_at=item.warn_at, due_at=item.due_at) if running else None,
        result=results[0] if results else None,
        deliveries=[_delivery(session, task, definition) for task in delivered],
        waiting_for=[
            edge.predecessor
            for edge in rows.edges
            if edge.item_id == item.id and edge.status in UNSETTLED
        ],
        left_out=[LeftOut(**one) for one in item.left_out],
        stages=[_stage(stage, definition, at) for stage in rows.stages if stage.item_id == item.id],
    )


def _result(session: Session, task: Task) -> dict[str, Any] | None:
    result: dict[str, Any] | None = opened_json(session, Task.result, task, otherwise=None)
    return result


def _delivery(session: Session, task: Task, definition: OfferingDefinition) -> DeliveryView:
    return DeliveryView(
        stage=task.stage_key,
        title=definition.flow.by_key[task.stage_key].title,
        department=task.department,
        delivered_at=task.closed_at,
        result=_result(session, task),
    )


def _edge(edge: Edge) -> EdgeView:
    return EdgeView(
        predecessor=edge.predecessor,
        item=edge.item_id,
        kind=edge.kind,
        on=edge.on,
        state=edge.status,
        next_at=edge.next_at,
        default=edge.default if edge.status is EdgeStatus.ASKED else None,
    )


def _stage(stage: ItemStage, definition: OfferingDefinition, at: datetime) -> StageView:
    still_open = stage.status is StageStatus.OPEN
    return StageView(
        key=stage.key,
        round=stage.round,
        title=definition.flow.by_key[stage.key].title,
        department=stage.departments[0] if stage.departments else None,
        departments=stage.departments,
        state=stage.status,
        verdict=stage.verdict,
        due_at=stage.due_at,
        light=light(at, warn_at=stage.warn_at, due_at=stage.due_at) if still_open else None,
    )


def due_change_view(change: DueChange) -> DueChangeView:
    """A due date that moved."""
    return DueChangeView(
        at=change.at,
        before=change.before,
        after=change.after,
        basis=change.basis,
        cause=change.cause,
        text={tongue: messages.say(f"due_{change.cause}", tongue) for tongue in messages.LANGUAGES},
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
