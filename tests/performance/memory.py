"""Whether the service's processes grow: `python -m tests.performance.memory --requests 100000`.

A whole service is started on a folder of its own, with two web processes that are not replaced
after a share of requests (`--recycle` leaves that as it is). Some clients, each on one connection
kept open, send rounds of requests of all kinds: sign-ins by password (argon2) and by WeChat,
filings and withdrawals, documents, reads, lists, the desk, and every refusal that a client can
provoke. Every some thousand requests the resident memory of each process is printed, in MB; the
last lines say by how much each grew per ten thousand requests, from half of the way to the end.

While a password is hashed a process has 67 MB more (argon2's 64 MiB, one at a time); what is
printed is the least of some looks within a second, and at the end the most that each ever had.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from service.local.story.papers import pdf
from tests.factories import citizen_id, filing_of
from tests.papers import with_documents
from tests.performance.operations import DEPARTMENT, FIVE, Headers

REQUESTS: Final = 100_000
CLIENTS: Final = 4
EVERY: Final = 5_000
PER: Final = 10_000
_DOCUMENT_EVERY: Final = 4
"""Rounds between two documents of a client: each is read by a process of its own."""
_NOT_REPLACED: Final = {"GUNICORN_CMD_ARGS": "--max-requests 0"}
_LOOK_SECONDS: Final = 0.2
_LOOKS: Final = 5


@dataclass(frozen=True)
class Sample:
    """The resident memory of each process in MB, after so many requests."""

    requests: int
    seconds: float
    resident: dict[str, float]


@dataclass
class Growth:
    """What was seen: samples in order, and how many answers had which status."""

    samples: list[Sample] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    most: dict[str, float] = field(default_factory=dict)

    def per_ten_thousand(self) -> dict[str, float]:
        """MB by which each process grew per 10,000 requests in the second half (least squares)."""
        half = self.samples[len(self.samples) // 2 :]
        return {
            name: round(_slope([(s.requests, s.resident[name]) for s in half]) * PER, 2)
            for name in half[-1].resident
            if all(name in sample.resident for sample in half)
        }


def measure(
    port: int,
    var: Path,
    *,
    requests: int = REQUESTS,
    clients: int = CLIENTS,
    every: int = EVERY,
    say: Callable[[str], None] = print,
) -> Growth:
    """Send so many requests to the service of the folder `var`, and watch its processes.

    Limits on sign-ins and uploads have to be generous.
    """
    growth, done = Growth(), _Done(requests)
    started = time.monotonic()
    password = (var / "demo-password").read_text().strip()
    callers = [_Caller(port, password, done) for _ in range(clients)]
    threads = [threading.Thread(target=caller.go_on) for caller in callers]
    for thread in threads:
        thread.start()
    at = 0
    while any(thread.is_alive() for thread in threads) or at <= done.count:
        if done.count >= at:
            seconds = time.monotonic() - started
            growth.samples.append(Sample(done.count, seconds, resident(var)))
            say(_line(growth.samples[-1]))
            at += every
        time.sleep(_LOOK_SECONDS)
    for caller in callers:
        growth.statuses += caller.statuses
    growth.most = most_resident(var)
    return growth


def resident(var: Path) -> dict[str, float]:
    """MB of resident memory of the processes that `up.json` in the folder names.

    Of gunicorn the processes that it has forked, too. The least of some looks within a second.
    """
    least: dict[str, float] = {}
    for _ in range(_LOOKS):
        for name, pid in _processes(var).items():
            if (mb := _megabytes(pid, "VmRSS")) is not None:
                least[name] = min(mb, least.get(name, mb))
        time.sleep(_LOOK_SECONDS)
    return least


def most_resident(var: Path) -> dict[str, float]:
    """The most MB that each of these processes ever had."""
    most = {name: _megabytes(pid, "VmHWM") for name, pid in _processes(var).items()}
    return {name: mb for name, mb in most.items() if mb is not None}


def _processes(var: Path) -> dict[str, int]:
    pids: dict[str, int] = json.loads((var / "up.json").read_text())["pids"]
    web = pids["web"]
    forked = Path(f"/proc/{web}/task/{web}/children").read_text().split()
    return pids | {f"web {number}": int(pid) for number, pid in enumerate(forked, 1)}


def _megabytes(pid: int, what: str) -> float | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):  # over: another one follows
        return None
    found = [line.split()[1] for line in lines if line.startswith(f"{what}:")]
    return round(int(found[0]) * 1024 / 1e6, 1) if found else None


@dataclass
class _Done:
    """How many requests have been answered, of those that are to be."""

    wanted: int
    count: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def one_more(self) -> None:
        with self.lock:
            self.count += 1

    @property
    def enough(self) -> bool:
        return self.count >= self.wanted


class _Caller:
    """A client with a connection, a talent, a clerk and an agent, who does rounds of requests."""

    def __init__(self, port: int, password: str, done: _Done) -> None:
        self.statuses: Counter[int] = Counter()
        self._password, self._done = password, done
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self._code = f"demo:{uuid4().hex[:12]}"
        self._talent: Headers = {}
        self._clerk: Headers = {}
        self._agent: Headers = {}
        self._sign_in()
        person = {"name": "张伟", "id_type": "citizen_id", "id_number": citizen_id()}
        self.send("PATCH", "/v1/me", person, self._talent)
        filing = filing_of(self.send("GET", "/v1/bundles/arrival"), *FIVE)
        self._body = with_documents(filing, lambda code: str(self._hand_in(code)["id"]))
        self._asked = {"sections": {"applicant": filing["sections"]["applicant"]}}

    def go_on(self) -> None:
        """Until all together have done enough."""
        turn = 0
        while not self._done.enough:
            turn += 1
            self._sign_in()
            self._file(turn)
            for _ in range(4):
                self._work_at_desk()
                self._be_refused()
                self._look_around()

    def send(
        self, method: str, path: str, body: Any = None, headers: Headers | None = None, **more: str
    ) -> Any:
        """The body of the answer, read as JSON where it is; a refusal is an answer too."""
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        all_headers = {**(headers or {}), **more}
        if raw is not None:
            all_headers.setdefault("Content-Type", "application/json")
        try:
            self._connection.request(method, path, raw, all_headers)
            answer = self._connection.getresponse()
            told = answer.read()
        except (
            OSError,
            http.client.HTTPException,
        ):  # a process was replaced; the client connects anew
            self._connection.close()
            return None
        self.statuses[answer.status] += 1
        self._done.one_more()
        is_json = "json" in (answer.getheader("Content-Type") or "")
        return json.loads(told) if told and is_json else None

    def _sign_in(self) -> None:
        clerk = {"username": f"clerk.{DEPARTMENT}", "password": self._password}
        self._clerk = self._signed("password", clerk) or self._clerk
        self._agent = self._signed("password", clerk | {"username": "agent.1"}) or self._agent
        self.send("POST", "/v1/auth/password", clerk | {"password": uuid4().hex})
        self.send("POST", "/v1/auth/password", clerk | {"username": f"nobody.{uuid4().hex[:8]}"})
        self._talent = self._signed("wechat", {"code": self._code}) or self._talent
        self._signed("wechat", {"code": f"demo:{uuid4().hex[:12]}"})

    def _signed(self, provider: str, sent: dict[str, str]) -> Headers | None:
        told = self.send("POST", f"/v1/auth/{provider}", sent)
        if not told or "access_token" not in told:
            return None
        return {"Authorization": f"Bearer {told['access_token']}"}

    def _file(self, turn: int) -> None:
        """File, look at it from all sides, withdraw: the next round files the same again."""
        talent = self._talent
        if turn % _DOCUMENT_EVERY == 1:
            made = self._hand_in(self._body["materials"][0]["code"])
            self.send("GET", f"/v1/materials/{made['id']}/content", headers=talent)
            self.send("DELETE", f"/v1/materials/{made['id']}", headers=talent)
        keyed = {**talent, "Idempotency-Key": uuid4().hex}
        ticket = self.send("POST", "/v1/tickets", self._body, keyed)
        if not ticket or "id" not in ticket:
            return
        self.send("POST", "/v1/tickets", self._body, keyed)  # the stored answer
        where = f"/v1/tickets/{ticket['id']}"
        for _ in range(3):
            for path in (where, "/v1/tickets", f"{where}/timeline", "/v1/notices", "/v1/me"):
                self.send("GET", path, headers=talent)
            self.send("GET", f"/v1/items/{ticket['items'][0]['id']}", headers=talent)
            self.send("POST", "/v1/eligibility", self._asked, talent)
        self.send("GET", f"{where}/withdrawal", headers=talent)
        now = self.send("GET", where, headers=talent) or ticket
        self.send("POST", f"{where}/withdrawal", None, {**talent, "If-Match": now["etag"]})

    def _hand_in(self, code: str) -> Any:
        """Tries again where two others are being read."""
        boundary = uuid4().hex
        parts = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="code"\r\n\r\n{code}\r\n'
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n'
            "Content-Type: application/pdf\r\n\r\n"
        )
        whole = parts.encode() + pdf(uuid4().hex) + f"\r\n--{boundary}--\r\n".encode()
        kind = {**self._talent, "Content-Type": f"multipart/form-data; boundary={boundary}"}
        while True:
            made = self.send("POST", "/v1/materials", whole, kind)
            if made and "id" in made:
                return made
            time.sleep(_LOOK_SECONDS)

    def _work_at_desk(self) -> None:
        clerk = self._clerk
        page = self.send("GET", "/v1/desk/tasks", headers=clerk)
        self.send("GET", "/v1/desk/counts", headers=clerk)
        if page and page.get("items"):
            self.send("GET", f"/v1/desk/tasks/{page['items'][0]['id']}", headers=clerk)
        taken = self.send("POST", "/v1/desk/tasks/next", {}, clerk)
        if taken and "id" in taken:
            self.send("POST", f"/v1/desk/tasks/{taken['id']}/release", None, clerk)
        self.send("GET", "/v1/enterprise/requests", headers=self._agent)

    def _be_refused(self) -> None:
        """Of every kind, each time about something that was never asked for before."""
        talent, never = self._talent, uuid4()
        self.send("GET", f"/v1/tickets/{never}", headers=talent)
        self.send("GET", f"/v1/{never}", headers=talent)
        self.send("GET", f"/{never.hex}/{never.hex}?{never.hex}=1")
        self.send("GET", "/v1/me", headers={"Authorization": f"Bearer {never.hex}"})
        self.send("GET", "/v1/me")
        self.send("DELETE", "/v1/words", headers=talent)
        self.send("POST", "/v1/tickets", b'{"bundle": "' + never.hex.encode(), talent)
        self.send("POST", "/v1/eligibility", {never.hex: [never.hex]}, talent)
        self.send("GET", "/v1/desk/tasks", headers=talent)
        self.send("GET", f"/v1/tickets?after={never.hex}", headers=talent)

    def _look_around(self) -> None:
        for path in ("/v1/offerings", "/v1/bundles", "/v1/bundles/arrival", "/v1/words", "/livez"):
            self.send("GET", path)


def _slope(points: Sequence[tuple[float, float]]) -> float:
    if len(points) < 2:
        return 0.0
    x = sum(one for one, _ in points) / len(points)
    y = sum(two for _, two in points) / len(points)
    across = sum((one - x) ** 2 for one, _ in points)
    return sum((one - x) * (two - y) for one, two in points) / across if across else 0.0


def _line(sample: Sample) -> str:
    sizes = "  ".join(f"{name} {mb:.1f}" for name, mb in sorted(sample.resident.items()))
    return f"{sample.requests:8,} requests {sample.seconds:7.0f} s  {sizes}"


def told(growth: Growth) -> Iterator[str]:
    """The outcome, for people."""
    for name, grown in sorted(growth.per_ten_thousand().items()):
        last = growth.samples[-1].resident[name]
        grew = f"{grown:+.2f} MB per {PER:,} requests"
        yield f"{name:12} {last:7.1f} MB at the end, {grew}, {growth.most[name]:.1f} MB at the most"
    yield f"answers by status: {dict(sorted(growth.statuses.items()))}"


def main() -> None:
    from tests.performance.bench import running

    asked = argparse.ArgumentParser(description="Whether the processes of the service grow.")
    asked.add_argument("--requests", type=int, default=REQUESTS)
    asked.add_argument("--clients", type=int, default=CLIENTS)
    asked.add_argument("--every", type=int, default=EVERY)
    asked.add_argument("--recycle", action="store_true", help="Processes are replaced as usual.")
    options = asked.parse_args()
    os.environ["TALENT_LIMIT_ELIGIBILITY"] = os.environ["TALENT_LIMIT_FAILED_PER_ACCOUNT"] = (
        "1000000 per minute"
    )
    if not options.recycle:
        os.environ.update(_NOT_REPLACED)
    with (
        tempfile.TemporaryDirectory(prefix="talent-memory-") as folder,
        running(Path(folder)) as port,
    ):
        growth = measure(
            port,
            Path(folder),
            requests=options.requests,
            clients=options.clients,
            every=options.every,
            say=lambda line: print(line, flush=True),
        )
    print(*told(growth), sep="\n")


if __name__ == "__main__":
    main()
