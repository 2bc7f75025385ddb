"""Keeps children running: restarts what dies, ever more slowly what keeps dying, stops in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from service.local.child import Child, StartFailed, stop_together
from service.local.signals import Signals

_LOOK_SECONDS = 1.0  # the end of a child and signals wake us at once; this is for the rest
_BUSY_LOOK_SECONDS = 0.05


class StopAskedFor(Exception):
    """Somebody wants everything to stop: not a failure."""


class GaveUp(Exception):
    """The text says in a sentence why everything has to stop."""


@dataclass(frozen=True)
class RestartPolicy:
    """How soon what has died is started again.

    Pauses double from `pause` to `longest` seconds, and begin anew for a child that has lived for
    `window` seconds. One that has died `deaths` times since then is said to keep dying; before
    everything is up, that is a reason to stop.
    """

    deaths: int = 4
    window: float = 60
    pause: float = 0.25
    longest: float = 60


@dataclass
class _Charge:
    child: Child
    is_server: bool
    deaths: int = 0
    born: float = 0.0
    due: float | None = None  # when it is to be started again


class Supervisor:
    """Children of one process, to be used as a context manager in the main thread.

    Servers are what programs stand on: they start first, stop last, and while one is away no
    program is started again. Leaving the context stops everything. `on_change` is called when a
    child has been started again, so has another process id.
    """

    def __init__(
        self,
        *,
        say: Callable[[str], None],
        policy: RestartPolicy = RestartPolicy(),
    ) -> None:
        self._say = say
        self._policy = policy
        self.on_change: Callable[[], None] = lambda: None
        self._charges: list[_Charge] = []
        self._signals = Signals()
        self._all_up = False

    def __enter__(self) -> Self:
        self._signals.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._stop()
        finally:
            self._signals.__exit__()

    @property
    def pids(self) -> Mapping[str, int]:
        """The process ids of those that run."""
        return {
            charge.child.name: pid
            for charge in self._charges
            if (pid := charge.child.pid) is not None
        }

    def start(self, child: Child, *, server: bool = False) -> None:
        """Start it and keep it running. Raises StartFailed, or StopAskedFor."""
        self._charges.append(_Charge(child, server, born=time.monotonic()))
        child.start()
        if self._signals.stop_asked:
            raise StopAskedFor

    def run(self, child: Child) -> None:
        """Run it once, to its end. Raises GaveUp when that is not exit code 0, and as `tend`."""
        child.start()
        try:
            while child.running:
                self.tend(_BUSY_LOOK_SECONDS)
        finally:
            stop_together([child], hurried=lambda: self._signals.hurried)
        if child.poll() != 0:
            raise GaveUp(_obituary(child))

    def wait_until(self, condition: Callable[[], bool], *, seconds: float) -> bool:
        """Tend the children until the condition holds; False when it did not in time."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                return False
            self.tend(_BUSY_LOOK_SECONDS)
        return True

    def watch(self) -> None:
        """Tend the children for good; ends by StopAskedFor alone."""
        self._all_up = True
        while True:
            dues = [charge.due for charge in self._charges if charge.due is not None]
            pause = min(dues, default=time.monotonic() + _LOOK_SECONDS) - time.monotonic()
            self.tend(max(pause, _BUSY_LOOK_SECONDS))

    def tend(self, seconds: float) -> None:
        """Wait up to `seconds` for something to happen, then see to what happened.

        Raises StopAskedFor after a signal, GaveUp when a child keeps dying before all are up.
        """
        self._signals.wait(seconds)
        if self._signals.stop_asked:
            raise StopAskedFor
        for charge in self._charges:
            if charge.due is None:
                if not charge.child.running:
                    self._bury(charge)
            elif time.monotonic() >= charge.due and self._has_ground(charge):
                self._revive(charge)

    def _has_ground(self, charge: _Charge) -> bool:
        servers = (other.child for other in self._charges if other.is_server)
        return charge.is_server or all(server.running for server in servers)

    def _bury(self, charge: _Charge) -> None:
        policy, now, name = self._policy, time.monotonic(), charge.child.name
        charge.deaths = 1 if now > charge.born + policy.window else charge.deaths + 1
        pause = min(policy.longest, policy.pause * 2.0 ** min(charge.deaths - 1, 32))
        charge.due = now + pause
        obituary = _obituary(charge.child)
        if charge.deaths < policy.deaths:
            self._say(f"{obituary}\nIt is started again.")
            return
        if not self._all_up:
            raise GaveUp(f"{obituary}\n{name} keeps dying, so everything is stopped.")
        self._say(f"{obituary}\n{name} keeps dying. It is started again in {pause:g} seconds.")

    def _revive(self, charge: _Charge) -> None:
        charge.born = time.monotonic()
        try:
            charge.child.start()
        except StartFailed:
            self._bury(charge)
            return
        charge.due = None
        self._say(f"{charge.child.name} runs again (process {charge.child.pid}).")
        self.on_change()

    def _stop(self) -> None:
        for server in (False, True):
            children = [charge.child for charge in self._charges if charge.is_server is server]
            stop_together(children, hurried=lambda: self._signals.hurried)
            for child in children:
                child.stop()  # over already; gives back what it held


def _obituary(child: Child) -> str:
    tail = [f"    {line}" for line in child.tail()] or ["    (nothing)"]
    return "\n".join([f"{child.name} {child.ended()}. Its log, {child.log_file}, ends:", *tail])
