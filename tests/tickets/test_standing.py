"""The engine's view of an item, out of its rows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from service.routing.flow import Verdict
from service.routing.states import Hold, Outcome, Part, Phase, StageState, StageStatus
from service.tickets.rules.state import item_state
from service.tickets.rules.states import TaskStatus

OPEN, CLOSED, CANCELLED, SKIPPED, SUPERSEDED = StageStatus


def row(stage, key, status, verdict=None, *, task=None, round_=1):
    """A stage with one of its tasks: `(department, status, verdict)`."""
    department, task_status, task_verdict = task or (None, None, None)
    return SimpleNamespace(
        id=stage,
        key=key,
        round=round_,
        status=status,
        verdict=verdict,
        task_id=task and f"{stage}.{department}",
        department=department,
        task_status=task_status,
        task_verdict=task_verdict,
    )


def state(*rows, phase=Phase.PROCESSING, outcome=None, waits=False, hold=None):
    return item_state(rows, phase=phase, outcome=outcome, decision_waits=waits, hold=hold)


@pytest.mark.parametrize(
    ("status", "verdict", "part"),
    [
        (TaskStatus.OPEN, None, OPEN),
        (TaskStatus.CLAIMED, None, OPEN),
        (TaskStatus.CLOSED, Verdict.PASS, CLOSED),
        (TaskStatus.CANCELLED, None, CANCELLED),
    ],
)
def test_a_part_stands_as_its_task_does(status, verdict, part):
    found = state(row(1, "review", OPEN, task=("police", status, verdict)))
    (stage,) = found.stages
    assert stage.parts == (Part("police", part, verdict),)


def test_a_stage_has_a_part_for_each_of_its_departments_in_their_order():
    found = state(
        row(1, "review", OPEN, task=("police", TaskStatus.CLOSED, Verdict.PASS)),
        row(1, "review", OPEN, task=("builders", TaskStatus.OPEN, None)),
    )
    parts = (Part("police", CLOSED, Verdict.PASS), Part("builders", OPEN))
    assert found.stages == (StageState("review", 1, OPEN, None, parts),)


@pytest.mark.parametrize(("status", "verdict"), [(SKIPPED, None), (CLOSED, Verdict.PASS)])
def test_where_nobody_works_there_are_no_parts(status, verdict):
    found = state(row(1, "check", status, verdict))
    assert found.stages == (StageState("check", 1, status, verdict),)


def test_stages_come_in_the_order_of_entering_each_round_by_itself():
    task = ("police", TaskStatus.CLOSED, Verdict.REJECT)
    found = state(
        row(1, "review", SUPERSEDED, Verdict.REJECT, task=task),
        row(2, "home", SKIPPED),
        row(3, "review", OPEN, task=("police", TaskStatus.OPEN, None), round_=2),
    )
    assert [(one.key, one.round) for one in found.stages] == [
        ("review", 1), ("home", 1), ("review", 2),
    ]  # fmt: skip


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("waits", [True, False])
def test_what_it_waits_for(phase, waits):
    found = state(phase=phase, waits=waits)
    assert (found.hard, found.soft) == (phase is Phase.WAITING, waits)


@pytest.mark.parametrize("phase", Phase)
def test_an_outcome_counts_once_it_is_decided(phase):
    decided = phase in {Phase.FULFILMENT, Phase.ENDED}
    found = state(phase=phase, outcome=Outcome.APPROVED)
    assert found.outcome is (Outcome.APPROVED if decided else None)


@pytest.mark.parametrize("hold", [None, *Hold])
def test_whom_it_is_held_for(hold):
    assert state(hold=hold).hold is hold
