"""What a clerk's desk asks of tasks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask import Response

from service.catalogue.queries import offering_definition
from service.identity.queries import Applicant, applicant_of
from service.kernel import audit, clock, http, storage
from service.kernel.permissions import Permission
from service.materials.queries import open_material
from service.materials.rules import MediaType
from service.routing import Verdict
from service.tickets import actions
from service.tickets.queries import desk, documents, shapes
from service.tickets.rules import ACTIVE, Point, TaskStatus
from service.tickets.schemas import (
    DecidedOut,
    DecisionIn,
    TaskDetailOut,
    TaskOut,
    TaskPageOut,
    TaskQuery,
    examples,
)

_CONTENT: Final = {
    200: {
        "description": "The content, to be kept as a file: of one of these types.",
        "content": {media_type.value: {} for media_type in MediaType},
    }
}

blp = http.Blueprint(
    "desk", __name__, url_prefix="/v1/desk", description="Work of a department's staff."
)


@blp.get("/tasks", allow=Permission.TASK_READ, audiences=("desk",))
@blp.arguments(TaskQuery, location="query", as_kwargs=True)
@blp.response(200, TaskPageOut, example=examples.TASK_PAGE)
def list_tasks(
    limit: int,
    after: str | None,
    state: TaskStatus | None,
    offering: str | None,
    assignee: str | None,
) -> dict[str, Any]:
    """List the tasks of my departments by due time; without `state`, those still to be done."""
    session, actor, at = http.session(), http.actor(), clock.now()
    filters = {"list": "tasks", "state": state, "offering": offering, "assignee": assignee}
    page = http.Page(limit, after, account=actor.account, filters=filters)
    found = desk.tasks_for(
        session,
        actor,
        desk.TaskFilter(
            statuses=ACTIVE if state is None else (state,),
            offering=offering,
            assignee=_assignee(assignee, actor.account),
            unassigned=assignee == "none",
        ),
        behind=_behind(page),
        limit=limit,
    )
    return page.answer(found, lambda row: _summary(row, at), lambda row: [row.due_at, row.id])


@blp.get("/tasks/<uuid:task_id>", allow=Permission.TASK_READ, audiences=("desk",))
@blp.response(200, TaskDetailOut, example=examples.TASK_DETAIL)
def get_task(task_id: UUID) -> dict[str, Any]:
    """Show a task of my departments with what its stage may see."""
    session, actor = http.session(), http.actor()
    found = desk.task_for(session, actor, task_id)
    definition = offering_definition(session, actor.district, found.item.offering_version_id)
    sections, at = desk.sections_of(session, found.item), clock.now()
    facts = desk.facts_seen(session, actor, found, definition, at)
    seen = documents.documents_seen(session, actor, found, definition)
    return {
        **_summary(found.row, at),
        **shapes.task_detail(found.task, found.stage_key, sections, facts, seen, definition),
        "ticket_number": found.ticket_number,
        "applicant": _masked(applicant_of(session, found.item.person_id)),
    }


@blp.get(
    "/tasks/<uuid:task_id>/materials/<uuid:material_id>/content",
    allow=Permission.TASK_READ,
    audiences=("desk",),
)
@blp.doc(responses=_CONTENT)
def get_task_material(task_id: UUID, material_id: UUID) -> Response:
    """Download a document that my task's stage may read; who looked is kept."""
    session, actor = http.session(), http.actor()
    found = desk.task_for(session, actor, task_id)
    definition = offering_definition(session, actor.district, found.item.offering_version_id)
    material = documents.document_seen(session, actor, found, definition, material_id)
    audit.record(
        session,
        "material.read",
        actor=actor,
        at=clock.now(),
        subject=material.id,
        data={"task": str(task_id), "code": material.code},
    )
    http.finish()
    return http.attachment(
        open_material(storage.in_use(), material),
        name=material.name,
        media_type=material.media_type,
        size=material.size,
    )


@blp.post(
    "/tasks/<uuid:task_id>/claim",
    allow=Permission.TASK_CLAIM,
    audiences=("desk",),
    problems={
        403: ["role_missing", "own_case", "four_eyes"],
        409: ["task_already_claimed", "task_closed"],
    },
)
@blp.response(200, TaskOut, example=examples.TASK)
def claim_task(task_id: UUID) -> dict[str, Any]:
    """Claim an open task."""
    at = clock.now()
    return _summary(actions.claim_task(http.session(), http.actor(), task_id=task_id, at=at), at)


@blp.post(
    "/tasks/<uuid:task_id>/release",
    allow=Permission.TASK_CLAIM,
    audiences=("desk",),
    problems={409: ["task_not_claimed", "task_not_mine", "task_closed"]},
)
@blp.response(200, TaskOut, example=examples.TASK)
def release_task(task_id: UUID) -> dict[str, Any]:
    """Put a claimed task back into the pool."""
    at = clock.now()
    return _summary(actions.release_task(http.session(), http.actor(), task_id=task_id, at=at), at)


@blp.post(
    "/tasks/<uuid:task_id>/decision",
    allow=Permission.TASK_DECIDE,
    audiences=("desk",),
    versioned=True,
    problems={
        403: ["role_missing", "own_case"],
        409: [
            "task_not_claimed",
            "task_not_mine",
            "task_closed",
            "acceptance_deemed",
            "notice_running",
            "returned_already",
        ],
        422: ["verdict_not_allowed", "result_missing", "corrections_missing"],
    },
)
@blp.arguments(DecisionIn, as_kwargs=True, example=examples.DECISION)
@blp.response(200, DecidedOut, example=examples.DECIDED)
def decide_task(
    task_id: UUID,
    verdict: Verdict,
    opinion: str,
    result: Mapping[str, Any] | None,
    corrections: list[Point],
) -> dict[str, Any]:
    """Give the verdict on a claimed task."""
    held = actions.decide_task(
        http.session(),
        http.actor(),
        task_id=task_id,
        version=http.if_match(),
        verdict=verdict,
        opinion=opinion,
        result=result,
        points=corrections,
        at=clock.now(),
    )
    return {
        "id": held.task.id,
        "version": held.task.version,
        "state": held.task.status,
        "verdict": verdict,
        "item": held.item.id,
        "item_number": held.item.number,
        "phase": held.item.phase,
        "outcome": held.item.outcome,
    }


def _masked(applicant: Applicant) -> dict[str, Any]:
    return {
        "name": applicant.name,
        "id_type": applicant.id_type,
        "id_number": applicant.id_number_masked,
    }


def _summary(row: desk.TaskRow, at: datetime) -> dict[str, Any]:
    session, actor = http.session(), http.actor()
    definition = offering_definition(session, actor.district, row.offering_version_id)
    return shapes.task_summary(row, definition, actor.account, at)


def _assignee(asked: str | None, account: UUID) -> UUID | None:
    if asked is None or asked == "none":
        return None
    return account if asked == "me" else UUID(asked)


def _behind(page: http.Page) -> tuple[datetime, UUID] | None:
    if page.position is None:
        return None
    due_at, task_id = page.position
    return datetime.fromisoformat(due_at), UUID(task_id)
