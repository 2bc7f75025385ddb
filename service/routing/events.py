"""What can happen to an item, and the plain form in which it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from service.routing.flow import Verdict


@dataclass(frozen=True, slots=True)
class Filed:
    """The ticket was filed, and with it this item."""


@dataclass(frozen=True, slots=True)
class StageClosed:
    """A department has given its verdict on an open stage."""

    stage: str
    round: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class AcceptanceDeemed:
    """Nobody spoke within the time to accept: silence means acceptance (行政许可法 art. 32)."""

    stage: str
    round: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The applicant has withdrawn the item."""


Event = Filed | StageClosed | AcceptanceDeemed | Withdrawn


@dataclass(frozen=True)
class Context:
    """What had to be looked up when the event happened; stored with it, so that a replay looks
    nothing up again.

    `departments`: by stage key, the department chosen for a stage that this event may open. A
    stage without an entry goes to the department that the flow names.
    """

    departments: Mapping[str, str] = field(default_factory=dict)


_KINDS: Mapping[str, type[Event]] = {
    "filed": Filed,
    "stage_closed": StageClosed,
    "acceptance_deemed": AcceptanceDeemed,
    "withdrawn": Withdrawn,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}


def encode_event(event: Event) -> dict[str, Any]:
    """The event as plain JSON: `{"event": "stage_closed", "stage": …, "round": 1, …}`."""
    return {"event": _NAMES[type(event)], **asdict(event)}


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


def encode_context(context: Context) -> dict[str, Any]:
    """The context as plain JSON; what is empty is left out."""
    return {"departments": dict(context.departments)} if context.departments else {}


def decode_context(raw: Mapping[str, Any]) -> Context:
    return Context(departments=dict(raw.get("departments", {})))
