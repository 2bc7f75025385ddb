"""What has to be looked up while an item advances: asked once, stored, never asked again.

The engine asks a `Lookups` whether a stage opens, whether a check passes and who works on a stage.
When something happens, `Asking` answers from what is known of the case and remembers its answers;
they are stored with the event as a `Context`, which answers a replay in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Condition, Truth
from service.routing.conditions.known import Known, first_value
from service.routing.flow import Stage

Outcomes = Mapping[str, str]


class Lookups(Protocol):
    """The answers that the engine needs; `outcomes` is what the stages came to by now."""

    def opens(self, stage: Stage, round_: int, outcomes: Outcomes) -> bool: ...
    def passes(self, stage: Stage, round_: int, outcomes: Outcomes) -> bool: ...
    def departments(self, stage: Stage, round_: int) -> tuple[str, ...]: ...
    def decided(self, stage: Stage) -> None:
        """What the decision establishes holds for every question that follows."""


class MissingContext(LookupError):
    """A stored context lacks an answer that the replay needs."""


@dataclass(frozen=True)
class Context:
    """The answers to what was asked when an event happened, by `stage.round`.

    A stage that no table chooses a department for goes to those of its flow.
    """

    opened: Mapping[str, bool] = field(default_factory=dict)
    passed: Mapping[str, bool] = field(default_factory=dict)
    chosen: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def opens(self, stage: Stage, round_: int, outcomes: Outcomes) -> bool:  # noqa: ARG002
        return _stored(self.opened, stage, round_)

    def passes(self, stage: Stage, round_: int, outcomes: Outcomes) -> bool:  # noqa: ARG002
        return _stored(self.passed, stage, round_)

    def departments(self, stage: Stage, round_: int) -> tuple[str, ...]:
        if stage.choice.by is None:
            return stage.choice.departments
        return self.chosen.get(_key(stage, round_), stage.choice.departments)

    def decided(self, stage: Stage) -> None:
        """Nothing: the stored answers were given with what the decision established."""


class Asking:
    """Answers from what is known of a case, and remembers.

    `known` is called when the first answer needs it: most steps need nothing. `after` turns what
    is known before a decision into what is known after it.
    """

    def __init__(
        self, known: Callable[[], Known], after: Callable[[Known], Known] | None = None
    ) -> None:
        self._look, self._after = known, after
        self._decided = False
        self._known: Known | None = None
        self._opened: dict[str, bool] = {}
        self._passed: dict[str, bool] = {}
        self._chosen: dict[str, tuple[str, ...]] = {}

    @property
    def context(self) -> Context:
        """What was answered so far."""
        return Context(dict(self._opened), dict(self._passed), dict(self._chosen))

    def opens(self, stage: Stage, round_: int, outcomes: Outcomes) -> bool:
        """A stage is skipped where its condition is not met; what is unknown, somebody looks at."""
        truth = self._truth(stage.when, outcomes)
        return self._opened.setdefault(_key(stage, round_), truth is not Truth.NOT_MET)

    def passes(self, stage: Stage, round_: int, outcomes: Outcomes) -> bool:
        """A check passes what is met, and nothing else."""
        truth = self._truth(stage.checks, outcomes)
        return self._passed.setdefault(_key(stage, round_), truth is Truth.MET)

    def departments(self, stage: Stage, round_: int) -> tuple[str, ...]:
        if stage.choice.by is None:
            return stage.choice.departments
        found = stage.choice.of(first_value(stage.choice.by, self._all()))
        return self._chosen.setdefault(_key(stage, round_), found)

    def decided(self, stage: Stage) -> None:  # noqa: ARG002
        self._decided = True
        if self._known is not None and self._after is not None:
            self._known = self._after(self._known)

    def _truth(self, condition: Condition | None, outcomes: Outcomes) -> Truth:
        if condition is None:
            return Truth.MET
        return evaluate(condition, self._all().after(outcomes)).truth

    def _all(self) -> Known:
        if self._known is None:
            self._known = self._look()
            if self._decided and self._after is not None:
                self._known = self._after(self._known)
        return self._known


def _key(stage: Stage, round_: int) -> str:
    return f"{stage.key}.{round_}"


def _stored(answers: Mapping[str, bool], stage: Stage, round_: int) -> bool:
    try:
        return answers[_key(stage, round_)]
    except KeyError:
        raise MissingContext(_key(stage, round_)) from None


_PARTS = ("opened", "passed", "chosen")


def encode_context(context: Context) -> dict[str, Any]:
    """The context as plain JSON; what is empty is left out."""
    return {part: dict(value) for part in _PARTS if (value := getattr(context, part))}


def decode_context(raw: Mapping[str, Any]) -> Context:
    chosen = {key: tuple(value) for key, value in raw.get("chosen", {}).items()}
    return Context(dict(raw.get("opened", {})), dict(raw.get("passed", {})), chosen)
