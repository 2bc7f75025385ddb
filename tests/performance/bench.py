"""What a request costs: `make bench`.

A whole service (PostgreSQL with its defaults, Valkey, two gunicorn workers) is started for the run
on a folder of its own and filled with the tickets of a district (`volume`). A day's work is sent
to it step by step, by one client and then, what can be, by eight at once; and pgbench says what the
database alone could do with the same statements. First, when nothing else runs, the engine alone:
microseconds of the dearest step of each demonstration flow.

`--compare REV` runs the same on another commit before, with this commit's measuring laid over its
own, and prints the ratio of each figure. `--loaded` keeps one core busy beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from service.app import create_app
from service.kernel import clock
from service.kernel.settings import load
from service.local.ports import free_port
from service.runtime import open_database
from tests.performance import report, within
from tests.performance.operations import Day, Everybody, Step, a_day
from tests.performance.processes import Processes
from tests.performance.steps import step_times
from tests.performance.volume import fill, nobody_else
from tests.performance.wire import Answer, connected

ROOT: Final = Path(__file__).resolve().parents[2]
TICKETS: Final = 10_000
ROUNDS: Final = 150
WARM_UP: Final = 30
QUIET_SECONDS: Final = 3  # until the worker has told what was filed
GENEROUS: Final = {
    "TALENT_LIMIT_LOGIN_PER_ADDRESS": "100000 per minute",
    "TALENT_LIMIT_LOGIN_PER_ACCOUNT": "100000 per minute",
    "TALENT_LIMIT_UPLOADS": "100000 per minute",
}
_BUSY: Final = "while True: pass"


@contextmanager
def running(var: Path) -> Iterator[int]:
    """The service, ready, on the port that is returned."""
    port = free_port()
    command = [sys.executable, "-m", "service.cli", "up", "--var", str(var), "--port", str(port)]
    output = (var / "up.out").open("w")
    up = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **GENEROUS}, stdout=output, stderr=output
    )
    try:
        while not (var / "up.json").exists():
            if up.poll() is not None:
                raise SystemExit((var / "up.out").read_text())
            time.sleep(0.05)
        yield port
    finally:
        up.terminate()
        up.wait()
        output.close()


@dataclass
class Measuring:
    """Sends the steps of a day to the service, and keeps what each took."""

    port: int
    processes: Processes
    one_client: dict[str, dict[str, Any]] = field(default_factory=dict)
    many_clients: dict[str, dict[str, Any]] = field(default_factory=dict)

    def through(self, day: Day) -> None:
        step = next(day)
        while True:
            answers = self._step(step)
            try:
                step = day.send([one.json for one in answers if one.body])
            except StopIteration:
                return

    def _step(self, step: Step) -> Sequence[Answer]:
        prepared = [one.prepared() for one in step.requests]
        with connected(self.port, step.clients) as wires:
            if not step.name:
                return wires.ask(prepared)
            first = wires.ask(prepared[:WARM_UP])
            _quiet(step)
            before, started = self.processes.seconds(), time.perf_counter()
            counted = wires.ask(prepared[WARM_UP:])
            elapsed = time.perf_counter() - started
            client = self.processes.seconds()["client"] - before["client"]
            _quiet(step)
            after = self.processes.seconds() | {"client": before["client"] + client}
        times = sorted(one.milliseconds for one in counted)
        kept = self.one_client if step.clients == 1 else self.many_clients
        kept[step.name] = {
            "n": len(times),
            "p50_ms": round(statistics.median(times), 2),
            "p99_ms": round(times[int(len(times) * 0.99)], 2),
            "per_second": round(len(times) / elapsed, 1),
            "cpu_ms": {
                part: round((after[part] - before[part]) / len(times) * 1000, 2) for part in after
            },
        }
        return [*first, *counted]


def _quiet(step: Step) -> None:
    if step.writes:
        time.sleep(QUIET_SECONDS)


def measured(tickets: int, *, loaded: bool) -> dict[str, Any]:
    """The whole run."""
    steps = {code: round(taken, 1) for code, taken in step_times().items()}
    with tempfile.TemporaryDirectory(prefix="talent-bench-") as folder:
        var = Path(folder)
        started = time.perf_counter()
        with running(var) as port:
            ready = time.perf_counter() - started
            volume = fill(var, tickets=tickets)  # and the environment of the service is read
            os.environ.update(GENEROUS)
            settings = load()
            database = open_database(settings)
            client = create_app(settings, database).test_client()
            everybody = Everybody(client, (var / "demo-password").read_text().strip())
            pids = json.loads((var / "up.json").read_text("utf-8"))["pids"]
            measuring = Measuring(port, Processes(pids))
            begun = measuring.processes.resident()
            with _busy() if loaded else nullcontext():
                measuring.through(a_day(everybody, ROUNDS + WARM_UP))
                ended = measuring.processes.resident()
                with nobody_else(var):
                    found = within.measure(client, everybody, settings)
            database.dispose()
    return {
        "at": clock.now().isoformat(timespec="seconds"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "cores": os.cpu_count(),
        "loaded": loaded,
        "rows": volume,
        "start_seconds": round(ready, 2),
        "step_us": steps,
        "one_client": measuring.one_client,
        "many_clients": measuring.many_clients,
        "statements": found.statements,
        "floors": {
            name: {
                str(clients): {"per_second": round(one.per_second, 1), "p50_ms": one.p50_ms}
                for clients, one in floors.items()
            }
            for name, floors in found.floors.items()
        },
        "resident_mb": {"begun": begun, "ended": ended},
        "rows_read_whole": found.read_whole,
    }


@contextmanager
def _busy() -> Iterator[None]:
    """Something else that wants a core."""
    other = subprocess.Popen([sys.executable, "-c", _BUSY])
    try:
        yield
    finally:
        other.kill()
        other.wait()


def _elsewhere(revision: str, tickets: int, *, loaded: bool) -> dict[str, Any]:
    """The run on another commit, whose measuring is replaced by this one's.

    What fills its database and what signs people in is its own.
    """
    with tempfile.TemporaryDirectory(prefix="talent-other-") as folder:
        tree, written = Path(folder) / "tree", Path(folder) / "report.json"
        _git("worktree", "add", "--detach", str(tree), revision)
        try:
            for one in _MEASURING:
                shutil.copy(Path(__file__).with_name(one), tree / "tests/performance" / one)
            command = [sys.executable, "-m", "tests.performance.bench", "--json", str(written)]
            command += ["--tickets", str(tickets), *(["--loaded"] if loaded else [])]
            subprocess.run(
                command, cwd=tree, check=True, env=os.environ | {"PYTHONPATH": str(tree)}
            )
            return dict(json.loads(written.read_text("utf-8")))
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True)
    return done.stdout.strip()


_MEASURING: Final = [
    "bench.py",
    "capture.py",
    "floor.py",
    "operations.py",
    "processes.py",
    "report.py",
    "wire.py",
    "within.py",
]


def main() -> None:
    """Measure, print, and keep the report in `var/bench` as JSON and Markdown."""
    asked = argparse.ArgumentParser(description="What a request costs.")
    asked.add_argument("--tickets", type=int, default=TICKETS)
    asked.add_argument("--compare", metavar="REV", help="another commit, to be run before")
    asked.add_argument("--loaded", action="store_true", help="keep one core busy beside it")
    asked.add_argument("--json", type=Path, help="write the report there, and nothing else")
    chosen = asked.parse_args()
    other = (
        _elsewhere(chosen.compare, chosen.tickets, loaded=chosen.loaded) if chosen.compare else None
    )
    here = measured(chosen.tickets, loaded=chosen.loaded)
    whole = here if other is None else here | {"compared_with": other}
    if chosen.json:
        chosen.json.write_text(json.dumps(whole))
        return
    text = report.markdown(here, other)
    print(text)
    target = ROOT / "var" / "bench" / f"{clock.now():%Y-%m-%dT%H%M%S}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.with_suffix(".md").write_text(text)
    target.with_suffix(".json").write_text(json.dumps(whole, indent=2))


if __name__ == "__main__":
    main()
