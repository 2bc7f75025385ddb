"""What runs besides the two servers."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.local.child import Child
from service.local.held import GO


@dataclass(frozen=True)
class Program:
    """A command line with its environment.

    `orphan_signal` is what it receives when the supervisor dies without stopping it. A program
    that is `held` may be started before the others are done: it waits for `held.GO`.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    orphan_signal: signal.Signals = signal.SIGKILL
    held: bool = False


@dataclass(frozen=True)
class Programs:
    """`prepare` runs to its end before the others begin; these run as long as the supervisor."""

    prepare: Program
    web: Program
    worker: Program


class ProgramChild(Child):
    """A program under the supervisor; of use as soon as it is launched and released."""

    def __init__(self, program: Program, log_dir: Path) -> None:
        super().__init__(program.name, log_dir / f"{program.name}.log")
        self.program = program
        self.orphan_signal = program.orphan_signal
        self._released = False

    def start(self) -> None:
        held = self.program.held
        self.launch(
            self.program.argv,
            env=self.program.env,
            stdin=GO if held else None,
            stays_open=held and not self._released,
        )

    def release(self) -> None:
        """What it waits for is done: it begins, and is not held when it is started again."""
        self._released = True
        if self.program.held:
            self.tell(GO)


def service_programs(env: Mapping[str, str]) -> Programs:
    """The service itself, started from the folder that holds config/.

    Web and worker take as long to load as the preparation takes.
    """
    python = sys.executable
    gunicorn = ("-m", "gunicorn", "-c", "config/gunicorn.conf.py", "service.local.held:web()")
    return Programs(
        prepare=Program("prepare", (python, "-m", "service.cli", "prepare"), env),
        # gunicorn takes SIGQUIT as "at once" and takes its workers along.
        web=Program("web", (python, *gunicorn), env, orphan_signal=signal.SIGQUIT, held=True),
        worker=Program("worker", (python, "-m", "service.cli", "worker", "--held"), env, held=True),
    )
