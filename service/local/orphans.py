"""Children that end when the one who started them is gone, even by kill -9."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1

_WATCH = """
import os, sys
sys.stdin.buffer.read()
try:
    os.kill(int(sys.argv[1]), int(sys.argv[2]))
except ProcessLookupError:
    pass
"""


def death_wish(orphan_signal: signal.Signals) -> Callable[[], None] | None:
    """What a child runs before exec, so that Linux sends it `orphan_signal` when we are gone.

    None where the kernel cannot promise it: outside Linux, and outside the main thread, because
    the promise (PR_SET_PDEATHSIG) is tied to the thread that forked. Use a `Watcher` there.
    The wish survives exec, also through `unshare`; a change of user would clear it, therefore it
    is made after that (subprocess runs preexec functions last).
    """
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    # Looked up before the fork, and without giving up the interpreter lock: between fork and exec
    # nothing may load a library or wait for another thread.
    prctl = ctypes.PyDLL(None).prctl
    prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
    number, parent = int(orphan_signal), os.getpid()

    def wish() -> None:
        if prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) != 0 or os.getppid() != parent:
            os._exit(127)  # the parent went before the wish was made

    return wish


class Watcher:
    """A tiny process that waits for our end on a pipe and then signals the child."""

    def __init__(self, pid: int, orphan_signal: signal.Signals) -> None:
        self._popen = subprocess.Popen(  # noqa: S603
            [sys.executable, "-I", "-S", "-c", _WATCH, str(pid), str(int(orphan_signal))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The child is over: killed first, so that closing the pipe signals nobody."""
        self._popen.kill()
        self._popen.wait()
        if self._popen.stdin is not None:
            self._popen.stdin.close()
