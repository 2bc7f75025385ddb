"""Returning to the applicant: what waits for the correction, and that it is asked for once."""

from __future__ import annotations

import pytest

from service.routing.engine import IllegalEvent, advance
from service.routing.events import (
    AcceptanceDeemed,
    Cancelled,
    Corrected,
    Filed,
    PredecessorsSettled,
    Withdrawn,
)
from service.routing.states import Hold
from tests.routing.flows import back, flow_of, panel, stage
from tests.routing.steps import NOTHING, after, parts, rows, says, stands, step

FLOW = flow_of(
    stage("a", "acceptance"),
    stage("r", "review", ("a",)),
    stage("beside", "review", ("a",)),
    stage("d", "decision", ("r", "beside"), on_reject=back("r", 2)),
)
ACCEPTED = [Filed(), says("a", "accept")]
A_HELD = [Filed(), says("a", "return")]
R_HELD = [*ACCEPTED, says("r", "return")]
BOTH_HELD = [*R_HELD, says("beside", "return")]
CORRECTED = [*R_HELD, Corrected()]


@pytest.mark.parametrize(
    ("before", "event", "stands_so", "effects"),
    [
        ([Filed()], says("a", "return"), "acceptance", ["close a.1 return"]),
        (A_HELD, Corrected(), "acceptance", ["supersede a.1", "open a.2 a_department"]),
        ([*A_HELD, Corrected()], AcceptanceDeemed("a", 2), "processing", [
            "close a.2 accept", "start", "open r.1 r_department", "open beside.1 beside_department",
        ]),
        (A_HELD, Withdrawn(), "ended withdrawn", ["end withdrawn"]),
        (ACCEPTED, says("r", "return"), "processing", ["close r.1 return"]),
        (R_HELD, says("beside", "pass"), "processing", ["close beside.1 pass"]),
        (R_HELD, PredecessorsSettled(hard=False, soft=False), "processing", []),
        (R_HELD, Corrected(), "processing", ["supersede r.1", "open r.2 r_department"]),
        (R_HELD, Cancelled(), "ended cancelled", ["drop beside.1", "stop", "end cancelled"]),
        (R_HELD, says("beside", "reject"), "ended rejected", [
            "close beside.1 reject", "stop", "end rejected",
        ]),
        (R_HELD, says("beside", "return"), "processing", ["close beside.1 return"]),
        (BOTH_HELD, Corrected(), "processing", [
            "supersede r.1", "supersede beside.1",
            "open r.2 r_department", "open beside.2 beside_department",
        ]),
        (CORRECTED, says("r", "pass", round_=2), "processing", ["close r.2 pass"]),
        ([*CORRECTED, says("beside", "pass")], says("r", "pass", round_=2), "processing", [
            "close r.2 pass", "open d.1 d_department",
        ]),
    ],
)  # fmt: skip
def test_what_is_returned_waits_for_the_correction(before, event, stands_so, effects):
    state, told = step(FLOW, before, event)
    assert stands(state) == stands_so
    assert told == effects


@pytest.mark.parametrize(
    ("events", "hold"),
    [
        ([Filed()], None),
        (A_HELD, Hold.CORRECTION),
        ([*A_HELD, Corrected()], None),
        (BOTH_HELD, Hold.CORRECTION),
        ([*R_HELD, says("beside", "pass")], Hold.CORRECTION),
        ([*BOTH_HELD, Corrected()], None),
        ([*R_HELD, Withdrawn()], None),
    ],
)
def test_the_state_says_that_it_is_held(events, hold):
    assert after(FLOW, events).hold is hold


@pytest.mark.parametrize(
    ("events", "again"),
    [
        ([*A_HELD, Corrected()], says("a", "return", round_=2)),
        (CORRECTED, says("r", "return", round_=2)),
    ],
)
def test_the_applicant_is_asked_once_by_a_stage(events, again):
    state = after(FLOW, events)
    assert state.returns(again.stage) == 1
    with pytest.raises(IllegalEvent) as refused:
        advance(FLOW, state, again, NOTHING)
    assert refused.value.code == "returned_already"
    assert refused.value.params == {"stage": again.stage}
    assert state == after(FLOW, events)


def test_another_stage_may_still_ask():
    state = after(FLOW, [*CORRECTED, says("beside", "return")])
    assert (state.hold, state.returns("r"), state.returns("beside")) == (Hold.CORRECTION, 1, 1)


def test_a_return_is_no_outcome_and_uses_up_no_round():
    state = after(FLOW, R_HELD)
    assert state.outcomes == {"a": "passed"}
    events = [*CORRECTED, says("beside", "pass"), says("r", "pass", round_=2)]
    _, told = step(FLOW, events, says("d", "reject"))
    assert told[-1] == "open r.3 r_department"
    events += [says("d", "reject"), says("r", "pass", round_=3)]
    _, told = step(FLOW, events, says("d", "reject", round_=2))
    assert told == ["close d.2 reject", "stop", "end rejected"]


@pytest.mark.parametrize("join", ["all", "any", {"quorum": 2}])
def test_of_several_departments_one_may_return_for_all(join):
    before = [*ACCEPTED, says("p", "pass", of="east")] if join != "any" else ACCEPTED
    state, told = step(panel(join), before, says("p", "return", of="west"))
    assert told[-1] == "close p.1 return"
    assert state.open_stages == ()
    state, told = step(panel(join), [*before, says("p", "return", of="west")], Corrected())
    assert told == ["supersede p.1", "open p.2 east west north"]
    assert parts(state, "p") == ["east open", "west open", "north open"]


BACK_BEHIND = flow_of(
    stage("a", "acceptance"),
    stage("r", "review", ("a",)),
    stage("s", "review", ("r",)),
    stage("t", "review", ("r",), on_reject=back("r")),
    stage("u", "review", ("a",)),
    stage("d", "decision", ("s", "t", "u")),
)
S_HELD = [*ACCEPTED, says("r", "pass"), says("s", "return")]


def test_going_back_before_what_is_returned_ends_the_waiting():
    """It is done anew anyhow; were it held on, the item would be decided while it waits."""
    state, told = step(BACK_BEHIND, S_HELD, says("t", "reject"))
    assert told == [
        "close t.1 reject",
        "supersede r.1",
        "supersede s.1",
        "supersede t.1",
        "open r.2 r_department",
    ]
    assert state.hold is None
    with pytest.raises(IllegalEvent):
        advance(BACK_BEHIND, state, Corrected(), NOTHING)


def test_going_back_leaves_the_waiting_of_what_lies_beside():
    state = after(BACK_BEHIND, [*S_HELD, says("u", "return"), says("t", "reject")])
    assert state.hold is Hold.CORRECTION
    assert rows(state)[-2:] == ["t.1 superseded reject", "r.2 open"]
    _, told = step(BACK_BEHIND, [*S_HELD, says("u", "return"), says("t", "reject")], Corrected())
    assert told == ["supersede u.1", "open u.2 u_department"]
