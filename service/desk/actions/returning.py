"""Asking the applicant, once, to correct something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from service.kernel.db import insert_rows
from service.kernel.ids import new_id
from service.kernel.sealed import seal_json
from service.tickets.acts import Step
from service.tickets.models.items import Correction, Item
from service.tickets.models.stages import Task
from service.tickets.rules.corrections import Point

ANSWER_WITHIN: Final = 10
"""Working days in which a correction is to be answered."""


def ask_correction(step: Step, item: Item, task: Task, points: Sequence[Point]) -> None:
    """Keep what a return asks for; the item has been held for it."""
    due_at = step.calendar.due_at(step.at, working_days=ANSWER_WITHIN).at
    item.hold_until = max(due_at, item.hold_until or due_at)
    row_id = new_id()
    plain = [
        {name: value for name, value in _plain(point).items() if value is not None}
        for point in points
    ]
    row = {
        "district_id": item.district_id,
        "id": row_id,
        "ticket_id": item.ticket_id,
        "item_id": item.id,
        "task_id": task.id,
        "points": seal_json(step.session, Correction.points, plain, row=row_id, of=item.person_id),
        "asked_at": step.at,
        "due_at": due_at,
        "answered_at": None,
    }
    insert_rows(step.session, Correction, [row])


def _plain(point: Point) -> dict[str, str | None]:
    return {
        "what": point.what,
        "section": point.section,
        "field": point.field,
        "material": point.material,
    }
