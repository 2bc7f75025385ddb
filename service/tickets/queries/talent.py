"""What a talent sees: their own tickets, whole."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, func, select
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for, newest_version_id
from service.calendars.rules import WorkingCalendar
from service.identity.models import Department
from service.kernel.actor import Actor
from service.kernel.db import District, for_change
from service.kernel.errors import NotFound
from service.kernel.events import Event
from service.routing import StageKind
from service.tickets.models import (
    TICKET_NUMBERS,
    Correction,
    DueChange,
    Edge,
    Item,
    ItemStage,
    Task,
    Ticket,
)
from service.tickets.queries.desk import not_ended


@dataclass(frozen=True, slots=True)
class TicketRows:
    """A ticket with its items, in the order of filing, and their stages, in that of opening.

    `calendar` is the one by which its moments are dates.
    """

    ticket: Ticket
    items: Sequence[Item]
    stages: Sequence[ItemStage]
    edges: Sequence[Edge]
    calendar: WorkingCalendar


def ticket_for(session: Session, actor: Actor, ticket_id: UUID) -> TicketRows:
    """One of the actor's tickets; raises `NotFound` for anybody else's. Five statements."""
    ticket = session.scalars(
        select(Ticket).where(
            Ticket.district_id == actor.district,
            Ticket.id == ticket_id,
            Ticket.person_id == actor.person,
        )
    ).one_or_none()
    if ticket is None:
        raise NotFound
    items = session.scalars(
        select(Item)
        .where(Item.district_id == actor.district, Item.ticket_id == ticket_id)
        .order_by(Item.ordinal)
    ).all()
    stages = session.scalars(
        select(ItemStage)
        .where(
            ItemStage.district_id == actor.district,
            ItemStage.item_id.in_([item.id for item in items]),
        )
        .order_by(ItemStage.id)
    ).all()
    edges = edges_of(session, ticket)
    return TicketRows(ticket, items, stages, edges, calendar_for(session, actor.district))


def item_for(session: Session, actor: Actor, item_id: UUID) -> tuple[TicketRows, Item]:
    """One of the actor's items with the rows of its ticket; raises `NotFound`. Six statements."""
    owner = session.scalar(
        select(Item.ticket_id).where(
            Item.district_id == actor.district,
            Item.id == item_id,
            Item.person_id == actor.person,
        )
    )
    if owner is None:
        raise NotFound
    rows = ticket_for(session, actor, owner)
    return rows, next(item for item in rows.items if item.id == item_id)


def corrections_of(session: Session, item: Item) -> Sequence[Correction]:
    """Everything that was ever asked to be mended of an item, the first first."""
    return session.scalars(
        select(Correction)
        .where(Correction.district_id == item.district_id, Correction.item_id == item.id)
        .order_by(Correction.id)
    ).all()


def due_changes_for(session: Session, actor: Actor, item_id: UUID) -> Sequence[DueChange]:
    """What moved the due date of one of the actor's items; raises `NotFound`. Two statements."""
    ticket_id = session.scalar(
        select(Item.ticket_id).where(
            Item.district_id == actor.district,
            Item.id == item_id,
            Item.person_id == actor.person,
        )
    )
    if ticket_id is None:
        raise NotFound
    return session.scalars(
        select(DueChange)
        .where(
            DueChange.district_id == actor.district,
            DueChange.ticket_id == ticket_id,
            DueChange.item_id == item_id,
        )
        .order_by(DueChange.id)
    ).all()


def held_item_for(session: Session, actor: Actor, item_id: UUID) -> tuple[Ticket, Item]:
    """One of the actor's items with its ticket, locked for a change; raises `NotFound`."""
    query = (
        select(Ticket, Item)
        .join(Item, (Item.district_id == Ticket.district_id) & (Item.ticket_id == Ticket.id))
        .where(
            Ticket.district_id == actor.district,
            Ticket.person_id == actor.person,
            Item.id == item_id,
        )
    )
    row = session.execute(for_change(query, Ticket, Item)).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def held_ticket_for(
    session: Session, actor: Actor, ticket_id: UUID
) -> tuple[Ticket, Sequence[Item]]:
    """One of the actor's tickets with its items, locked for a change; raises `NotFound`."""
    owned = select(Ticket).where(
        Ticket.district_id == actor.district,
        Ticket.id == ticket_id,
        Ticket.person_id == actor.person,
    )
    ticket = session.scalars(for_change(owned, Ticket)).one_or_none()
    if ticket is None:
        raise NotFound
    items = (
        select(Item)
        .where(Item.district_id == actor.district, Item.ticket_id == ticket_id)
        .order_by(Item.id)
    )
    return ticket, session.scalars(for_change(items, Item)).all()


def open_corrections(session: Session, item: Item) -> Sequence[Correction]:
    """What is asked of the applicant about an item, and neither answered yet nor dropped."""
    return session.scalars(
        select(Correction)
        .where(
            Correction.district_id == item.district_id,
            Correction.item_id == item.id,
            Correction.answered_at.is_(None),
            Correction.dropped_at.is_(None),
        )
        .order_by(Correction.id)
    ).all()


def edges_of(session: Session, ticket: Ticket) -> Sequence[Edge]:
    """What the items of a ticket wait or waited for."""
    return session.scalars(
        select(Edge)
        .where(Edge.district_id == ticket.district_id, Edge.ticket_id == ticket.id)
        .order_by(Edge.id)
    ).all()


def tickets_for(
    session: Session, actor: Actor, *, before: UUID | None, limit: int
) -> Sequence[Ticket]:
    """The actor's tickets, the newest first, from below `before`; at most `limit` + 1 of them."""
    query = (
        select(Ticket)
        .where(Ticket.district_id == actor.district, Ticket.person_id == actor.person)
        .order_by(Ticket.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(Ticket.id < before)
    return session.scalars(query).all()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a filing stands on: the ticket of its key, if there is one, and what is open already.

    `sequence` and `administrative_code` are for the number of a new ticket, the calendar for its
    due dates.
    """

    ticket_id: UUID | None
    digest: bytes | None
    open_offerings: frozenset[str]
    sequence: int
    administrative_code: str
    calendar_id: UUID


def _ground() -> Select[*tuple[Any, ...]]:
    district, account = bindparam("district", type_=Text), bindparam("account", type_=Uuid)
    filed = select(Ticket.id, Ticket.filing_digest).where(
        Ticket.district_id == district,
        Ticket.account_id == account,
        Ticket.filing_key == bindparam("key", type_=Text),
    )
    offerings = select(func.array_agg(Item.offering_code.distinct())).where(
        Item.district_id == district,
        Item.person_id == bindparam("person", type_=Uuid),
        not_ended(),
    )
    found = filed.subquery()
    return select(
        select(found.c.id).scalar_subquery(),
        select(found.c.filing_digest).scalar_subquery(),
        offerings.scalar_subquery(),
        TICKET_NUMBERS.next_value(),
        District.settings["administrative_code"].astext,
        newest_version_id(district),
    ).where(District.id == district)


_GROUND: Final = _ground()  # built once: it is sent with every filing


def filing_ground(session: Session, actor: Actor, *, key: str) -> Ground:
    """Whether this account filed with this key, ever, which items of the person are open, the next
    number, and the calendar in force.

    One statement; a number that is not used leaves a gap, as numbers may.
    """
    asked = {
        "district": actor.district,
        "account": actor.account,
        "person": actor.person,
        "key": key,
    }
    row = session.execute(_GROUND, asked).one()
    return Ground(row[0], row[1], frozenset(row[2] or ()), *row[3:])


def timeline_for(session: Session, actor: Actor, ticket_id: UUID) -> Sequence[Event]:
    """What the applicant is told of a ticket, in order; raises `NotFound` like `ticket_for`."""
    owned = session.scalar(
        select(Ticket.id).where(
            Ticket.district_id == actor.district,
            Ticket.id == ticket_id,
            Ticket.person_id == actor.person,
        )
    )
    if owned is None:
        raise NotFound
    return session.scalars(
        select(Event)
        .where(
            Event.district_id == actor.district,
            Event.ticket_id == ticket_id,
            Event.seq.is_not(None),
            Event.public,
        )
        .order_by(Event.seq)
    ).all()


def recorded_results(
    session: Session, actor: Actor, rows: TicketRows
) -> dict[UUID, Sequence[Task]]:
    """By item, the tasks whose verdicts recorded what its applicant is told: the decision's, then
    those of fulfilment in the order in which they came. What other stages record is theirs.

    One statement, none where nothing is decided.
    """
    decided = [item.id for item in rows.items if item.decided_at is not None]
    if not decided:
        return {}
    found = defaultdict[UUID, list[Task]](list)
    for task in session.scalars(
        select(Task)
        .where(
            Task.district_id == actor.district,
            Task.item_id.in_(decided),
            Task.kind.in_((StageKind.DECISION, StageKind.FULFILMENT)),
            Task.result.is_not(None),
        )
        .order_by(Task.closed_at, Task.id)
    ):
        found[task.item_id].append(task)
    return dict(found)


def offering_versions_of(session: Session, actor: Actor, ticket_id: UUID) -> dict[str, UUID]:
    """By offering, the version under which a ticket's items were filed."""
    rows = session.execute(
        select(Item.offering_code, Item.offering_version_id).where(
            Item.district_id == actor.district, Item.ticket_id == ticket_id
        )
    ).all()
    return {row.offering_code: row.offering_version_id for row in rows}


def department_names(session: Session, actor: Actor) -> dict[str, dict[str, str]]:
    """The names of the district's departments, by code."""
    rows = session.execute(
        select(Department.code, Department.name).where(Department.district_id == actor.district)
    ).all()
    return {row.code: row.name for row in rows}
