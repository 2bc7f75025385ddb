"""What is wrong with a flow: every fault at once, each with the path of its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from service.routing.flow import PASSING, VERDICTS, Flow, Stage, StageKind


@dataclass(frozen=True, slots=True)
class FlowFault:
    """`path`: the keys and list positions from the flow down, e.g. `("stages", 1, "limit")`."""

    path: tuple[str | int, ...]
    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


def check_flow(flow: Flow) -> list[FlowFault]:
    """All faults of a flow; none means that the engine can run it and that it always ends.

    Guaranteed by an empty answer: stages are unique and acyclic, all can be reached from the one
    acceptance, there is one decision and every way goes through it, fulfilment comes after it and
    everything else before, verdicts fit the kinds, limits are positive, and the longest way from
    acceptance to decision fits the promise. Questions about the graph are asked once its names
    are right, so that one slip does not raise ten faults.
    """
    faults = [*_names(flow), *_stages(flow), *_ends(flow)]
    if not flow.stages or any(fault.code in _NAMES for fault in faults):
        return faults
    graph = {stage.key: stage.after for stage in flow.stages}
    faults += _cycles(flow, graph)
    if any(fault.code == "cycle" for fault in faults):
        return faults
    return [*faults, *_ways(flow, graph)]


_NAMES = frozenset({"duplicate_stage", "unknown_stage"})
Graph = Mapping[str, tuple[str, ...]]


def _names(flow: Flow) -> Iterator[FlowFault]:
    if not flow.stages:
        yield FlowFault(("stages",), "no_stages")
    seen: set[str] = set()
    for place, stage in enumerate(flow.stages):
        if stage.key in seen:
            yield FlowFault(("stages", place, "key"), "duplicate_stage", {"stage": stage.key})
        seen.add(stage.key)
        for at, name in enumerate(stage.after):
            if name not in flow.by_key:
                yield FlowFault(("stages", place, "after", at), "unknown_stage", {"stage": name})


def _stages(flow: Flow) -> Iterator[FlowFault]:
    for place, stage in enumerate(flow.stages):
        path = ("stages", place)
        if stage.limit.working_days < 1:
            yield FlowFault((*path, "limit", "working_days"), "limit_not_positive")
        for verdict in sorted(stage.may - VERDICTS[stage.kind]):
            params = {"verdict": verdict.value, "kind": stage.kind.value}
            yield FlowFault((*path, "may"), "verdict_not_allowed", params)
        if PASSING[stage.kind] not in stage.may:
            params = {"verdict": PASSING[stage.kind].value, "kind": stage.kind.value}
            yield FlowFault((*path, "may"), "verdict_missing", params)
    if flow.promise_working_days < 1:
        yield FlowFault(("promise", "working_days"), "limit_not_positive")


def _ends(flow: Flow) -> Iterator[FlowFault]:
    """One acceptance, which is the only start; one decision."""
    for place, stage in enumerate(flow.stages):
        starts, accepts = not stage.after, stage.kind is StageKind.ACCEPTANCE
        if starts and not accepts:
            yield FlowFault(("stages", place), "start_not_acceptance", {"stage": stage.key})
        if accepts and not starts:
            yield FlowFault(("stages", place, "after"), "acceptance_not_first")
    for place in _places(flow, StageKind.ACCEPTANCE)[1:]:
        yield FlowFault(("stages", place, "kind"), "several_acceptances")
    decisions = _places(flow, StageKind.DECISION)
    if flow.stages and not decisions:
        yield FlowFault(("stages",), "decision_missing")
    for place in decisions[1:]:
        yield FlowFault(("stages", place, "kind"), "several_decisions")


def _places(flow: Flow, kind: StageKind) -> list[int]:
    return [place for place, stage in enumerate(flow.stages) if stage.kind is kind]


def _cycles(flow: Flow, graph: Graph) -> Iterator[FlowFault]:
    for place, stage in enumerate(flow.stages):
        if stage.key in _before(graph, stage.key):
            yield FlowFault(("stages", place, "after"), "cycle", {"stage": stage.key})


def _ways(flow: Flow, graph: Graph) -> Iterator[FlowFault]:
    starts = {stage.key for stage in flow.starts if stage.kind is StageKind.ACCEPTANCE}
    for place, stage in enumerate(flow.stages):
        if stage.after and not starts & _before(graph, stage.key):
            yield FlowFault(("stages", place), "unreachable", {"stage": stage.key})
    decisions = _places(flow, StageKind.DECISION)
    if len(decisions) != 1:
        return
    decision = flow.stages[decisions[0]]
    yield from _sides(flow, graph, decision)
    days = _longest(flow, graph, decision)
    if days > flow.promise_working_days:
        params = {"working_days": days, "promise": flow.promise_working_days}
        yield FlowFault(("promise", "working_days"), "limits_exceed_promise", params)


def _sides(flow: Flow, graph: Graph, decision: Stage) -> Iterator[FlowFault]:
    """Fulfilment lies behind the decision, everything else before it."""
    before = _before(graph, decision.key)
    for place, stage in enumerate(flow.stages):
        if stage is decision:
            continue
        side = _side(before=stage.key in before, behind=decision.key in _before(graph, stage.key))
        code = _MISPLACED.get((side, stage.kind is StageKind.FULFILMENT))
        if code:
            yield FlowFault(("stages", place, "after"), code, {"stage": stage.key})


# Keyed by the side of the decision on which a stage lies, and whether it is fulfilment.
_MISPLACED: Mapping[tuple[str, bool], str] = {
    ("before", True): "fulfilment_before_decision",
    ("behind", False): "review_after_decision",
    ("beside", True): "decision_bypassed",
    ("beside", False): "decision_bypassed",
}


def _side(*, before: bool, behind: bool) -> str:
    if before:
        return "before"
    return "behind" if behind else "beside"


def _before(graph: Graph, key: str) -> set[str]:
    """Every stage that must have been passed before this one opens."""
    found: set[str] = set()
    todo = list(graph[key])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(graph[name])
    return found


def _longest(flow: Flow, graph: Graph, decision: Stage) -> int:
    """Working days of the longest way from acceptance, exclusive, to the decision, inclusive."""
    days: dict[str, int] = {}
    for key in TopologicalSorter(graph).static_order():
        stage = flow.by_key[key]
        own = 0 if stage.kind is StageKind.ACCEPTANCE else stage.limit.working_days
        days[key] = own + max((days[name] for name in stage.after), default=0)
    return days[decision.key]
