"""Being handed what is due first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Select,
    Text,
    Uuid,
    bindparam,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from service.desk.actions.claim import HOLDER, TAKEN, changing, tell
from service.desk.queries.listing import may_be_taken
from service.desk.queries.tasks import TaskRow
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Prepared, for_change, prepared
from service.kernel.errors import NotFound
from service.kernel.permissions import Permission
from service.tickets.models.stages import Task
from service.tickets.queries.rows import with_status
from service.tickets.rules.states import TaskStatus, TicketEvent
from service.tickets.visibility import Anyone, of_department

Pool = tuple[str, str]
"""A department and a role in it."""


def take_next_task(
    session: Session, actor: Actor, *, offering: str | None = None, at: datetime
) -> TaskRow:
    """Take what is due first of all that the actor may take, of one offering if asked.

    One UPDATE, which passes over what others are just taking. Who has several roles has several
    pools: they are tried in the order of what is due first in each, which costs a statement more.
    A running notice is not handed out: it would not end by itself while somebody holds it. Raises
    `NotFound("no_task_left")`.
    """
    for department, role in _pools(session, actor, offering):
        row = _taking(bool(actor.own_cases), offering is not None).one_or_none(
            session,
            district=actor.district,
            department=department,
            pool=role,
            offering=offering,
            own_cases=list(actor.own_cases),
            holder=actor.account,
            at=at,
        )
        if row is not None:
            tell(session, actor, TicketEvent.TASK_CLAIMED, row, at)
            return row
    raise NotFound("no_task_left")


@lru_cache
def _taking(own_cases: bool, offering: bool) -> Prepared[TaskRow]:
    urgent = _urgent(
        Anyone(ActorKind.STAFF),
        bindparam("department", type_=Text()),
        bindparam("pool", type_=Text()),
        bindparam("offering", type_=Text()) if offering else None,
        may_be_taken(HOLDER, bindparam("own_cases", type_=ARRAY(Uuid())) if own_cases else None),
    )
    free = for_change(urgent, Task, skip_locked=True).correlate(None).scalar_subquery()
    return prepared(
        changing(TAKEN, Task.district_id == bindparam("district"), Task.id == free), TaskRow
    )


def _pools(session: Session, actor: Actor, offering: str | None) -> Sequence[Pool]:
    departments = actor.departments_with(Permission.TASK_CLAIM)
    pools = sorted(
        (post.department, role.value)
        for post in actor.posts
        if post.department in departments
        for role in post.roles
    )
    if len(pools) <= 1:
        return pools
    own_cases = literal(list(actor.own_cases), ARRAY(Uuid())) if actor.own_cases else None
    takable = may_be_taken(literal(actor.account, Uuid()), own_cases)
    heads = union_all(
        *(
            select(
                _urgent(actor, *pool, offering, takable)
                .add_columns(Task.due_at, literal(place).label("place"))
                .subquery()
            )
            for place, pool in enumerate(pools)
        )
    ).subquery()
    first = select(heads.c.place).order_by(heads.c.due_at, heads.c.id)
    return [pools[place] for place in session.scalars(first)]


def _urgent(
    actor: Actor | Anyone,
    department: Any,
    role: Any,
    offering: Any | None,
    takable: Sequence[ColumnElement[bool]],
) -> Select[UUID]:
    """The task that is due first in a pool, of those that are `takable`."""
    query = (
        select(Task.id)
        .where(
            of_department(actor, department),
            Task.role == role,
            with_status((TaskStatus.OPEN,)),
            *takable,
        )
        .order_by(Task.due_at, Task.id)
        .limit(1)
    )
    return query if offering is None else query.where(Task.offering_code == offering)
