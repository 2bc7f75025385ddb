"""Where an item stands, and what an event makes to be done: the two halves of a step."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from service.routing.flow import Verdict


class Phase(StrEnum):
    WAITING = "waiting"  # not begun: a predecessor must come first
    ACCEPTANCE = "acceptance"
    PROCESSING = "processing"
    FULFILMENT = "fulfilment"  # decided, being delivered
    ENDED = "ended"


class Outcome(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    NOT_ACCEPTED = "not_accepted"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


class Hold(StrEnum):
    """Why an item stands still: it waits for somebody outside the departments."""

    CORRECTION = "correction"  # the applicant has been asked to correct something


class StageStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    CANCELLED = "cancelled"  # nobody decided it: something else made it needless
    SKIPPED = "skipped"  # its condition was not met
    SUPERSEDED = "superseded"  # undone: the flow went back to before it


@dataclass(frozen=True, slots=True)
class Part:
    """What one department has to say on a stage: open, closed with a verdict, or cancelled."""

    department: str
    status: StageStatus
    verdict: Verdict | None = None


@dataclass(frozen=True, slots=True)
class StageState:
    """One round of a stage that has been entered; `verdict` is what it came to as a whole."""

    key: str
    round: int
    status: StageStatus
    verdict: Verdict | None = None
    parts: tuple[Part, ...] = ()

    @property
    def department(self) -> str:
        """The first department; the only one where there are not several."""
        return self.parts[0].department

    @property
    def open_parts(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.status is StageStatus.OPEN)

    @property
    def current(self) -> bool:
        """Whether the stage is entered and not undone."""
        return self.status in _CURRENT

    @property
    def behind(self) -> bool:
        """Whether what comes after the stage may open, as far as it goes."""
        if self.status is StageStatus.SKIPPED:
            return True
        return self.status is StageStatus.CLOSED and self.verdict in _PASSED

    @property
    def returned(self) -> bool:
        """Whether the stage waits for the applicant's correction, to be done once more."""
        return self.status is StageStatus.CLOSED and self.verdict is Verdict.RETURN

    @property
    def gathers(self) -> bool:
        """Whether a department has returned the open stage, and others still have to speak."""
        return self.status is StageStatus.OPEN and any(
            part.verdict is Verdict.RETURN for part in self.parts
        )

    def without_open_parts(self) -> tuple[Part, ...]:
        """The parts, where those that nobody has decided are cancelled."""
        return tuple(
            replace(part, status=StageStatus.CANCELLED) if part.status is StageStatus.OPEN else part
            for part in self.parts
        )

    def cancelled(self) -> StageState:
        """The same, with nobody left who has to decide it."""
        return replace(self, status=StageStatus.CANCELLED, parts=self.without_open_parts())


_PASSED = frozenset({Verdict.ACCEPT, Verdict.PASS, Verdict.APPROVE})
_CURRENT = frozenset({StageStatus.OPEN, StageStatus.CLOSED, StageStatus.SKIPPED})


@dataclass(frozen=True, slots=True)
class ItemState:
    """Where an item stands. `stages` holds what has been entered, in that order.

    The outcome is there from the decision on, or from whatever else ended the item. `hard`: a
    predecessor must come before it begins; `soft`: one must come before it is decided. `hold`:
    somebody else must act first.
    """

    phase: Phase
    outcome: Outcome | None
    stages: tuple[StageState, ...]
    hard: bool = False
    soft: bool = False
    hold: Hold | None = None

    @property
    def open_stages(self) -> tuple[StageState, ...]:
        return tuple(stage for stage in self.stages if stage.status is StageStatus.OPEN)

    @property
    def asked(self) -> frozenset[tuple[str, int]]:
        """The rounds of stages, by key and number, that wait for the applicant's correction."""
        if self.hold is not Hold.CORRECTION:
            return frozenset()
        return frozenset((stage.key, stage.round) for stage in self.stages if stage.returned)

    @property
    def gathering(self) -> frozenset[tuple[str, int]]:
        """The rounds of stages, by key and number, in which returns are gathered."""
        return frozenset((stage.key, stage.round) for stage in self.stages if stage.gathers)

    @property
    def outcomes(self) -> dict[str, str]:
        """What every stage came to the last time: `passed`, `rejected` or `skipped`."""
        return outcomes(self.stages)

    def rounds(self, key: str) -> int:
        """How many rounds of a stage have been entered."""
        return rounds(self.stages, key)

    def returns(self, key: str) -> int:
        """How often a stage was returned to the applicant."""
        return returns(self.stages, key)


def rounds(stages: Iterable[StageState], key: str) -> int:
    """How many rounds of a stage have been entered."""
    return max((stage.round for stage in stages if stage.key == key), default=0)


def returns(stages: Iterable[StageState], key: str) -> int:
    """How often a stage was returned to the applicant."""
    return sum(stage.key == key and stage.verdict is Verdict.RETURN for stage in stages)


def outcomes(stages: Iterable[StageState]) -> dict[str, str]:
    """What every stage came to the last time: `passed`, `rejected` or `skipped`."""
    last = {stage.key: stage for stage in stages}
    reached = {key: _came_to(stage) for key, stage in last.items()}
    return {key: outcome for key, outcome in reached.items() if outcome}


def _came_to(stage: StageState) -> str | None:
    if stage.status is StageStatus.SKIPPED:
        return "skipped"
    if stage.verdict is Verdict.REJECT:
        return "rejected"
    return "passed" if stage.verdict in _PASSED else None


@dataclass(frozen=True, slots=True)
class OpenStage:
    """Every department gets a task, for somebody with this role."""

    stage: str
    round: int
    departments: tuple[str, ...]
    role: str


@dataclass(frozen=True, slots=True)
class SkipStage:
    """The condition of the stage is not met: the flow goes on without it."""

    stage: str
    round: int


@dataclass(frozen=True, slots=True)
class CheckStage:
    """The system has looked, and this is what it came to."""

    stage: str
    round: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class CancelTask:
    """The stage is decided without this department."""

    stage: str
    round: int
    department: str


@dataclass(frozen=True, slots=True)
class CloseStage:
    """The stage is over; without a verdict it was cancelled, with whatever task is left of it."""

    stage: str
    round: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True)
class SupersedeStage:
    """The stage had come to something, which counts no longer."""

    stage: str
    round: int


@dataclass(frozen=True, slots=True)
class StartPromise:
    """Accepted: the item's clock starts."""


@dataclass(frozen=True, slots=True)
class StopPromise:
    """Decided, or ended without a decision: the clock that was running stops."""


@dataclass(frozen=True, slots=True)
class GiveFacts:
    """Approved: what the decision establishes about people holds from now on."""

    stage: str


@dataclass(frozen=True, slots=True)
class EndItem:
    outcome: Outcome


Effect = (
    OpenStage
    | SkipStage
    | CheckStage
    | CancelTask
    | CloseStage
    | SupersedeStage
    | StartPromise
    | StopPromise
    | GiveFacts
    | EndItem
)
