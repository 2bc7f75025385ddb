"""The edges between the items of a ticket: what settles them, and what is wrong with some."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.bundle import (
    Ask,
    EdgeKind,
    EdgeOn,
    EdgeRule,
    EdgeStatus,
    Otherwise,
    Wait,
    Waits,
    check_edges,
    given_up,
    in_order,
    parse_edges,
    settled,
    waits,
)
from service.routing.conditions.asked import parse_condition
from service.routing.flow import MalformedFlow
from service.routing.states import Outcome, Phase
from tests.routing.cases import unhurried

EDGE = {"from": "recognition", "to": "housing", "kind": "soft", "otherwise": "proceed"}
APPROVED, REJECTED = Outcome.APPROVED, Outcome.REJECTED
OPEN = (Phase.PROCESSING, None)
WAITING = (Phase.WAITING, None)
DECIDED = (Phase.FULFILMENT, APPROVED)
GRANTED = (Phase.ENDED, APPROVED)
REFUSED = (Phase.ENDED, REJECTED)


@pytest.mark.parametrize(
    ("more", "changes"),
    [
        ({}, {}),
        ({"kind": "hard"}, {"kind": EdgeKind.HARD}),
        ({"on": "ended"}, {"on": EdgeOn.ENDED}),
        ({"otherwise": "close"}, {"otherwise": Otherwise.CLOSE}),
        ({"otherwise": {"ask": {"working_days": 5, "default": "close"}}},
         {"otherwise": Otherwise.ASK, "ask": Ask(5, Otherwise.CLOSE)}),
        ({"wait_until": {"working_days": 60}}, {"wait": Wait(working_days=60)}),
        ({"wait_until": {"each_year": "07-15"}}, {"wait": Wait(each_year="07-15")}),
        ({"if": {"requested": "medical"}}, {"when": parse_condition({"requested": "medical"})}),
    ],
)  # fmt: skip
def test_an_edge_is_read_whole(more, changes):
    usual = {
        "predecessor": "recognition",
        "successor": "housing",
        "kind": EdgeKind.SOFT,
        "on": EdgeOn.APPROVED,
        "otherwise": Otherwise.PROCEED,
    }
    assert parse_edges([{**EDGE, **more}]) == (EdgeRule(**{**usual, **changes}),)


@pytest.mark.parametrize(
    "raw",
    [
        5,
        [5],
        [{}],
        [{name: value for name, value in EDGE.items() if name != "to"}],
        [{**EDGE, "kind": "firm"}],
        [{**EDGE, "on": "filed"}],
        [{**EDGE, "otherwise": "shrug"}],
        [{**EDGE, "otherwise": {"ask": {"working_days": 5}}}],
        [{**EDGE, "otherwise": {"ask": {"working_days": 5, "default": "shrug"}}}],
        [{**EDGE, "wait_until": {"months": 5}}],
        [{**EDGE, "wait_until": 5}],
        [{**EDGE, "if": {"field": "home.kind"}}],
    ],
)
def test_another_shape_is_refused(raw):
    with pytest.raises(MalformedFlow, match="not edges"):
        parse_edges(raw)


@pytest.mark.parametrize(
    ("on", "predecessors", "status"),
    [
        ("approved", [], "met"),
        ("approved", [WAITING], "waiting"),
        ("approved", [OPEN], "waiting"),
        ("approved", [DECIDED], "met"),
        ("approved", [GRANTED], "met"),
        ("approved", [DECIDED, GRANTED], "met"),
        ("approved", [GRANTED, OPEN], "waiting"),
        ("approved", [REFUSED], None),
        ("approved", [REFUSED, OPEN], None),
        ("approved", [GRANTED, REFUSED], None),
        ("ended", [], "met"),
        ("ended", [WAITING], "waiting"),
        ("ended", [OPEN], "waiting"),
        ("ended", [DECIDED], "waiting"),
        ("ended", [GRANTED], "met"),
        ("ended", [REFUSED], "met"),
        ("ended", [REFUSED, DECIDED], "waiting"),
        ("ended", [REFUSED, GRANTED], "met"),
    ],
)
@pytest.mark.parametrize("otherwise", Otherwise)
def test_how_an_edge_stands(on, predecessors, status, otherwise):
    """None: it cannot be met any more, and what was said for that case follows."""
    expected = given_up(otherwise) if status is None else EdgeStatus(status)
    assert settled(EdgeOn(on), otherwise, predecessors) is expected


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not APPROVED])
def test_nothing_but_an_approval_meets_an_edge_on_approval(outcome):
    ended = [(Phase.ENDED, outcome)]
    assert settled(EdgeOn.APPROVED, Otherwise.CLOSE, ended) is EdgeStatus.FAILED
    assert settled(EdgeOn.ENDED, Otherwise.CLOSE, ended) is EdgeStatus.MET


@pytest.mark.parametrize(
    ("otherwise", "status"),
    [("proceed", "waived"), ("close", "failed"), ("ask", "asked")],
)
def test_what_is_given_up_goes_on_is_closed_or_asked_about(otherwise, status):
    assert given_up(Otherwise(otherwise)) is EdgeStatus(status)


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ([], (False, False, False)),
        (["hard waiting"], (True, False, False)),
        (["hard asked"], (True, False, False)),
        (["soft waiting"], (False, True, False)),
        (["soft asked"], (False, True, False)),
        (["hard met", "soft waived"], (False, False, False)),
        (["hard waiting", "soft waiting"], (True, True, False)),
        (["hard met", "hard waiting"], (True, False, False)),
        (["hard failed"], (False, False, True)),
        (["soft failed"], (False, False, True)),
        (["soft failed", "hard waiting"], (True, False, True)),
    ],
)
def test_what_an_item_waits_for(edges, expected):
    pairs = (one.split() for one in edges)
    assert waits((EdgeKind(kind), EdgeStatus(status)) for kind, status in pairs) == Waits(*expected)


@unhurried
@given(st.lists(st.tuples(st.sampled_from(EdgeKind), st.sampled_from(EdgeStatus))))
def test_the_order_of_edges_does_not_matter(edges):
    assert waits(edges) == waits(reversed(edges))


def edges_of(text):
    """`a>b b~c`: hard and soft edges."""
    for one in text.split():
        kind = "hard" if ">" in one else "soft"
        first, _, second = one.replace("~", ">").partition(">")
        yield {"from": first, "to": second, "kind": kind, "otherwise": "proceed"}


def rules(text):
    return parse_edges(edges_of(text))


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", []),
        ("a>b", []),
        ("a>b a~c b~c", []),
        ("a>b a>c b>d c>d", []),
        ("a>a", ["edges.0.to edge_to_itself"]),
        ("b>c a~a", ["edges.1.to edge_to_itself"]),
        ("a>b a~b", ["edges.1.to duplicate_edge"]),
        ("a>b a>b a>b", ["edges.1.to duplicate_edge", "edges.2.to duplicate_edge"]),
        ("a>b b>a", ["edges.0 edge_cycle"]),
        ("a>b b~a", ["edges.0 edge_cycle"]),
        ("x>a a>b b~c c>a", ["edges.1 edge_cycle"]),
        ("a>a a>b b>a", ["edges.0.to edge_to_itself", "edges.1 edge_cycle"]),
        ("a>b a~b b>a", ["edges.1.to duplicate_edge", "edges.0 edge_cycle"]),
    ],
)
def test_what_is_wrong_with_edges(text, faults):
    found = check_edges(rules(text))
    assert [f"{'.'.join(map(str, one.path))} {one.code}" for one in found] == faults


def test_faults_name_the_offerings():
    double, cycle = check_edges(rules("a>b a~b b>c c~a"))
    assert double.params == {"predecessor": "a", "successor": "b"}
    named = cycle.params["cycle"].split(" → ")
    assert named[0] == named[-1]
    assert set(pairwise(named)) == {("a", "b"), ("b", "c"), ("c", "a")}


NAMES = "abcdef"
ENDS = st.sampled_from(list(product(NAMES, repeat=2)))


@unhurried
@given(st.lists(ENDS, max_size=12))
def test_without_faults_everything_can_be_put_in_order(ends):
    edges = rules(" ".join(f"{first}>{second}" for first, second in ends))
    if list(check_edges(edges)):
        return
    order = in_order(NAMES, edges)
    assert sorted(order) == sorted(NAMES)
    assert all(order.index(first) < order.index(second) for first, second in ends)


@unhurried
@given(st.lists(ENDS, max_size=12))
def test_any_edges_are_answered(ends):
    for fault in check_edges(rules(" ".join(f"{first}~{second}" for first, second in ends))):
        assert fault.path[0] == "edges"
        assert isinstance(fault.path[1], int)


@pytest.mark.parametrize(
    ("offerings", "text", "order"),
    [
        ("", "a>b", ""),
        ("cab", "", "cab"),
        ("ba", "a>b", "ab"),
        ("cba", "b~c a>b", "abc"),
        ("cb", "b>a a>c", "cb"),
        ("abc", "c>a b>a", "cba"),
    ],
)
def test_every_offering_comes_after_those_it_waits_for(offerings, text, order):
    """Edges to what is not asked for count for nothing; the order is the same every time."""
    assert "".join(in_order(offerings, rules(text))) == order
