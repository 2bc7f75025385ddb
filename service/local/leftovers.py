"""Server processes that outlived the one who started them."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")
_LOOK_SECONDS = 0.02


def end_leftovers(cluster: Path, *, patience: float = 10) -> None:
    """Wait until no PostgreSQL process works in `cluster`; after `patience` seconds kill them.

    For the holder of the cluster's lock only: whatever still runs there is then the end of a
    former server (its fast shutdown, or backends whose postmaster was killed), and a new one would
    refuse to start beside it. The stale postmaster.pid goes too: after a reboot, or in a container,
    its number may belong to somebody else. Without /proc nothing is done and PostgreSQL decides.
    """
    if not (_PROC / "self").exists() or not (cluster / "postmaster.pid").exists():
        return
    deadline = time.monotonic() + patience
    while pids := _inhabitants(cluster):
        if time.monotonic() > deadline:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _inhabitants(cluster: Path) -> list[int]:
    """PostgreSQL's processes work in their cluster's folder, all of them."""
    place = os.path.realpath(cluster)
    return [int(entry.name) for entry in _PROC.iterdir() if _is_postgres_in(place, entry)]


def _is_postgres_in(place: str, entry: Path) -> bool:
    if not entry.name.isdigit():
        return False
    try:
        return (
            str((entry / "cwd").readlink()) == place
            and (entry / "comm").read_text("utf-8", "replace").strip() == "postgres"
        )
    except OSError:  # over already, or somebody else's
        return False
