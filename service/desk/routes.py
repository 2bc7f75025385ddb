"""What a clerk's desk asks of tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from flask import Response

from service.calendars.queries import calendar_at_sign_in
from service.catalogue.queries.definitions import offering_definition
from service.catalogue.queries.form import FiledFormView, filed_form
from service.catalogue.schemas import FiledForm
from service.desk.actions import assign, claim, decide, take
from service.desk.queries.counts import task_counts_for
from service.desk.queries.documents import document_seen, documents_seen
from service.desk.queries.histories import history_of, item_timeline_for
from service.desk.queries.listing import TaskFilter, items_numbered, tasks_for
from service.desk.queries.tasks import TaskRow, facts_seen, people_seen, task_for
from service.desk.queries.views import (
    DecidedTask,
    Names,
    OfferingCount,
    TaskCountsView,
    TaskDetail,
    TaskLine,
    TaskRows,
    task_detail,
    task_line,
)
from service.desk.schemas import (
    AssignmentIn,
    DecidedOut,
    DecisionIn,
    NextIn,
    TaskCountsOut,
    TaskDetailOut,
    TaskOut,
    TaskPageOut,
    TaskQuery,
    TeamOut,
)
from service.identity.staff.queries import TeamMember, staff_names, team_of
from service.kernel import audit, clock, http, person_keys, storage
from service.kernel.etags import etag
from service.kernel.http.examples import recorded
from service.kernel.permissions import Permission
from service.kernel.sealed import load_keys
from service.kernel.views import Listing, PageOf
from service.materials.queries import open_material
from service.materials.rules import MediaType
from service.routing.flow import Verdict
from service.tickets.queries.rows import sections_of
from service.tickets.queries.timeline import TimelineLine, timeline_view
from service.tickets.rules.corrections import Point
from service.tickets.rules.reasons import Reason
from service.tickets.rules.states import ACTIVE, Light, Tagged, TaskStatus
from service.tickets.schemas import TimelineOut

_CONTENT: Final = {
    200: {
        "description": "The content, to be kept as a file: of one of these types.",
        "content": {media_type.value: {} for media_type in MediaType},
    }
}

blp = http.Blueprint(
    "desk", __name__, url_prefix="/v1/desk", description="Work of a department's staff."
)


@blp.get(
    "/tasks",
    allow=Permission.TASK_READ,
    audiences=("desk",),
    problems={422: ["cursor_invalid", "search_too_broad"]},
)
@blp.arguments(TaskQuery, location="query")
@blp.response(200, TaskPageOut, example=recorded("task_page"))
def list_tasks(asked: dict[str, Any]) -> PageOf[TaskLine]:
    """List the tasks of my departments by due time; without `state`, those still to be done."""
    session, actor, at = http.session(), http.actor(), clock.now()
    limit, after = asked.pop("limit"), asked.pop("after")
    filters = {"list": "tasks", **asked}
    page = http.Page(limit, after, account=actor.account, filters=filters)
    wanted, behind = _filter(**asked, at=at), page.behind_moment
    found = tasks_for(session, actor, wanted, behind=behind, limit=limit)
    names = _names(found[:limit])
    _load_keys(found[:limit])
    return page.answer(found, lambda row: _line(row, names, at), lambda row: [row.due_at, row.id])


@blp.get("/counts", allow=Permission.TASK_READ, audiences=("desk",))
@blp.response(200, TaskCountsOut, example=recorded("task_counts"))
def get_task_counts() -> TaskCountsView:
    """Count what is still to be done in my departments: exactly, or up to a bound."""
    found = task_counts_for(http.session(), http.actor(), at=clock.now())
    return TaskCountsView(
        state=found.states,
        light=found.lights,
        offering=[OfferingCount(code, count) for code, count in found.offerings.items()],
        mine=found.mine,
    )


@blp.get("/colleagues", allow=Permission.TASK_ASSIGN, audiences=("desk",))
@blp.response(200, TeamOut, example=recorded("team"))
def list_colleagues() -> Listing[TeamMember]:
    """List who works today in the departments that I head, by department and name."""
    session, actor = http.session(), http.actor()
    headed = actor.departments_with(Permission.TASK_ASSIGN)
    return Listing(team_of(session, actor, headed, on=actor.local_date(clock.now())))


@blp.get("/tasks/<uuid:task_id>", allow=Permission.TASK_READ, audiences=("desk",))
@blp.response(200, TaskDetailOut, example=recorded("task_detail"))
def get_task(task_id: UUID) -> TaskDetail:
    """Show a task of my departments with what its stage may see."""
    session, actor, at = http.session(), http.actor(), clock.now()
    found = task_for(session, actor, task_id)
    definition = offering_definition(session, actor.district, found.item.offering_version_id)
    person_keys.load(session, [found.item.person_id, found.item.subject_id])
    sections = sections_of(session, found.item)
    facts = facts_seen(session, actor, found, definition, at)
    documents = documents_seen(session, actor, found, definition)
    history = history_of(session, found.task)
    names = _names([found.row, *(row.Task for row in history.verdicts)])
    people = people_seen(session, found, definition)
    rows = TaskRows(found, sections, facts, documents, history, *people)
    return task_detail(session, _line(found.row, names, at), rows, names, definition, at)


@blp.get("/tasks/<uuid:task_id>/form", allow=Permission.TASK_READ, audiences=("desk",))
@blp.response(200, FiledForm, example=recorded("task_form"))
def get_task_form(task_id: UUID) -> FiledFormView:
    """Show the form under which a task's item was filed, as far as its stage may read it."""
    session, actor = http.session(), http.actor()
    found = task_for(session, actor, task_id)
    definition = offering_definition(session, actor.district, found.item.offering_version_id)
    return filed_form(definition, definition.flow.by_key[found.task.stage_key].sees)


@blp.get(
    "/tasks/<uuid:task_id>/materials/<uuid:material_id>/content",
    allow=Permission.TASK_READ,
    audiences=("desk",),
)
@blp.doc(responses=_CONTENT)
def get_task_material(task_id: UUID, material_id: UUID) -> Response:
    """Download a document that my task's stage may read; who looked is kept."""
    session, actor = http.session(), http.actor()
    found = task_for(session, actor, task_id)
    definition = offering_definition(session, actor.district, found.item.offering_version_id)
    material = document_seen(session, actor, found, definition, material_id)
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


@blp.get("/items/<uuid:item_id>/timeline", allow=Permission.TASK_READ, audiences=("desk",))
@blp.response(200, TimelineOut, example=recorded("item_timeline"))
def get_item_timeline(item_id: UUID) -> Listing[TimelineLine]:
    """Tell what the applicant is told of an item that my departments have or had a task of."""
    ticket_id, events = item_timeline_for(http.session(), http.actor(), item_id)
    return timeline_view(http.session(), http.actor(), ticket_id, events, reasons=False)


@blp.post(
    "/tasks/next",
    allow=Permission.TASK_CLAIM,
    audiences=("desk",),
    problems={404: ["no_task_left"]},
)
@blp.arguments(NextIn, as_kwargs=True, required=False, example={"offering": "settlement"})
@blp.response(200, TaskOut, example=recorded("task"))
def take_next_task(offering: str | None) -> TaskLine:
    """Claim what is due first of all the open tasks that I may take."""
    at = clock.now()
    return _mine(take.take_next_task(http.session(), http.actor(), offering=offering, at=at), at)


@blp.post(
    "/tasks/<uuid:task_id>/claim",
    allow=Permission.TASK_CLAIM,
    audiences=("desk",),
    problems={
        403: ["role_missing", "own_case", "four_eyes"],
        409: ["task_already_claimed", "task_closed"],
    },
)
@blp.response(200, TaskOut, example=recorded("task"))
def claim_task(task_id: UUID) -> TaskLine:
    """Claim an open task; who holds it already is answered with it as it is."""
    at = clock.now()
    return _mine(claim.claim_task(http.session(), http.actor(), task_id=task_id, at=at), at)


@blp.post(
    "/tasks/<uuid:task_id>/release",
    allow=Permission.TASK_CLAIM,
    audiences=("desk",),
    problems={409: ["task_not_claimed", "task_not_mine", "task_closed"]},
)
@blp.response(200, TaskOut, example=recorded("task"))
def release_task(task_id: UUID) -> TaskLine:
    """Put a claimed task back into the pool."""
    at = clock.now()
    row = claim.release_task(http.session(), http.actor(), task_id=task_id, at=at)
    _load_keys([row])
    return _line(row, {}, at)


@blp.post(
    "/tasks/<uuid:task_id>/assignment",
    allow=Permission.TASK_ASSIGN,
    audiences=("desk",),
    versioned=True,
    problems={
        403: ["role_missing", "own_case"],
        409: ["task_closed", "already_assigned"],
        422: ["assignee_unfit", "assignee_excluded"],
    },
)
@blp.arguments(AssignmentIn, as_kwargs=True, example=recorded("assignment"))
@blp.response(200, TaskOut, example=recorded("task"))
def assign_task(task_id: UUID, account: UUID) -> TaskLine:
    """Give a task of the department I head to a colleague, whoever holds it now."""
    at = clock.now()
    row, colleague = assign.assign_task(
        http.session(),
        http.actor(),
        task_id=task_id,
        version=http.if_match(Tagged.TASK, task_id),
        account=account,
        at=at,
    )
    _load_keys([row])
    return _line(row, {(row.department, account): colleague.name}, at)


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
        422: ["verdict_not_allowed", "reason_missing", "result_missing", "corrections_missing"],
    },
)
@blp.arguments(DecisionIn, as_kwargs=True, example=recorded("decision"))
@blp.response(200, DecidedOut, example=recorded("decided"))
def decide_task(
    task_id: UUID,
    verdict: Verdict,
    opinion: str,
    result: Mapping[str, Any] | None,
    reason: Reason | None,
    corrections: list[Point],
) -> DecidedTask:
    """Give the verdict on a claimed task."""
    held = decide.decide_task(
        http.session(),
        http.actor(),
        task_id=task_id,
        version=http.if_match(Tagged.TASK, task_id),
        verdict=verdict,
        opinion=opinion,
        result=result,
        reason=reason,
        points=corrections,
        at=clock.now(),
    )
    return DecidedTask(
        id=held.task.id,
        version=held.task.version,
        etag=etag(Tagged.TASK, held.task.id, held.task.version),
        state=held.task.status,
        verdict=verdict,
        item=held.item.id,
        item_number=held.item.number,
        phase=held.item.phase,
        outcome=held.item.outcome,
    )


def _filter(
    *,
    state: TaskStatus | None,
    offering: str | None,
    stage: str | None,
    light: Light | None,
    assignee: str | None,
    due_before: date | datetime | None,
    q: str | None,
    takable: bool,
    at: datetime,
) -> TaskFilter:
    session, actor = http.session(), http.actor()
    if due_before is not None and not isinstance(due_before, datetime):
        due_before = calendar_at_sign_in(session, actor).begins(due_before)
    return TaskFilter(
        statuses=ACTIVE if state is None else (state,),
        offering=offering,
        stage=stage,
        lit=None if light is None else (light, at),
        assignee=_assignee(assignee, actor.account),
        unassigned=assignee == "none",
        due_before=due_before,
        items=None if q is None else items_numbered(session, actor, q),
        takable=takable,
    )


def _names(rows: Iterable[Any]) -> Names:
    """What those who hold or held these tasks are called, among colleagues."""
    holders = {(row.department, row.assignee) for row in rows if row.assignee is not None}
    return staff_names(http.session(), http.actor(), holders)


def _load_keys(rows: Sequence[Any]) -> None:
    """Have the keys at hand under which the names in these rows are sealed; one statement."""
    load_keys(
        http.session(), [one for row in rows for one in (row.filed_applicant, row.filed_subject)]
    )


def _mine(row: TaskRow, at: datetime) -> TaskLine:
    """A task that the actor has just taken."""
    actor = http.actor()
    _load_keys([row])
    return _line(row, {(row.department, actor.account): actor.display_name}, at)


def _line(row: TaskRow, names: Names, at: datetime) -> TaskLine:
    session, actor = http.session(), http.actor()
    definition = offering_definition(session, actor.district, row.offering_version_id)
    return task_line(session, row, definition, actor.account, names, at)


def _assignee(asked: str | None, account: UUID) -> UUID | None:
    if asked is None or asked == "none":
        return None
    return account if asked == "me" else UUID(asked)
