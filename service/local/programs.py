"""What runs besides the two servers."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from service.local.child import Child


@dataclass(frozen=True)
class Program:
    """A command line with its environment.

    `orphan_signal` is what it receives when the supervisor dies without stopping it.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    orphan_signal: signal.Signals = signal.SIGKILL


@dataclass(frozen=True)
class Programs:
    """`prepare` runs to its end before the others; these run for as long as the supervisor."""

    prepare: Program
    web: Program
    worker: Program


class ProgramChild(Child):
    """A program under the supervisor; of use as soon as it is launched."""

    def __init__(self, program: Program, log_dir: Path) -> None:
        super().__init__(program.name, log_dir / f"{program.name}.log")
        self.program = program
        self.orphan_signal = program.orphan_signal

    def start(self) -> None:
        self.launch(self.program.argv, env=self.program.env)


def service_programs(env: Mapping[str, str]) -> Programs:
    """The service itself, started from the folder that holds config/."""
    python = sys.executable
    gunicorn = ("-m", "gunicorn", "-c", "config/gunicorn.conf.py", "service.wsgi:app")
    return Programs(
        prepare=Program("prepare", (python, "-m", "service.cli", "prepare"), env),
        # gunicorn takes SIGQUIT as "at once" and takes its workers along.
        web=Program("web", (python, *gunicorn), env, orphan_signal=signal.SIGQUIT),
        worker=Program("worker", (python, "-m", "service.cli", "worker"), env),
    )
