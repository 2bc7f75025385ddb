"""What staff see of what has happened to an item: what its applicant is told, and no more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from service.kernel.actor import Actor
from service.kernel.db import prepared
from service.kernel.errors import NotFound
from service.kernel.events import Event
from service.kernel.ids import lowest_since
from service.tickets.models.items import Correction, Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.rules.states import TaskStatus
from service.tickets.visibility import visible

Rows = Sequence[Any]


@dataclass(frozen=True, slots=True)
class History:
    """An item's verdicts and corrections, each in the order in which they came.

    `verdicts`: each a closed `Task` and the `round` of its stage; where nobody but time decided,
    `deemed`, the assignee is no answer to who did. `corrections`: each a `Correction` with the
    `Task` that asked.
    """

    verdicts: Rows
    corrections: Rows


def history_of(session: Session, task: Task) -> History:
    """What was decided on a task's item besides the task itself; two statements."""
    about = {"district": task.district_id, "item": task.item_id}
    return History(
        _VERDICTS.all(session, **about, task=task.id), _CORRECTIONS.all(session, **about)
    )


_VERDICTS: Final = prepared(
    select(Task, ItemStage.round)
    .join(
        ItemStage,
        (ItemStage.district_id == Task.district_id) & (ItemStage.id == Task.stage_id),
    )
    .where(
        Task.district_id == bindparam("district"),
        Task.item_id == bindparam("item"),
        Task.status == TaskStatus.CLOSED,
        Task.id != bindparam("task"),
    )
    .order_by(Task.closed_at, Task.id)
)
_CORRECTIONS: Final = prepared(
    select(Correction, Task)
    .join(Task, (Task.district_id == Correction.district_id) & (Task.id == Correction.task_id))
    .where(
        Correction.district_id == bindparam("district"),
        Correction.item_id == bindparam("item"),
        Correction.sent_at.is_not(None),
    )
    .order_by(Correction.id)
)


def item_timeline_for(
    session: Session, actor: Actor, item_id: UUID
) -> tuple[UUID, Sequence[Event]]:
    """What the applicant is told of an item, in order, and the ticket it belongs to.

    For staff of a department that has or had a task of the item; raises `NotFound` for everybody
    else. Two statements; no partition of events from before the ticket is looked at.
    """
    ticket_id = session.scalar(
        select(Item.ticket_id).where(visible(actor, Item), Item.id == item_id)
    )
    if ticket_id is None:
        raise NotFound
    shown = session.scalars(
        select(Event)
        .where(
            Event.district_id == actor.district,
            Event.ticket_id == ticket_id,
            Event.id >= lowest_since(ticket_id),
            Event.seq.is_not(None),
            Event.item_id == item_id,
            Event.public,
        )
        .order_by(Event.seq)
    ).all()
    return ticket_id, shown
