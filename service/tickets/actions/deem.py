"""Silence means acceptance (行政许可法 art. 32): the timer that closes what nobody answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.catalogue.queries import offering_definition
from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.routing import AcceptanceDeemed, StageKind, Verdict
from service.tickets.actions.steps import Step
from service.tickets.models import Item, Task, Ticket
from service.tickets.queries.desk import Held, items_of, stages_of, standing
from service.tickets.rules import ACTIVE, Happening, TaskStatus

SILENCE_BATCH: Final = 50


def deem_silent_acceptances(session: Session, actor: Actor, *, at: datetime) -> int:
    """Accept, as of receipt, items whose acceptance is overdue; gives how many.

    At most `SILENCE_BATCH` at a time.

    Candidates are looked for without locks. Their tickets are then locked in the order of their
    ids, those that somebody works on skipped until the next time; what was decided meanwhile is
    left alone.
    """
    candidates = session.execute(
        select(Task.id, Task.ticket_id)
        .where(*_silent(actor, at))
        .order_by(Task.due_at, Task.id)
        .limit(SILENCE_BATCH)
    ).all()
    if not candidates:
        return 0
    free = (
        select(Ticket)
        .where(
            Ticket.district_id == actor.district,
            Ticket.id.in_({candidate.ticket_id for candidate in candidates}),
        )
        .order_by(Ticket.id)
    )
    tickets = session.scalars(for_change(free, Ticket, skip_locked=True)).all()
    tasks = [candidate.id for candidate in candidates]
    overdue = _lock_overdue(session, actor, tickets, tasks, at)
    for held in overdue:
        _deem(session, actor, held, at)
    return len(overdue)


def _silent(actor: Actor, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Task.district_id == actor.district,
        Task.kind == literal(StageKind.ACCEPTANCE, Task.kind.type, literal_execute=True),
        standing(ACTIVE),
        Task.due_at < at,
    )


def _lock_overdue(
    session: Session,
    actor: Actor,
    tickets: Sequence[Ticket],
    tasks: Sequence[UUID],
    at: datetime,
) -> list[Held]:
    """Items, then tasks, of the locked tickets: those candidates that are still overdue."""
    owner: dict[UUID, Ticket] = {ticket.id: ticket for ticket in tickets}
    query = (
        select(Item, Task)
        .join(Task, (Task.district_id == Item.district_id) & (Task.item_id == Item.id))
        .where(*_silent(actor, at), Task.id.in_(tasks), Item.ticket_id.in_(owner))
        .order_by(Item.id, Task.id)
    )
    rows = session.execute(for_change(query, Item, Task)).all()
    return [Held(owner[item.ticket_id], item, task, own_case=False) for item, task in rows]


def _deem(session: Session, actor: Actor, held: Held, at: datetime) -> None:
    task, item = held.task, held.item
    stages = stages_of(session, item)
    stage = next(one for one in stages if one.id == task.stage_id)
    task.status, task.verdict, task.closed_at = TaskStatus.CLOSED, Verdict.ACCEPT, at
    task.deemed = True
    Step(
        session=session,
        actor=actor,
        ticket=held.ticket,
        item=item,
        items=items_of(session, held.ticket),
        stages=stages,
        definition=offering_definition(session, actor.district, item.offering_version_id),
        calendar=calendar_for(session, actor.district),
        at=at,
    ).take(
        AcceptanceDeemed(stage.key, stage.round),
        Happening.ITEM_DEEMED_ACCEPTED,
        task=task,
        accepted_at=item.received_at,
    )
    session.flush()
