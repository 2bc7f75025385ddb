"""Flows for the tests: two by hand, and a strategy that draws any that the check lets pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from service.routing import Flow, Verdict, parse_flow


def stage(key: str, kind: str, after: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "kind": kind,
        "department": f"{key}_department",
        "role": "clerk",
        "limit": {"working_days": 1},
        "after": list(after),
        "title": {"zh": key, "en": key},
        **more,
    }


def raw_flow(*stages: Mapping[str, Any], promise: int = 20) -> dict[str, Any]:
    return {"promise": {"working_days": promise}, "stages": list(stages)}


SMALL = parse_flow(
    raw_flow(stage("acceptance", "acceptance"), stage("decision", "decision", ("acceptance",)))
)
# Two reviews in parallel, joined by the decision; a payment and a letter in parallel after it.
WIDE = parse_flow(
    raw_flow(
        stage("acceptance", "acceptance"),
        stage("papers", "review", ("acceptance",)),
        stage("visit", "review", ("acceptance",)),
        stage("decision", "decision", ("papers", "visit")),
        stage("payment", "fulfilment", ("decision",)),
        stage("letter", "fulfilment", ("decision",)),
    )
)

GOES_ON = {
    "acceptance": Verdict.ACCEPT,
    "review": Verdict.PASS,
    "decision": Verdict.APPROVE,
    "fulfilment": Verdict.PASS,
}


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any flow that the check finds nothing wrong with, of up to fourteen stages."""
    stages = [stage("a", "acceptance")]
    _grow(draw, stages, "r", "review", root="a")
    waited_for = {name for one in stages for name in one["after"]}
    last = [one["key"] for one in stages if one["key"] not in waited_for]
    stages.append(stage("d", "decision", tuple(last)))
    _grow(draw, stages, "f", "fulfilment", root="d")
    order = draw(st.permutations(stages))
    return parse_flow(raw_flow(*order))


def _grow(
    draw: st.DrawFn, stages: list[dict[str, Any]], prefix: str, kind: str, *, root: str
) -> None:
    names = [root]
    for number in range(draw(st.integers(0, 6))):
        after = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True))
        key = f"{prefix}{number}"
        stages.append(stage(key, kind, tuple(after)))
        names.append(key)
