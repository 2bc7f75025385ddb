"""What a request costs: `make bench`.

A whole service (PostgreSQL with its defaults, Valkey, two gunicorn workers) is started for the
run on a folder of its own. One client sends one request after the other; then eight clients file
at once. Figures are milliseconds as the client sees them. Before that, when nothing else runs, the
engine alone: microseconds of the dearest step of each demonstration flow.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from service.local.ports import free_port
from service.local.story.papers import pdf
from tests.factories import citizen_id, filing_of
from tests.papers import with_documents
from tests.performance.steps import step_times

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 150
CLIENTS = 8
FIVE = ("recognition", "settlement", "housing_rent", "purchase_discount", "medical")
TO_ACCEPT = ("acceptance", "open")
WARM_UP = 60
STATISTICS_SECONDS = 12  # until PostgreSQL knows its tables by itself


@contextmanager
def running(var: Path) -> Iterator[httpx.Client]:
    """The service, ready, and a client of it."""
    port = free_port()
    command = [sys.executable, "-m", "service.cli", "up", "--var", str(var), "--port", str(port)]
    limits = {
        "TALENT_LIMIT_LOGIN_PER_ADDRESS": "100000 per minute",
        "TALENT_LIMIT_LOGIN_PER_ACCOUNT": "100000 per minute",
    }
    output = (var / "up.out").open("w")
    up = subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **limits}, stdout=output, stderr=output
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


class Bench:
    """Sends requests and keeps how long each took, by what it did."""

    def __init__(self, client: httpx.Client, password: str) -> None:
        self.client = client
        self.password = password
        self.times: dict[str, list[float]] = {}
        self.body = filing_of(client.get("/bundles/arrival").json(), *FIVE)
        self.bodies: dict[str, dict[str, Any]] = {}

    def timed(self, name: str, method: str, path: str, **options: Any) -> Any:
        started = time.perf_counter()
        answer = self.client.request(method, path, **options)
        taken = (time.perf_counter() - started) * 1000
        answer.raise_for_status()
        self.times.setdefault(name, []).append(taken)
        return answer.json()

    def talent(self) -> dict[str, str]:
        token = self._token("wechat", {"code": f"demo:{uuid4().hex[:12]}"})
        profile = {"name": "张伟", "id_type": "citizen_id", "id_number": citizen_id()}
        self.client.patch("/me", json=profile, headers=token).raise_for_status()
        own = with_documents(self.body, lambda code: self._hand_in(token, code))
        self.bodies[token["Authorization"]] = own
        return token

    def staff(self, username: str) -> dict[str, str]:
        return self._token("password", {"username": username, "password": self.password})

    def file(self, token: dict[str, str]) -> dict[str, Any]:
        headers = {**token, "Idempotency-Key": uuid4().hex}
        body = self.bodies[token["Authorization"]]
        return self.timed("file five items", "POST", "/tickets", json=body, headers=headers)

    def work(self, staff: dict[str, str]) -> None:
        page = self.timed("desk list, 25 rows", "GET", "/desk/tasks", headers=staff)
        task = next(one for one in page["items"] if (one["kind"], one["state"]) == TO_ACCEPT)
        path = f"/desk/tasks/{task['id']}"
        self.timed("task", "GET", path, headers=staff)
        claimed = self.timed("claim", "POST", f"{path}/claim", headers=staff)
        decision = {"verdict": "accept", "opinion": "同意"}
        headers = {**staff, "If-Match": f'"{claimed["version"]}"'}
        self.timed("decide", "POST", f"{path}/decision", json=decision, headers=headers)

    def _hand_in(self, token: dict[str, str], code: str) -> str:
        file = {"file": (f"{code}.pdf", pdf(code), "application/pdf")}
        sent = {"data": {"code": code}, "files": file, "headers": token}
        return self.client.post("/materials", **sent).raise_for_status().json()["id"]

    def _token(self, provider: str, sent: dict[str, str]) -> dict[str, str]:
        answer = self.client.post(f"/auth/{provider}", json=sent)
        answer.raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


def one_client(bench: Bench) -> None:
    """Every operation of the main job, one after the other."""
    talents = [bench.talent() for _ in range(ROUNDS + WARM_UP)]
    clerk = bench.staff("clerk.construction")
    for number, talent in enumerate(talents):
        if number == WARM_UP:
            time.sleep(STATISTICS_SECONDS)
            bench.times.clear()
        ticket = bench.file(talent)
        bench.timed("ticket", "GET", f"/tickets/{ticket['id']}", headers=talent)
        bench.timed("my tickets", "GET", "/tickets", headers=talent)
        bench.timed("timeline", "GET", f"/tickets/{ticket['id']}/timeline", headers=talent)
    for number in range(ROUNDS + WARM_UP):
        if number == WARM_UP:
            for name in ("desk list, 25 rows", "task", "claim", "decide"):
                bench.times.pop(name)
        bench.work(clerk)


def many_clients(bench: Bench) -> float:
    """Filings a second with eight clients."""
    talents = [bench.talent() for _ in range(ROUNDS * 2)]
    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        filed = list(pool.map(bench.file, talents))
    return len(filed) / (time.perf_counter() - started)


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def measured(bench: Bench, run: Callable[[Bench], None]) -> dict[str, Any]:
    run(bench)
    return {
        name: {
            "n": len(times),
            "p50_ms": round(statistics.median(times), 1),
            "p99_ms": round(quantile(times, 0.99), 1),
        }
        for name, times in bench.times.items()
    }


def main() -> None:
    steps = {code: round(taken, 1) for code, taken in step_times().items()}
    with tempfile.TemporaryDirectory(prefix="talent-bench-") as folder:
        var = Path(folder)
        started = time.perf_counter()
        with running(var) as client:
            ready = time.perf_counter() - started
            bench = Bench(client, (var / "demo-password").read_text().strip())
            figures: dict[str, Any] = measured(bench, one_client)
            throughput = round(many_clients(bench), 1)
    report = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "start_seconds": round(ready, 2),
        "step_us": steps,
        "one_client": figures,
        "filings_per_second_8_clients": throughput,
    }
    for code, taken in steps.items():
        print(f"{f'step of {code}':30} {taken:9.1f} µs")
    for name, figure in figures.items():
        print(f"{name:22} p50 {figure['p50_ms']:7.1f} ms   p99 {figure['p99_ms']:7.1f} ms")
    print(f"{'filings, 8 clients':22} {throughput:9.1f} /s")
    print(f"{'cold start':22} {ready:9.1f} s")
    target = ROOT / "var" / "bench" / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
