"""The engine's view of an item, out of its rows."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any, Final

from service.routing.states import Hold, ItemState, Outcome, Part, Phase, StageState, StageStatus
from service.tickets.rules.states import TaskStatus

_PARTS: Final = {
    TaskStatus.OPEN: StageStatus.OPEN,
    TaskStatus.CLAIMED: StageStatus.OPEN,
    TaskStatus.CLOSED: StageStatus.CLOSED,
    TaskStatus.CANCELLED: StageStatus.CANCELLED,
}


def item_state(
    rows: Iterable[Any],
    *,
    phase: Phase,
    outcome: Outcome | None,
    decision_waits: bool,
    hold: Hold | None = None,
) -> ItemState:
    """Where an item stands.

    `rows`: its stages in the order of entering, each with its tasks in that of their departments:
    `id key round status verdict task_id department task_status task_verdict`.
    """
    stages = tuple(_stage(list(group)) for _, group in groupby(rows, key=lambda row: row.id))
    decided = outcome if phase in {Phase.FULFILMENT, Phase.ENDED} else None
    hard = phase is Phase.WAITING
    return ItemState(phase, decided, stages, hard=hard, soft=decision_waits, hold=hold)


def _stage(rows: list[Any]) -> StageState:
    first = rows[0]
    parts = tuple(
        Part(row.department, _PARTS[row.task_status], row.task_verdict)
        for row in rows
        if row.task_id is not None
    )
    return StageState(first.key, first.round, first.status, first.verdict, parts)
