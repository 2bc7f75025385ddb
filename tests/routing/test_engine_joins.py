"""A stage of several departments: when it is passed, when it is rejected, who need not answer."""

from __future__ import annotations

import pytest

from service.routing.engine import IllegalEvent
from service.routing.events import (
    Filed,
    ReturnsGathered,
    TaskDecided,
    decode_event,
    encode_event,
)
from service.routing.flow import Verdict
from service.routing.states import Hold
from tests.routing.flows import flow_of, panel, stage
from tests.routing.steps import after, parts, rows, says, stands, step

ACCEPTED = [Filed(), says("a", "accept")]
VERDICT = {"+": "pass", "-": "reject"}


def answers(text):
    """`east+ west-` as events."""
    return [says("p", VERDICT[one[-1]], of=one[:-1]) for one in text.split()]


GOES_ON = ["close p.1 pass", "open d.1 d_department"]
ENDS = ["close p.1 reject", "stop", "end rejected"]
QUORUM = {"quorum": 2}


@pytest.mark.parametrize(
    ("join", "before", "last", "effects"),
    [
        ("all", "", "east+", []),
        ("all", "east+", "west+", []),
        ("all", "east+ west+", "north+", GOES_ON),
        ("all", "", "west-", ["cancel p.1 east", "cancel p.1 north", *ENDS]),
        ("all", "east+", "west-", ["cancel p.1 north", *ENDS]),
        ("all", "north+ east+", "west-", ENDS),
        ("any", "", "west+", ["cancel p.1 east", "cancel p.1 north", *GOES_ON]),
        ("any", "", "west-", []),
        ("any", "west-", "north-", []),
        ("any", "west-", "north+", ["cancel p.1 east", *GOES_ON]),
        ("any", "west- north-", "east-", ENDS),
        ("any", "west- north-", "east+", GOES_ON),
        (QUORUM, "", "east+", []),
        (QUORUM, "east+", "north+", ["cancel p.1 west", *GOES_ON]),
        (QUORUM, "east+", "west-", []),
        (QUORUM, "east+ west-", "north+", GOES_ON),
        (QUORUM, "east+ west-", "north-", ENDS),
        (QUORUM, "", "east-", []),
        (QUORUM, "east-", "north-", ["cancel p.1 west", *ENDS]),
        ({"quorum": 1}, "east-", "north+", ["cancel p.1 west", *GOES_ON]),
        ({"quorum": 3}, "east+ west+", "north+", GOES_ON),
        ({"quorum": 3}, "east+", "west-", ["cancel p.1 north", *ENDS]),
    ],
)
def test_when_enough_departments_have_spoken(join, before, last, effects):
    state, told = step(panel(join), [*ACCEPTED, *answers(before)], *answers(last))
    assert told == effects
    assert bool(state.outcome) == (effects[-1:] == ["end rejected"])


@pytest.mark.parametrize(
    ("join", "answered", "left"),
    [
        ("all", "", ["east open", "west open", "north open"]),
        ("all", "west+", ["east open", "west closed pass", "north open"]),
        ("any", "west+", ["east cancelled", "west closed pass", "north cancelled"]),
        ("any", "west- east+", ["east closed pass", "west closed reject", "north cancelled"]),
        (QUORUM, "west- east-", ["east closed reject", "west closed reject", "north cancelled"]),
    ],
)
def test_what_every_department_has_said_is_kept(join, answered, left):
    assert parts(after(panel(join), [*ACCEPTED, *answers(answered)]), "p") == left


@pytest.mark.parametrize(
    ("join", "before", "last", "effects"),
    [
        ("all", "east+ west+", "north+", ["close p.1 pass", "end approved"]),
        ("all", "east+", "west+", []),
        ("any", "", "north+", ["cancel p.1 east", "cancel p.1 west", "close p.1 pass",
                               "end approved"]),
        (QUORUM, "north+", "west+", ["cancel p.1 east", "close p.1 pass", "end approved"]),
    ],
)  # fmt: skip
def test_several_departments_deliver(join, before, last, effects):
    flow = panel(join, "fulfilment")
    _, told = step(flow, [*ACCEPTED, says("d", "approve"), *answers(before)], *answers(last))
    assert told == effects


def test_a_rejected_panel_takes_its_siblings_with_it():
    flow = flow_of(
        stage("a", "acceptance"),
        stage("p", "review", ("a",), departments=["east", "west"], join="any"),
        stage("q", "review", ("a",), departments=["east", "west"]),
        stage("d", "decision", ("p", "q")),
    )
    before = [*ACCEPTED, says("q", "pass", of="east"), *answers("west-")]
    state, told = step(flow, before, *answers("east-"))
    assert told == ["close p.1 reject", "drop q.1", "stop", "end rejected"]
    assert stands(state) == "ended rejected"
    assert rows(state) == ["a.1 closed accept", "p.1 closed reject", "q.1 cancelled"]
    assert parts(state, "q") == ["east closed pass", "west cancelled"]


def test_the_next_stage_waits_for_all_before_it():
    flow = flow_of(
        stage("a", "acceptance"),
        stage("p", "review", ("a",), departments=["east", "west"], join="any"),
        stage("q", "review", ("a",)),
        stage("d", "decision", ("p", "q")),
    )
    state, told = step(flow, ACCEPTED, *answers("east+"))
    assert told == ["cancel p.1 west", "close p.1 pass"]
    assert [one.key for one in state.open_stages] == ["q"]


def returns(department, *, gathers=True):
    return TaskDecided("p", 1, department, Verdict.RETURN, gathers)


GATHERING = [*ACCEPTED, returns("east")]
ALL_SPOKEN = ["close p.1 return"]


@pytest.mark.parametrize("join", ["all", "any", QUORUM])
@pytest.mark.parametrize(
    ("before", "event", "effects"),
    [
        (ACCEPTED, returns("east"), []),
        (GATHERING, says("p", "pass", of="west"), []),
        (GATHERING, returns("west"), []),
        ([*GATHERING, says("p", "pass", of="west")], says("p", "pass", of="north"), ALL_SPOKEN),
        ([*GATHERING, says("p", "reject", of="west")], says("p", "reject", of="north"), ALL_SPOKEN),
        ([*GATHERING, returns("west")], returns("north"), ALL_SPOKEN),
        (GATHERING, ReturnsGathered("p", 1), ["cancel p.1 west", "cancel p.1 north", *ALL_SPOKEN]),
        # its limit has passed: nobody is waited for
        (GATHERING, returns("west", gathers=False), ["cancel p.1 north", *ALL_SPOKEN]),
        # as events of before there was gathering have it
        (ACCEPTED, returns("west", gathers=False),
         ["cancel p.1 east", "cancel p.1 north", *ALL_SPOKEN]),
    ],
)  # fmt: skip
def test_what_departments_return_is_asked_when_all_have_spoken(join, before, event, effects):
    """However many have passed it: the points of a department are not lost."""
    state, told = step(panel(join), before, event)
    assert told == effects
    assert (state.hold is Hold.CORRECTION) is bool(effects)
    assert bool(state.gathering) is not bool(effects)


def test_there_is_nothing_to_gather_where_nothing_was_returned():
    with pytest.raises(IllegalEvent):
        after(panel("all"), [*ACCEPTED, ReturnsGathered("p", 1)])


@pytest.mark.parametrize("event", [returns("east"), returns("east", gathers=False)])
def test_a_return_is_stored_as_ever_unless_it_gathers(event):
    raw = encode_event(event)
    assert ("gathers" in raw) is event.gathers
    assert decode_event(raw) == event
