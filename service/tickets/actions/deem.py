"""Silence means acceptance (行政许可法 art. 32): what the timer does where nobody answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, literal, select, tuple_
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.routing import AcceptanceDeemed, StageKind, Verdict
from service.tickets.actions.steps import Step
from service.tickets.models import Item, Task, Ticket
from service.tickets.queries.desk import Held, standing
from service.tickets.rules import ACTIVE, Happening, TaskStatus

SILENCE_BATCH: Final = 50
Position = tuple[datetime, UUID]


def silent_acceptances(
    session: Session, actor: Actor, *, at: datetime, behind: Position | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Acceptances that nobody gave in time, the longest overdue first: `due_at`, `id`, `ticket_id`.

    At most `SILENCE_BATCH`, from behind the position (due time, id) of the last one seen. Nothing
    is locked: whoever acts on them looks again.
    """
    query = (
        select(Task.due_at, Task.id, Task.ticket_id)
        .where(*_silent(actor, at))
        .order_by(Task.due_at, Task.id)
        .limit(SILENCE_BATCH)
    )
    if behind is not None:
        query = query.where(tuple_(Task.due_at, Task.id) > tuple_(*behind))
    return session.execute(query).all()


def deem_accepted(session: Session, actor: Actor, *, ticket_id: UUID, at: datetime) -> int:
    """Accept, as of receipt, the items of a ticket whose acceptance is overdue; gives how many.

    A ticket that somebody works on is left for the next time, and what was decided meanwhile is
    left alone.
    """
    free = select(Ticket).where(Ticket.district_id == actor.district, Ticket.id == ticket_id)
    ticket = session.scalars(for_change(free, Ticket, skip_locked=True)).one_or_none()
    if ticket is None:
        return 0
    overdue = (
        select(Item, Task)
        .join(Task, (Task.district_id == Item.district_id) & (Task.item_id == Item.id))
        .where(*_silent(actor, at), Item.ticket_id == ticket_id)
        .order_by(Item.id, Task.id)
    )
    rows = session.execute(for_change(overdue, Item, Task)).all()
    for item, task in rows:
        _deem(session, actor, Held(ticket, item, task, own_case=False), at)
    return len(rows)


def _silent(actor: Actor, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Task.district_id == actor.district,
        Task.kind == literal(StageKind.ACCEPTANCE, Task.kind.type, literal_execute=True),
        standing(ACTIVE),
        Task.due_at < at,
    )


def _deem(session: Session, actor: Actor, held: Held, at: datetime) -> None:
    task = held.task
    step = Step.of(session, actor, held, at)
    task.status, task.verdict, task.closed_at = TaskStatus.CLOSED, Verdict.ACCEPT, at
    task.deemed = True
    step.take(
        AcceptanceDeemed(step.stage.key, step.stage.round),
        Happening.ITEM_DEEMED_ACCEPTED,
        accepted_at=held.item.received_at,
    )
    session.flush()
