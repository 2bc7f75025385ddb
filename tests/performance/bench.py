"""What a request costs: `make bench`.

A whole service (PostgreSQL with its defaults, Valkey, two gunicorn workers) is started for the run
on a folder of its own and filled with the tickets of a district (`volume`). One client sends one
request after the other, operation by operation; then eight clients file at once; then pgbench says
what the database alone could do with the same statements. Figures are milliseconds as the client
sees them. First, when nothing else runs, the engine alone: microseconds of the dearest step of each
demonstration flow.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from service.kernel import clock
from service.local.ports import free_port
from tests.performance import within
from tests.performance.operations import DEPARTMENT, Everybody, Operations, Talent
from tests.performance.steps import step_times
from tests.performance.volume import fill, nobody_else

ROOT: Final = Path(__file__).resolve().parents[2]
TICKETS: Final = 10_000
ROUNDS: Final = 120
CLIENTS: Final = 8
WARM_UP: Final = 40
QUIET_SECONDS: Final = 3  # until the worker has told what was filed
GENEROUS: Final = {
    "TALENT_LIMIT_LOGIN_PER_ADDRESS": "100000 per minute",
    "TALENT_LIMIT_LOGIN_PER_ACCOUNT": "100000 per minute",
    "TALENT_LIMIT_UPLOADS": "100000 per minute",
}


@contextmanager
def running(var: Path) -> Iterator[httpx.Client]:
    """The service, ready, and a client of it."""
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
            time.sleep(0.1)
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", timeout=30) as client:
            yield client
    finally:
        up.terminate()
        up.wait()
        output.close()


def asking(client: httpx.Client) -> Operations:
    """Operations over HTTP."""

    def ask(method: str, path: str, **options: Any) -> Any:
        return client.request(method, path, **options).raise_for_status().json()

    return Operations(ask)


def one_client(everybody: Everybody, operations: Operations) -> dict[str, Any]:
    """Every operation of the main job, one after the other, each when the former is done with."""
    talents = arriving(everybody, ROUNDS + WARM_UP)
    clerk, agent = everybody.staff(f"clerk.{DEPARTMENT}"), everybody.staff("agent.1")
    tickets: list[str] = []
    in_rounds(lambda talent: tickets.append(operations.file(talent)["id"]), talents, operations)
    in_rounds(
        lambda own: operations.follow(*own), list(zip(talents, tickets, strict=True)), operations
    )
    everytime = [clerk] * len(talents)
    in_rounds(operations.look, everytime, operations)
    in_rounds(operations.take_next, everytime, operations)
    in_rounds(operations.work, everytime, operations)
    in_rounds(operations.look_after_employees, [agent] * len(talents), operations)
    return {
        name: {
            "n": len(times),
            "p50_ms": round(statistics.median(times), 1),
            "p99_ms": round(quantile(times, 0.99), 1),
        }
        for name, times in operations.times.items()
    }


def arriving(everybody: Everybody, number: int) -> list[Talent]:
    """So many people with their papers."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(lambda _: everybody.talent(), range(number)))


def in_rounds(act: Callable[[Any], Any], things: Sequence[Any], operations: Operations) -> None:
    """Act on each; what the warming up took is forgotten, and before it counts all is quiet."""
    before = set(operations.times)
    for place, thing in enumerate(things):
        if place == WARM_UP:
            time.sleep(QUIET_SECONDS)
            for name in set(operations.times) - before:
                del operations.times[name]
        act(thing)


def many_clients(everybody: Everybody, operations: Operations) -> float:
    """Filings a second with eight clients."""
    talents = arriving(everybody, ROUNDS * 2)
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        filed = list(pool.map(operations.file, talents))
    return len(filed) / (time.perf_counter() - started)


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def measured(tickets: int) -> dict[str, Any]:
    """The whole run."""
    steps = {code: round(taken, 1) for code, taken in step_times().items()}
    with tempfile.TemporaryDirectory(prefix="talent-bench-") as folder:
        var = Path(folder)
        started = time.perf_counter()
        with running(var) as client:
            ready = time.perf_counter() - started
            volume = fill(var, tickets=tickets)
            everybody = Everybody(client, (var / "demo-password").read_text().strip())
            with httpx.Client(base_url=client.base_url, timeout=30) as one:  # and one connection
                figures = one_client(everybody, asking(one))
            throughput = many_clients(everybody, asking(client))
            with nobody_else(var):
                found = within.measure(var, everybody, clients=(1, CLIENTS))
    for name, count in found.statements.items():
        figures[name]["statements"] = count
    return {
        "at": clock.now().isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "rows": volume,
        "start_seconds": round(ready, 2),
        "step_us": steps,
        "one_client": figures,
        "filings_per_second_8_clients": round(throughput, 1),
        "floor_per_second": {str(one): round(rate, 1) for one, rate in found.floors.items()},
        "rows_read_whole": found.read_whole,
    }


def told(report: Mapping[str, Any]) -> Iterator[str]:
    """The figures, for people."""
    for name, number in report["rows"].items():
        yield f"{name:24} {number:9,}"
    for code, taken in report["step_us"].items():
        yield f"{f'step of {code}':30} {taken:9.1f} µs"
    for name, one in report["one_client"].items():
        yield (
            f"{name:24} p50 {one['p50_ms']:7.1f} ms   p99 {one['p99_ms']:7.1f} ms"
            f"   {one['statements']:3} statements"
        )
    filings, floor = report["filings_per_second_8_clients"], report["floor_per_second"]
    yield f"{'filings, 8 clients':24} {filings:9.1f} /s"
    for clients, rate in floor.items():
        yield f"{f'floor, clients: {clients}':24} {rate:9.1f} /s"
    yield f"{'of the floor':24} {filings / floor[str(CLIENTS)]:9.1%}"
    for table, rows in report["rows_read_whole"].items():
        yield f"{f'{table}, read whole':24} {rows:9,} rows"
    yield f"{'cold start':24} {report['start_seconds']:9.1f} s"


def main() -> None:
    asked = argparse.ArgumentParser(description="What a request costs.")
    asked.add_argument("--tickets", type=int, default=TICKETS)
    report = measured(asked.parse_args().tickets)
    print(*told(report), sep="\n")
    target = ROOT / "var" / "bench" / f"{clock.now():%Y-%m-%dT%H%M%S}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
