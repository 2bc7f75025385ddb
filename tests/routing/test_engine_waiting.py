"""Waiting for a predecessor: before the beginning (hard) and before the decision (soft)."""

from __future__ import annotations

import pytest

from service.routing.events import (
    AcceptanceDeemed,
    Cancelled,
    Filed,
    PredecessorsSettled,
    Withdrawn,
)
from tests.routing.flows import SMALL, WIDE, flow_of, stage
from tests.routing.steps import after, rows, says, stands, step

WAITS = PredecessorsSettled
ACCEPTED = [Filed(), says("a", "accept")]
HARD, SOFT, BOTH = Filed(hard=True), Filed(soft=True), Filed(hard=True, soft=True)
HELD = [SOFT, says("a", "accept"), says("papers", "pass"), says("visit", "pass")]
BEGINS = ["open a.1 a_department"]
DECISION = ["open d.1 d_department"]


@pytest.mark.parametrize(
    ("before", "event", "stands_so", "effects"),
    [
        ([], HARD, "waiting", []),
        ([], BOTH, "waiting", []),
        ([], SOFT, "acceptance", BEGINS),
        ([HARD], WAITS(hard=True, soft=True), "waiting", []),
        ([HARD], WAITS(hard=False, soft=True), "acceptance", BEGINS),
        ([HARD], WAITS(hard=False, soft=False), "acceptance", BEGINS),
        ([HARD], Withdrawn(), "ended withdrawn", ["end withdrawn"]),
        ([HARD], Cancelled(), "ended cancelled", ["end cancelled"]),
        ([SOFT], WAITS(hard=False, soft=False), "acceptance", []),
        ([SOFT], Cancelled(), "ended cancelled", ["drop a.1", "end cancelled"]),
        (HELD[:2], WAITS(hard=False, soft=False), "processing", []),
        (HELD[:3], HELD[3], "processing", ["close visit.1 pass"]),
        (HELD, WAITS(hard=False, soft=True), "processing", []),
        (HELD, WAITS(hard=False, soft=False), "processing", DECISION),
        (HELD, Withdrawn(), "ended withdrawn", ["stop", "end withdrawn"]),
        (HELD, Cancelled(), "ended cancelled", ["stop", "end cancelled"]),
        ([*ACCEPTED, *HELD[2:3], WAITS(hard=False, soft=True)], HELD[3], "processing",
         ["close visit.1 pass"]),
        ([*ACCEPTED, *HELD[2:]], WAITS(hard=False, soft=True), "processing", []),
        ([*ACCEPTED, *HELD[2:], WAITS(hard=False, soft=True)], says("d", "reject"),
         "ended rejected", ["close d.1 reject", "stop", "end rejected"]),
    ],
)  # fmt: skip
def test_what_an_unmet_edge_holds_back(before, event, stands_so, effects):
    state, told = step(WIDE, before, event)
    assert stands(state) == stands_so
    assert told == effects


@pytest.mark.parametrize(
    ("events", "hard", "soft"),
    [
        ([Filed()], False, False),
        ([HARD], True, False),
        ([SOFT], False, True),
        ([BOTH], True, True),
        ([BOTH, WAITS(hard=False, soft=True)], False, True),
        ([SOFT, says("a", "accept"), WAITS(hard=False, soft=False)], False, False),
        ([BOTH, Withdrawn()], False, False),
    ],
)
def test_the_state_says_what_it_waits_for(events, hard, soft):
    state = after(WIDE, events)
    assert (state.hard, state.soft) == (hard, soft)


def test_the_decision_alone_is_held():
    flow = flow_of(
        stage("a", "acceptance"),
        stage("r", "review", ("a",)),
        stage("s", "review", ("r",)),
        stage("d", "decision", ("r",)),
        stage("f", "fulfilment", ("d", "s")),
    )
    _, told = step(flow, [SOFT, says("a", "accept")], says("r", "pass"))
    assert told == ["close r.1 pass", "open s.1 s_department"]


def test_silence_accepts_what_a_soft_edge_holds_as_well():
    state, told = step(SMALL, [SOFT], AcceptanceDeemed("a", 1))
    assert told == ["close a.1 accept", "start"]
    assert (state.open_stages, state.soft) == ((), True)


@pytest.mark.parametrize(
    "begun", [[Filed()], ACCEPTED, [*ACCEPTED, says("papers", "pass")]], ids=len
)
def test_what_is_begun_is_not_begun_again(begun):
    """A hard edge that opens again, whyever, holds nothing back and starts nothing anew."""
    once = after(WIDE, begun)
    state, told = step(WIDE, [*begun, WAITS(hard=True, soft=False)], WAITS(hard=False, soft=False))
    assert told == []
    assert (stands(state), rows(state)) == (stands(once), rows(once))
