"""Who sees what of tickets: the one module in which it is decided.

Every list, count, search and single read of tickets, items and tasks has `visible` in its WHERE.
What belongs to a ticket (answers, documents, edges, due changes, events) is reached through it:
either its rows were found by `visible` before, or the statement says `of_visible_ticket`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, TypeVar, assert_never
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    literal,
    select,
)
from sqlalchemy.orm import aliased

from service.enterprises.queries import lets_follow
from service.kernel.actor import Actor, ActorKind
from service.kernel.permissions import Permission
from service.tickets.models.filed import Draft, Ticket
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.rules.applicant import ApplicantKind

Made = TypeVar("Made")
Visible = type[Ticket] | type[Item] | type[Task] | type[Draft]


@dataclass(frozen=True, slots=True)
class Anyone:
    """Any actor of a kind, in a statement that is made once: who it is, is among its values."""

    kind: ActorKind
    district: Any = field(default_factory=partial(bindparam, "district", type_=Text()))
    person: Any = field(default_factory=partial(bindparam, "person", type_=Uuid()))
    departments: Any = field(default_factory=partial(bindparam, "departments", type_=ARRAY(Text())))


class Seen(Generic[Made]):
    """What an actor sees, read with statements that are made once for each kind of actor.

    _ITEM = Seen(lambda who: prepared(select(Item).where(visible(who, Item), ...)))

    item = _ITEM.by(actor).one_or_none(session, **asking(actor), item=item_id)
    """

    def __init__(self, made: Callable[[Anyone], Made]) -> None:
        self._made = made
        self._kept: dict[ActorKind, Made] = {}

    def by(self, actor: Actor) -> Made:
        """The statement for what actors of this kind see."""
        kept = self._kept.get(actor.kind)
        if kept is None:
            kept = self._kept[actor.kind] = self._made(Anyone(actor.kind))
        return kept


def asking(actor: Actor) -> dict[str, Any]:
    """The values of a `Seen` statement that say who asks."""
    return {
        "district": actor.district,
        "person": actor.person_id,
        "departments": departments_of(actor),
    }


def visible(
    actor: Actor | Anyone, model: Visible, *, enterprise: UUID | Any | None = None
) -> ColumnElement[bool]:
    """Which rows of a table of tickets somebody sees; always in the district they act in.

    - A talent: their own tickets, with items and tasks, and their drafts.
    - Staff: the tasks of departments in which a post of theirs reads tasks, and the tickets and
      items that have or had one.
    - An agent: the tickets in which the applicant named their `enterprise`, or which it filed for
      them, as long as they are known to work for it and let it follow; the items of these, and no
      task. The caller has looked up for which enterprise the agent acts today; without one,
      nothing.
    - The service itself: what is in the district; drafts are nobody's but their owner's.
    - A guest: nothing.
    """
    return (model.district_id == actor.district) & _theirs(actor, model, enterprise)


def departments_of(actor: Actor) -> list[str]:
    """The departments whose tasks somebody sees, in order; for who walks one index for each."""
    return sorted(actor.departments_with(Permission.TASK_READ))


def of_department(actor: Actor | Anyone, department: str | Any) -> ColumnElement[bool]:
    """The tasks of one of `departments_of`, none of any other: one range of an index.

    In a statement that is made once, `department` is a named value, and is to be one of those.
    """
    if isinstance(actor, Actor) and department not in departments_of(actor):
        return false()
    return (Task.district_id == actor.district) & (Task.department == department)


def of_visible_ticket(
    actor: Actor | Anyone, model: Any, *, enterprise: UUID | Any | None = None
) -> ColumnElement[bool]:
    """Rows that belong to a ticket (`ticket_id`) which somebody sees: documents, events and such.

    For one ticket's rows, not for lists over many.
    """
    ticket = select(Ticket.id).where(
        visible(actor, Ticket, enterprise=enterprise), Ticket.id == model.ticket_id
    )
    return and_(model.district_id == actor.district, ticket.exists())


def of_applicant(
    model: type[Ticket] | type[Item], kind: ApplicantKind, applicant: Any
) -> ColumnElement[bool]:
    """What one applicant has filed, whoever acted; no question of who may see it.

    `applicant`: an id, or an expression for it. An index leads to both kinds.
    """
    if kind is ApplicantKind.PERSON:
        return and_(model.person_id == applicant)
    return and_(model.person_id.is_(None), model.enterprise_id == applicant)


def _theirs(
    actor: Actor | Anyone, model: Visible, enterprise: UUID | Any | None
) -> ColumnElement[bool]:
    match actor.kind:
        case ActorKind.TALENT:
            return _of_talent(actor, model)
        case ActorKind.STAFF:
            return _of_staff(actor, model)
        case ActorKind.AGENT:
            return false() if enterprise is None else _of_agent(actor, model, enterprise)
        case ActorKind.SYSTEM:
            return false() if model is Draft else and_(True)
        case ActorKind.GUEST:
            return false()
        case _:
            assert_never(actor.kind)


def _of_talent(actor: Actor | Anyone, model: Visible) -> ColumnElement[bool]:
    if model is Task:
        item = aliased(Item)
        own = select(item.id).where(
            item.district_id == Task.district_id,
            item.id == Task.item_id,
            item.person_id == actor.person,
        )
        return own.exists()
    return model.person_id == actor.person


def _of_staff(actor: Actor | Anyone, model: Visible) -> ColumnElement[bool]:
    theirs = (
        literal(departments_of(actor), ARRAY(Text()))
        if isinstance(actor, Actor)
        else actor.departments
    )
    departments = any_(theirs)
    if model is Task:
        return Task.department == departments
    if model is Draft:
        return false()
    task = aliased(Task)
    belongs = task.item_id == Item.id if model is Item else task.ticket_id == Ticket.id
    return (
        select(task.id)
        .where(task.district_id == model.district_id, belongs, task.department == departments)
        .exists()
    )


def _of_agent(actor: Actor | Anyone, model: Visible, enterprise: UUID | Any) -> ColumnElement[bool]:
    if model is Ticket:
        follows = lets_follow(actor.district, enterprise, person=Ticket.person_id)
        return (Ticket.employer_id == enterprise) & follows
    if model is Item:
        return of_visible_ticket(actor, Item, enterprise=enterprise)
    return false()
