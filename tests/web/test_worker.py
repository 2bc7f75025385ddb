"""The service as it is started: gunicorn's processes with the server of this package in them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.kernel.settings import ROOT
from service.local.ports import free_port
from tests.kernel.frozen import relayed

PATIENCE = 60.0
SECRET = "eyJCANARY"
NAME = "张伟"


@dataclass
class Web:
    """The processes of one service, and what they have logged."""

    process: subprocess.Popen
    port: int
    log: Path

    def get(self, path: str = "/livez", *, timeout: float = 10) -> int:
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
            return int(client.recv(64)[9:12] or 0)

    def workers(self) -> list[int]:
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines()


@pytest.fixture
def web(settings, tmp_path) -> Iterator[Web]:
    with started(settings, tmp_path / "web.log") as one:
        yield one


@contextmanager
def started(settings, log: Path) -> Iterator[Web]:
    port = free_port()
    environment = {
        **os.environ,
        "TALENT_ENV": "local",
        "DATABASE_URL": settings.database_url,
        "TALENT_HTTP_PORT": str(port),
        "TALENT_METRICS_TOKEN": "a-token-of-some-length",
        "TALENT_LIMIT_LOGIN_PER_ADDRESS": "5 per minute",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.conf.py"]
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "service.wsgi:app"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    one = Web(process, port, log)
    try:
        until = time.monotonic() + PATIENCE
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            with suppress(OSError):
                if one.get("/readyz") == 200:
                    break
            time.sleep(0.05)
        yield one
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)


def test_every_line_is_json_and_repeats_nothing_of_what_was_sent(web):
    for sent in (
        f"GET / HTTP/1.1\r\nAuthorization Bearer {SECRET}\r\n\r\n",
        f"GET /v1/desk/tasks?q={NAME} HTTP/1.1\r\nHost: a\r\n\r\n",
        f"{SECRET}\r\n\r\n",
        f"POST /v1/me HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {SECRET}\r\n\r\n",
        f"POST /v1/me HTTP/1.1\r\nHost: a\r\nContent-Length: {SECRET}\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", web.port), timeout=10) as client:
            client.sendall(sent.encode())
            assert client.recv(64)[9:10] in {b"4", b"5"}
    body = b'{"username": "nobody", "password": "wrongwrong"}'
    header = b"POST /v1/auth/password HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    statuses = []
    for _ in range(8):
        with socket.create_connection(("127.0.0.1", web.port), timeout=10) as client:
            client.sendall(header + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            statuses.append(int(client.recv(64)[9:12]))
    assert statuses[-1] == 429
    web.process.terminate()
    assert web.process.wait(PATIENCE) == 0
    lines = web.lines()
    assert any("Booting worker" in json.loads(line)["event"] for line in lines)
    for line in lines:
        assert SECRET not in line
        assert NAME not in line
        assert "127.0.0.1" not in line or json.loads(line)["event"].startswith("Listening at")


def test_a_process_that_is_killed_is_replaced_soon_and_counted_no_more(web):
    until = time.monotonic() + PATIENCE
    while len(before := web.workers()) < 2:
        assert time.monotonic() < until
        time.sleep(0.05)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    while True:
        assert time.monotonic() < until
        with suppress(OSError):
            if web.get(timeout=5) == 200:
                break
        time.sleep(0.02)
    while len(web.workers()) < 2 or b"talent_db_pool_size 16.0" not in metrics_of(web):
        assert time.monotonic() < until
        time.sleep(0.05)


def metrics_of(web) -> bytes:
    """What is counted, of both processes together, with the head of the answer."""
    told = b""
    with socket.create_connection(("127.0.0.1", web.port), timeout=10) as client:
        client.sendall(
            b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
            b"Authorization: Bearer a-token-of-some-length\r\n\r\n"
        )
        while chunk := client.recv(65536):
            told += chunk
    return told


def test_a_stop_resets_nobody(web):
    """Whoever has asked before the port was closed is answered; who comes later is refused."""
    answered, refused, reset = [], [], []

    def ask_on() -> None:
        while not refused:
            try:
                answered.append(web.get("/v1/offerings"))
            except ConnectionRefusedError:
                refused.append(1)
            except (OSError, ValueError) as error:
                reset.append(error)

    clients = [threading.Thread(target=ask_on) for _ in range(6)]
    for client in clients:
        client.start()
    time.sleep(1)
    web.process.terminate()
    for client in clients:
        client.join(PATIENCE)
    assert web.process.wait(PATIENCE) == 0
    assert set(answered) == {200}
    # Between the last look at who waits and the closing lie microseconds.
    assert len(reset) <= 1


def test_while_the_database_hangs_it_lives_says_so_and_refuses_at_once(settings, tmp_path):
    def timed(path: str) -> tuple[int, float]:
        begun = time.monotonic()
        return web.get(path, timeout=40), time.monotonic() - begun

    with (
        relayed(settings) as (relay, through),
        started(through, tmp_path / "web.log") as web,
        ThreadPoolExecutor(24) as pool,
    ):
        relay.frozen.set()
        held = [pool.submit(timed, "/v1/offerings") for _ in range(24)]
        time.sleep(4)
        for _ in range(4):
            status, seconds = timed("/livez")
            assert (status, seconds < 1) == (200, True)
            status, seconds = timed("/readyz")
            assert (status, seconds < 2.5) == (503, True)
            status, seconds = timed("/v1/offerings")
            # At most one in each process tries to connect anew, for three seconds.
            assert (status, seconds < 4) == (503, True)
        # Those with a thread each may wait yet; the others were told as soon as that was plain.
        assert len([one for one in held if one.done()]) >= 16
        relay.frozen.clear()
        assert {one.result()[0] for one in held} <= {200, 503}
        # One process may be a moment behind the other: all of them serve again.
        until, served = time.monotonic() + PATIENCE, 0
        while served < 10:
            assert time.monotonic() < until
            ready = (web.get("/readyz"), web.get("/v1/offerings")) == (200, 200)
            served = served + 1 if ready else 0
