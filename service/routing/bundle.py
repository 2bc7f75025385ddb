"""The dependencies between the items of a ticket: edges, what settles them, and what follows.

A bundle declares rules between offerings; a ticket has an edge for each rule and successor that
apply to it. Pure, like the engine: whoever calls tells how the predecessors stand.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from service.routing.check import FlowFault
from service.routing.conditions.asked import Condition, parse_condition
from service.routing.flow import MalformedFlow
from service.routing.states import Outcome, Phase


class EdgeKind(StrEnum):
    HARD = "hard"  # the successor is not begun
    SOFT = "soft"  # the successor is processed, but not decided


class EdgeOn(StrEnum):
    APPROVED = "approved"
    ENDED = "ended"


class Otherwise(StrEnum):
    PROCEED = "proceed"
    CLOSE = "close"
    ASK = "ask"


class EdgeStatus(StrEnum):
    """How an edge stands; only `waiting` and `asked` keep the successor waiting."""

    WAITING = "waiting"
    ASKED = "asked"  # the applicant has to choose whether to go on without
    MET = "met"
    WAIVED = "waived"  # it goes on without
    FAILED = "failed"  # it does not: the successor is closed


UNSETTLED = frozenset({EdgeStatus.WAITING, EdgeStatus.ASKED})


@dataclass(frozen=True, slots=True)
class Wait:
    """How long an edge waits: working days from filing, or until a day of the year, `MM-DD`."""

    working_days: int | None = None
    each_year: str | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """How long the applicant has to answer, and what counts when they do not."""

    working_days: int
    default: Otherwise


@dataclass(frozen=True)
class EdgeRule:
    """One dependency of a bundle: items of `successor` wait for all items of `predecessor`.

    `when`: it is there only where this is not refuted by what was filed.
    """

    predecessor: str
    successor: str
    kind: EdgeKind
    on: EdgeOn
    otherwise: Otherwise
    when: Condition | None = None
    wait: Wait | None = None
    ask: Ask | None = None


def parse_edges(raw: Iterable[Mapping[str, Any]]) -> tuple[EdgeRule, ...]:
    """The edges of a bundle out of their plain form, that of `edge` in `format.json`.

    Raises `MalformedFlow`.
    """
    try:
        return tuple(map(_rule, raw))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedFlow(f"not edges: {error!r}") from error


def _rule(raw: Mapping[str, Any]) -> EdgeRule:
    otherwise, ask = raw["otherwise"], None
    if isinstance(otherwise, Mapping):
        ask = Ask(int(otherwise["ask"]["working_days"]), Otherwise(otherwise["ask"]["default"]))
        otherwise = Otherwise.ASK
    wait = raw.get("wait_until")
    return EdgeRule(
        predecessor=raw["from"],
        successor=raw["to"],
        kind=EdgeKind(raw["kind"]),
        on=EdgeOn(raw.get("on", EdgeOn.APPROVED)),
        otherwise=Otherwise(otherwise),
        when=parse_condition(raw["if"]) if "if" in raw else None,
        wait=None if wait is None else Wait(**wait),
        ask=ask,
    )


def check_edges(edges: Collection[EdgeRule]) -> Iterator[FlowFault]:
    """What is wrong with the edges of a bundle: from an item to itself, doubled, or in a cycle.

    Hard and soft edges are looked at together: a cycle of either would never be settled.
    """
    seen = set()
    graph: dict[str, set[str]] = {}
    for place, edge in enumerate(edges):
        ends = (edge.predecessor, edge.successor)
        params = {"predecessor": edge.predecessor, "successor": edge.successor}
        if edge.predecessor == edge.successor:
            yield FlowFault(("edges", place, "to"), "edge_to_itself")
        elif ends in seen:
            yield FlowFault(("edges", place, "to"), "duplicate_edge", params)
        else:
            graph.setdefault(edge.successor, set()).add(edge.predecessor)
        seen.add(ends)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = [str(name) for name in error.args[1]]
        place = next(
            place
            for place, edge in enumerate(edges)
            if (edge.predecessor, edge.successor) in pairwise(cycle)
        )
        yield FlowFault(("edges", place), "edge_cycle", {"cycle": " → ".join(cycle)})


def in_order(offerings: Iterable[str], edges: Iterable[EdgeRule]) -> list[str]:
    """The offerings, every one after those that it waits for; the edges form no cycle."""
    named = list(offerings)
    graph: dict[str, list[str]] = {name: [] for name in named}
    for edge in edges:
        if edge.successor in graph and edge.predecessor in graph:
            graph[edge.successor].append(edge.predecessor)
    return list(TopologicalSorter(graph).static_order())


Progress = tuple[Phase, Outcome | None]
"""The phase and outcome of an item: what its successors depend on."""


def settled(on: EdgeOn, otherwise: Otherwise, predecessors: Collection[Progress]) -> EdgeStatus:
    """How a waiting edge stands, given how all items of its predecessor stand.

    It waits until all have come to something. One that was not approved makes an edge on approval
    impossible at once; then `otherwise` says what follows.
    """
    if on is EdgeOn.APPROVED and any(
        outcome not in (None, Outcome.APPROVED) for _, outcome in predecessors
    ):
        return given_up(otherwise)
    if all(_came_to_something(on, progress) for progress in predecessors):
        return EdgeStatus.MET
    return EdgeStatus.WAITING


def _came_to_something(on: EdgeOn, progress: Progress) -> bool:
    phase, outcome = progress
    return outcome is not None if on is EdgeOn.APPROVED else phase is Phase.ENDED


def given_up(otherwise: Otherwise) -> EdgeStatus:
    """What an edge becomes that cannot be met any more or has waited long enough."""
    return _GIVEN_UP[otherwise]


_GIVEN_UP: Mapping[Otherwise, EdgeStatus] = {
    Otherwise.PROCEED: EdgeStatus.WAIVED,
    Otherwise.CLOSE: EdgeStatus.FAILED,
    Otherwise.ASK: EdgeStatus.ASKED,
}


@dataclass(frozen=True, slots=True)
class Waits:
    """What the edges of one item, together, make it wait for; or that it is to be closed."""

    hard: bool
    soft: bool
    closes: bool


def waits(edges: Iterable[tuple[EdgeKind, EdgeStatus]]) -> Waits:
    """What an item waits for, given all its edges."""
    listed = list(edges)
    unsettled = {kind for kind, status in listed if status in UNSETTLED}
    return Waits(
        hard=EdgeKind.HARD in unsettled,
        soft=EdgeKind.SOFT in unsettled,
        closes=any(status is EdgeStatus.FAILED for _, status in listed),
    )
