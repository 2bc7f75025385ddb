"""What is over: stages, tasks that nobody has to do, corrections that nobody asks for any more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.routing import CancelTask, CloseStage, StageStatus, SupersedeStage
from service.tickets.models import Item, ItemStage, Task
from service.tickets.queries.talent import open_corrections
from service.tickets.rules import ACTIVE, Dropped, TaskStatus


def leave_stage(
    session: Session, item: Item, effect: CancelTask | CloseStage | SupersedeStage, at: datetime
) -> None:
    """Carry out an effect that takes something from an item; a stage's tasks go with it."""
    if isinstance(effect, CancelTask):
        _cancel_tasks(session, item, effect, at, department=effect.department)
        return
    values: dict[str, Any] = {"status": StageStatus.SUPERSEDED}
    if isinstance(effect, CloseStage):
        status = StageStatus.CANCELLED if effect.verdict is None else StageStatus.CLOSED
        values = {"status": status, "verdict": effect.verdict, "closed_at": at}
    session.execute(
        update(ItemStage)
        .where(
            ItemStage.district_id == item.district_id,
            ItemStage.item_id == item.id,
            ItemStage.key == effect.stage,
            ItemStage.round == effect.round,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if isinstance(effect, CloseStage) and effect.verdict is None:
        _cancel_tasks(session, item, effect, at)


def drop_corrections(
    session: Session, item: Item, *, still: Collection[UUID], because: Dropped, at: datetime
) -> None:
    """Ask for nothing any more but what the tasks `still` ask for; the item is held for that alone.

    Two statements.
    """
    asked = open_corrections(session, item)
    for one in asked:
        if one.task_id not in still:
            one.dropped_at, one.dropped_because = at, because
    item.hold_until = max((one.due_at for one in asked if one.task_id in still), default=None)


def _cancel_tasks(
    session: Session,
    item: Item,
    effect: CancelTask | CloseStage,
    at: datetime,
    department: str | None = None,
) -> None:
    query = update(Task).where(
        Task.district_id == item.district_id,
        Task.item_id == item.id,
        ItemStage.district_id == Task.district_id,
        ItemStage.id == Task.stage_id,
        ItemStage.key == effect.stage,
        ItemStage.round == effect.round,
        Task.status.in_(ACTIVE),
    )
    if department is not None:
        query = query.where(Task.department == department)
    values = {"status": TaskStatus.CANCELLED, "closed_at": at, "version": Task.version + 1}
    session.execute(query.values(**values).execution_options(synchronize_session=False))
