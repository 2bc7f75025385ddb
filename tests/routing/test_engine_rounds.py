"""Going back: what is undone, what stays, and when there is no further round."""

from __future__ import annotations

import pytest

from service.routing.context import Context
from service.routing.events import Filed, NoticeEnded, PredecessorsSettled
from tests.routing.flows import ROUNDS, WHEN, back, flow_of, stage
from tests.routing.steps import after, parts, rows, says, stands, step

ACCEPTED = [Filed(), says("a", "accept")]
VISITED = [*ACCEPTED, says("papers", "pass")]
SENT_BACK = [*VISITED, says("visit", "reject")]
TWICE = [*SENT_BACK, says("papers", "pass", round_=2), says("visit", "reject", round_=2)]
DECIDING = [*VISITED, says("visit", "pass"), says("beside", "pass")]


@pytest.mark.parametrize(
    ("before", "event", "effects"),
    [
        (VISITED, says("visit", "reject"), [
            "close visit.1 reject", "supersede papers.1", "supersede visit.1",
            "open papers.2 papers_department",
        ]),
        (SENT_BACK, says("papers", "pass", round_=2), [
            "close papers.2 pass", "open visit.2 visit_department",
        ]),
        ([*SENT_BACK, says("papers", "pass", round_=2)], says("visit", "reject", round_=2), [
            "close visit.2 reject", "supersede papers.2", "supersede visit.2",
            "open papers.3 papers_department",
        ]),
        ([*TWICE, says("papers", "pass", round_=3)], says("visit", "reject", round_=3), [
            "close visit.3 reject", "drop beside.1", "stop", "end rejected",
        ]),
        (SENT_BACK, says("papers", "reject", round_=2), [
            "close papers.2 reject", "drop beside.1", "stop", "end rejected",
        ]),
        (DECIDING, says("d", "reject"), [
            "close d.1 reject", "supersede visit.1", "supersede d.1",
            "open visit.2 visit_department",
        ]),
        ([*DECIDING, says("d", "reject")], says("visit", "pass", round_=2), [
            "close visit.2 pass", "open d.2 d_department",
        ]),
        ([*DECIDING, says("d", "reject"), says("visit", "pass", round_=2)],
         says("d", "reject", round_=2), ["close d.2 reject", "stop", "end rejected"]),
        ([*DECIDING, says("d", "reject"), says("visit", "pass", round_=2)],
         says("d", "approve", round_=2), ["close d.2 approve", "stop", "end approved"]),
    ],
)  # fmt: skip
def test_a_rejection_leads_back_until_the_rounds_are_used_up(before, event, effects):
    _, told = step(ROUNDS, before, event)
    assert told == effects


def test_what_lies_beside_stays_as_it_is():
    assert rows(after(ROUNDS, SENT_BACK)) == [
        "a.1 closed accept",
        "papers.1 superseded pass",
        "beside.1 open",
        "visit.1 superseded reject",
        "papers.2 open",
    ]
    assert rows(after(ROUNDS, [*DECIDING, says("d", "reject")]))[2:] == [
        "beside.1 closed pass",
        "visit.1 superseded pass",
        "d.1 superseded reject",
        "visit.2 open",
    ]


def test_rounds_count_whatever_led_to_them():
    """The decision's rejection has used up one of the rounds of `visit`."""
    before = [*DECIDING, says("d", "reject"), says("visit", "reject", round_=2)]
    state = after(ROUNDS, [*before, says("papers", "pass", round_=2)])
    assert state.rounds("visit") == 3
    state, told = step(
        ROUNDS,
        [*before, says("papers", "pass", round_=2), says("visit", "pass", round_=3)],
        says("d", "reject", round_=2),
    )
    assert told == ["close d.2 reject", "stop", "end rejected"]
    assert stands(state) == "ended rejected"


OPEN_BEHIND = flow_of(
    stage("a", "acceptance"),
    stage("r", "review", ("a",)),
    stage("s", "review", ("r",), on_reject=back("r")),
    stage("t", "review", ("r",), departments=["east", "west"]),
    stage("u", "review", ("r",), when=WHEN),
    stage("d", "decision", ("s", "t", "u")),
)


def test_what_is_open_behind_is_dropped_and_what_was_skipped_is_asked_again():
    context = Context(opened={"u.1": False, "u.2": True})
    before = [*ACCEPTED, says("r", "pass"), says("t", "pass", of="east")]
    state, told = step(OPEN_BEHIND, before, says("s", "reject"), context)
    assert told == [
        "close s.1 reject",
        "supersede r.1",
        "supersede s.1",
        "drop t.1",
        "supersede u.1",
        "open r.2 r_department",
    ]
    assert parts(state, "t") == ["east closed pass", "west cancelled"]
    again = after(OPEN_BEHIND, [*before, says("s", "reject"), says("r", "pass", round_=2)], context)
    assert rows(again)[1:] == [
        "r.1 superseded pass",
        "s.1 superseded reject",
        "t.1 cancelled",
        "u.1 superseded",
        "r.2 closed pass",
        "s.2 open",
        "t.2 open",
        "u.2 open",
    ]
    assert parts(again, "t") == ["east open", "west open"]


def test_what_was_dropped_can_no_longer_be_decided_and_its_next_round_can():
    context = Context(opened={"u.1": False, "u.2": False})
    events = [*ACCEPTED, says("r", "pass"), says("s", "reject"), says("r", "pass", round_=2)]
    events += [says("s", "pass", round_=2), says("t", "pass", of="west", round_=2)]
    _, told = step(OPEN_BEHIND, events, says("t", "pass", of="east", round_=2), context)
    assert told == ["close t.2 pass", "open d.1 d_department"]


ONCE_MORE = flow_of(
    stage("a", "acceptance"),
    stage("r", "review", ("a",), on_reject=back("r")),
    stage("p", "publicity", ("r",), on_reject=back("p", 3)),
    stage("d", "decision", ("p",), on_reject=back("d")),
)


@pytest.mark.parametrize(
    ("before", "event", "effects"),
    [
        ([], says("r", "reject"), ["close r.1 reject", "supersede r.1", "open r.2 r_department"]),
        ([says("r", "reject")], says("r", "reject", round_=2),
         ["close r.2 reject", "stop", "end rejected"]),
        ([says("r", "pass")], says("p", "reject"),
         ["close p.1 reject", "supersede p.1", "open p.2 p_department"]),
        ([says("r", "pass"), says("p", "reject")], NoticeEnded("p", 2),
         ["close p.2 pass", "open d.1 d_department"]),
        ([says("r", "pass"), NoticeEnded("p", 1)], says("d", "reject"),
         ["close d.1 reject", "supersede d.1", "open d.2 d_department"]),
    ],
)  # fmt: skip
def test_a_stage_may_be_done_again_itself(before, event, effects):
    _, told = step(ONCE_MORE, [*ACCEPTED, *before], event)
    assert told == effects


def test_a_decision_done_again_waits_for_a_predecessor_as_the_first_did():
    before = [*ACCEPTED, says("r", "pass"), NoticeEnded("p", 1), PredecessorsSettled(False, True)]
    state, told = step(ONCE_MORE, before, says("d", "reject"))
    assert told == ["close d.1 reject", "supersede d.1"]
    assert (state.open_stages, state.soft) == ((), True)
    _, told = step(ONCE_MORE, [*before, says("d", "reject")], PredecessorsSettled(False, False))
    assert told == ["open d.2 d_department"]


CHECKED = flow_of(
    stage("a", "acceptance"),
    stage("r", "review", ("a",), when=WHEN),
    stage("c", "check", ("r",), on_reject=back("r", 3)),
    stage("e", "check", ("c",)),
    stage("beside", "review", ("a",)),
    stage("d", "decision", ("e", "beside")),
)
BACK = ["close r.1 pass", "check c.1 reject", "supersede r.1", "supersede c.1"]
FAILS = dict.fromkeys(("c.1", "c.2", "c.3"), False)


@pytest.mark.parametrize(
    ("opened", "passed", "effects"),
    [
        ({}, {"c.1": True, "e.1": True}, ["close r.1 pass", "check c.1 pass", "check e.1 pass"]),
        ({}, {"c.1": True, "e.1": False}, [
            "close r.1 pass", "check c.1 pass", "check e.1 reject",
            "drop beside.1", "stop", "end rejected",
        ]),
        ({"r.2": True}, FAILS, [*BACK, "open r.2 r_department"]),
        ({"r.2": False}, {"c.1": False, "c.2": True, "e.1": True}, [
            *BACK, "skip r.2", "check c.2 pass", "check e.1 pass",
        ]),
        ({"r.2": False, "r.3": False}, FAILS, [
            *BACK,
            "skip r.2", "check c.2 reject", "supersede r.2", "supersede c.2",
            "skip r.3", "check c.3 reject", "drop beside.1", "stop", "end rejected",
        ]),
    ],
)  # fmt: skip
def test_a_check_that_fails_leads_back_at_once(opened, passed, effects):
    context = Context(opened={"r.1": True, **opened}, passed=passed)
    _, told = step(CHECKED, ACCEPTED, says("r", "pass"), context)
    assert told == effects
