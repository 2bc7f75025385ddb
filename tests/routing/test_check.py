from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing import check_flow, parse_flow
from tests.routing.flows import SMALL, WIDE, flows, raw_flow, stage

ACCEPTANCE = stage("a", "acceptance")
DECISION = stage("d", "decision", ("a",))


def found(*stages, promise=20):
    faults = check_flow(parse_flow(raw_flow(*stages, promise=promise)))
    return [(".".join(map(str, fault.path)), fault.code) for fault in faults]


@pytest.mark.parametrize("flow", [SMALL, WIDE])
def test_a_good_flow_has_no_fault(flow):
    assert check_flow(flow) == []


@pytest.mark.parametrize(
    ("stages", "faults"),
    [
        ([], [("stages", "no_stages")]),
        (
            [ACCEPTANCE, DECISION, DECISION],
            [
                ("stages.2.key", "duplicate_stage"),
                ("stages.2.kind", "several_decisions"),
            ],
        ),
        ([ACCEPTANCE, stage("d", "decision", ("a", "x"))], [("stages.1.after.1", "unknown_stage")]),
        (
            [stage("r", "review"), stage("d", "decision", ("r",))],
            [
                ("stages.0", "start_not_acceptance"),
                ("stages.1", "unreachable"),
            ],
        ),
        (
            [ACCEPTANCE, stage("b", "acceptance", ("a",)), stage("d", "decision", ("b",))],
            [
                ("stages.1.after", "acceptance_not_first"),
                ("stages.1.kind", "several_acceptances"),
            ],
        ),
        ([ACCEPTANCE, stage("r", "review", ("a",))], [("stages", "decision_missing")]),
        (
            [ACCEPTANCE, DECISION, stage("e", "decision", ("d",))],
            [
                ("stages.2.kind", "several_decisions"),
            ],
        ),
        (
            [ACCEPTANCE, DECISION, stage("r", "review", ("a", "s")), stage("s", "review", ("r",))],
            [
                ("stages.2.after", "cycle"),
                ("stages.3.after", "cycle"),
            ],
        ),
        ([ACCEPTANCE, DECISION, stage("r", "review", ("r",))], [("stages.2.after", "cycle")]),
        (
            [ACCEPTANCE, DECISION, stage("r", "review", ("a",))],
            [
                ("stages.2.after", "decision_bypassed"),
            ],
        ),
        (
            [ACCEPTANCE, DECISION, stage("f", "fulfilment", ("a",))],
            [
                ("stages.2.after", "decision_bypassed"),
            ],
        ),
        (
            [ACCEPTANCE, DECISION, stage("r", "review", ("d",))],
            [
                ("stages.2.after", "review_after_decision"),
            ],
        ),
        (
            [ACCEPTANCE, stage("f", "fulfilment", ("a",)), stage("d", "decision", ("f",))],
            [
                ("stages.1.after", "fulfilment_before_decision"),
            ],
        ),
        (
            [ACCEPTANCE, stage("d", "decision", ("a",), may=["approve", "pass"])],
            [
                ("stages.1.may", "verdict_not_allowed"),
            ],
        ),
        (
            [ACCEPTANCE, stage("d", "decision", ("a",), may=["reject"])],
            [
                ("stages.1.may", "verdict_missing"),
            ],
        ),
        (
            [ACCEPTANCE, stage("d", "decision", ("a",), limit={"working_days": 0})],
            [
                ("stages.1.limit.working_days", "limit_not_positive"),
            ],
        ),
    ],
)
def test_every_fault_is_named_with_its_place(stages, faults):
    assert found(*stages) == faults


def test_the_longest_way_from_acceptance_to_decision_fits_the_promise():
    stages = [
        stage("a", "acceptance", limit={"working_days": 9}),
        stage("long", "review", ("a",), limit={"working_days": 6}),
        stage("short", "review", ("a",), limit={"working_days": 2}),
        stage("d", "decision", ("long", "short"), limit={"working_days": 4}),
        stage("f", "fulfilment", ("d",), limit={"working_days": 30}),
    ]
    assert found(*stages, promise=10) == []
    assert found(*stages, promise=9) == [("promise.working_days", "limits_exceed_promise")]


def test_a_promise_is_positive():
    assert ("promise.working_days", "limit_not_positive") in found(ACCEPTANCE, DECISION, promise=0)


def test_faults_of_several_stages_come_together():
    late = stage("d", "decision", ("a",), limit={"working_days": -1}, may=["reject"])
    assert len(found(stage("a", "acceptance", may=["accept", "pass"]), late, promise=0)) == 4


@given(flows())
def test_what_the_strategy_draws_is_sound(flow):
    assert check_flow(flow) == []


KEYS = ["a", "b", "c", "d", "e"]
ANY_STAGE = st.builds(
    stage,
    st.sampled_from(KEYS),
    st.sampled_from(["acceptance", "review", "decision", "fulfilment"]),
    st.lists(st.sampled_from([*KEYS, "x"]), max_size=3).map(tuple),
)


@given(st.lists(ANY_STAGE, max_size=6))
def test_any_graph_is_answered(stages):
    for fault in check_flow(parse_flow(raw_flow(*stages))):
        assert fault.path[0] in ("stages", "promise")
