"""Taking a task, and giving it back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Text,
    Update,
    Uuid,
    all_,
    any_,
    bindparam,
    case,
    null,
    update,
)
from sqlalchemy.orm import Session

from service.desk.queries.tasks import (
    IN_LIST,
    OF_ITEM,
    OF_TICKET,
    LockedTask,
    TaskRow,
    locked_task_for,
    task_for,
)
from service.identity.people.queries import is_own_case
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import prepared
from service.kernel.errors import Conflict, Forbidden
from service.kernel.permissions import Role, role_title
from service.routing.flow import StageKind
from service.tickets.models.stages import Task
from service.tickets.rules.states import TaskAct, TaskStatus, TicketEvent, acted
from service.tickets.visibility import Seen, asking, visible

_NOTICE: Final = Task.kind == StageKind.PUBLICITY
POOLED: Final[Mapping[str, Any]] = {
    "status": TaskStatus.OPEN,
    "assignee": None,
    "claimed_at": None,
    "next_alarm_at": case((_NOTICE, Task.due_at), else_=Task.next_alarm_at),
}
"""What a task's row says in the pool: a notice ends by itself again."""


def claim_task(session: Session, actor: Actor, *, task_id: UUID, at: datetime) -> TaskRow:
    """Take an open task: of fifty who try, one gets it.

    Who holds it already is shown it as it is: nothing changes, and nothing happened. One
    conditional UPDATE of the task's row; the ticket is not locked. Raises `NotFound`, `Forbidden`
    (another role's task, a case of one's own, or four eyes are asked for and the actor's were two
    of them), or `Conflict`: `task_already_claimed`, `task_closed`.
    """
    row = _CLAIM.by(actor).one_or_none(
        session,
        **asking(actor),
        task=task_id,
        roles=_roles(actor),
        holder=actor.account,
        at=at,
    )
    if row is None:
        return _held(session, actor, task_id)
    own = is_own_case(actor, row.person_id, row.subject_id)
    require_right_to_work(actor, row.department, row.role, own=own)
    tell(session, actor, TicketEvent.TASK_CLAIMED, row, at)
    return row


def release_task(session: Session, actor: Actor, *, task_id: UUID, at: datetime) -> TaskRow:
    """Put one's task back into the pool.

    Raises `NotFound` or `Conflict`: `task_not_claimed`, `task_not_mine`, `task_closed`.
    """
    locked = locked_task_for(session, actor, task_id)
    mine = locked.task.assignee == actor.account
    acted(locked.task.status, TaskAct.RELEASE, mine=mine)
    row = changed_locked_task(session, locked, POOLED)
    tell(session, actor, TicketEvent.TASK_RELEASED, row, at)
    return row


def require_right_to_work(actor: Actor, department: str, role: str, *, own: bool) -> None:
    """Raise `Forbidden` unless the actor has the role there and the case is not their own."""
    if not actor.holds(department, Role(role)):
        raise Forbidden("role_missing", role=role, title=role_title(role))
    if own:
        raise Forbidden("own_case")


def _held(session: Session, actor: Actor, task_id: UUID) -> TaskRow:
    """The task where the actor holds it; raises why it could not be taken otherwise."""
    found = task_for(session, actor, task_id)
    task = found.task
    require_right_to_work(actor, task.department, task.role, own=found.own_case)
    mine = task.assignee == actor.account
    acted(task.status, TaskAct.CLAIM, mine=mine)
    if mine:
        return found.row
    if actor.account in task.barred:
        raise Forbidden("four_eyes")
    raise Conflict("task_already_claimed")


def _roles(actor: Actor) -> list[str]:
    return sorted({role.value for post in actor.posts for role in post.roles})


def held_by(account: Any, at: Any) -> dict[str, Any]:
    """What a task's row says once somebody holds it: a notice does not end by itself meanwhile."""
    return {
        "status": TaskStatus.CLAIMED,
        "assignee": account,
        "claimed_at": at,
        "next_alarm_at": case((_NOTICE, null()), else_=Task.next_alarm_at),
    }


def changing(values: Mapping[str, Any], *found: ColumnElement[bool]) -> Update:
    """The UPDATE of the task that is found, which returns its row as lists show it."""
    return (
        update(Task)
        .where(*found, OF_ITEM, OF_TICKET)
        .values(**values, version=Task.version + 1)
        .returning(*IN_LIST)
        .execution_options(synchronize_session=False)
    )


HOLDER: Final = bindparam("holder", type_=Uuid())
TAKEN: Final = held_by(HOLDER, bindparam("at", type_=DateTime(timezone=True)))
"""`held_by` of the values `holder` and `at`."""
_CLAIM: Final = Seen(
    lambda who: prepared(
        changing(
            TAKEN,
            visible(who, Task),
            Task.id == bindparam("task"),
            Task.status == TaskStatus.OPEN,
            Task.role == any_(bindparam("roles", type_=ARRAY(Text()))),
            all_(Task.barred) != HOLDER,
        ),
        TaskRow,
    )
)


def changed_task(
    session: Session, values: Mapping[str, Any], *found: ColumnElement[bool]
) -> TaskRow | None:
    """Change the task that is found in one UPDATE; its row as lists show it, None if none is."""
    row = session.execute(changing(values, *found)).one_or_none()
    return None if row is None else TaskRow._make(row)


def changed_locked_task(session: Session, locked: LockedTask, values: Mapping[str, Any]) -> TaskRow:
    """Change a task that is locked; its row as `changed_task` returns it."""
    district, task_id = locked.task.district_id, locked.task.id
    row = changed_task(session, values, Task.district_id == district, Task.id == task_id)
    if row is None:
        raise LookupError("a locked task is there")
    return row


def tell(
    session: Session,
    actor: Actor,
    kind: TicketEvent,
    row: TaskRow,
    at: datetime,
    **more: str,
) -> None:
    """Emit an event of a task that no ticket replays."""
    events.emit(
        session,
        kind,
        actor=actor,
        at=at,
        ticket_id=row.ticket_id,
        item_id=row.item_id,
        task_id=row.id,
        person_id=row.person_id,
        data={"department": row.department, **more},
    )
