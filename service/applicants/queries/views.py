"""What an applicant is shown of tickets and items: read models, and how they follow from rows.

No statement is sent here but by `ticket_view`, and one where the applicant's key is not at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.drafts import content_of
from service.applicants.queries.tickets import (
    TicketRows,
    edges_asked,
    items_of_tickets,
    recorded_results,
)
from service.applicants.rules import Consequence, Dependency, Standing, consequences
from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import (
    bundle_titles,
    list_bundles,
    offering_definition,
)
from service.catalogue.rules.definitions import OfferingDefinition, ShownSection
from service.kernel import messages
from service.kernel.actor import Actor
from service.kernel.etags import etag
from service.kernel.sealed import opened_json
from service.kernel.shown import ShownValue, as_coded
from service.kernel.views import Listing, extended
from service.routing.bundle import UNSETTLED, EdgeKind, EdgeOn, EdgeStatus, Otherwise
from service.routing.flow import StageKind, Verdict
from service.routing.states import Hold, Outcome, Phase, StageStatus
from service.tickets.models.filed import Draft, Ticket, TicketMaterial
from service.tickets.models.items import Correction, DueChange, Edge, Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.corrections import CorrectionView, correction_view, points_of
from service.tickets.queries.reasons import RefusalView, reason_of, refusals
from service.tickets.rules.corrections import Point
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import (
    Light,
    NextStep,
    Tagged,
    TicketStatus,
    item_light,
    light,
)

Definitions = Mapping[UUID, OfferingDefinition]
Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage that has been opened; `department` is the first of its departments."""

    key: str
    round: int
    title: Texts
    department: str | None
    department_name: Texts | None
    departments: Sequence[str]
    department_names: Sequence[Texts]
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
    department_name: Texts
    delivered_at: datetime | None
    result: Mapping[str, Any] | None
    result_shown: Sequence[ShownValue] | None


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
    ended_at: datetime | None
    due_on: date
    due_at: datetime
    due_basis: DueBasis
    provisional: bool
    light: Light | None
    result: Mapping[str, Any] | None
    result_shown: Sequence[ShownValue] | None
    refusals: Sequence[RefusalView]
    deliveries: Sequence[DeliveryView]
    waiting_for: Sequence[str]
    waiting_for_titles: Sequence[Texts]
    stages: Sequence[StageView]


@dataclass(frozen=True, slots=True)
class ItemMaterial:
    """A document that counts for an item."""

    code: str
    title: Texts
    material: UUID


@dataclass(frozen=True, slots=True, repr=False)
class ItemDetail(ItemView):
    """An item with one's own answers, by section, and what was asked to be corrected."""

    ticket: UUID
    sections: Mapping[str, Any]
    sections_shown: Sequence[ShownSection]
    materials: Sequence[ItemMaterial]
    corrections: Sequence[CorrectionView]


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


@dataclass(frozen=True, slots=True, repr=False)
class TicketView(TicketLine):
    """A ticket, whole; of what is not filed yet, the draft alone."""

    bundle_title: Texts
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


def listed_tickets(
    session: Session, actor: Actor, found: Sequence[Ticket | Draft], at: datetime
) -> Callable[[Ticket | Draft], ListedTicket]:
    """How each of these is shown in a list.

    Two statements; one more where a ticket waits for the applicant, and one for bundles that this
    process has not named before. Two where there is a draft, one of them for its key.
    """
    tickets = [one for one in found if isinstance(one, Ticket)]
    drafts = any(isinstance(one, Draft) for one in found)
    calendar = calendar_for(session, actor.district)
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


def bundles_now(session: Session, district: str) -> dict[str, Texts]:
    """What the bundles in force are called, by code; one statement."""
    return {one.code: one.title for one in list_bundles(session, district)}


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
        next_steps=_next_steps(items, asked),
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
        light=_light(item, at),
    )


def _light(item: Item, at: datetime) -> Light | None:
    return item_light(
        at,
        warn_at=item.warn_at,
        due_at=item.due_at,
        decided_at=item.decided_at,
        hold_until=item.hold_until,
    )


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
        next_steps=_next_steps(rows.items, rows.edges),
        draft=None,
    )


def _next_steps(items: Sequence[Item], edges: Sequence[Edge]) -> list[NextStepView]:
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


def item_detail(
    session: Session,
    rows: TicketRows,
    item: Item,
    definitions: Definitions,
    recorded: Sequence[Task],
    corrections: Sequence[Correction],
    answers: Mapping[str, Any],
    documents: Sequence[TicketMaterial],
    at: datetime,
) -> ItemDetail:
    """One item, with one's own answers as they stand and what was asked to be corrected."""
    definition = definitions[item.offering_version_id]
    returned = {task.id: task for task in recorded}
    return extended(
        item_view(session, rows, item, definitions, recorded, at),
        ItemDetail,
        ticket=item.ticket_id,
        sections=answers,
        sections_shown=definition.shown_answers(answers),
        materials=[
            ItemMaterial(one.code, definition.material_title(one.code), one.material_id)
            for one in documents
        ],
        corrections=[
            correction_view(
                one,
                definition,
                [Point(**point) for point in points_of(session, one)],
                reason_of(session, returned.get(one.task_id), definition),
            )
            for one in corrections
        ],
    )


def item_view(
    session: Session,
    rows: TicketRows,
    item: Item,
    definitions: Definitions,
    recorded: Sequence[Task],
    at: datetime,
) -> ItemView:
    """One item out of the rows of its ticket; `recorded`: the tasks that recorded its results or
    have a reason; `definitions`: of all items of the ticket.
    """
    definition = definitions[item.offering_version_id]
    stages = [stage for stage in rows.stages if stage.item_id == item.id]
    resulted = [task for task in recorded if task.result is not None]
    decided = next((task for task in resulted if task.kind is StageKind.DECISION), None)
    result = None if decided is None else _result(session, decided)
    delivered = [task for task in resulted if task.kind is StageKind.FULFILMENT]
    waiting_for = [
        edge.predecessor
        for edge in rows.edges
        if edge.item_id == item.id and edge.status in UNSETTLED
    ]
    titles = {one.offering_code: definitions[one.offering_version_id].title for one in rows.items}
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
        ended_at=item.ended_at,
        due_on=rows.calendar.local_date(item.due_at),
        due_at=item.due_at,
        due_basis=item.due_basis,
        provisional=item.provisional,
        light=_light(item, at),
        result=result,
        result_shown=definition.shown_result(definition.flow.decision.key, result),
        refusals=refusals(session, stages, recorded, definition),
        deliveries=[_delivery(session, task, definition) for task in delivered],
        waiting_for=waiting_for,
        waiting_for_titles=[titles.get(code, as_coded(code)) for code in waiting_for],
        stages=[_stage(stage, definition, at) for stage in stages],
    )


def _result(session: Session, task: Task) -> dict[str, Any] | None:
    result: dict[str, Any] | None = opened_json(session, Task.result, task, otherwise=None)
    return result


def _delivery(session: Session, task: Task, definition: OfferingDefinition) -> DeliveryView:
    result = _result(session, task)
    return DeliveryView(
        stage=task.stage_key,
        title=definition.flow.by_key[task.stage_key].title,
        department=task.department,
        department_name=definition.department_name(task.department),
        delivered_at=task.closed_at,
        result=result,
        result_shown=definition.shown_result(task.stage_key, result),
    )


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


def _stage(stage: ItemStage, definition: OfferingDefinition, at: datetime) -> StageView:
    still_open = stage.status is StageStatus.OPEN
    names = [definition.department_name(code) for code in stage.departments]
    return StageView(
        key=stage.key,
        round=stage.round,
        title=definition.flow.by_key[stage.key].title,
        department=stage.departments[0] if stage.departments else None,
        department_name=names[0] if names else None,
        departments=stage.departments,
        department_names=names,
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
