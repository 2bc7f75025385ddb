"""Giving a task to a colleague."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service.desk.actions.claim import changed_held_task, held_by, tell
from service.desk.queries.tasks import Held, TaskRow, held_task_for
from service.identity.staff.queries import Colleague, colleague_with
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, FieldError, Forbidden, Invalid, Stale
from service.kernel.permissions import Permission, Role
from service.tickets.rules.states import Happening, TaskAct, acted


def assign_task(
    session: Session, actor: Actor, *, task_id: UUID, version: int, account: UUID, at: datetime
) -> tuple[TaskRow, Colleague]:
    """Give a task to a colleague, whoever holds it now.

    Raises `NotFound`; `Conflict`: `task_closed`, `already_assigned`; `Stale`; `Forbidden`: who does
    not head the department (`role_missing`), or a case of one's own (`own_case`); `Invalid`: who
    does not hold the task's role there today (`assignee_unfit`), or may not work on this case
    (`assignee_excluded`, which does not tell why: it may be a matter of family).
    """
    held = held_task_for(session, actor, task_id)
    acted(held.task.status, TaskAct.ASSIGN, mine=False)
    if held.task.version != version:
        raise Stale
    if held.task.department not in actor.departments_with(Permission.TASK_ASSIGN):
        raise Forbidden("role_missing", role=Role.HEAD)
    if held.own_case:
        raise Forbidden("own_case")
    if held.task.assignee == account:
        raise Conflict("already_assigned")
    colleague = _chosen(session, actor, held, account, at)
    row = changed_held_task(session, held, held_by(account, at))
    tell(session, actor, Happening.TASK_ASSIGNED, row, at, account=str(account))
    return row, colleague


def _chosen(session: Session, actor: Actor, held: Held, account: UUID, at: datetime) -> Colleague:
    colleague = colleague_with(
        session,
        actor,
        account,
        department=held.task.department,
        role=held.task.role,
        person_id=held.item.person_id,
        at=at,
    )
    if colleague is None:
        raise Invalid(errors=[FieldError("account", "assignee_unfit")])
    if colleague.own_case or account in held.task.barred:
        raise Invalid(errors=[FieldError("account", "assignee_excluded")])
    return colleague
