"""The flow of an offering: a graph of stages, as a district's pack declares it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal


class StageKind(StrEnum):
    ACCEPTANCE = "acceptance"
    REVIEW = "review"
    DECISION = "decision"
    FULFILMENT = "fulfilment"


class Verdict(StrEnum):
    ACCEPT = "accept"
    NOT_ACCEPT = "not_accept"
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    APPROVE = "approve"
    REJECT = "reject"


# The verdict with which the flow goes on, by the kind of the stage that is left.
PASSING: Mapping[StageKind, Verdict] = {
    StageKind.ACCEPTANCE: Verdict.ACCEPT,
    StageKind.REVIEW: Verdict.PASS,
    StageKind.DECISION: Verdict.APPROVE,
    StageKind.FULFILMENT: Verdict.PASS,
}
# Every verdict that a stage of a kind can be given. What is already decided can only be delivered.
VERDICTS: Mapping[StageKind, frozenset[Verdict]] = {
    StageKind.ACCEPTANCE: frozenset({Verdict.ACCEPT, Verdict.NOT_ACCEPT}),
    StageKind.REVIEW: frozenset({Verdict.PASS, Verdict.REJECT}),
    StageKind.DECISION: frozenset({Verdict.APPROVE, Verdict.REJECT}),
    StageKind.FULFILMENT: frozenset({Verdict.PASS}),
}

ALL: Literal["all"] = "all"
Selection = frozenset[str] | Literal["all"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a stage is allotted, in working days of the district's calendar."""

    working_days: int


@dataclass(frozen=True)
class Sees:
    """What the department of a stage may read: per section its fields, and the materials.

    What is not named is not sent.
    """

    sections: Mapping[str, Selection]
    materials: Selection = frozenset()

    def visible(self, section: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a section's answers that may be shown; empty where nothing is named."""
        fields = self.sections.get(section, frozenset())
        if fields == ALL:
            return dict(answers)
        return {name: value for name, value in answers.items() if name in fields}


@dataclass(frozen=True)
class Stage:
    """One step of a flow, worked on by one department.

    `after` names the stages that must have been passed before this one opens: none means the
    start, the same `after` means parallel, several mean a join of all of them. `records` is the
    JSON Schema of the result that the passing verdict must bring.
    """

    key: str
    kind: StageKind
    department: str
    role: str
    limit: Limit
    after: tuple[str, ...]
    may: frozenset[Verdict]
    sees: Sees
    records: Mapping[str, Any] | None
    title: Mapping[str, str]


@dataclass(frozen=True)
class Flow:
    """The stages of an offering and the working days promised from acceptance to decision.

    A flow is good to run once `check_flow` has found nothing in it.
    """

    stages: tuple[Stage, ...]
    promise_working_days: int

    @cached_property
    def by_key(self) -> Mapping[str, Stage]:
        return {stage.key: stage for stage in self.stages}

    @cached_property
    def starts(self) -> tuple[Stage, ...]:
        """The stages that open when the item is filed."""
        return tuple(stage for stage in self.stages if not stage.after)

    @cached_property
    def successors(self) -> Mapping[str, tuple[Stage, ...]]:
        """By stage key, the stages that wait for it."""
        return {
            key: tuple(stage for stage in self.stages if key in stage.after) for key in self.by_key
        }


class MalformedFlow(ValueError):
    """The raw flow has not the shape of the pack format."""


def parse_flow(raw: Mapping[str, Any]) -> Flow:
    """The flow of an offering out of its plain form.

    `raw`: `{promise: {working_days}, stages: [{key, kind, department, role, limit:
    {working_days}, title: {zh, en}, after?, may?, sees?, records?}]}`; `may` left out means every
    verdict of the kind. Only the shape is read here: whether the graph makes sense is for
    `check_flow`. Raises `MalformedFlow`.
    """
    try:
        return Flow(
            stages=tuple(_stage(stage) for stage in raw["stages"]),
            promise_working_days=int(raw["promise"]["working_days"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedFlow(f"not a flow: {error!r}") from error


def _stage(raw: Mapping[str, Any]) -> Stage:
    kind = StageKind(raw["kind"])
    may = raw.get("may")
    return Stage(
        key=raw["key"],
        kind=kind,
        department=raw["department"],
        role=raw["role"],
        limit=Limit(working_days=int(raw["limit"]["working_days"])),
        after=tuple(raw.get("after", ())),
        may=VERDICTS[kind] if may is None else frozenset(map(Verdict, may)),
        sees=_sees(raw.get("sees", {})),
        records=raw.get("records"),
        title=dict(raw["title"]),
    )


def _sees(raw: Mapping[str, Any]) -> Sees:
    return Sees(
        sections={code: _selection(fields) for code, fields in raw.get("sections", {}).items()},
        materials=_selection(raw.get("materials", ())),
    )


def _selection(raw: Collection[str]) -> Selection:
    return ALL if raw == ALL else frozenset(raw)
