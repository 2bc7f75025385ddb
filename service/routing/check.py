"""What is wrong with a flow: every fault at once, each with the path of its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter

from service.routing.flow import PASSING, VERDICTS, Flow, JoinKind, Stage, StageKind
from service.routing.graph import Graph, reachable


@dataclass(frozen=True, slots=True)
class FlowFault:
    """`path`: the keys and list positions from the flow down, e.g. `("stages", 1, "limit")`."""

    path: tuple[str | int, ...]
    code: str
    params: Mapping[str, str | int] = field(default_factory=dict)


OFFICE_DAY_MINUTES = 450
"""Office minutes of a day where nothing else is said: 7.5 hours."""


def check_flow(flow: Flow, *, day_minutes: int = OFFICE_DAY_MINUTES) -> list[FlowFault]:
    """All faults of a flow; none means that the engine can run it and that it always ends.

    Guaranteed by an empty answer: stages are unique and acyclic, all can be reached from the one
    acceptance, there is one decision and every way goes through it, fulfilment comes after it and
    everything else before, verdicts and keys fit the kinds, rejections lead back, a bounded
    number of times, limits are positive, and the longest way from acceptance to decision, with
    every round that a rejection may bring, fits the promise, and that the law. Questions about the
    graph are asked once its names are right: one slip does not raise ten faults. `day_minutes`:
    office minutes of a day, by which limits in hours become days.
    """
    faults = [*_names(flow), *_stages(flow), *_ends(flow), *_promises(flow)]
    if not flow.stages or any(fault.code in _NAMES for fault in faults):
        return faults
    graph = flow.graph
    faults += _cycles(flow, graph)
    if any(fault.code == "cycle" for fault in faults):
        return faults
    return [*faults, *_ways(flow, graph, day_minutes)]


_NAMES = frozenset({"duplicate_stage", "unknown_stage"})


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
        if stage.on_reject and stage.on_reject.to not in flow.by_key:
            params = {"stage": stage.on_reject.to}
            yield FlowFault(("stages", place, "on_reject", "to"), "unknown_stage", params)


def _stages(flow: Flow) -> Iterator[FlowFault]:
    for place, stage in enumerate(flow.stages):
        for fault in _stage(stage):
            yield FlowFault(("stages", place, *fault.path), fault.code, fault.params)


def _stage(stage: Stage) -> Iterator[FlowFault]:
    """What is wrong with a stage by itself; paths begin at the stage."""
    kind = stage.kind.value
    if max(stage.limit.working_days, stage.limit.working_hours) < 1:
        unit = "working_hours" if stage.limit.in_hours else "working_days"
        yield FlowFault(("limit", unit), "limit_not_positive")
    for verdict in sorted(stage.may - VERDICTS[stage.kind]):
        params = {"verdict": verdict.value, "kind": kind}
        yield FlowFault(("may",), "verdict_not_allowed", params)
    if PASSING[stage.kind] not in stage.may:
        params = {"verdict": PASSING[stage.kind].value, "kind": kind}
        yield FlowFault(("may",), "verdict_missing", params)
    for rule in _KEYS:
        if rule.has(stage) and stage.kind not in rule.kinds:
            yield FlowFault((rule.key,), "key_not_allowed", {"key": rule.key, "kind": kind})
        if rule.needed and stage.kind in rule.kinds and not rule.has(stage):
            yield FlowFault((rule.key,), "key_needed", {"key": rule.key, "kind": kind})
    yield from _joint(stage)


def _joint(stage: Stage) -> Iterator[FlowFault]:
    """Several departments: only where a join can mean something, and one that can be reached."""
    several = len(stage.choice.departments) > 1
    if several and stage.kind not in _JOINED:
        yield FlowFault(("departments",), "one_department", {"kind": stage.kind.value})
    if stage.join.kind is not JoinKind.ALL and not several:
        yield FlowFault(("join",), "join_of_one")
    if several and stage.join.needed(len(stage.choice.departments)) > len(stage.choice.departments):
        yield FlowFault(("join", "quorum"), "quorum_too_large")


@dataclass(frozen=True, slots=True)
class _Key:
    """On which kinds of stages a key may stand, and whether it must."""

    key: str
    has: Callable[[Stage], bool]
    kinds: frozenset[StageKind]
    needed: bool = False


_ALL_KINDS = frozenset(StageKind)
_WORKED = _ALL_KINDS - {StageKind.CHECK}
_JOINED = frozenset({StageKind.REVIEW, StageKind.FULFILMENT})
_SKIPPABLE = _ALL_KINDS - {StageKind.ACCEPTANCE, StageKind.DECISION}
_REJECTING = _ALL_KINDS - {StageKind.ACCEPTANCE, StageKind.FULFILMENT}
_KEYS = (
    _Key("when", lambda stage: stage.when is not None, _SKIPPABLE),
    _Key("checks", lambda stage: stage.checks is not None, frozenset({StageKind.CHECK}), True),
    _Key("cites", lambda stage: stage.cites is not None, frozenset({StageKind.CHECK}), True),
    _Key("department", lambda stage: bool(stage.choice.departments), _WORKED, True),
    _Key("role", lambda stage: stage.role != "system", _WORKED, True),
    _Key("on_reject", lambda stage: stage.on_reject is not None, _REJECTING),
    _Key("four_eyes", lambda stage: stage.four_eyes, _WORKED - {StageKind.ACCEPTANCE}),
    _Key("records", lambda stage: stage.records is not None, _WORKED - {StageKind.PUBLICITY}),
    _Key("gives", lambda stage: bool(stage.gives), frozenset({StageKind.DECISION})),
    _Key("authority", lambda stage: bool(stage.authority), frozenset({StageKind.EXTERNAL}), True),
)


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


def _promises(flow: Flow) -> Iterator[FlowFault]:
    if flow.promise_working_days < 1:
        yield FlowFault(("promise", "working_days"), "limit_not_positive")
    statutory = flow.statutory_working_days
    if statutory is not None and flow.promise_working_days > statutory:
        params = {"promise": flow.promise_working_days, "statutory": statutory}
        yield FlowFault(("promise", "working_days"), "promise_exceeds_law", params)


def _places(flow: Flow, kind: StageKind) -> list[int]:
    return [place for place, stage in enumerate(flow.stages) if stage.kind is kind]


def _cycles(flow: Flow, graph: Graph) -> Iterator[FlowFault]:
    for place, stage in enumerate(flow.stages):
        if stage.key in reachable(graph, stage.key):
            yield FlowFault(("stages", place, "after"), "cycle", {"stage": stage.key})


def _ways(flow: Flow, graph: Graph, day_minutes: int) -> Iterator[FlowFault]:
    starts = {stage.key for stage in flow.starts if stage.kind is StageKind.ACCEPTANCE}
    for place, stage in enumerate(flow.stages):
        if stage.after and not starts & reachable(graph, stage.key):
            yield FlowFault(("stages", place), "unreachable", {"stage": stage.key})
    yield from _ways_back(flow, graph)
    decisions = _places(flow, StageKind.DECISION)
    if len(decisions) != 1:
        return
    decision = flow.stages[decisions[0]]
    yield from _sides(flow, graph, decision)
    days = longest_way(flow, day_minutes=day_minutes)
    if days > flow.promise_working_days:
        params = {"working_days": days, "promise": flow.promise_working_days}
        yield FlowFault(("promise", "working_days"), "limits_exceed_promise", params)


def _ways_back(flow: Flow, graph: Graph) -> Iterator[FlowFault]:
    """A rejection leads back, to where somebody works; the acceptance is not done twice."""
    for place, stage in enumerate(flow.stages):
        if stage.on_reject is None:
            continue
        to = flow.by_key[stage.on_reject.to]
        path = ("stages", place, "on_reject", "to")
        if to is not stage and to.key not in reachable(graph, stage.key):
            yield FlowFault(path, "not_before", {"stage": to.key, "here": stage.key})
        elif to.kind in {StageKind.ACCEPTANCE, StageKind.CHECK}:
            yield FlowFault(path, "no_way_back", {"stage": to.key, "kind": to.kind.value})


def _sides(flow: Flow, graph: Graph, decision: Stage) -> Iterator[FlowFault]:
    """Fulfilment lies behind the decision, everything else before it."""
    earlier = reachable(graph, decision.key)
    for place, stage in enumerate(flow.stages):
        if stage is decision:
            continue
        side = _side(
            before=stage.key in earlier, behind=decision.key in reachable(graph, stage.key)
        )
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


def longest_way(flow: Flow, *, day_minutes: int = OFFICE_DAY_MINUTES) -> int:
    """Working days of the longest way from acceptance, exclusive, to the decision, inclusive.

    A rejection that leads back costs, for each further round, the longest way between the two. A
    return costs nothing here: how long the applicant takes no limit bounds, and a promise is made
    for what is complete. The flow is acyclic and has one decision.
    """
    graph = flow.graph
    days = {stage.key: _days(stage, day_minutes) for stage in flow.stages}
    again = sum(
        (back.rounds - 1) * _longest(graph, days, stage.key, since=back.to)
        for stage in flow.stages
        if ((back := stage.on_reject) and stage.key in reachable(graph, flow.decision.key))
        or (stage is flow.decision and back)
    )
    return again + _longest(graph, days, flow.decision.key)


def _longest(graph: Graph, days: Mapping[str, int], to: str, *, since: str | None = None) -> int:
    """Days of the longest way to a stage, inclusive; from the beginning, or `since` a stage.

    0 where no way leads there from that stage, which is a fault of its own.
    """
    sums: dict[str, int] = {}
    for key in TopologicalSorter(graph).static_order():
        reached = [sums[name] for name in graph[key] if name in sums]
        if since is None or key == since or reached:
            sums[key] = days[key] + (0 if key == since else max(reached, default=0))
    return sums.get(to, 0)


def _days(stage: Stage, day_minutes: int) -> int:
    """What a stage takes of the promise: a started day of office hours is a day."""
    if stage.kind in {StageKind.ACCEPTANCE, StageKind.CHECK}:
        return 0
    return stage.limit.working_days + -(-stage.limit.working_hours * 60 // day_minutes)
