"""The list of tasks on a desk: what it is narrowed to, and its pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    Text,
    Uuid,
    all_,
    any_,
    bindparam,
    exists,
    func,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from service.desk.queries.tasks import IN_LIST, OF_ITEM, OF_TICKET, TaskRow
from service.desk.rules import MOST_SOUGHT
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Prepared, prepared
from service.kernel.errors import FieldError, Invalid
from service.routing.flow import StageKind
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.queries.rows import with_status
from service.tickets.rules.states import ACTIVE, Light, TaskStatus
from service.tickets.visibility import Anyone, departments_of, of_department

_ANY_TIME: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """What a clerk narrows the list to; nothing given means all that is still to be done.

    `lit`: with this light, at that moment. `items`: of one of these items alone. `takable`: what
    the actor would be handed as the next.
    """

    statuses: tuple[TaskStatus, ...] = ACTIVE
    offering: str | None = None
    stage: str | None = None
    lit: tuple[Light, datetime] | None = None
    assignee: UUID | None = None
    unassigned: bool = False
    due_before: datetime | None = None
    items: Sequence[UUID] | None = None
    takable: bool = False

    @property
    def might_be(self) -> tuple[TaskStatus, ...]:
        """The states asked for; an open task is nobody's, a claimed one somebody's, none is lit
        once it is over.
        """
        never = set[TaskStatus]()
        if self.assignee is not None:
            never.add(TaskStatus.OPEN)
        if self.unassigned:
            never.add(TaskStatus.CLAIMED)
        if self.takable:
            never |= set(TaskStatus) - {TaskStatus.OPEN}
        if self.lit is not None:
            never |= set(TaskStatus) - set(ACTIVE)
        return tuple(one for one in self.statuses if one not in never)

    @property
    def shape(self) -> TaskFilter:
        """The same with values that say nothing: equal for all that ask for the same things."""
        return TaskFilter(
            statuses=self.might_be,
            offering=None if self.offering is None else "",
            stage=None if self.stage is None else "",
            lit=None if self.lit is None else (self.lit[0], _ANY_TIME),
            assignee=None if self.assignee is None else UUID(int=0),
            unassigned=self.unassigned,
            due_before=None if self.due_before is None else _ANY_TIME,
            items=None if self.items is None else (),
            takable=self.takable,
        )

    @property
    def values(self) -> dict[str, Any]:
        """What is asked for, by the names of `conditions`."""
        return {
            "offering": self.offering,
            "stage": self.stage,
            "lit_at": None if self.lit is None else self.lit[1],
            "assignee": self.assignee,
            "due_before": self.due_before,
            "items": self.items,
        }

    def conditions(self) -> list[ColumnElement[bool]]:
        """What it comes to in a statement that is made once."""
        found = [with_status(self.might_be)]
        if self.offering is not None:
            found.append(Task.offering_code == bindparam("offering"))
        if self.stage is not None:
            found.append(Task.stage_key == bindparam("stage"))
        if self.lit is not None:
            found += lit(self.lit[0], bindparam("lit_at", type_=DateTime(timezone=True)))
        if self.assignee is not None:
            found.append(Task.assignee == bindparam("assignee"))
        if self.unassigned:
            found.append(Task.assignee.is_(None))
        if self.due_before is not None:
            found.append(Task.due_at < bindparam("due_before"))
        if self.items is not None:
            found.append(Task.item_id == any_(bindparam("items", type_=ARRAY(Uuid()))))
        return found


def lit(colour: Light, at: datetime | Any) -> list[ColumnElement[bool]]:
    """Tasks with this light, as ranges of time: what `rules.light` says of each."""
    if colour is Light.RED:
        return [Task.due_at < at]
    warned = Task.warn_at <= at if colour is Light.YELLOW else Task.warn_at > at
    return [Task.due_at >= at, warned]


def items_numbered(session: Session, actor: Actor, beginning: str) -> Sequence[UUID]:
    """The district's items whose number, or whose ticket's, is this or begins so; one statement.

    Not who may see them: the ids go nowhere but into a list of tasks, which says that.
    Raises `Invalid` where there are more than `MOST_SOUGHT`.
    """
    found = session.scalars(
        select(Item.id)
        .where(
            Item.district_id == actor.district,
            func.starts_with(Item.number, beginning.upper()),
        )
        .order_by(Item.number)
        .limit(MOST_SOUGHT + 1)
    ).all()
    if len(found) > MOST_SOUGHT:
        raise Invalid(errors=[FieldError("q", "search_too_broad", {"most": MOST_SOUGHT})])
    return found


def tasks_for(
    session: Session,
    actor: Actor,
    wanted: TaskFilter,
    *,
    behind: tuple[datetime, UUID] | None,
    limit: int,
) -> Sequence[TaskRow]:
    """The actor's tasks by due time, from behind a position; at most `limit` + 1 of them.

    One statement, and one walk of one index per department, so that page 2,000 costs what page 1
    costs; most staff have one department.
    """
    departments = departments_of(actor)
    if not departments or not wanted.might_be or (wanted.items is not None and not wanted.items):
        return []
    own_cases = wanted.takable and bool(actor.own_cases)
    listing = _listing(wanted.shape, len(departments), own_cases, behind is not None)
    values = {**wanted.values, "district": actor.district, "limit": limit + 1}
    for place, name in enumerate(departments):
        values |= {f"department_{place}": name, f"roles_{place}": _roles_in(actor, name)}
    if wanted.takable:
        values |= {"account": actor.account, "own_cases": list(actor.own_cases)}
    if behind is not None:
        values |= {"due_at": behind[0], "id": behind[1]}
    return listing.all(session, **values)


@lru_cache(256)
def _listing(
    wanted: TaskFilter, departments: int, own_cases: bool, behind: bool
) -> Prepared[TaskRow]:
    """The statement for all lists of so many departments that are narrowed by the same things."""
    limit = bindparam("limit", type_=Integer())
    pages = [_page(wanted, place, own_cases, behind).limit(limit) for place in range(departments)]
    if len(pages) == 1:
        return prepared(pages[0], TaskRow)
    merged = union_all(*(select(page.subquery()) for page in pages)).subquery()
    return prepared(select(merged).order_by(merged.c.due_at, merged.c.id).limit(limit), TaskRow)


def _page(
    wanted: TaskFilter, place: int, own_cases: bool, behind: bool
) -> Select[*tuple[Any, ...]]:
    """Of one department."""
    query: Select[*tuple[Any, ...]] = (
        select(*IN_LIST)
        .join_from(Task, Item, OF_ITEM)
        .join(Ticket, OF_TICKET)
        .where(
            of_department(Anyone(ActorKind.STAFF), bindparam(f"department_{place}")),
            *wanted.conditions(),
        )
        .order_by(Task.due_at, Task.id)
    )
    if wanted.takable:
        roles = bindparam(f"roles_{place}", type_=ARRAY(Text()))
        theirs = bindparam("own_cases", type_=ARRAY(Uuid())) if own_cases else None
        account = bindparam("account", type_=Uuid())
        query = query.where(*may_be_taken(account, theirs), Task.role == any_(roles))
    if behind:
        due = bindparam("due_at", type_=DateTime(timezone=True))
        query = query.where(
            tuple_(Task.due_at, Task.id) > tuple_(due, bindparam("id", type_=Uuid()))
        )
    return query


def _roles_in(actor: Actor, department: str) -> list[str]:
    return sorted(
        {role.value for post in actor.posts if post.department == department for role in post.roles}
    )


def may_be_taken(account: Any, own_cases: Any | None) -> list[ColumnElement[bool]]:
    """What of the open tasks of a pool an account may be handed; both are expressions.

    No case of their own, `own_cases` being an array of persons, none in which four eyes are asked
    for and theirs were two of them, and no running notice, which would not end by itself while
    somebody holds it.
    """
    found: list[ColumnElement[bool]] = [
        Task.kind != StageKind.PUBLICITY,
        account != all_(Task.barred),
    ]
    if own_cases is not None:
        found.append(~_own_case(own_cases))
    return found


def _own_case(persons: Any) -> ColumnElement[bool]:
    """Whether a task's case names one of these persons."""
    about = exists().where(
        Item.district_id == Task.district_id,
        Item.id == Task.item_id,
        Item.subject_id == any_(persons),
    )
    return func.coalesce(any_(persons) == Task.person_id, False) | about
