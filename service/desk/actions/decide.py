"""Deciding a claimed task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.desk.actions.claim import require_right_to_work
from service.desk.queries.tasks import LockedTask, locked_task_for
from service.kernel import person_keys
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, FieldError, Invalid, Stale
from service.kernel.sealed import seal, seal_json
from service.routing.events import TaskDecided
from service.routing.flow import PASSING, Stage, StageKind, Verdict
from service.tickets import corrections
from service.tickets.acts import Act, Decided, act_on
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.queries.cases import person_of, stage_of
from service.tickets.rules.corrections import Point, point_faults
from service.tickets.rules.reasons import Reason, reason_faults
from service.tickets.rules.states import (
    TaskAct,
    TaskStatus,
    accepted_from,
    acted,
    cut_short,
    decided_kind,
)


def decide_task(
    session: Session,
    actor: Actor,
    *,
    task_id: UUID,
    version: int,
    verdict: Verdict,
    opinion: str,
    result: Mapping[str, Any] | None,
    reason: Reason | None = None,
    points: Sequence[Point] = (),
    at: datetime,
) -> LockedTask:
    """Give the verdict on a task the actor has claimed; opens what follows, ends what ends.

    `opinion` is for departments, `reason` for the applicant: what refuses or returns has one, and
    nothing else (行政许可法 art. 32, 38). `points` is what a return asks the applicant to correct.
    Raises `NotFound`, `Conflict`
    (`task_not_claimed`, `task_not_mine`, `task_closed`, `acceptance_deemed` for a refusal that
    comes after the time to accept, `notice_running` for a notice period that nobody may cut
    short, `returned_already`), `Stale`, `Forbidden`, or `Invalid` for a verdict the stage does
    not allow, a result that is missing, not asked for, or not of the stage's form, or a reason or
    points that do not fit. That the task is no longer theirs says more to the actor than a stale
    version, so it comes first.
    """
    locked = locked_task_for(session, actor, task_id)
    task, item = locked.task, locked.item
    after = acted(task.status, TaskAct.DECIDE, mine=task.assignee == actor.account)
    if task.version != version:
        raise Stale
    require_right_to_work(actor, task.department, task.role, own=locked.own_case)
    with act_on(session, actor, locked.ticket, at=at) as act:
        key, round_ = stage_of(act.stages(item), task)
        definition = act.definition(item)
        _check(definition, definition.flow.by_key[key], verdict, result)
        returns = verdict is Verdict.RETURN
        faults = reason_faults(definition, verdict, reason)
        if faults := [*faults, *point_faults(definition, points, asked=returns)]:
            raise Invalid(errors=faults)
        if returns and act.state(item).returns(key):
            raise Conflict("returned_already")
        if cut_short(task.kind, verdict, due_at=task.due_at, at=at):
            raise Conflict("notice_running")
        accepted_at = _accepted_at(locked, verdict, at)
        person_keys.hold(session, [item.person_id, item.subject_id])
        said = _Said(verdict, opinion, reason, result)
        _close(session, task, person_of(item), after, said, at)
        if returns:
            due_at = corrections.answer_by(act.calendar, at)
            corrections.keep(session, item, task, points, due_at=due_at, at=at)
        # Who shares the stage speaks first, as long as it has time; the applicant is asked once.
        gathers = returns and at <= task.due_at and _others_speak(act, item, key, round_)
        act.apply(
            item,
            TaskDecided(key, round_, task.department, verdict, gathers),
            decided_kind(task.kind, verdict),
            decided=Decided(task, result, accepted_at),
            about={"stage": key, "department": task.department},
        )
    return locked


def _others_speak(act: Act, item: Item, key: str, round_: int) -> bool:
    """Whether another department of the stage still has to say something."""
    stages = act.state(item).open_stages
    return any((one.key, one.round) == (key, round_) and len(one.open_parts) > 1 for one in stages)


@dataclass(frozen=True, slots=True, repr=False)
class _Said:
    verdict: Verdict
    opinion: str
    reason: Reason | None
    result: Mapping[str, Any] | None


def _close(
    session: Session, task: Task, applicant: UUID, status: TaskStatus, said: _Said, at: datetime
) -> None:
    task.status, task.verdict, task.closed_at = status, said.verdict, at
    task.next_alarm_at = None
    task.opinion = seal(session, Task.opinion, said.opinion, row=task.id, of=applicant)
    if said.reason is not None:
        kept = said.reason.plain()
        task.reason = seal_json(session, Task.reason, kept, row=task.id, of=applicant)
    if said.result is not None:
        task.result = seal_json(session, Task.result, said.result, row=task.id, of=applicant)


def _accepted_at(locked: LockedTask, verdict: Verdict, at: datetime) -> datetime:
    """The moment from which the promise counts, should the task be the acceptance."""
    if locked.task.kind is not StageKind.ACCEPTANCE:
        return at
    received_at, due_at = locked.item.received_at, locked.task.due_at
    return accepted_from(verdict, received_at=received_at, due_at=due_at, at=at)


def _check(
    definition: OfferingDefinition,
    stage: Stage,
    verdict: Verdict,
    result: Mapping[str, Any] | None,
) -> None:
    if verdict not in stage.may:
        raise Invalid(errors=[FieldError("verdict", "verdict_not_allowed")])
    asked = stage.records is not None and verdict is PASSING[stage.kind]
    if asked and result is None:
        raise Invalid(errors=[FieldError("result", "result_missing")])
    if result is None:
        return
    if not asked:
        raise Invalid(errors=[FieldError("result", "result_not_expected")])
    faults = definition.result_faults(stage.key, result)
    if faults:
        raise Invalid(errors=faults)
