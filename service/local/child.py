"""A child process with a log, an end that takes its whole group along, and a way to stop it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from service.local.orphans import Watcher, death_wish

Ladder = tuple[tuple[signal.Signals, float], ...]
_LOOK_SECONDS = 0.02
_TAIL_BYTES = 16_384


class StartFailed(Exception):
    """A child did not come up; the text is a sentence for the person at the terminal."""


@dataclass(frozen=True)
class Account:
    """Under whom a child runs: as we are, behind a prefix such as unshare, or as another user."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None


class Child:
    """One process that we started; subclasses say what `start` launches.

    `ladder`: the signals of a stop, each with the seconds it gets before the next one.
    `orphan_signal`: what the child receives when we die without stopping it.
    The log file is fresh for every `Child`, the one of the run before is kept as `<name>.log.1`;
    restarts of the same `Child` append.
    """

    ladder: Ladder = ((signal.SIGTERM, 20), (signal.SIGKILL, 5))
    orphan_signal = signal.SIGKILL

    def __init__(self, name: str, log_file: Path) -> None:
        self.name = name
        self.log_file = log_file
        self._popen: subprocess.Popen[bytes] | None = None
        self._watcher: Watcher | None = None
        self._log_is_ours = False

    def start(self) -> object:
        """Launch, and return once it is of use. Raises StartFailed, with nothing left running."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen is not None and self.running else None

    @property
    def running(self) -> bool:
        return self._popen is not None and self.poll() is None

    def launch(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None = None,
        account: Account = Account(),
        stdin: bytes | None = None,
        stays_open: bool = False,
    ) -> None:
        """Start `argv` in a session of its own: a Ctrl-C at the terminal reaches only us.

        `stdin` is what it reads; where `stays_open` the end of it comes with `tell`.
        """
        wish = death_wish(self.orphan_signal)
        other_user = account.uid is not None
        with self._open_log() as log:
            self._popen = subprocess.Popen(  # noqa: S603
                [*account.prefix, *argv],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=account.uid,
                group=account.gid,
                extra_groups=[] if other_user else None,
                preexec_fn=wish,  # noqa: PLW1509 - see death_wish
            )
        if wish is None:
            self._watcher = Watcher(self._popen.pid, self.orphan_signal)
        if stdin is not None and not stays_open:
            self.tell(stdin)

    def tell(self, text: bytes) -> None:
        """Write to its standard input and close that; nothing where it is closed or gone."""
        pipe = None if self._popen is None else self._popen.stdin
        if pipe is not None and not pipe.closed:
            with suppress(BrokenPipeError), pipe:
                pipe.write(text)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs or before its first start.

        When it is over, what is left of its process group (gunicorn's workers) is killed too.
        """
        if self._popen is None or self._popen.returncode is not None:
            return None if self._popen is None else self._popen.returncode
        over = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self._popen.pid, over) is None:
            return None
        # Not reaped yet, so the group number still is this child's and nobody else's.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, signal.SIGKILL)
        if self._watcher is not None:
            self._watcher.dismiss()
            self._watcher = None
        return self._popen.wait()

    def send(self, number: signal.Signals) -> None:
        if self._popen is not None and self.running:
            self._popen.send_signal(number)

    def stop(self) -> None:
        """Climb the ladder until it is over. Does nothing when it is not running."""
        stop_together([self])

    def ended(self) -> str:
        """How it ended, for a sentence: "was killed by SIGKILL", "ended with exit code 3"."""
        code = self.poll()
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def tail(self, lines: int = 12) -> list[str]:
        """The last lines of its log."""
        try:
            with self.log_file.open("rb") as log:
                log.seek(max(0, self.log_file.stat().st_size - _TAIL_BYTES))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return []
        return text.splitlines()[-lines:]

    def _open_log(self) -> BinaryIO:
        if not self._log_is_ours:
            self.log_file.parent.mkdir(parents=True, exist_ok=True)
            if self.log_file.exists():
                self.log_file.replace(self.log_file.with_name(self.log_file.name + ".1"))
            self._log_is_ours = True
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return os.fdopen(os.open(self.log_file, flags, 0o600), "ab")


def stop_together(
    children: Iterable[Child], *, hurried: Callable[[], bool] = lambda: False
) -> None:
    """Stop several children at the same time, each along its own ladder.

    When `hurried()` turns true every child goes one rung further at once.
    """
    rungs = {child: iter(child.ladder) for child in children}
    deadlines = dict.fromkeys(rungs, 0.0)
    pushed: set[Child] = set()
    while living := [child for child in rungs if child.running]:
        for child in living:
            push = hurried() and deadlines[child] > 0 and child not in pushed
            if not push and time.monotonic() < deadlines[child]:
                continue
            if push:
                pushed.add(child)
            rung = next(rungs[child], None)
            if rung is None:
                return  # even SIGKILL did not help: stuck in the kernel, nothing more to try
            child.send(rung[0])
            deadlines[child] = time.monotonic() + rung[1]
        time.sleep(_LOOK_SECONDS)
