"""What time does by itself: silence accepts, notices end, edges wait no longer.

Everything that time has to do with a ticket stands in `next_alarm_at` of a task or an item. The
timer looks for those that are over without locks, a batch at a time, and then deals with some
tickets in one transaction: it takes each that nobody else has, and looks again. Several workers may
do so at once: of the same candidates each takes what no other has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_, union_all
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.db import for_change
from service.routing.bundle import UNSETTLED, EdgeStatus, Otherwise, given_up
from service.routing.events import AcceptanceDeemed, NoticeEnded, ReturnsGathered
from service.routing.flow import StageKind, Verdict
from service.tickets.acts import Act, Decided, act_on, acts_on
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Edge, Item
from service.tickets.models.stages import Task
from service.tickets.queries.cases import stage_of
from service.tickets.queries.rows import belongs_to_one_of, one_of_ids
from service.tickets.rules.states import TaskStatus, TicketEvent
from service.tickets.visibility import visible

BATCH: Final = 50
"""How many candidates the timer looks at together."""

TOGETHER: Final = 25
"""How many tickets are dealt with in one transaction: so long is a clerk's decision of one of them
held up, some hundredths of a second."""

Position = tuple[Any, UUID]
"""Where a batch ends: what its rows are ordered by, and an id within it."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One thing that time does.

    `candidates` are at most `BATCH`, from behind a position, in the order of an index: rows of
    `place`, `id`, `ticket_id`. `act` deals with a ticket and returns how many changes it made.
    `together` does the same for `ticket_ids`, each as of what `now` returns when its turn comes:
    for all of them, or, where it raises, for none.
    """

    name: str
    candidates: Callable[..., Sequence[Row[*tuple[Any, ...]]]]
    act: Callable[..., int]
    together: Callable[..., int] | None = None


def due_alarms(
    session: Session, actor: Actor, *, at: datetime, behind: Position | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Tasks and items whose alarm is over, the longest overdue first.

    One statement, two walks of partial indexes.
    """
    both = union_all(
        *(
            select(_due(actor, model, at, behind).subquery(name))
            for name, model in (("tasks_due", Task), ("items_due", Item))
        )
    ).subquery()
    query = select(both.c.place, both.c.id, both.c.ticket_id)
    return session.execute(query.order_by(both.c.place, both.c.id).limit(BATCH)).all()


def fire_alarms(session: Session, actor: Actor, *, ticket_id: UUID, at: datetime) -> int:
    """Do what time has to do with a ticket; returns how many tasks and edges it settled.

    An acceptance that nobody gave in time counts as given as of receipt (行政许可法 art. 32). A
    notice period that is over, and that nobody has claimed to look into an objection, is passed. Of
    a stage that some of its departments have returned, the others are not waited for any more. An
    edge that has waited long enough, or a question that nobody answered in time, follows what its
    bundle says. A ticket that somebody works on is left for the next time, and what was decided
    meanwhile is left alone.
    """
    free = select(Ticket).where(visible(actor, Ticket), Ticket.id == ticket_id)
    ticket = session.scalars(for_change(free, Ticket, skip_locked=True)).one_or_none()
    if ticket is None:
        return 0
    with act_on(session, actor, ticket, at=at) as act:
        return _fire(act, _locked_tasks(session, [ticket], at)[ticket.id])


def fire_alarms_together(
    session: Session, actor: Actor, *, ticket_ids: Collection[UUID], now: Callable[[], datetime]
) -> int:
    """`fire_alarms` for several tickets, in statements whose number does not depend on theirs.

    Tickets are locked in the order of their ids; those that somebody else works on are left out.
    """
    free = select(Ticket).where(visible(actor, Ticket), Ticket.id == one_of_ids(ticket_ids))
    free = free.order_by(Ticket.id)
    tickets = session.scalars(for_change(free, Ticket, skip_locked=True)).all()
    if not tickets:
        return 0
    due = _locked_tasks(session, tickets, now())
    about = {item.id for tasks in due.values() for item, _ in tasks}
    with acts_on(session, actor, tickets, about=about, now=now) as acts:
        return sum(_fire(act, due[act.ticket.id]) for act in acts)


TIMERS: Final = (Timer("alarms", due_alarms, fire_alarms, fire_alarms_together),)


def _fire(act: Act, tasks: Sequence[tuple[Item, Task]]) -> int:
    closed = sum(_close(act, item, task) for item, task in tasks)
    return closed + sum(_give_up(act, edge) for edge in act.edges_over())


def _due(
    actor: Actor, model: type[Task | Item], at: datetime, behind: Position | None
) -> Select[*tuple[Any, ...]]:
    query = select(model.next_alarm_at.label("place"), model.id, model.ticket_id).where(
        visible(actor, model), model.next_alarm_at < at
    )
    if behind is not None:
        query = query.where(tuple_(model.next_alarm_at, model.id) > tuple_(*behind))
    return query.order_by(model.next_alarm_at, model.id).limit(BATCH)


def _locked_tasks(
    session: Session, tickets: Sequence[Ticket], at: datetime
) -> Mapping[UUID, Sequence[tuple[Item, Task]]]:
    """The tasks of some tickets whose alarm is over, with their items, by ticket; one statement."""
    query = (
        select(Item, Task)
        .join(Task, (Task.district_id == Item.district_id) & (Task.item_id == Item.id))
        .where(belongs_to_one_of(Item, tickets), Task.next_alarm_at < at)
        .order_by(Item.id, Task.id)
    )
    found: dict[UUID, list[tuple[Item, Task]]] = defaultdict(list)
    for item, task in session.execute(for_change(query, Item, Task)).all():
        found[item.ticket_id].append((item, task))
    return found


def _close(act: Act, item: Item, task: Task) -> bool:
    """Close a task in nobody's name; silence counts from receipt.

    Where others have returned the stage it is not waited for any more: the applicant is asked.

    Returns whether it was still to be done: what closed a moment ago may have ended the item.
    """
    key, round_ = stage_of(act.stages(item), task)
    if all((stage.key, stage.round) != (key, round_) for stage in act.state(item).open_stages):
        return False
    if (key, round_) in act.state(item).gathering:
        about = {"stage": key, "department": task.department}
        act.apply(item, ReturnsGathered(key, round_), TicketEvent.ITEM_RETURNED, about=about)
        return True
    silence = task.kind is StageKind.ACCEPTANCE
    task.status, task.closed_at = TaskStatus.CLOSED, act.at
    task.verdict = Verdict.ACCEPT if silence else Verdict.PASS
    task.deemed, task.next_alarm_at = True, None
    act.apply(
        item,
        (AcceptanceDeemed if silence else NoticeEnded)(key, round_),
        TicketEvent.ITEM_DEEMED_ACCEPTED if silence else TicketEvent.NOTICE_ENDED,
        decided=Decided(task, accepted_at=item.received_at if silence else None),
        about={"stage": key, "department": task.department},
    )
    return True


def _give_up(act: Act, edge: Edge) -> bool:
    """An edge has waited long enough, or the applicant's time to answer is over."""
    if edge.status not in UNSETTLED:
        return False
    asked = edge.status is EdgeStatus.ASKED
    rule = (edge.default or Otherwise.CLOSE) if asked else edge.otherwise
    act.settle([edge], given_up(rule))
    return True
