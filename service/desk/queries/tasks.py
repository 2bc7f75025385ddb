"""What staff see: the tasks of the departments in which they hold a post."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Uuid,
    all_,
    any_,
    exists,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.catalogue.rules.definitions import OfferingDefinition
from service.desk.rules import MOST_SOUGHT
from service.facts.queries import facts_of
from service.facts.rules import KnownFact
from service.identity.people.queries import (
    FamilyMember,
    Profile,
    applicant_as_filed,
    is_own_case,
    member_as_filed,
    people_of_case,
)
from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.kernel.errors import FieldError, Invalid, NotFound
from service.kernel.sealed import opened_json
from service.routing.flow import StageKind
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.queries.cases import person_of
from service.tickets.queries.rows import with_status
from service.tickets.rules.states import ACTIVE, Light, TaskStatus
from service.tickets.visibility import departments_of, of_department, visible

OF_ITEM: Final = (Item.district_id == Task.district_id) & (Item.id == Task.item_id)
OF_TICKET: Final = (Ticket.district_id == Task.district_id) & (Ticket.id == Task.ticket_id)

IN_LIST: Final = (
    Task.id,
    Task.ticket_id,
    Task.version,
    Task.status,
    Task.kind,
    Task.stage_key,
    Task.offering_code,
    Task.department,
    Task.role,
    Task.assignee,
    Task.opened_at,
    Task.due_at,
    Task.warn_at,
    Task.verdict,
    Item.id.label("item_id"),
    Item.number.label("item_number"),
    Item.offering_version_id,
    Item.subject_id,
    Item.filed_subject,
    Ticket.number.label("ticket_number"),
    Ticket.filed_at,
    Ticket.filed_applicant,
)
"""What a line of the list is made of: a task, its item and its ticket."""


TaskRow = Row[*tuple[Any, ...]]


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

    def conditions(self) -> list[ColumnElement[bool]]:
        """What the rest comes to in a statement."""
        found = [with_status(self.might_be)]
        if self.offering is not None:
            found.append(Task.offering_code == self.offering)
        if self.stage is not None:
            found.append(Task.stage_key == self.stage)
        if self.lit is not None:
            found += lit(*self.lit)
        if self.assignee is not None:
            found.append(Task.assignee == self.assignee)
        if self.unassigned:
            found.append(Task.assignee.is_(None))
        if self.due_before is not None:
            found.append(Task.due_at < self.due_before)
        if self.items is not None:
            found.append(Task.item_id == any_(literal(list(self.items), ARRAY(Uuid()))))
        return found


@dataclass(frozen=True, slots=True)
class LockedTask:
    """A task with what it belongs to, locked in the order ticket, item, task."""

    ticket: Ticket
    item: Item
    task: Task
    own_case: bool


def lit(colour: Light, at: datetime) -> list[ColumnElement[bool]]:
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
    pages = [_page(actor, name, wanted, behind, limit) for name in departments]
    if len(pages) == 1:
        return session.execute(pages[0]).all()
    merged = union_all(*(select(page.subquery()) for page in pages)).subquery()
    return session.execute(
        select(merged).order_by(merged.c.due_at, merged.c.id).limit(limit + 1)
    ).all()


def _page(
    actor: Actor,
    department: str,
    wanted: TaskFilter,
    behind: tuple[datetime, UUID] | None,
    limit: int,
) -> Select[*tuple[Any, ...]]:
    query: Select[*tuple[Any, ...]] = (
        select(*IN_LIST)
        .join_from(Task, Item, OF_ITEM)
        .join(Ticket, OF_TICKET)
        .where(
            of_department(actor, department),
            *wanted.conditions(),
        )
        .order_by(Task.due_at, Task.id)
        .limit(limit + 1)
    )
    if wanted.takable:
        query = query.where(*may_be_taken(actor), Task.role.in_(_roles_in(actor, department)))
    if behind is not None:
        query = query.where(tuple_(Task.due_at, Task.id) > tuple_(*behind))
    return query


def _roles_in(actor: Actor, department: str) -> list[str]:
    return sorted(
        {role.value for post in actor.posts if post.department == department for role in post.roles}
    )


def may_be_taken(actor: Actor) -> list[ColumnElement[bool]]:
    """What of the open tasks of a pool the actor may be handed.

    No case of their own, none in which four eyes are asked for and theirs were two of them, and no
    running notice, which would not end by itself while somebody holds it.
    """
    found: list[ColumnElement[bool]] = [
        Task.kind != StageKind.PUBLICITY,
        literal(actor.account) != all_(Task.barred),
    ]
    if actor.own_cases:
        found.append(~_own_case(actor))
    return found


def _own_case(actor: Actor) -> ColumnElement[bool]:
    """Whether a task's case names somebody on whose cases the actor may not work."""
    about = exists().where(
        Item.district_id == Task.district_id,
        Item.id == Task.item_id,
        Item.subject_id.in_(actor.own_cases),
    )
    return func.coalesce(Task.person_id.in_(actor.own_cases), False) | about


@dataclass(frozen=True, slots=True)
class TaskFound:
    """A task with what it belongs to; `row` is its line in the list."""

    row: TaskRow
    task: Task
    item: Item
    ticket: Ticket
    own_case: bool


def task_for(session: Session, actor: Actor, task_id: UUID) -> TaskFound:
    """A task of the actor's departments; raises `NotFound` where the actor sees none."""
    row = session.execute(
        select(
            *IN_LIST,
            Task,
            Item,
            Ticket,
        )
        .join_from(Task, Item, OF_ITEM)
        .join(Ticket, OF_TICKET)
        .where(visible(actor, Task), Task.id == task_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    own = is_own_case(actor, row.Item.person_id, row.Item.subject_id)
    return TaskFound(row, row.Task, row.Item, row.Ticket, own)


def facts_seen(
    session: Session, actor: Actor, found: TaskFound, definition: OfferingDefinition, at: datetime
) -> list[KnownFact]:
    """The facts in force about an item's subject and applicant that the stage may read.

    Two statements, none where the stage may read none.
    """
    sees = definition.flow.by_key[found.task.stage_key].sees
    if not sees.facts:
        return []
    on = calendar_for(session, actor.district).local_date(at)
    people = [one for one in (found.item.subject_id, found.item.person_id) if one is not None]
    known = facts_of(session, actor, persons=people, on=on)
    return [fact for one in people for fact in known[one] if sees.shows_fact(fact.kind)]


def people_seen(
    session: Session, found: TaskFound, definition: OfferingDefinition
) -> tuple[Profile, FamilyMember | None]:
    """The applicant of a task's item, and the member of the family that it is about: as they were
    when it was filed.

    None for the latter where the stage may read nothing of them. No statement but for keys that are
    not at hand; one where the ticket is of before that was kept, for who they are now.
    """
    item, sees = found.item, definition.flow.by_key[found.task.stage_key].sees
    subject = item.subject_id if sees.subject else None
    if found.ticket.filed_applicant is None:
        return people_of_case(session, person_of(item), subject)
    kept = opened_json(session, Ticket.filed_applicant, found.ticket, otherwise=None)
    applicant = applicant_as_filed(person_of(item), kept)
    if subject is None:
        return applicant, None
    kept = opened_json(session, Item.filed_subject, item, otherwise=None)
    return applicant, member_as_filed(subject, kept)


def locked_task_for(session: Session, actor: Actor, task_id: UUID) -> LockedTask:
    """A task locked for a change, with its ticket and item; raises `NotFound`."""
    query = (
        select(Ticket, Item, Task)
        .join(Item, (Item.district_id == Ticket.district_id) & (Item.ticket_id == Ticket.id))
        .join(Task, (Task.district_id == Item.district_id) & (Task.item_id == Item.id))
        .where(visible(actor, Task), Task.id == task_id)
    )
    row = session.execute(for_change(query, Ticket, Item, Task)).one_or_none()
    if row is None:
        raise NotFound
    own = is_own_case(actor, row.Item.person_id, row.Item.subject_id)
    return LockedTask(*row, own_case=own)
