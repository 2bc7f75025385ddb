"""Run the tests that compute with days as on each of the sampled days: `python -m tests.days`.

Every day has a process of its own, so that what a module computes while it is imported belongs to
that day, too; the servers and the template database are started once for all of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from urllib.parse import urlsplit

from tests.conftest import STARTED, Servers
from tests.wall_clock import SAMPLED, WALL_CLOCK, morning

_AT_ONCE = 2
_TESTS = Path(__file__).parent
_MARKED = "pytest.mark.dated"
_PYTEST = [sys.executable, "-m", "pytest", "-q", "-m", "dated", "--no-header"]


def _dated() -> list[str]:
    """The modules that are marked: only these need to be imported."""
    found = [
        path for path in sorted(_TESTS.rglob("test_*.py")) if _MARKED in path.read_text("utf-8")
    ]
    assert found, f"no module is marked with {_MARKED}"
    return [str(path) for path in found]


@contextmanager
def _servers() -> Iterator[dict[str, str]]:
    """The environment that tells of them; they were prepared on the day before the first."""
    WALL_CLOCK.set(morning(min(SAMPLED)) - timedelta(days=1))
    servers = Servers(Path(tempfile.mkdtemp(prefix="talent-days-")))
    try:
        servers.start()
        yield {**os.environ, **servers.environment, STARTED: "1"}
    finally:
        servers.stop()
        WALL_CLOCK.stop()


def _run(day: date, environment: dict[str, str], arguments: list[str]) -> bool:
    begun = monotonic()
    done = subprocess.run(
        [*_PYTEST, f"--on={day}", *(arguments or _dated())],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    passed = done.returncode == 0
    if not passed:
        print(done.stdout)
    summary = (done.stdout.strip().splitlines() or ["no output"])[-1]
    print(f"{day} ({SAMPLED[day]}): {summary}; {monotonic() - begun:.0f} s", flush=True)
    return passed


def main(arguments: list[str]) -> int:
    """0 where every day passed. `arguments` go to pytest instead of the marked modules."""
    places: SimpleQueue[int] = SimpleQueue()
    for place in range(_AT_ONCE):
        places.put(place)

    def one(day: date) -> bool:
        place = places.get()
        try:
            cache = urlsplit(environment["REDIS_URL"])._replace(path=f"/{place}").geturl()
            return _run(day, {**environment, "REDIS_URL": cache}, arguments)
        finally:
            places.put(place)

    with _servers() as environment, ThreadPoolExecutor(_AT_ONCE) as pool:
        return 0 if all(list(pool.map(one, SAMPLED))) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
