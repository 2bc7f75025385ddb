from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.local.ports import free_port

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib")])
PATIENCE = 120.0
"""Seconds after which what a busy machine is slow at counts as not done."""
NO_SERVERS = {"DATABASE_URL": "postgresql://nowhere/talent", "REDIS_URL": "redis://nowhere/0"}


def alive(pid: int) -> bool:
    """A zombie is not: it only waits to be counted by whoever adopted it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def eventually(condition: Callable[[], object], seconds: float = PATIENCE) -> bool:
    """Whether the condition comes true; looks often, and returns as soon as it does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Stand:
    """One `up` with stand-in programs, in a process of its own."""

    def __init__(
        self,
        var: Path,
        port: int,
        *,
        user: int | None = None,
        python: str = sys.executable,
        **env: str,
    ) -> None:
        self.var = var
        self.port = port
        self.popen = subprocess.Popen(
            [python, str(Path(__file__).with_name("stand_in.py")), str(var), str(port)],
            env={**os.environ, "PYTHONPATH": PATH, "PYTHONIOENCODING": "utf-8", **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            cwd=ROOT,
        )

    @property
    def notice(self) -> dict:
        return json.loads((self.var / "up.json").read_text("utf-8"))

    @property
    def pids(self) -> dict[str, int]:
        return self.notice["pids"]

    @property
    def everyone(self) -> list[int]:
        """The pids of all that runs, with the grandchild and PostgreSQL's own processes."""
        known = list(self.pids.values())
        known += self.grandchildren
        if "postgres" in self.pids:
            postgres = self.pids["postgres"]
            children = Path(f"/proc/{postgres}/task/{postgres}/children").read_text()
            known += [int(pid) for pid in children.split()]
        return known

    @property
    def grandchildren(self) -> list[int]:
        log = (self.var / "log/web.log").read_text()
        return [int(pid) for pid in re.findall(r"grandchild (\d+)", log)]

    def is_up(self) -> bool:
        mine = (self.var / "up.json").exists() and self.pids["supervisor"] == self.popen.pid
        return mine or self.popen.poll() is not None

    def ready(self) -> Stand:
        assert eventually(self.is_up)
        assert self.popen.poll() is None, self.popen.communicate()[0]
        return self

    def end(self, number: int = signal.SIGTERM, seconds: float = PATIENCE) -> tuple[int, str]:
        self.popen.send_signal(number)
        return self.outcome(seconds)

    def outcome(self, seconds: float = PATIENCE) -> tuple[int, str]:
        text = self.popen.communicate(timeout=seconds)[0]
        return self.popen.returncode, text


@pytest.fixture
def var(tmp_path: Path) -> Path:
    """A path that breaks what does not quote; the keys are there already."""
    var = tmp_path / "var 目录"
    var.mkdir()
    (var / "keys.json").write_text("{}")
    return var


@pytest.fixture
def stand(var: Path) -> Iterator[Callable[..., Stand]]:
    """Starts `up`; without servers of its own unless asked."""
    started: list[Stand] = []
    clean = dict.fromkeys(("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "TALENT_ENV"), "")

    def start(*, servers: bool = False, port: int | None = None, where: Path = var, **env) -> Stand:
        settings = {**clean, **({} if servers else NO_SERVERS), **env}
        started.append(Stand(where, port or free_port(), **settings))
        return started[-1]

    yield start
    for one in started:
        if one.popen.poll() is None:
            one.popen.kill()
        one.popen.communicate()
