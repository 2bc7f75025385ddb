from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from service.local.ports import free_port
from service.local.story.papers import pdf
from tests.factories import Wanted, citizen_id, filing_of
from tests.local.conftest import PATIENCE, ROOT, alive, eventually
from tests.papers import with_documents

# What the run has set for itself: a service started by hand knows nothing of it.
OURS = re.compile("DATABASE_|REDIS_|TALENT_|TEST_")
GENEROUS = {
    "TALENT_LIMIT_LOGIN_PER_ADDRESS": "100000 per minute",
    "TALENT_LIMIT_LOGIN_PER_ACCOUNT": "100000 per minute",
}
PORT_TAKEN = "Address already in use"


class Up:
    """A real `talent up` on a folder of its own."""

    def __init__(self, var: Path) -> None:
        self.var, self.port = var, free_port()
        self.output = (var / "up.out").open("w")
        command = ["-m", "service.cli", "up", "--port", str(self.port), "--var", str(var)]
        self.popen = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env={name: one for name, one in os.environ.items() if not OURS.match(name)} | GENEROUS,
            stdout=self.output,
            stderr=subprocess.STDOUT,
        )

    def ready(self) -> Up:
        told = lambda: (self.var / "up.json").exists() or self.popen.poll() is not None  # noqa: E731
        assert eventually(told, 4 * PATIENCE)
        assert self.popen.poll() is None, self.said
        return self

    @property
    def said(self) -> str:
        return (self.var / "up.out").read_text()

    @property
    def pids(self) -> dict[str, int]:
        return json.loads((self.var / "up.json").read_text("utf-8"))["pids"]

    @property
    def everyone(self) -> list[int]:
        """What runs, with what that has started."""
        found = list(self.pids.values())
        for pid in found:
            with suppress(OSError):
                children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
                found += [int(child) for child in children if int(child) not in found]
        return found

    def kill(self, name: str) -> None:
        os.kill(self.pids[name], signal.SIGKILL)

    def interrupt(self) -> int:
        self.popen.send_signal(signal.SIGINT)
        return self.popen.wait(PATIENCE)

    def close(self) -> None:
        if self.popen.poll() is None:
            self.popen.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(PATIENCE)
            self.popen.kill()
        self.popen.wait()
        self.output.close()


@pytest.fixture(scope="module")
def up(tmp_path_factory) -> Iterator[Up]:
    up = started(tmp_path_factory)
    try:
        yield up
    finally:
        up.close()


def started(tmp_path_factory, tries: int = 3) -> Up:
    """One that is ready; on another port where somebody took the first before it listened."""
    up = Up(tmp_path_factory.mktemp("var"))
    try:
        return up.ready()
    except BaseException:
        up.close()
        if tries == 1 or PORT_TAKEN not in up.said:
            raise
    return started(tmp_path_factory, tries - 1)


@dataclass
class Person:
    """Somebody with a token, on a connection of their own."""

    client: httpx.Client
    account: str

    def get(self, path: str, **options: Any) -> Any:
        return self._told(self.client.get(path, **options))

    def post(self, path: str, **options: Any) -> Any:
        return self._told(self.client.post(path, **options))

    def patch(self, path: str, **options: Any) -> Any:
        return self._told(self.client.patch(path, **options))

    def with_documents(self, body: dict[str, Any]) -> dict[str, Any]:
        """A filing with documents of one's own, which are handed in for it."""
        return with_documents(body, self._hand_in)

    def _hand_in(self, code: str) -> str:
        file = {"file": (f"{code}.pdf", pdf(code), "application/pdf")}
        return self.post("/materials", data={"code": code}, files=file)["id"]

    def file(self, body: dict[str, Any], key: str, *, seconds: float = PATIENCE) -> Any:
        """File as a client should: the same key again until it is answered."""
        deadline = time.monotonic() + seconds
        while True:
            with suppress(httpx.TransportError):
                answer = self.client.post("/tickets", json=body, headers={"Idempotency-Key": key})
                if answer.status_code == 201:
                    return answer.json()
                busy = answer.json()["code"] == "request_in_progress"
                assert answer.status_code == 503 or busy, answer.text
            assert time.monotonic() < deadline, "nobody answered"
            time.sleep(0.05)

    @staticmethod
    def _told(answer: httpx.Response) -> Any:
        assert answer.is_success, answer.text
        return answer.json()


class Town:
    """Everybody who knocks at the service's door."""

    def __init__(self, up: Up) -> None:
        self.up = up
        self.clients: list[httpx.Client] = []

    def _enter(self, provider: str, sent: dict[str, str]) -> Person:
        client = httpx.Client(base_url=f"http://127.0.0.1:{self.up.port}/v1", timeout=PATIENCE)
        self.clients.append(client)
        told = client.post(f"/auth/{provider}", json=sent).raise_for_status().json()
        client.headers["Authorization"] = f"Bearer {told['access_token']}"
        return Person(client, told["account"]["id"])

    def talent(self, name: str = "张伟") -> Person:
        talent = self._enter("wechat", {"code": f"demo:{uuid4().hex[:12]}"})
        number = {"id_type": "citizen_id", "id_number": citizen_id()}
        talent.patch("/me", json={"name": name, **number})
        return talent

    def child(self, talent: Person) -> str:
        """A child of the talent's, of the age for a school; gives their person."""
        child = {"name": "张小明", "kinship": "child", "id_type": "citizen_id"}
        return talent.post("/me/family", json=child | {"id_number": citizen_id(age=7)})["id"]

    def staff(self, username: str) -> Person:
        password = (self.up.var / "demo-password").read_text().strip()
        return self._enter("password", {"username": username, "password": password})

    def filing(self, *wanted: Wanted) -> dict[str, Any]:
        """What is wanted, with the answers that the bundle gives as examples."""
        with httpx.Client(
            base_url=f"http://127.0.0.1:{self.up.port}/v1", timeout=PATIENCE
        ) as client:
            bundle = client.get("/bundles/arrival").raise_for_status().json()
        return filing_of(bundle, *wanted)


@pytest.fixture
def town(up) -> Iterator[Town]:
    town = Town(up)
    yield town
    for client in town.clients:
        client.close()


@contextmanager
def gone(pids: list[int]) -> Iterator[None]:
    """After the block, none of them lives any more."""
    yield
    assert eventually(lambda: not any(alive(pid) for pid in pids))


@pytest.fixture
def leaves_nothing() -> Callable[[list[int]], Any]:
    return gone
