"""Reachability in a directed graph: the one transitive closure that flows and their checks use."""

from __future__ import annotations

from collections.abc import Collection, Mapping

Graph = Mapping[str, Collection[str]]
"""By node, the nodes to which an edge leads from it; a node without an entry has no edges."""


def reachable(graph: Graph, start: str) -> frozenset[str]:
    """Every node that can be reached over at least one edge; `start` itself only on a cycle."""
    found: set[str] = set()
    todo = list(graph.get(start, ()))
    while todo:
        node = todo.pop()
        if node not in found:
            found.add(node)
            todo.extend(graph.get(node, ()))
    return frozenset(found)


def inverted(graph: Graph) -> dict[str, list[str]]:
    """The same graph with every edge the other way round."""
    found: dict[str, list[str]] = {}
    for node, others in graph.items():
        for other in others:
            found.setdefault(other, []).append(node)
    return found
