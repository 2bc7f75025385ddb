"""Requests to stop, as something to look at rather than an exception out of nowhere."""

from __future__ import annotations

import os
import select
import signal
import time
from types import FrameType
from typing import Self

_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

# One Ctrl-C may arrive twice, from the terminal and through a parent that passes it on.
_ECHO_SECONDS = 0.5


class Signals:
    """While entered: a stop signal is noted, and cuts `wait` short, as the end of a child does.

    For the main thread. Ignored hang-ups stay ignored: that is what nohup asks for.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self.hurried = False

    @property
    def stop_asked(self) -> bool:
        return self._first is not None

    def __enter__(self) -> Self:
        self._pipe = os.pipe()
        for end in self._pipe:
            os.set_blocking(end, False)
        self._former_wakeup = signal.set_wakeup_fd(self._pipe[1], warn_on_full_buffer=False)
        self._former = {signal.SIGCHLD: signal.signal(signal.SIGCHLD, lambda *_: None)}
        for number in _STOPPING:
            ignored = number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN
            if not ignored:
                self._former[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._former_wakeup)
        for end in self._pipe:
            os.close(end)

    def wait(self, seconds: float) -> None:
        """Sleep, at most this long."""
        if select.select([self._pipe[0]], [], [], max(0, seconds))[0]:
            os.read(self._pipe[0], 4096)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
        elif now > self._first + _ECHO_SECONDS:
            self.hurried = True
