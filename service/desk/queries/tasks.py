"""A task with what belongs to it, for the staff of its department."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    bindparam,
    select,
)
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_at_sign_in
from service.catalogue.rules.definitions import OfferingDefinition
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
from service.kernel.db import for_change, prepared
from service.kernel.errors import NotFound
from service.kernel.sealed import opened_json
from service.routing.flow import StageKind, Verdict
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.queries.cases import person_of
from service.tickets.rules.states import TaskStatus
from service.tickets.visibility import Seen, asking, visible

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
    Task.person_id,
)
"""What a line of the list is made of: a task, its item and its ticket."""


class TaskRow(NamedTuple):
    """A line of the list, as it is read."""

    id: UUID
    ticket_id: UUID
    version: int
    status: TaskStatus
    kind: StageKind
    stage_key: str
    offering_code: str
    department: str
    role: str
    assignee: UUID | None
    opened_at: datetime
    due_at: datetime
    warn_at: datetime
    verdict: Verdict | None
    item_id: UUID
    item_number: str
    offering_version_id: UUID
    subject_id: UUID | None
    filed_subject: bytes | None
    ticket_number: str
    filed_at: datetime
    filed_applicant: bytes | None
    person_id: UUID | None

    @classmethod
    def of(cls, task: Task, item: Item, ticket: Ticket) -> TaskRow:
        """The line of a task that was read whole."""
        return cls(
            id=task.id,
            ticket_id=task.ticket_id,
            version=task.version,
            status=task.status,
            kind=task.kind,
            stage_key=task.stage_key,
            offering_code=task.offering_code,
            department=task.department,
            role=task.role,
            assignee=task.assignee,
            opened_at=task.opened_at,
            due_at=task.due_at,
            warn_at=task.warn_at,
            verdict=task.verdict,
            item_id=item.id,
            item_number=item.number,
            offering_version_id=item.offering_version_id,
            subject_id=item.subject_id,
            filed_subject=item.filed_subject,
            ticket_number=ticket.number,
            filed_at=ticket.filed_at,
            filed_applicant=ticket.filed_applicant,
            person_id=task.person_id,
        )


@dataclass(frozen=True, slots=True)
class LockedTask:
    """A task with what it belongs to, locked in the order ticket, item, task."""

    ticket: Ticket
    item: Item
    task: Task
    own_case: bool


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
    found = _TASK.by(actor).one_or_none(session, **asking(actor), task=task_id)
    if found is None:
        raise NotFound
    task, item, ticket = found
    own = is_own_case(actor, item.person_id, item.subject_id)
    return TaskFound(TaskRow.of(task, item, ticket), task, item, ticket, own)


_TASK: Final = Seen(
    lambda who: prepared(
        select(Task, Item, Ticket)
        .join_from(Task, Item, OF_ITEM)
        .join(Ticket, OF_TICKET)
        .where(visible(who, Task), Task.id == bindparam("task"))
    )
)


def facts_seen(
    session: Session, actor: Actor, found: TaskFound, definition: OfferingDefinition, at: datetime
) -> list[KnownFact]:
    """The facts in force about an item's subject and applicant that the stage may read.

    One statement and one for keys not at hand, none where the stage may read none.
    """
    sees = definition.flow.by_key[found.task.stage_key].sees
    if not sees.facts:
        return []
    on = calendar_at_sign_in(session, actor).local_date(at)
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
    asked = {**asking(actor), "task": task_id}
    row = session.execute(_LOCKED.by(actor), asked).one_or_none()
    if row is None:
        raise NotFound
    own = is_own_case(actor, row.Item.person_id, row.Item.subject_id)
    return LockedTask(*row, own_case=own)


_LOCKED: Final = Seen(
    lambda who: for_change(
        select(Ticket, Item, Task)
        .join(Item, (Item.district_id == Ticket.district_id) & (Item.ticket_id == Ticket.id))
        .join(Task, (Task.district_id == Item.district_id) & (Task.item_id == Item.id))
        .where(visible(who, Task), Task.id == bindparam("task")),
        Ticket,
        Item,
        Task,
    )
)
