"""The shapes in which tasks are told, out of their rows and the keys that were read with them: no
statement is sent here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.desk.queries.histories import History
from service.desk.queries.tasks import TaskRow
from service.facts.rules import KnownFact
from service.identity.people.queries import Applicant, FamilyMember
from service.kernel.etags import etag
from service.kernel.sealed import opened_json, opened_text
from service.materials.rules import KnownMaterial
from service.routing.flow import PASSING, Sees, Stage, SubjectPart, Verdict
from service.tickets.models.filed import TicketSection
from service.tickets.models.stages import Task
from service.tickets.queries.corrections import correction_shape
from service.tickets.rules.corrections import Point, readable
from service.tickets.rules.states import ACTIVE, Light, Tagged, light

Names = Mapping[tuple[str, UUID], str]
"""By department and account, what a member of staff is called."""


def task_summary(
    row: TaskRow, definition: OfferingDefinition, account: UUID, names: Names, at: datetime
) -> dict[str, Any]:
    """A task in a list; `names` are those of colleagues, by department and account."""
    return {
        "id": row.id,
        "version": row.version,
        "etag": etag(Tagged.TASK, row.id, row.version),
        "state": row.status,
        "kind": row.kind,
        "stage": row.stage_key,
        "stage_title": definition.flow.by_key[row.stage_key].title,
        "item": row.item_id,
        "item_number": row.item_number,
        "offering": row.offering_code,
        "title": definition.title,
        "department": row.department,
        "role": row.role,
        "assignee": row.assignee,
        "assignee_name": names.get((row.department, row.assignee)),
        "mine": row.assignee == account,
        "opened_at": row.opened_at,
        "due_at": row.due_at,
        "light": _task_light(row, at),
        "verdict": row.verdict,
    }


def _task_light(row: TaskRow, at: datetime) -> Light | None:
    if row.status not in ACTIVE:
        return None
    return light(at, warn_at=row.warn_at, due_at=row.due_at)


def task_detail(
    session: Session,
    task: Task,
    sections: Sequence[TicketSection],
    facts: Sequence[KnownFact],
    documents: Sequence[KnownMaterial],
    history: History,
    names: Names,
    definition: OfferingDefinition,
) -> dict[str, Any]:
    """What a task holds beyond its line in the list: what its stage may read, and no more.

    `facts` and `documents`: those that the stage may read.
    """
    stage = definition.flow.by_key[task.stage_key]
    return {
        "may": sorted(stage.may, key=list(Verdict).index),
        "records": stage.records,
        "passing": PASSING[stage.kind],
        "sections": {
            section.section: seen
            for section in sections
            if (seen := stage.sees.visible(section.section, _answers(session, section)))
        },
        "facts": [_fact(fact) for fact in facts],
        "materials": [_document(one) for one in documents],
        "history": [_verdict(row, definition, names) for row in history.verdicts],
        "corrections": [_asked(session, row, stage) for row in history.corrections],
        "opinion": opened_text(session, Task.opinion, task),
        "result": opened_json(session, Task.result, task, otherwise=None),
    }


def _answers(session: Session, section: TicketSection) -> dict[str, Any]:
    answers: dict[str, Any] = opened_json(session, TicketSection.content, section, otherwise={})
    return answers


def applicant_shape(one: Applicant) -> dict[str, Any]:
    """Whom an item is for, the number masked."""
    return {"name": one.name, "id_type": one.id_type, "id_number": one.id_number_masked}


def subject_shape(member: FamilyMember | None, sees: Sees) -> dict[str, Any] | None:
    """The member of the family that an item is about: what the stage names, nothing else."""
    if member is None:
        return None
    parts: Mapping[SubjectPart, Mapping[str, Any]] = {
        SubjectPart.NAME: {"name": member.name},
        SubjectPart.ID_NUMBER: {"id_type": member.id_type, "id_number": member.id_number_masked},
        SubjectPart.BIRTH_DATE: {"birth_date": member.birth_date},
        SubjectPart.KINSHIP: {"kinship": member.kinship},
    }
    return {
        name: value
        for part, told in parts.items()
        if sees.shows_of_subject(part)
        for name, value in told.items()
    }


def _verdict(
    row: Row[*tuple[Any, ...]], definition: OfferingDefinition, names: Names
) -> dict[str, Any]:
    """What a stage said, as the applicant is told it too; who said it, among colleagues."""
    return {
        "stage": row.stage_key,
        "stage_title": definition.flow.by_key[row.stage_key].title,
        "round": row.round,
        "department": row.department,
        "role": row.role,
        "verdict": row.verdict,
        "deemed": row.deemed,
        "decided_at": row.closed_at,
        "decided_by": None if row.deemed else names.get((row.department, row.assignee)),
    }


def _asked(session: Session, row: Row[*tuple[Any, ...]], stage: Stage) -> dict[str, Any]:
    told = correction_shape(session, row.Correction)
    own = row.stage_key == stage.key
    points = [one for one in told["points"] if readable(Point(**one), stage.sees, own=own)]
    return {**told, "department": row.department, "points": points}


def _fact(fact: KnownFact) -> dict[str, Any]:
    return {
        "id": fact.id,
        "kind": fact.kind,
        "value": fact.value,
        "issuer": fact.issuer,
        "valid_from": fact.valid_from,
        "valid_to": fact.valid_to,
    }


def _document(material: KnownMaterial) -> dict[str, Any]:
    return {
        "id": material.id,
        "code": material.code,
        "name": material.name,
        "media_type": material.media_type,
        "size": material.size,
        "erased": material.erased_at is not None,
    }
