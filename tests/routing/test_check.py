"""Every fault of a flow is named, with the path of its key."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.check import check_flow
from service.routing.flow import StageKind, parse_flow
from tests.routing.cases import unhurried
from tests.routing.flows import (
    ROUNDS,
    SMALL,
    WHEN,
    WHOLE,
    WIDE,
    back,
    flows,
    panel,
    raw_flow,
    stage,
)

A = stage("a", "acceptance")
R = stage("r", "review", ("a",))
D = stage("d", "decision", ("a",))


def found(*stages, **promises):
    faults = check_flow(parse_flow(raw_flow(*stages, **promises)))
    return [(".".join(map(str, fault.path)), fault.code) for fault in faults]


@pytest.mark.parametrize(
    "flow",
    [SMALL, WIDE, ROUNDS, WHOLE, panel("any"), panel({"quorum": 3}), panel("all", "fulfilment")],
)
def test_a_good_flow_has_no_fault(flow):
    assert check_flow(flow) == []


@pytest.mark.parametrize(
    ("stages", "faults"),
    [
        ([], [("stages", "no_stages")]),
        (
            [A, D, D],
            [("stages.2.key", "duplicate_stage"), ("stages.2.kind", "several_decisions")],
        ),
        ([A, stage("d", "decision", ("a", "x"))], [("stages.1.after.1", "unknown_stage")]),
        (
            [A, stage("d", "decision", ("a",), on_reject=back("x"))],
            [("stages.1.on_reject.to", "unknown_stage")],
        ),
        (
            [stage("r", "review"), stage("d", "decision", ("r",))],
            [("stages.0", "start_not_acceptance"), ("stages.1", "unreachable")],
        ),
        (
            [A, stage("r", "review"), stage("d", "decision", ("a", "r"))],
            [("stages.1", "start_not_acceptance")],
        ),
        (
            [A, stage("b", "acceptance", ("a",)), stage("d", "decision", ("b",))],
            [("stages.1.after", "acceptance_not_first"), ("stages.1.kind", "several_acceptances")],
        ),
        (
            [A, stage("b", "acceptance"), stage("d", "decision", ("a", "b"))],
            [("stages.1.kind", "several_acceptances")],
        ),
        ([A, R], [("stages", "decision_missing")]),
        ([A, D, stage("e", "decision", ("d",))], [("stages.2.kind", "several_decisions")]),
        (
            [A, D, stage("r", "review", ("a", "s")), stage("s", "review", ("r",))],
            [("stages.2.after", "cycle"), ("stages.3.after", "cycle")],
        ),
        ([A, D, stage("r", "review", ("r",))], [("stages.2.after", "cycle")]),
        ([A, D, R], [("stages.2.after", "decision_bypassed")]),
        ([A, D, stage("f", "fulfilment", ("a",))], [("stages.2.after", "decision_bypassed")]),
        ([A, D, stage("r", "review", ("d",))], [("stages.2.after", "review_after_decision")]),
        ([A, D, stage("c", "check", ("d",))], [("stages.2.after", "review_after_decision")]),
        (
            [A, stage("f", "fulfilment", ("a",)), stage("d", "decision", ("f",))],
            [("stages.1.after", "fulfilment_before_decision")],
        ),
        ([A, {**D, "may": ["approve", "pass"]}], [("stages.1.may", "verdict_not_allowed")]),
        ([A, {**D, "may": ["reject"]}], [("stages.1.may", "verdict_missing")]),
        ([{**A, "may": ["accept", "reject"]}, D], [("stages.0.may", "verdict_not_allowed")]),
        ([A, {**D, "may": ["approve", "return"]}], [("stages.1.may", "verdict_not_allowed")]),
        ([{**A, "may": ["accept", "return"]}, D], []),
        (
            [A, {**D, "limit": {"working_days": 0}}],
            [("stages.1.limit.working_days", "limit_not_positive")],
        ),
        (
            [A, {**D, "limit": {"working_days": -1}}],
            [("stages.1.limit.working_days", "limit_not_positive")],
        ),
        (
            [A, {**D, "limit": {"working_hours": 0}}],
            [("stages.1.limit.working_hours", "limit_not_positive")],
        ),
    ],
)
def test_every_fault_is_named_with_its_place(stages, faults):
    assert found(*stages) == faults


def test_what_a_verdict_does_not_fit_is_said():
    faults = check_flow(parse_flow(raw_flow(A, {**D, "may": ["pass"]})))
    assert [(fault.code, fault.params) for fault in faults] == [
        ("verdict_not_allowed", {"verdict": "pass", "kind": "decision"}),
        ("verdict_missing", {"verdict": "approve", "kind": "decision"}),
    ]


PLACES = {"acceptance": 0, "decision": 2, "fulfilment": 3}


def with_stage(kind: str, **more):
    """What is found in a flow whose stage of this kind has more than it needs."""
    stages = [A, stage("s", "review", ("a",)), stage("d", "decision", ("s",))]
    stages.append(stage("f", "fulfilment", ("d",)))
    place = PLACES.get(kind, 1)
    one = stages[place]
    stages[place] = stage(one["key"], kind, tuple(one["after"]), **more)
    return found(*stages), f"stages.{place}"


EVERY = {kind.value for kind in StageKind}
WORKED = EVERY - {"check"}
KEYS = {
    "when": (WHEN, EVERY - {"acceptance", "decision"}),
    "checks": (WHEN, {"check"}),
    "department": ("east", WORKED),
    "role": ("clerk", WORKED),
    "on_reject": (back("s"), EVERY - {"acceptance", "fulfilment"}),
    "four_eyes": (True, WORKED - {"acceptance"}),
    "records": ({"type": "object"}, WORKED - {"publicity"}),
    "gives": ([{"fact": "degree", "value": {"level": 1}}], {"decision"}),
    "authority": ({"zh": "省厅", "en": "the province"}, {"external"}),
}
"""By key a value, and the kinds of stages that may have it."""


@pytest.mark.parametrize("kind", sorted(EVERY))
@pytest.mark.parametrize("key", KEYS)
def test_a_key_stands_where_it_means_something(key, kind):
    value, allowed = KEYS[key]
    faults, place = with_stage(kind, **{key: value})
    named = [code for path, code in faults if path == f"{place}.{key}"]
    assert named == ([] if kind in allowed else ["key_not_allowed"])


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("check", "checks"),
        ("external", "authority"),
        *((kind, key) for kind in sorted(WORKED) for key in ("department", "role")),
    ],
)
def test_a_key_that_is_needed_is_missed(kind, key):
    faults, place = with_stage(kind, **{key: None})
    assert faults == [(f"{place}.{key}", "key_needed")]


SEVERAL = ["east", "west", "north"]
BY_KIND = {"by": {"field": "home.kind"}, "cases": {"flat": "east"}, "otherwise": "west"}


@pytest.mark.parametrize(
    ("kind", "more", "path", "code"),
    [
        *(
            (kind, {"departments": SEVERAL}, "departments", "one_department")
            for kind in ("acceptance", "external", "publicity", "decision")
        ),
        ("review", {"join": "any"}, "join", "join_of_one"),
        ("review", {"join": {"quorum": 1}}, "join", "join_of_one"),
        ("review", {"join": "any", "department": BY_KIND}, "join", "join_of_one"),
        ("fulfilment", {"join": "any"}, "join", "join_of_one"),
        (
            "review",
            {"departments": SEVERAL, "join": {"quorum": 4}},
            "join.quorum",
            "quorum_too_large",
        ),
    ],
)
def test_several_departments_and_a_join_belong_together(kind, more, path, code):
    faults, place = with_stage(kind, **more)
    assert faults == [(f"{place}.{path}", code)]


@pytest.mark.parametrize("join", ["all", "any", {"quorum": 1}, {"quorum": 3}])
@pytest.mark.parametrize("kind", ["review", "fulfilment"])
def test_a_join_of_several_is_good(kind, join):
    assert with_stage(kind, departments=SEVERAL, join=join)[0] == []


def returning(here: str, to: str):
    """What is found where a rejection of one stage leads to another."""
    stages = [
        A,
        stage("c", "check", ("a",)),
        stage("r", "review", ("c",)),
        stage("s", "review", ("a",)),
        stage("d", "decision", ("r", "s")),
        stage("f", "fulfilment", ("d",)),
    ]
    place = next(place for place, one in enumerate(stages) if one["key"] == here)
    stages[place] = {**stages[place], "on_reject": back(to)}
    return found(*stages), f"stages.{place}.on_reject.to"


@pytest.mark.parametrize(
    ("here", "to", "code"),
    [
        ("r", "r", None),
        ("d", "r", None),
        ("d", "s", None),
        ("d", "d", None),
        ("r", "s", "not_before"),
        ("s", "d", "not_before"),
        ("c", "r", "not_before"),
        ("d", "f", "not_before"),
        ("c", "c", "no_way_back"),
        ("r", "c", "no_way_back"),
        ("c", "a", "no_way_back"),
        ("d", "a", "no_way_back"),
    ],
)
def test_a_rejection_leads_back_to_where_somebody_works(here, to, code):
    faults, path = returning(here, to)
    assert faults == ([] if code is None else [(path, code)])


@pytest.mark.parametrize(
    ("promise", "statutory", "faults"),
    [
        (1, None, []),
        (5, 5, []),
        (5, 20, []),
        (6, 5, [("promise.working_days", "promise_exceeds_law")]),
        (0, None, [
            ("promise.working_days", "limit_not_positive"),
            ("promise.working_days", "limits_exceed_promise"),
        ]),
    ],
)  # fmt: skip
def test_a_promise_is_positive_and_within_the_law(promise, statutory, faults):
    assert found(A, D, promise=promise, statutory=statutory) == faults


def test_faults_of_several_stages_come_together():
    late = {**D, "limit": {"working_days": -1}, "may": ["reject"]}
    assert len(found({**A, "may": ["accept", "pass"]}, late, promise=0)) == 4


@unhurried
@given(flows())
def test_what_the_strategy_draws_is_sound(flow):
    assert check_flow(flow) == []


KEY = st.sampled_from(["a", "b", "c", "d", "e"])
AFTER = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "x"]), max_size=3).map(tuple)
BACK = st.none() | st.builds(back, KEY, st.integers(2, 5))
ANY_STAGE = st.builds(stage, KEY, st.sampled_from(sorted(EVERY)), AFTER, on_reject=BACK)


@unhurried
@given(st.lists(ANY_STAGE, max_size=6))
def test_any_graph_is_answered(stages):
    for fault in check_flow(parse_flow(raw_flow(*stages))):
        assert fault.path[0] in ("stages", "promise")


@unhurried
@given(st.permutations([A, R, stage("s", "review", ("a",)), stage("d", "decision", ("r", "s"))]))
def test_the_order_in_which_stages_are_declared_does_not_matter(stages):
    assert found(*stages) == []
