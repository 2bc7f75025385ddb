"""What staff are shown of tasks: read models, and how they follow from rows.

No statement is sent here: keys were read with the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.desk.queries.histories import History
from service.desk.queries.tasks import TaskFound, TaskRow
from service.desk.rules import Count
from service.facts.rules import KnownFact
from service.identity.people.queries import FamilyMember, Profile
from service.kernel.etags import etag
from service.kernel.sealed import opened_json, opened_text
from service.kernel.views import extended
from service.materials.rules import KnownMaterial
from service.routing.flow import PASSING, Sees, Stage, StageKind, SubjectPart, Verdict
from service.routing.states import Outcome, Phase
from service.tickets.models.filed import TicketSection
from service.tickets.models.stages import Task
from service.tickets.queries.corrections import CorrectionView, correction_view
from service.tickets.rules.corrections import readable
from service.tickets.rules.states import ACTIVE, Light, Tagged, TaskStatus, cut_short, light

Names = Mapping[tuple[str, UUID], str]
"""By department and account, what a member of staff is called."""

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a list."""

    id: UUID
    version: int
    etag: str
    state: TaskStatus
    kind: StageKind
    stage: str
    stage_title: Texts
    item: UUID
    item_number: str
    offering: str
    title: Texts
    department: str
    role: str
    assignee: UUID | None
    assignee_name: str | None
    mine: bool
    opened_at: datetime
    due_at: datetime
    light: Light | None
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, repr=False)
class ApplicantView:
    """Whom an item is for, the number masked."""

    name: str | None
    id_type: str | None
    id_number: str | None
    id_country: str | None


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What another stage of the item decided, as the applicant reads it too.

    `decided_by`: the name of a colleague, None for anybody else and where time decided.
    """

    stage: str
    stage_title: Texts
    round: int
    department: str
    role: str
    verdict: Verdict
    deemed: bool
    decided_at: datetime
    decided_by: str | None


@dataclass(frozen=True, slots=True, repr=False)
class AskedCorrection(CorrectionView):
    """A correction with the department that asked for it; of its points, those that may be read."""

    department: str


@dataclass(frozen=True, slots=True, repr=False)
class TaskDetail(TaskLine):
    """A task with what its stage may read, and no more.

    `subject` and `sections` have the keys that the stage names under `sees`, no others.
    """

    ticket_number: str
    item_ended_at: datetime | None
    passing: Verdict
    may: Sequence[Verdict]
    records: Mapping[str, Any] | None
    applicant: ApplicantView
    subject: Mapping[str, Any] | None
    sections: Mapping[str, Any]
    facts: Sequence[KnownFact]
    materials: Sequence[KnownMaterial]
    history: Sequence[VerdictView]
    corrections: Sequence[AskedCorrection]
    opinion: str | None
    result: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class DecidedTask:
    """What a decision made of the task and its item."""

    id: UUID
    version: int
    etag: str
    state: TaskStatus
    verdict: Verdict
    item: UUID
    item_number: str
    phase: Phase
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class OfferingCount:
    """What is still to be done of one offering."""

    offering: str
    count: Count


@dataclass(frozen=True, slots=True)
class TaskCountsView:
    """How much there is to do, by state, light and offering, and of it in one's own hands."""

    state: Mapping[TaskStatus, Count]
    light: Mapping[Light, Count]
    offering: Sequence[OfferingCount]
    mine: Count


def task_line(
    row: TaskRow, definition: OfferingDefinition, account: UUID, names: Names, at: datetime
) -> TaskLine:
    """A task in a list; `names` are those of colleagues, by department and account."""
    return TaskLine(
        id=row.id,
        version=row.version,
        etag=etag(Tagged.TASK, row.id, row.version),
        state=row.status,
        kind=row.kind,
        stage=row.stage_key,
        stage_title=definition.flow.by_key[row.stage_key].title,
        item=row.item_id,
        item_number=row.item_number,
        offering=row.offering_code,
        title=definition.title,
        department=row.department,
        role=row.role,
        assignee=row.assignee,
        assignee_name=names.get((row.department, row.assignee)),
        mine=row.assignee == account,
        opened_at=row.opened_at,
        due_at=row.due_at,
        light=_task_light(row, at),
        verdict=row.verdict,
    )


def _task_light(row: TaskRow, at: datetime) -> Light | None:
    if row.status not in ACTIVE:
        return None
    return light(at, warn_at=row.warn_at, due_at=row.due_at)


@dataclass(frozen=True, slots=True, repr=False)
class TaskRows:
    """What a task's detail is built from; `facts` and `documents`: those its stage may read."""

    found: TaskFound
    sections: Sequence[TicketSection]
    facts: Sequence[KnownFact]
    documents: Sequence[KnownMaterial]
    history: History
    applicant: Profile
    member: FamilyMember | None


def task_detail(
    session: Session,
    line: TaskLine,
    rows: TaskRows,
    names: Names,
    definition: OfferingDefinition,
    at: datetime,
) -> TaskDetail:
    """A task with what its stage may read, and the verdicts that may be given at that moment."""
    task, stage = rows.found.task, definition.flow.by_key[rows.found.task.stage_key]
    return extended(
        line,
        TaskDetail,
        ticket_number=rows.found.ticket.number,
        item_ended_at=rows.found.item.ended_at,
        passing=PASSING[stage.kind],
        may=[
            verdict
            for verdict in Verdict
            if verdict in stage.may and not cut_short(task.kind, verdict, due_at=task.due_at, at=at)
        ],
        records=stage.records,
        applicant=_applicant(rows.applicant),
        subject=_subject(rows.member, stage.sees),
        sections=_answers(session, rows.sections, stage.sees),
        facts=rows.facts,
        materials=rows.documents,
        history=[_verdict(row, definition, names) for row in rows.history.verdicts],
        corrections=[_asked(session, row, stage) for row in rows.history.corrections],
        opinion=opened_text(session, Task.opinion, task),
        result=opened_json(session, Task.result, task, otherwise=None),
    )


def _answers(session: Session, sections: Sequence[TicketSection], sees: Sees) -> dict[str, Any]:
    shown = {}
    for section in sections:
        answers: dict[str, Any] = opened_json(session, TicketSection.content, section, otherwise={})
        seen = sees.visible(section.section, answers)
        if seen:
            shown[section.section] = seen
    return shown


def _applicant(one: Profile) -> ApplicantView:
    return ApplicantView(
        name=one.name,
        id_type=one.id_type,
        id_number=one.id_number_masked,
        id_country=one.id_country,
    )


def _subject(member: FamilyMember | None, sees: Sees) -> dict[str, Any] | None:
    """The member of the family that an item is about: what the stage names, nothing else."""
    if member is None:
        return None
    parts: Mapping[SubjectPart, Mapping[str, Any]] = {
        SubjectPart.NAME: {"name": member.name},
        SubjectPart.ID_NUMBER: {
            "id_type": member.id_type,
            "id_number": member.id_number_masked,
            "id_country": member.id_country,
        },
        SubjectPart.BIRTH_DATE: {"birth_date": member.birth_date},
        SubjectPart.KINSHIP: {"kinship": member.kinship},
    }
    return {
        name: value
        for part, values in parts.items()
        if sees.shows_of_subject(part)
        for name, value in values.items()
    }


def _verdict(
    row: Row[*tuple[Any, ...]], definition: OfferingDefinition, names: Names
) -> VerdictView:
    return VerdictView(
        stage=row.stage_key,
        stage_title=definition.flow.by_key[row.stage_key].title,
        round=row.round,
        department=row.department,
        role=row.role,
        verdict=row.verdict,
        deemed=row.deemed,
        decided_at=row.closed_at,
        decided_by=None if row.deemed else names.get((row.department, row.assignee)),
    )


def _asked(session: Session, row: Row[*tuple[Any, ...]], stage: Stage) -> AskedCorrection:
    asked = correction_view(session, row.Correction)
    own = row.stage_key == stage.key
    points = [point for point in asked.points if readable(point, stage.sees, own=own)]
    return extended(asked, AskedCorrection, department=row.department, points=points)
