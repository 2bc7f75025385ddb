"""What time does by itself: silence accepts, notices end, edges wait no longer.

The timer looks for candidates without locks, a batch at a time, and then deals with one ticket in
one transaction: it takes the ticket if nobody else has it, and looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, literal, select, tuple_
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.routing import AcceptanceDeemed, NoticeEnded, StageKind, Verdict
from service.routing.bundle import UNSETTLED
from service.tickets.acts import Decided, Step
from service.tickets.edges import give_up_waiting, settle_edges
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Edge, Item
from service.tickets.models.stages import Task
from service.tickets.queries.cases import stage_of
from service.tickets.queries.rows import with_status
from service.tickets.rules.states import ACTIVE, TaskStatus, TicketEvent

BATCH: Final = 50
"""How many candidates the timer looks at together."""


Position = tuple[datetime, UUID]


@dataclass(frozen=True, slots=True)
class Timer:
    """One thing that time does.

    `candidates` are at most `BATCH`, the longest overdue first, from behind a position: rows of
    `due_at`, `id`, `ticket_id`. `act` deals with a ticket and gives how many of its items moved.
    """

    name: str
    candidates: Callable[..., Sequence[Row[*tuple[Any, ...]]]]
    act: Callable[..., int]


def silent_acceptances(
    session: Session, actor: Actor, *, at: datetime, behind: Position | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Acceptances that nobody gave in time."""
    return _overdue_tasks(session, _silent(actor, at), behind)


def deem_accepted(session: Session, actor: Actor, *, ticket_id: UUID, at: datetime) -> int:
    """Accept, as of receipt, the items of a ticket whose acceptance is overdue (art. 32).

    Gives how many. A ticket that somebody works on is left for the next time, and what was
    decided meanwhile is left alone.
    """
    step = _free(session, actor, ticket_id, at)
    if step is None:
        return 0
    rows = _locked_tasks(session, ticket_id, _silent(actor, at))
    moved = [_close(step, *row, Verdict.ACCEPT, AcceptanceDeemed) for row in rows]
    return _done(step, sum(moved))


def ended_notices(
    session: Session, actor: Actor, *, at: datetime, behind: Position | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Notice periods that are over, and that nobody has claimed to look into an objection."""
    return _overdue_tasks(session, _notice(actor, at), behind)


def end_notices(session: Session, actor: Actor, *, ticket_id: UUID, at: datetime) -> int:
    """Pass the notice periods of a ticket that are over; gives how many."""
    step = _free(session, actor, ticket_id, at)
    if step is None:
        return 0
    rows = _locked_tasks(session, ticket_id, _notice(actor, at))
    moved = [_close(step, *row, Verdict.PASS, NoticeEnded) for row in rows]
    return _done(step, sum(moved))


def waited_edges(
    session: Session, actor: Actor, *, at: datetime, behind: Position | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Edges that have waited long enough, and questions that nobody answered in time."""
    query = select(Edge.next_at.label("due_at"), Edge.id, Edge.ticket_id).where(*_waited(actor, at))
    return session.execute(_batch(query, Edge.next_at, Edge.id, behind)).all()


def give_up_edges(session: Session, actor: Actor, *, ticket_id: UUID, at: datetime) -> int:
    """Let what has waited long enough in a ticket go on, or end it; gives how many edges."""
    step = _free(session, actor, ticket_id, at)
    if step is None:
        return 0
    edges = session.scalars(
        select(Edge).where(*_waited(actor, at), Edge.ticket_id == ticket_id).order_by(Edge.id)
    ).all()
    for edge in edges:
        give_up_waiting(step, edge)
    return _done(step, len(edges))


TIMERS: Final = (
    Timer("deemed_accepted", silent_acceptances, deem_accepted),
    Timer("notices_ended", ended_notices, end_notices),
    Timer("edges_given_up", waited_edges, give_up_edges),
)


def _free(session: Session, actor: Actor, ticket_id: UUID, at: datetime) -> Step | None:
    """The ticket, locked, unless somebody works on it."""
    free = select(Ticket).where(Ticket.district_id == actor.district, Ticket.id == ticket_id)
    ticket = session.scalars(for_change(free, Ticket, skip_locked=True)).one_or_none()
    return None if ticket is None else Step.of(session, actor, ticket, at)


def _locked_tasks(
    session: Session, ticket_id: UUID, wanted: tuple[ColumnElement[bool], ...]
) -> list[tuple[Item, Task]]:
    query = (
        select(Item, Task)
        .join(Task, (Task.district_id == Item.district_id) & (Task.item_id == Item.id))
        .where(*wanted, Item.ticket_id == ticket_id)
        .order_by(Item.id, Task.id)
    )
    return [(row[0], row[1]) for row in session.execute(for_change(query, Item, Task)).all()]


def _close(
    step: Step,
    item: Item,
    task: Task,
    verdict: Verdict,
    event: type[AcceptanceDeemed | NoticeEnded],
) -> bool:
    """Close a task in nobody's name; silence counts from receipt.

    Gives whether it was still to be done: what closed a moment ago may have ended the item.
    """
    key, round_ = stage_of(step.stages(item), task)
    # The state is read here in any case: as it is before the task closes.
    if all((one.key, one.round) != (key, round_) for one in step.state(item).open_stages):
        return False
    task.status, task.verdict, task.closed_at = TaskStatus.CLOSED, verdict, step.at
    task.deemed = True
    silence = event is AcceptanceDeemed
    step.take(
        item,
        event(key, round_),
        TicketEvent.ITEM_DEEMED_ACCEPTED if silence else TicketEvent.NOTICE_ENDED,
        decided=Decided(task, accepted_at=item.received_at if silence else None),
        about={"stage": key, "department": task.department},
    )
    return True


def _done(step: Step, moved: int) -> int:
    if moved:
        settle_edges(step)
        step.finish()
    return moved


def _overdue_tasks(
    session: Session, wanted: tuple[ColumnElement[bool], ...], behind: Position | None
) -> Sequence[Row[*tuple[Any, ...]]]:
    query = select(Task.due_at, Task.id, Task.ticket_id).where(*wanted)
    return session.execute(_batch(query, Task.due_at, Task.id, behind)).all()


def _batch(
    query: Select[*tuple[Any, ...]], due_at: Any, row_id: Any, behind: Position | None
) -> Select[*tuple[Any, ...]]:
    if behind is not None:
        query = query.where(tuple_(due_at, row_id) > tuple_(*behind))
    return query.order_by(due_at, row_id).limit(BATCH)


def _silent(actor: Actor, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (*_of_kind(actor, StageKind.ACCEPTANCE, at), with_status(ACTIVE))


def _notice(actor: Actor, at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (*_of_kind(actor, StageKind.PUBLICITY, at), with_status((TaskStatus.OPEN,)))


def _of_kind(actor: Actor, kind: StageKind, at: datetime) -> tuple[ColumnElement[bool], ...]:
    """The kind is written out, so that the partial index of its timer serves."""
    return (
        Task.district_id == actor.district,
        Task.kind == literal(kind, Task.kind.type, literal_execute=True),
        Task.due_at < at,
    )


def _waited(actor: Actor, at: datetime) -> tuple[ColumnElement[bool], ...]:
    unsettled = [literal(one, Edge.status.type, literal_execute=True) for one in sorted(UNSETTLED)]
    return (Edge.district_id == actor.district, Edge.status.in_(unsettled), Edge.next_at < at)
