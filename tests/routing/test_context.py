"""What is looked up while an item advances: asked of the case once, stored, never asked again."""

from __future__ import annotations

import json
from datetime import date

import pytest

from service.routing.conditions.asked import parse_condition
from service.routing.conditions.known import Known
from service.routing.context import Asking, Context, MissingContext, decode_context, encode_context
from service.routing.engine import advance, initial, replay
from service.routing.events import Filed
from tests.routing.flows import SMALL, back, flow_of, stage
from tests.routing.steps import says

TODAY = date(2026, 6, 1)
FLAT = Known(TODAY, answers={"home": {"kind": "flat", "rooms": 2, "owned": True}})
BOAT = Known(TODAY, answers={"home": {"kind": "boat", "owned": False}})
BLANK = Known(TODAY)
IS_FLAT = {"field": "home.kind", "is": "flat"}


def stage_of(**more):
    """A review, or a check where it is told what to look at."""
    kind = "check" if "checks" in more else "review"
    return flow_of(stage("a", "acceptance"), stage("s", kind, ("a",), **more)).by_key["s"]


@pytest.mark.parametrize(
    ("known", "opens", "passes"),
    [(FLAT, True, True), (BOAT, False, False), (BLANK, True, False)],
    ids=["met", "not met", "unknown"],
)
def test_what_is_unknown_somebody_looks_at_and_no_check_passes(known, opens, passes):
    asking = Asking(lambda: known)
    assert asking.opens(stage_of(when=IS_FLAT), 1, {}) is opens
    assert asking.passes(stage_of(checks=IS_FLAT), 2, {}) is passes
    assert asking.context == Context(opened={"s.1": opens}, passed={"s.2": passes})


def test_where_nothing_is_asked_a_stage_opens_and_a_check_passes():
    asking = Asking(lambda: pytest.fail("nothing has to be known"))
    assert asking.opens(stage_of(), 1, {})
    assert asking.passes(stage_of(), 1, {})


@pytest.mark.parametrize(
    ("outcomes", "opens"),
    [({}, False), ({"r": "rejected"}, False), ({"r": "skipped"}, True), ({"r": "passed"}, True)],
)
def test_conditions_see_what_the_stages_came_to(outcomes, opens):
    asked = stage_of(when={"stage": "r", "in": ["passed", "skipped"]})
    assert Asking(lambda: BLANK).opens(asked, 1, outcomes) is opens


def test_the_case_is_looked_at_once_and_only_when_something_is_asked():
    looks = []
    asking = Asking(lambda: looks.append(FLAT) or FLAT)
    assert asking.departments(stage_of(), 1) == ("s_department",)
    assert looks == []
    asking.opens(stage_of(when=IS_FLAT), 1, {})
    asking.passes(stage_of(checks=IS_FLAT), 1, {})
    assert looks == [FLAT]


def test_an_answer_given_stands_until_the_next_round():
    asking, asked = Asking(lambda: BLANK), stage_of(when={"stage": "r", "is": "passed"})
    assert asking.opens(asked, 1, {}) is False
    assert asking.opens(asked, 1, {"r": "passed"}) is False
    assert asking.opens(asked, 2, {"r": "passed"}) is True


LEVELS = Known(TODAY, facts={"degree": [{"level": 3}, {"level": 1}]})
BY_KIND = {"by": {"field": "home.kind"}, "cases": {"flat": "east"}, "otherwise": "west"}
BY_OWNED = {"by": {"field": "home.owned"}, "cases": {"true": "east"}, "otherwise": "west"}
BY_ROOMS = {"by": {"field": "home.rooms"}, "cases": {"2": "east"}, "otherwise": "west"}
BY_LEVEL = {"by": {"fact": "degree.level"}, "cases": {"1": "east", "3": "north"}}
BY_LEVEL["otherwise"] = "west"


@pytest.mark.parametrize(
    ("table", "known", "department"),
    [
        (BY_KIND, FLAT, "east"),
        (BY_KIND, BOAT, "west"),
        (BY_KIND, BLANK, "west"),
        (BY_OWNED, FLAT, "east"),
        (BY_OWNED, BOAT, "west"),
        (BY_ROOMS, FLAT, "east"),
        (BY_ROOMS, BLANK, "west"),
        (BY_LEVEL, LEVELS, "north"),
        (BY_LEVEL, BLANK, "west"),
    ],
)
def test_a_table_chooses_the_department_by_the_newest_that_is_known(table, known, department):
    asking = Asking(lambda: known)
    assert asking.departments(stage_of(department=table), 1) == (department,)
    assert asking.context.chosen == {"s.1": (department,)}


def test_a_stored_context_gives_the_answers_that_were_given():
    context = Context({"s.1": True}, {"s.1": False}, {"s.1": ("east",)})
    table = stage_of(department=BY_KIND)
    assert context.opens(table, 1, {}) is True
    assert context.passes(table, 1, {}) is False
    assert context.departments(table, 1) == ("east",)
    assert context.departments(table, 2) == ("west",)
    assert context.departments(stage_of(), 1) == ("s_department",)


@pytest.mark.parametrize("ask", [Context().opens, Context().passes])
def test_what_was_not_stored_is_not_guessed(ask):
    with pytest.raises(MissingContext, match=r"s\.3"):
        ask(stage_of(), 3, {})


def test_the_engine_asks_with_the_outcomes_by_then():
    """What is supplied is asked for once the review has been rejected, and not before."""
    flow = flow_of(
        stage("a", "acceptance"),
        stage("supply", "review", ("a",), when={"stage": "s", "is": "rejected"}),
        stage("s", "review", ("supply",), on_reject=back("supply")),
        stage("d", "decision", ("s",)),
    )
    state, history, opened = initial(), [], []
    for event in [Filed(), says("a", "accept"), says("s", "reject")]:
        asking = Asking(lambda: BLANK)
        state, _ = advance(flow, state, event, asking)
        opened.append(dict(asking.context.opened))
        history.append((event, decode_context(json.loads(json.dumps(encode(asking))))))
    assert opened == [{}, {"supply.1": False}, {"supply.2": True}]
    assert state.outcomes == {"a": "passed", "s": "rejected"}
    assert replay(flow, history) == state


def encode(asking):
    return encode_context(asking.context)


def test_most_steps_store_nothing():
    asking = Asking(lambda: pytest.fail("nothing has to be known"))
    advance(SMALL, initial(), Filed(), asking)
    assert encode(asking) == {}


def test_what_is_known_can_be_told_with_other_outcomes():
    condition = parse_condition({"stage": "r", "is": "passed"})
    assert condition.op == "is"
    assert BLANK.after({"r": "passed"}) == Known(TODAY, outcomes={"r": "passed"})
