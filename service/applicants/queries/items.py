"""What an applicant is shown of an item: read models, and how they follow from rows.

No statement is sent here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.applicants.queries.tickets import (
    TicketRows,
)
from service.catalogue.rules.definitions import OfferingDefinition, ShownSection
from service.kernel import messages
from service.kernel.etags import etag
from service.kernel.sealed import opened_json
from service.kernel.shown import ShownValue, as_coded
from service.kernel.views import extended
from service.routing.bundle import UNSETTLED
from service.routing.flow import StageKind, Verdict
from service.routing.states import Hold, Outcome, Phase, StageStatus
from service.tickets.models.filed import TicketMaterial
from service.tickets.models.items import Correction, DueChange, Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.corrections import CorrectionView, correction_view, points_of
from service.tickets.queries.reasons import RefusalView, reason_of, refusals
from service.tickets.rules.corrections import Point
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.left_out import LeftOut
from service.tickets.rules.states import (
    Light,
    Tagged,
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
    left_out: Sequence[LeftOut]
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
class DueChangeView:
    """A due date that moved, with the reason in both languages."""

    at: datetime
    before: datetime
    after: datetime
    basis: DueBasis
    cause: str
    text: Texts


def light_of(item: Item, at: datetime) -> Light | None:
    """The light of an item at that moment; None once it is decided."""
    return item_light(
        at,
        warn_at=item.warn_at,
        due_at=item.due_at,
        decided_at=item.decided_at,
        hold_until=item.hold_until,
    )


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
        light=light_of(item, at),
        result=result,
        result_shown=definition.shown_result(definition.flow.decision.key, result),
        refusals=refusals(session, stages, recorded, definition),
        deliveries=[_delivery(session, task, definition) for task in delivered],
        waiting_for=waiting_for,
        waiting_for_titles=[titles.get(code, as_coded(code)) for code in waiting_for],
        left_out=[LeftOut(**one) for one in item.left_out],
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
