"""What staff are shown of tasks: read models, and how they follow from rows.

No statement is sent here: keys were read with the rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import InstrumentedAttribute, Session

from service.catalogue.rules.definitions import Citation, OfferingDefinition, ShownSection
from service.desk.queries.histories import History
from service.desk.queries.tasks import TaskFound, TaskRow
from service.desk.rules import Count
from service.facts.rules import KnownFact
from service.identity.people.queries import FamilyMember, Profile
from service.kernel.crypto import Erased
from service.kernel.etags import etag
from service.kernel.permissions import role_title
from service.kernel.sealed import open_value, opened_json, opened_text
from service.kernel.shown import ShownValue
from service.kernel.views import extended
from service.materials.rules import KnownMaterial, MediaType
from service.routing.flow import PASSING, Sees, StageKind, SubjectPart, Verdict
from service.routing.states import Outcome, Phase
from service.tickets.models.filed import Ticket, TicketSection
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.queries.corrections import CorrectionView, correction_view, points_of
from service.tickets.queries.reasons import reason_of
from service.tickets.rules.corrections import Point, readable
from service.tickets.rules.reasons import ToldReason
from service.tickets.rules.states import ACTIVE, Light, Tagged, TaskStatus, cut_short, light

Known = TypeVar("Known")

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
    ticket_number: str
    filed_at: datetime
    applicant_name: str | None
    subject_name: str | None
    offering: str
    title: Texts
    department: str
    department_name: Texts
    role: str
    role_title: Texts
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

    `decided_by`: the name of a colleague, None for anybody else and where time decided. `opinion`,
    `result` and `reason` are None where they are not for this stage to read (`_may_read`).
    """

    stage: str
    stage_title: Texts
    round: int
    department: str
    department_name: Texts
    role: str
    role_title: Texts
    verdict: Verdict
    deemed: bool
    decided_at: datetime
    decided_by: str | None
    opinion: str | None
    reason: ToldReason | None
    result: Mapping[str, Any] | None
    result_shown: Sequence[ShownValue] | None


@dataclass(frozen=True, slots=True, repr=False)
class AskedCorrection(CorrectionView):
    """A correction with the department that asked for it; of its points, those that may be read."""

    department: str
    department_name: Texts


@dataclass(frozen=True, slots=True, repr=False)
class SeenFact:
    """A fact that a stage may read, in words too."""

    id: UUID
    kind: str
    title: Texts
    value: Mapping[str, Any]
    value_shown: Sequence[ShownValue]
    issuer: str
    issuer_name: Texts
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True, repr=False)
class SeenMaterial:
    """A document that a stage may read, with what it is called."""

    id: UUID
    code: str
    title: Texts
    name: str
    media_type: MediaType
    size: int
    erased: bool


@dataclass(frozen=True, slots=True, repr=False)
class TaskDetail(TaskLine):
    """A task with what its stage may read, and no more.

    `subject` and `sections` have the keys that the stage names under `sees`, no others.
    """

    item_ended_at: datetime | None
    passing: Verdict
    may: Sequence[Verdict]
    records: Mapping[str, Any] | None
    citations: Sequence[Citation]
    remedies: Texts | None
    applicant: ApplicantView
    subject: Mapping[str, Any] | None
    sections: Mapping[str, Any]
    sections_shown: Sequence[ShownSection]
    facts: Sequence[SeenFact]
    materials: Sequence[SeenMaterial]
    history: Sequence[VerdictView]
    corrections: Sequence[AskedCorrection]
    opinion: str | None
    reason: ToldReason | None
    result: Mapping[str, Any] | None
    result_shown: Sequence[ShownValue] | None


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
    session: Session,
    row: TaskRow,
    definition: OfferingDefinition,
    account: UUID,
    names: Names,
    at: datetime,
) -> TaskLine:
    """A task in a list; `names` are those of colleagues, by department and account.

    A member of the family has a name there where the stage may read it.
    """
    stage = definition.flow.by_key[row.stage_key]
    about = stage.sees.shows_of_subject(SubjectPart.NAME) and row.subject_id is not None
    return TaskLine(
        id=row.id,
        version=row.version,
        etag=etag(Tagged.TASK, row.id, row.version),
        state=row.status,
        kind=row.kind,
        stage=row.stage_key,
        stage_title=stage.title,
        item=row.item_id,
        item_number=row.item_number,
        ticket_number=row.ticket_number,
        filed_at=row.filed_at,
        applicant_name=_name(session, Ticket.filed_applicant, row.filed_applicant, row.ticket_id),
        subject_name=(
            _name(session, Item.filed_subject, row.filed_subject, row.item_id) if about else None
        ),
        offering=row.offering_code,
        title=definition.title,
        department=row.department,
        department_name=definition.department_name(row.department),
        role=row.role,
        role_title=role_title(row.role),
        assignee=row.assignee,
        assignee_name=(None if row.assignee is None else names.get((row.department, row.assignee))),
        mine=row.assignee == account,
        opened_at=row.opened_at,
        due_at=row.due_at,
        light=_task_light(row, at),
        verdict=row.verdict,
    )


def _name(
    session: Session, column: InstrumentedAttribute[Any], sealed: bytes | None, of: UUID
) -> str | None:
    """The name kept with a filing; None where it was erased, or filed before it was kept."""
    if sealed is None:
        return None
    place = {"table": column.class_.__tablename__, "column": column.key}
    kept = open_value(session, sealed, **place, row=of)
    return None if isinstance(kept, Erased) else orjson.loads(kept).get("name")


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
    answers = _answers(session, rows.sections, stage.sees)
    result = opened_json(session, Task.result, task, otherwise=None)
    applicant, subject = _applicant(rows.applicant), _subject(rows.member, stage.sees)
    return extended(
        line,
        TaskDetail,
        applicant_name=applicant.name,
        subject_name=(subject or {}).get("name"),
        item_ended_at=rows.found.item.ended_at,
        passing=PASSING[stage.kind],
        may=[
            verdict
            for verdict in Verdict
            if verdict in stage.may and not cut_short(task.kind, verdict, due_at=task.due_at, at=at)
        ],
        records=stage.records,
        citations=list(definition.rules.values()),
        remedies=definition.remedies,
        applicant=applicant,
        subject=subject,
        sections=answers,
        sections_shown=definition.shown_answers(answers),
        facts=[_fact(fact, definition) for fact in rows.facts],
        materials=[_material(one, definition) for one in rows.documents],
        history=[_verdict(session, row, task, definition, names) for row in rows.history.verdicts],
        corrections=[_asked(session, row, task, definition) for row in rows.history.corrections],
        opinion=opened_text(session, Task.opinion, task),
        reason=reason_of(session, task, definition),
        result=result,
        result_shown=definition.shown_result(stage.key, result),
    )


def _fact(fact: KnownFact, definition: OfferingDefinition) -> SeenFact:
    return SeenFact(
        id=fact.id,
        kind=fact.kind,
        title=definition.fact_title(fact.kind),
        value=fact.value,
        value_shown=definition.shown_fact(fact.kind, fact.value),
        issuer=fact.issuer,
        issuer_name=fact.issuer_name or definition.department_name(fact.issuer),
        valid_from=fact.valid_from,
        valid_to=fact.valid_to,
    )


def _material(one: KnownMaterial, definition: OfferingDefinition) -> SeenMaterial:
    return SeenMaterial(
        id=one.id,
        code=one.code,
        title=definition.material_title(one.code),
        name=one.name,
        media_type=one.media_type,
        size=one.size,
        erased=one.erased,
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


def _may_read(other: Task, task: Task, sees: Sees) -> bool:
    """Whether a task may read what another of the item said, recorded, and gave as its reason.

    What was said before the task was opened, by its own department or by a stage that its stage
    names; a decision reads all. Words of a later stage, or of one that works beside it, are not
    for it: each of them judges by itself.
    """
    before = other.closed_at is not None and other.closed_at <= task.opened_at
    return before and (other.department == task.department or sees.shows_opinion(other.stage_key))


def _verdict(
    session: Session,
    row: Row[*tuple[Any, ...]],
    task: Task,
    definition: OfferingDefinition,
    names: Names,
) -> VerdictView:
    other: Task = row.Task
    read = _may_read(other, task, definition.flow.by_key[task.stage_key].sees)
    result = opened_json(session, Task.result, other, otherwise=None) if read else None
    return VerdictView(
        stage=other.stage_key,
        stage_title=definition.flow.by_key[other.stage_key].title,
        round=row.round,
        department=other.department,
        department_name=definition.department_name(other.department),
        role=other.role,
        role_title=role_title(other.role),
        verdict=_of(other.verdict),
        deemed=other.deemed,
        decided_at=_of(other.closed_at),
        decided_by=(
            None
            if other.deemed or other.assignee is None
            else names.get((other.department, other.assignee))
        ),
        opinion=opened_text(session, Task.opinion, other) if read else None,
        reason=reason_of(session, other, definition) if read else None,
        result=result,
        result_shown=definition.shown_result(other.stage_key, result),
    )


def _of(value: Known | None) -> Known:
    """A value that a closed task has: the table holds that it does."""
    if value is None:
        raise LookupError("a task that was not decided")
    return value


def _asked(
    session: Session, row: Row[*tuple[Any, ...]], task: Task, definition: OfferingDefinition
) -> AskedCorrection:
    asked_by: Task = row.Task
    sees = definition.flow.by_key[task.stage_key].sees
    own = asked_by.stage_key == task.stage_key
    points = [Point(**point) for point in points_of(session, row.Correction)]
    read = own or _may_read(asked_by, task, sees)
    shown = correction_view(
        row.Correction,
        definition,
        [point for point in points if readable(point, sees, own=own)],
        reason_of(session, asked_by, definition) if read else None,
    )
    return extended(
        shown,
        AskedCorrection,
        department=asked_by.department,
        department_name=definition.department_name(asked_by.department),
    )
