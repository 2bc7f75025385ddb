"""What can happen to an item, and the plain form in which it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from service.routing.flow import Verdict


@dataclass(frozen=True, slots=True)
class Filed:
    """The ticket was filed, and with it this item.

    `hard`: a predecessor must come first, nothing is begun. `soft`: one must come before the
    decision.
    """

    hard: bool = False
    soft: bool = False


@dataclass(frozen=True, slots=True)
class PredecessorsSettled:
    """What the item waits for has changed: whether a hard or a soft edge is still unmet."""

    hard: bool
    soft: bool


@dataclass(frozen=True, slots=True)
class TaskDecided:
    """A department has given its verdict on its task of an open stage.

    `gathers`: a return lets the other departments of the stage speak before the applicant is
    asked. Events of before there was that say nothing, and close the stage at once.
    """

    stage: str
    round: int
    department: str
    verdict: Verdict
    gathers: bool = False


@dataclass(frozen=True, slots=True)
class AcceptanceDeemed:
    """Nobody spoke within the time to accept: silence means acceptance (行政许可法 art. 32)."""

    stage: str
    round: int


@dataclass(frozen=True, slots=True)
class NoticeEnded:
    """A notice period is over and no objection was upheld."""

    stage: str
    round: int


@dataclass(frozen=True, slots=True)
class ReturnsGathered:
    """The limit of a stage has passed that a department has returned; who is silent is not asked.

    The applicant is asked what was returned until then.
    """

    stage: str
    round: int


@dataclass(frozen=True, slots=True)
class Corrected:
    """The applicant has answered everything that was asked in the returns."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The applicant has withdrawn the item."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What the item waited for failed, and its edge says that this closes it."""


Event = (
    Filed
    | PredecessorsSettled
    | TaskDecided
    | AcceptanceDeemed
    | NoticeEnded
    | ReturnsGathered
    | Corrected
    | Withdrawn
    | Cancelled
)

_KINDS: Mapping[str, type[Event]] = {
    "filed": Filed,
    "predecessors_settled": PredecessorsSettled,
    "task_decided": TaskDecided,
    "acceptance_deemed": AcceptanceDeemed,
    "notice_ended": NoticeEnded,
    "returns_gathered": ReturnsGathered,
    "corrected": Corrected,
    "withdrawn": Withdrawn,
    "cancelled": Cancelled,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}


def encode_event(event: Event) -> dict[str, Any]:
    """The event as plain JSON: `{"event": "task_decided", "stage": …, "round": 1, …}`.

    `gathers` is left out where it is false.
    """
    values = {name: value for name, value in asdict(event).items() if name != "gathers" or value}
    return {"event": _NAMES[type(event)], **values}


def decode_event(raw: Mapping[str, Any]) -> Event:
    """The event that was encoded; raises ValueError on anything else."""
    values = dict(raw)
    name = values.pop("event", None)
    try:
        if "verdict" in values:
            values["verdict"] = Verdict(values["verdict"])
        return _KINDS[name](**values)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"not an event: {name!r}") from error
