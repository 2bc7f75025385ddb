"""Free ports, and ports that are not."""

from __future__ import annotations

import random
import socket

HOST = "127.0.0.1"

# Below the range from which systems take the ports of outgoing connections, so that a server that
# is started again finds its port still free.
_CANDIDATES = range(20_000, 32_000)
_TRIES = 200


def why_taken(port: int) -> str | None:
    """None when a server could listen on 127.0.0.1:`port`; else what the system says."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as problem:
            return problem.strerror
    return None


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on at this moment."""
    for _ in range(_TRIES):
        port = random.choice(_CANDIDATES)  # noqa: S311 - no secret
        if why_taken(port) is None:
            return port
    raise OSError(f"no free port between {_CANDIDATES.start} and {_CANDIDATES.stop}")
