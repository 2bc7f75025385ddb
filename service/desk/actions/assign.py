"""Giving a task to a colleague."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from service.desk.actions.claim import changed_locked_task, held_by, tell
from service.desk.queries.tasks import LockedTask, TaskRow, locked_task_for
from service.identity.staff.queries import Colleague, colleague_with
from service.kernel.actor import Actor
from service.kernel.errors import Conflict, FieldError, Forbidden, Invalid, Stale
from service.kernel.permissions import Permission, Role, role_title
from service.tickets.rules.states import TaskAct, TicketEvent, acted


def assign_task(
    session: Session, actor: Actor, *, task_id: UUID, version: int, account: UUID, at: datetime
) -> tuple[TaskRow, Colleague]:
    """Give a task to a colleague, whoever holds it now.

    Raises `NotFound`; `Conflict`: `task_closed`, `already_assigned`; `Stale`; `Forbidden`: who does
    not head the department (`role_missing`), or a case of one's own (`own_case`); `Invalid`: who
    does not hold the task's role there today (`assignee_unfit`), or may not work on this case
    (`assignee_excluded`, which does not tell why: it may be a matter of family).
    """
    locked = locked_task_for(session, actor, task_id)
    acted(locked.task.status, TaskAct.ASSIGN, mine=False)
    if locked.task.version != version:
        raise Stale
    if locked.task.department not in actor.departments_with(Permission.TASK_ASSIGN):
        raise Forbidden("role_missing", role=Role.HEAD, title=role_title(Role.HEAD))
    if locked.own_case:
        raise Forbidden("own_case")
    if locked.task.assignee == account:
        raise Conflict("already_assigned")
    colleague = _chosen(session, actor, locked, account, at)
    row = changed_locked_task(session, locked, held_by(account, at))
    tell(session, actor, TicketEvent.TASK_ASSIGNED, row, at, account=str(account))
    return row, colleague


def _chosen(
    session: Session, actor: Actor, locked: LockedTask, account: UUID, at: datetime
) -> Colleague:
    colleague = colleague_with(
        session,
        actor,
        account,
        department=locked.task.department,
        role=locked.task.role,
        people=[locked.item.person_id, locked.item.subject_id],
        on=actor.local_date(at),
    )
    if colleague is None:
        raise Invalid(errors=[FieldError("account", "assignee_unfit")])
    if colleague.own_case or account in locked.task.barred:
        raise Invalid(errors=[FieldError("account", "assignee_excluded")])
    return colleague
