"""The longest way from acceptance to decision, against the promise and against what happens."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.check import check_flow, longest_way
from service.routing.engine import advance, initial
from service.routing.events import Filed, TaskDecided
from service.routing.flow import PASSING, Flow, Stage, Verdict, parse_flow
from service.routing.states import OpenStage, Phase
from tests.routing.cases import unhurried
from tests.routing.flows import OFFICE_HOURS, back, flow_of, flows, raw_flow, stage
from tests.routing.steps import says
from tests.routing.walks import Dice


def days(number: int) -> dict[str, dict[str, int]]:
    return {"limit": {"working_days": number}}


def hours(number: int) -> dict[str, dict[str, int]]:
    return {"limit": {"working_hours": number}}


def line(*between, **decision):
    """A flow of stages one after the other, each given by its kind and what else it has."""
    stages = [stage("a", "acceptance", **days(9))]
    for number, (kind, more) in enumerate(between):
        stages.append(stage(f"s{number}", kind, (stages[-1]["key"],), **more))
    stages.append(stage("d", "decision", (stages[-1]["key"],), **{**days(4), **decision}))
    stages.append(stage("f", "fulfilment", ("d",), **days(30)))
    return flow_of(*stages)


@pytest.mark.parametrize(
    ("flow", "longest"),
    [
        (line(), 4),
        (line(("review", days(6))), 10),
        (line(("external", days(6)), ("publicity", days(5))), 15),
        (line(("check", days(6))), 4),
        (line(("review", hours(1))), 5),
        (line(("review", hours(7))), 5),
        (line(("review", hours(8))), 6),
        (line(("review", hours(15))), 6),
        (line(("review", hours(3390))), 456),
        (line(("review", {**days(6), "on_reject": back("s0", 2)})), 16),
        (line(("review", {**days(6), "on_reject": back("s0", 4)})), 28),
        (line(("review", days(6)), on_reject=back("s0", 2)), 20),
        (line(("review", days(6)), on_reject=back("d", 3)), 18),
        (line(("review", days(6)), ("check", {"on_reject": back("s0", 3)})), 22),
        (line(("review", days(6)), ("review", days(1)), on_reject=back("s1", 3)), 21),
    ],
)
def test_stages_after_each_other_add_up_with_every_round(flow, longest):
    assert longest_way(flow) == longest


def test_of_parallel_stages_the_longer_counts():
    stages = [
        stage("a", "acceptance", **days(9)),
        stage("long", "review", ("a",), **days(6)),
        stage("short", "review", ("a",), **days(2)),
        stage("d", "decision", ("long", "short"), **days(4)),
        stage("f", "fulfilment", ("d",), **days(30)),
    ]
    assert longest_way(flow_of(*stages)) == 10
    assert check_flow(parse_flow(raw_flow(*stages, promise=10))) == []
    (fault,) = check_flow(parse_flow(raw_flow(*stages, promise=9)))
    assert (fault.path, fault.code) == (("promise", "working_days"), "limits_exceed_promise")
    assert fault.params == {"working_days": 10, "promise": 9}


def test_another_round_costs_only_what_is_done_again():
    stages = [
        stage("a", "acceptance"),
        stage("long", "review", ("a",), **days(10)),
        stage("short", "review", ("a",), **days(2)),
        stage("d", "decision", ("long", "short"), **days(4), on_reject=back("short", 2)),
    ]
    assert longest_way(flow_of(*stages)) == 14 + 6


@pytest.mark.parametrize("may", [["pass"], ["pass", "reject"], ["pass", "reject", "return"]])
def test_a_return_costs_nothing(may):
    """The promise is for what is complete: how long a correction takes nobody knows."""
    flow = line(("review", {**days(6), "may": may}))
    assert longest_way(flow) == 10


@pytest.mark.parametrize(("minutes", "longest"), [(480, 5), (450, 6), (240, 6), (60, 12)])
def test_hours_are_counted_by_the_districts_office_day(minutes, longest):
    flow = line(("review", hours(8)))
    assert longest_way(flow, day_minutes=minutes) == longest
    promise = parse_flow(raw_flow(*_plain(hours(8)), promise=5))
    assert (check_flow(promise, day_minutes=minutes) == []) is (longest <= 5)


def _plain(limit):
    yield stage("a", "acceptance")
    yield stage("s", "review", ("a",), **limit)
    yield stage("d", "decision", ("s",), **days(4))


def test_rounds_of_what_comes_after_the_decision_cost_nothing_before_it():
    stages = [stage("a", "acceptance"), stage("d", "decision", ("a",), **days(4))]
    stages.append(stage("r", "review", ("d",), on_reject=back("r", 5)))
    assert longest_way(flow_of(*stages)) == 4


@unhurried
@given(flows(), st.data())
def test_whatever_happens_takes_no_longer(flow, data):
    """Everybody uses up their limit, and many reject: the longest way still is not passed.

    Nobody returns anything here: a return makes the applicant's time, and a round of its own.
    """
    dice, now, opened = Dice(data.draw), 0, {}
    state, _ = advance(flow, initial(), Filed(), dice)
    accepted = says("a", "accept", of=state.open_stages[0].department)
    state, effects = advance(flow, state, accepted, dice)
    while state.phase is Phase.PROCESSING:
        for effect in effects:
            if isinstance(effect, OpenStage):
                opened[effect.stage, effect.round] = now
        due = {one: opened[one.key, one.round] + _takes(flow, one.key) for one in state.open_stages}
        now = min(due.values())
        held = data.draw(st.sampled_from([one for one, at in due.items() if at == now]))
        department = data.draw(st.sampled_from(held.open_parts)).department
        verdict = data.draw(st.sampled_from(_verdicts(flow.by_key[held.key])))
        event = TaskDecided(held.key, held.round, department, verdict)
        state, effects = advance(flow, state, event, dice)
    assert now <= longest_way(flow) <= flow.promise_working_days


def _takes(flow: Flow, key: str) -> int:
    limit = flow.by_key[key].limit
    return limit.working_days + math.ceil(limit.working_hours / OFFICE_HOURS)


def _verdicts(one: Stage) -> list[Verdict]:
    return sorted(one.may & {PASSING[one.kind], Verdict.REJECT})
