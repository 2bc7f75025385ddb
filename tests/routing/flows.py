"""Flows for the tests: some by hand, and a strategy that draws any that the check lets pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from service.routing.check import longest_way
from service.routing.flow import PASSING, VERDICTS, Flow, StageKind, parse_flow
from tests.routing.cases import CAME_TO, SOURCES, clauses, plain_source, values_of

WHEN = {"field": "home.owned", "is": True}
"""Some condition, where only the answer to it matters."""
OFFICE_HOURS = 7.5


def stage(key: str, kind: str, after: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    """A stage in its plain form, with what its kind needs; what is given as None is left out."""
    raw: dict[str, Any] = {
        "key": key,
        "kind": kind,
        "title": {"zh": key, "en": key},
        "limit": {"working_days": 1},
        "after": list(after),
        "sees": {"sections": {}},
    }
    if kind == "check":
        raw["checks"] = WHEN
        raw["cites"] = {"citation": "rules"}
    else:
        raw["role"] = "clerk"
        if "departments" not in more:
            raw["department"] = f"{key}_department"
    if kind == "external":
        raw["authority"] = {"zh": "省厅", "en": "the province"}
    return {name: value for name, value in {**raw, **more}.items() if value is not None}


def raw_flow(
    *stages: Mapping[str, Any], promise: int = 99, statutory: int | None = None
) -> dict[str, Any]:
    law = {} if statutory is None else {"statutory": {"working_days": statutory}}
    return {"promise": {"working_days": promise}, **law, "stages": list(stages)}


def flow_of(*stages: Mapping[str, Any]) -> Flow:
    return parse_flow(raw_flow(*stages))


def back(to: str, rounds: int = 2) -> dict[str, Any]:
    return {"to": to, "rounds": rounds}


SMALL = flow_of(stage("a", "acceptance"), stage("d", "decision", ("a",)))
# Two reviews in parallel, joined by the decision; a payment and a letter in parallel after it.
WIDE = flow_of(
    stage("a", "acceptance"),
    stage("papers", "review", ("a",)),
    stage("visit", "review", ("a",)),
    stage("d", "decision", ("papers", "visit")),
    stage("payment", "fulfilment", ("d",)),
    stage("letter", "fulfilment", ("d",)),
)
# A review that can be sent back, beside one that is not concerned.
ROUNDS = flow_of(
    stage("a", "acceptance"),
    stage("papers", "review", ("a",)),
    stage("visit", "review", ("papers",), on_reject=back("papers", 3)),
    stage("beside", "review", ("a",)),
    stage("d", "decision", ("visit", "beside"), on_reject=back("visit", 2)),
)
# All that a flow can have.
WHOLE = flow_of(
    stage("a", "acceptance", limit={"working_hours": 8}),
    stage("rules", "check", ("a",), on_reject=None),
    stage("papers", "review", ("rules",), records={"type": "object"}),
    stage("visit", "review", ("papers",), when=WHEN, four_eyes=True),
    stage("panel", "review", ("papers",), departments=["east", "west", "north"], join="any"),
    stage("province", "external", ("visit",), on_reject=back("papers")),
    stage("notice", "publicity", ("panel", "province"), limit={"working_days": 5}),
    stage("again", "check", ("notice",), when=WHEN, on_reject=back("papers", 3)),
    stage("d", "decision", ("again",), role="head", on_reject=back("notice")),
    stage("payment", "fulfilment", ("d",), departments=["bank", "till"], join={"quorum": 1}),
    stage("letter", "fulfilment", ("d",), when=WHEN),
)


def panel(join: Any, kind: str = "review", **more: Any) -> Flow:
    """A flow with one stage of three departments, which is review or fulfilment."""
    joint = {"departments": ["east", "west", "north"], "join": join, **more}
    if kind == "fulfilment":
        return flow_of(
            stage("a", "acceptance"),
            stage("d", "decision", ("a",)),
            stage("p", kind, ("d",), **joint),
        )
    return flow_of(
        stage("a", "acceptance"),
        stage("p", kind, ("a",), **joint),
        stage("d", "decision", ("p",)),
    )


FRONT = ("review", "check", "external", "publicity")


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any flow that the check finds nothing wrong with, of up to ten stages."""
    stages = [stage("a", "acceptance", limit=draw(LIMITS))]
    _grow(draw, stages, "r", FRONT, root="a", most=5)
    waited_for = {name for one in stages for name in one["after"]}
    last = tuple(one["key"] for one in stages if one["key"] not in waited_for)
    stages.append(stage("d", "decision", last, **_options(draw, "d", "decision", stages, last)))
    _grow(draw, stages, "f", ("fulfilment",), root="d", most=3)
    flow = parse_flow(raw_flow(*draw(st.permutations(stages))))
    promise = max(1, longest_way(flow)) + draw(st.integers(0, 3))
    law = draw(st.none() | st.integers(promise, promise + 3))
    return replace(flow, promise_working_days=promise, statutory_working_days=law)


def _grow(
    draw: st.DrawFn,
    stages: list[dict[str, Any]],
    prefix: str,
    kinds: tuple[str, ...],
    *,
    root: str,
    most: int,
) -> None:
    names = [root]
    for number in range(draw(st.integers(0, most))):
        several = st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)
        after, key, kind = tuple(draw(several)), f"{prefix}{number}", draw(st.sampled_from(kinds))
        stages.append(stage(key, kind, after, **_options(draw, key, kind, stages, after)))
        names.append(key)


LIMITS = st.one_of(
    st.builds(lambda days: {"working_days": days}, st.integers(1, 5)),
    st.builds(lambda hours: {"working_hours": hours}, st.integers(1, 20)),
)
DEPARTMENTS = ("east", "west", "north", "south")
SEVERAL = st.lists(st.sampled_from(DEPARTMENTS), min_size=2, max_size=4, unique=True)
SOMETIMES = st.sampled_from([True, False, False])
CLAUSES = clauses()
TABLES = st.sampled_from([one for one in SOURCES if not one.startswith("age")]).flatmap(
    lambda source: st.builds(
        lambda value, name: {
            "by": plain_source(source),
            "cases": {str(value).lower(): name},
            "otherwise": "otherwise",
        },
        values_of(source),
        st.sampled_from(DEPARTMENTS),
    )
)


def _options(
    draw: st.DrawFn, key: str, kind: str, stages: list[dict[str, Any]], after: tuple[str, ...]
) -> dict[str, Any]:
    """What a stage of a kind may have beside what it must, each sometimes."""
    before = _before(stages, after)
    options: dict[str, Any] = {"limit": draw(LIMITS)}
    if kind != "decision" and draw(SOMETIMES):
        options["when"] = _condition(draw, before)
    if kind == "check":
        options["checks"] = _condition(draw, before)
    else:
        options |= _workers(draw, kind)
    if kind != "fulfilment":
        back_to = [one for one in before if _worked(stages, one)]
        back_to += [key] if kind != "check" else []
        if kind != "check" and draw(SOMETIMES):
            options["may"] = _may(draw, kind)
        if back_to and draw(st.booleans()):
            options["on_reject"] = back(draw(st.sampled_from(back_to)), draw(st.integers(2, 3)))
    if kind not in {"check", "publicity"} and draw(SOMETIMES):
        options["records"] = {"type": "object"}
    if kind == "decision" and draw(SOMETIMES):
        options["gives"] = [{"fact": "degree", "value": {"level": 1}}]
    return options


def _may(draw: st.DrawFn, kind: str) -> list[str]:
    passing = PASSING[StageKind(kind)]
    others = sorted(VERDICTS[StageKind(kind)] - {passing})
    return [passing.value, *(one.value for one in others if draw(st.booleans()))]


def _workers(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    options: dict[str, Any] = {"four_eyes": draw(st.booleans())}
    who = draw(st.sampled_from(["one", "table", "several"]))
    if who == "several" and kind in {"review", "fulfilment"}:
        named = draw(SEVERAL)
        quorum = {"quorum": draw(st.integers(1, len(named)))}
        join = draw(st.sampled_from(["all", "any", quorum]))
        options |= {"departments": named, "join": join}
    elif who == "table":
        options["department"] = draw(TABLES)
    return options


def _condition(draw: st.DrawFn, before: list[str]) -> dict[str, Any]:
    if draw(SOMETIMES):
        return {"stage": draw(st.sampled_from(before)), "is": draw(CAME_TO)}
    return draw(CLAUSES)


def _before(stages: list[dict[str, Any]], after: tuple[str, ...]) -> list[str]:
    """The stages that come before one that comes after these."""
    by_key = {one["key"]: one for one in stages}
    found: dict[str, None] = {}
    todo = list(after)
    while todo:
        key = todo.pop()
        found.setdefault(key)
        todo += by_key[key]["after"]
    return list(found)


def _worked(stages: list[dict[str, Any]], key: str) -> bool:
    kind = next(one["kind"] for one in stages if one["key"] == key)
    return kind not in {"acceptance", "check"}
