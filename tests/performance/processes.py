"""What the processes of a service take: processor time and memory, as Linux counts them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PARTS: Final = ("web", "worker", "postgres", "valkey")
_TICK: Final = os.sysconf("SC_CLK_TCK")
_PROC: Final = Path("/proc")
_FIRST_TIME: Final = 11
"""Where in `stat`, behind the name, utime stands; stime, cutime and cstime follow."""


@dataclass(frozen=True, slots=True)
class Processes:
    """The parts of a service, each a process with its children, and this process beside them."""

    pids: Mapping[str, int]

    def seconds(self) -> dict[str, float]:
        """Processor time so far by part, of children that have ended too; `client` is this one."""
        taken = {
            part: sum(_ticks(pid) for pid in _family(self.pids[part])) / _TICK for part in PARTS
        }
        return taken | {"client": time.process_time()}

    def resident(self) -> dict[str, list[float]]:
        """By part, the MB of memory of each of its processes, the largest first."""
        return {
            part: sorted((_resident(pid) for pid in _family(self.pids[part])), reverse=True)
            for part in ("web", "worker")
        }


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = (_PROC / f"{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return
    for child in children:
        yield from _family(int(child))


def _ticks(pid: int) -> int:
    try:
        behind = (_PROC / f"{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return sum(int(one) for one in behind[_FIRST_TIME : _FIRST_TIME + 4])


def _resident(pid: int) -> float:
    for line in (_PROC / f"{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return 0.0
