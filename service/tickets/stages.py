"""Stages and tasks as they are entered and left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from service.calendars.rules import Due, WorkingCalendar
from service.catalogue.rules import OfferingDefinition
from service.kernel.db import insert_rows
from service.kernel.ids import new_id
from service.routing import (
    CancelTask,
    CheckStage,
    CloseStage,
    Limit,
    OpenStage,
    SkipStage,
    StageStatus,
    SupersedeStage,
)
from service.tickets.models.items import Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.rows import open_corrections
from service.tickets.rules.states import ACTIVE, Dropped, TaskStatus


def due_within(calendar: WorkingCalendar, at: datetime, limit: Limit) -> Due:
    """When a limit that starts now is used up."""
    if limit.working_hours:
        return calendar.due_after_hours(at, working_hours=limit.working_hours)
    return calendar.due_at(at, working_days=limit.working_days)


Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Opening:
    """Rows of stages and tasks to be inserted together, for items of one ticket at one moment."""

    calendar: WorkingCalendar
    at: datetime
    stages: Rows = field(default_factory=list)
    tasks: Rows = field(default_factory=list)

    def add(
        self,
        opened: OpenStage,
        *,
        item: Mapping[str, Any],
        definition: OfferingDefinition,
        barred: frozenset[UUID] = frozenset(),
    ) -> None:
        """A stage of an item, with its clock started and a task for each of its departments.

        `item` holds district_id, ticket_id and id; `barred` are accounts that may not take it.
        """
        stage = definition.flow.by_key[opened.stage]
        clock = self._clock(stage.limit)
        row = self._stage(item, opened, StageStatus.OPEN, list(opened.departments), clock)
        for department in opened.departments:
            self.tasks.append(
                {
                    "district_id": item["district_id"],
                    "id": new_id(),
                    "ticket_id": item["ticket_id"],
                    "item_id": item["id"],
                    "stage_id": row["id"],
                    "stage_key": stage.key,
                    "kind": stage.kind,
                    "offering_code": definition.code,
                    "department": department,
                    "role": opened.role,
                    "status": TaskStatus.OPEN,
                    "version": 1,
                    "deemed": False,
                    "barred": sorted(barred),
                    **clock,
                }
            )

    def add_done(self, entered: SkipStage | CheckStage, *, item: Mapping[str, Any]) -> None:
        """A stage that is over as it is entered: nobody has a task of it."""
        now = {"opened_at": self.at, "due_at": self.at, "warn_at": self.at, "closed_at": self.at}
        checked = isinstance(entered, CheckStage)
        status = StageStatus.CLOSED if checked else StageStatus.SKIPPED
        row = self._stage(item, entered, status, [], now)
        row["verdict"] = entered.verdict if isinstance(entered, CheckStage) else None

    def write(self, session: Session) -> None:
        """Insert what was collected since the last time: at most two statements."""
        insert_rows(session, ItemStage, self.stages)
        insert_rows(session, Task, self.tasks)
        self.stages, self.tasks = [], []

    def _clock(self, limit: Limit) -> dict[str, Any]:
        due = due_within(self.calendar, self.at, limit)
        warn_at = self.calendar.warn_at(self.at, due.at, limit.working_days, limit.working_hours)
        return {"opened_at": self.at, "due_at": due.at, "warn_at": warn_at, "closed_at": None}

    def _stage(
        self,
        item: Mapping[str, Any],
        entered: OpenStage | SkipStage | CheckStage,
        status: StageStatus,
        departments: list[str],
        clock: dict[str, Any],
    ) -> dict[str, Any]:
        row = {
            "district_id": item["district_id"],
            "id": new_id(),
            "item_id": item["id"],
            "key": entered.stage,
            "round": entered.round,
            "status": status,
            "departments": departments,
            "verdict": None,
            **clock,
        }
        self.stages.append(row)
        return row


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
