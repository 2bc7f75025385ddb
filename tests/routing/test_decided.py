"""What a decision establishes is known to the stages that follow it in the same step."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.routing.conditions.known import Known
from service.routing.context import Asking, decode_context, encode_context
from service.routing.engine import advance, initial
from service.routing.events import Filed, TaskDecided
from service.routing.flow import Verdict
from service.routing.states import OpenStage, Phase
from tests.routing.flows import flow_of, stage

TABLE = {"by": {"fact": "grade.class"}, "cases": {"A": "office"}, "otherwise": "counter"}
FLOW = flow_of(
    stage("a", "acceptance"),
    stage("d", "decision", ("a",), gives=[{"fact": "grade", "value": {"class": "A"}}]),
    stage("letter", "fulfilment", ("d",), department=TABLE),
    stage(
        "visit",
        "fulfilment",
        ("d",),
        when={"fact": "grade.class", "in": ["A", "B"]},
    ),
)
BEFORE = Known(date(2026, 3, 2))
OLD = replace(BEFORE, facts={"grade": [{"class": "D"}]})


def after(known: Known) -> Known:
    return known.with_facts({"grade": [{"class": "A"}, *known.facts.get("grade", ())]})


def decided(known, change):
    state, _ = advance(FLOW, initial(), Filed(hard=False, soft=False), Asking(lambda: known))
    accept = TaskDecided("a", 1, "a_department", Verdict.ACCEPT)
    state, _ = advance(FLOW, state, accept, Asking(lambda: known))
    asking = Asking(lambda: known, change)
    event = TaskDecided("d", 1, "d_department", Verdict.APPROVE)
    return state, event, asking, *advance(FLOW, state, event, asking)


@pytest.mark.parametrize("known", [BEFORE, OLD], ids=["nothing before", "another before"])
def test_it_opens_stages_and_chooses_departments(known):
    *_, after_step, effects = decided(known, after)
    opened = {one.stage: one.departments for one in effects if isinstance(one, OpenStage)}
    assert opened == {"letter": ("office",), "visit": ("visit_department",)}
    assert after_step.phase is Phase.FULFILMENT


def test_a_replay_gives_the_same_without_knowing_it():
    state, event, asking, after_step, effects = decided(OLD, after)
    stored = decode_context(encode_context(asking.context))
    assert advance(FLOW, state, event, stored) == (after_step, effects)


def test_what_was_asked_before_the_decision_was_asked_without_it():
    """Only `decided` changes what is known, also where something was asked already."""
    asking = Asking(lambda: OLD, after)
    letter = FLOW.by_key["letter"]
    assert asking.departments(letter, 1) == ("counter",)
    asking.decided(FLOW.decision)
    assert asking.departments(letter, 2) == ("office",)
