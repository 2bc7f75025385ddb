"""Stages that are entered: their rows, those of the tasks they give, and the clocks that start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.calendars.rules import Due, WorkingCalendar
from service.catalogue.rules import OfferingDefinition
from service.kernel.db import insert_rows
from service.kernel.ids import new_id
from service.routing import CheckStage, Limit, OpenStage, SkipStage, StageStatus
from service.tickets.models import ItemStage, Task
from service.tickets.rules import TaskStatus

Rows = list[dict[str, Any]]


def due_within(calendar: WorkingCalendar, at: datetime, limit: Limit) -> Due:
    """When a limit that starts now is used up."""
    if limit.working_hours:
        return calendar.due_after_hours(at, working_hours=limit.working_hours)
    return calendar.due_at(at, working_days=limit.working_days)


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
