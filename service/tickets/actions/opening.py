"""Stages that open: their rows, those of the tasks they give, and the clocks that start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from service.calendars.rules import WorkingCalendar
from service.catalogue.rules import OfferingDefinition
from service.kernel.db import insert_rows
from service.kernel.ids import new_id
from service.routing import OpenStage, StageStatus
from service.tickets.models import ItemStage, Task
from service.tickets.rules import TaskStatus

Rows = list[dict[str, Any]]


@dataclass(slots=True)
class Opening:
    """Rows of stages and tasks to be inserted together."""

    stages: Rows = field(default_factory=list)
    tasks: Rows = field(default_factory=list)

    def add(
        self,
        opened: OpenStage,
        *,
        item: Mapping[str, Any],
        definition: OfferingDefinition,
        calendar: WorkingCalendar,
        at: datetime,
    ) -> None:
        """A stage of an item and the task it gives its department, with its clock started.

        `item` holds district_id, ticket_id and id.
        """
        stage = definition.flow.by_key[opened.stage]
        days = stage.limit.working_days
        due = calendar.due_at(at, working_days=days)
        clock = {
            "opened_at": at,
            "due_at": due.at,
            "warn_at": calendar.warn_at(at, due.at, working_days=days),
            "closed_at": None,
        }
        shared = {"district_id": item["district_id"], "item_id": item["id"], **clock}
        stage_row = {
            **shared,
            "id": new_id(),
            "key": opened.stage,
            "round": opened.round,
            "status": StageStatus.OPEN,
            "department": opened.department,
            "verdict": None,
        }
        task_row = {
            **shared,
            "id": new_id(),
            "ticket_id": item["ticket_id"],
            "stage_id": stage_row["id"],
            "kind": stage.kind,
            "offering_code": definition.code,
            "department": opened.department,
            "role": opened.role,
            "status": TaskStatus.OPEN,
            "version": 1,
            "deemed": False,
        }
        self.stages.append(stage_row)
        self.tasks.append(task_row)

    def write(self, session: Session) -> None:
        """Insert what was collected: at most two statements."""
        insert_rows(session, ItemStage, self.stages)
        insert_rows(session, Task, self.tasks)
