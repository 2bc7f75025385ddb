"""Builders of rows that belong to a ticket or an item."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.orm import Session

from service.facts.rules import KnownFact
from service.kernel.db import Base
from service.kernel.ids import new_id
from service.kernel.sealed import seal_json
from service.tickets.models.filed import Ticket, TicketSection
from service.tickets.models.items import Correction, Item
from service.tickets.models.stages import Task
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.clock import Segment, SegmentKind
from service.tickets.rules.corrections import Point
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import Reliance

Row = dict[str, Any]
Rows = list[Row]


def values_of(row: Base) -> Row:
    """The columns of an object that was never written, as they are inserted."""
    held = inspect(row).dict
    return {column.key: held.get(column.key) for column in row.__table__.columns}


def ticket_key(of: Ticket | Item) -> Row:
    """What every row below a ticket says: whose ticket it is, for row-level security."""
    return {
        "district_id": of.district_id,
        "ticket_id": of.ticket_id if isinstance(of, Item) else of.id,
        "person_id": of.person_id,
    }


def due_change_row(
    of: Ticket | Item,
    before: datetime,
    *,
    after: datetime,
    basis: DueBasis,
    cause: str,
    event: UUID | None,
    at: datetime,
) -> Row:
    """The due date of a ticket or an item moved, and why."""
    return ticket_key(of) | {
        "item_id": of.id if isinstance(of, Item) else None,
        "before": before,
        "after": after,
        "basis": basis,
        "cause": cause,
        "event_id": event,
        "at": at,
    }


def relied_row(item: Item, fact: KnownFact, reliance: Reliance, at: datetime) -> Row:
    """Something about an item rested on a fact."""
    return {
        "district_id": item.district_id,
        "id": new_id(),
        "item_id": item.id,
        "person_id": item.person_id,
        "fact_id": fact.id,
        "reliance": reliance,
        "at": at,
    }


def segment_row(item: Item, kind: SegmentKind, segment: Segment, task: UUID | None) -> Row:
    """A stretch of time in the clocks of an item; `task` is the id of the one that began it."""
    return ticket_key(item) | {
        "id": new_id(),
        "item_id": item.id,
        "kind": kind,
        "effect": segment.effect,
        "task_id": task,
        "began_at": segment.began_at,
        "ended_at": segment.ended_at,
    }


def correction_row(
    session: Session,
    item: Item,
    task: Task,
    points: Sequence[Point],
    *,
    due_at: datetime,
    at: datetime,
) -> Row:
    """What a return asks of the applicant, sealed; not sent to them yet."""
    row_id = new_id()
    plain = [point.plain() for point in points]
    return ticket_key(item) | {
        "id": row_id,
        "item_id": item.id,
        "task_id": task.id,
        "points": seal_json(session, Correction.points, plain, row=row_id, of=item.person_id),
        "asked_at": at,
        "due_at": due_at,
        "sent_at": None,
        "answered_at": None,
    }


def section_row(
    session: Session,
    of: Ticket | Item,
    item: UUID | None,
    code: str,
    answers: Any,
    *,
    revision: int = 1,
) -> Row:
    """The answers to a section, sealed; those of no item are shared by the ticket.

    `of` is the ticket, or an item of it.
    """
    row_id = new_id()
    return ticket_key(of) | {
        "id": row_id,
        "item_id": item,
        "section": code,
        "revision": revision,
        "content": seal_json(session, TicketSection.content, answers, row=row_id, of=of.person_id),
    }


def material_row(
    of: Ticket | Item, item: UUID | None, attached: AttachedDocument, *, revision: int = 1
) -> Row:
    """A document of a ticket; those of no item are shared. `of` is the ticket, or an item of it."""
    return ticket_key(of) | {
        "id": new_id(),
        "item_id": item,
        "code": attached.code,
        "revision": revision,
        "material_id": attached.material,
    }
