"""Reachability against the definition: the fixed point of following one edge."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.routing.graph import inverted, reachable

NODES = st.sampled_from("abcdefg")
GRAPHS = st.dictionaries(NODES, st.lists(NODES, max_size=3, unique=True), max_size=7)


def fixed_point(graph, start):
    found = set(graph.get(start, ()))
    while True:
        more = found | {other for node in found for other in graph.get(node, ())}
        if more == found:
            return found
        found = more


@given(GRAPHS, NODES)
def test_it_is_whatever_following_edges_leads_to(graph, start):
    assert reachable(graph, start) == fixed_point(graph, start)


@given(GRAPHS, NODES, NODES)
def test_the_other_way_round_it_is_the_same_question(graph, one, other):
    there = other in reachable(graph, one)
    assert there == (one in reachable(inverted(graph), other))


def test_a_node_is_reached_from_itself_on_a_cycle_only():
    graph = {"a": ["b"], "b": ["c"], "c": ["b"]}
    assert "a" not in reachable(graph, "a")
    assert reachable(graph, "b") == {"b", "c"}
