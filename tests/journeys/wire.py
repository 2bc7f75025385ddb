"""A wire between the story and the service: it remembers what passes, and may alter an answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from tests.journeys.conftest import OURS
from tests.local.conftest import ROOT

_PASSED_ON = ("Authorization", "Accept-Language", "Content-Type", "Idempotency-Key", "If-Match")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer; `sent` and `told` are their JSON, None where there is none."""

    method: str
    path: str
    token: str | None
    sent: Any
    status: int
    told: Any


Alter = Callable[[Exchange], Any]
"""Gives what is answered in place of `told`."""


def faithfully(exchange: Exchange) -> Any:
    return exchange.told


class Wire:
    """Passes everything on to the service that runs in a folder."""

    def __init__(self, var: Path, alter: Alter = faithfully) -> None:
        self.var, self.alter = var, alter
        self.exchanges: list[Exchange] = []
        service = json.loads((var / "up.json").read_text("utf-8"))["base_url"]
        self._client = httpx.Client(base_url=service, timeout=30)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Passing, self))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()

    def leads_from(self, folder: Path) -> Path:
        """Make a folder that looks as `talent up` leaves it, and leads to this wire."""
        notice = json.loads((self.var / "up.json").read_text("utf-8"))
        notice["base_url"] = f"http://127.0.0.1:{self._server.server_port}"
        (folder / "up.json").write_text(json.dumps(notice), "utf-8")
        environment = (self.var / "environment.json").read_text("utf-8")
        (folder / "environment.json").write_text(environment, "utf-8")
        return folder

    def pass_on(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        """Ask the service; gives status, type and content of what is to be answered."""
        answer = self._client.request(method, path, headers=headers, content=body)
        exchange = Exchange(
            method,
            answer.request.url.path,
            headers.get("Authorization"),
            _json(headers.get("Content-Type"), body),
            answer.status_code,
            _json(answer.headers.get("Content-Type"), answer.content),
        )
        self.exchanges.append(exchange)
        told = self.alter(exchange)
        content = answer.content if told is exchange.told else json.dumps(told).encode()
        return answer.status_code, answer.headers.get("Content-Type"), content

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer, not one a header

    def __init__(self, wire: Wire, *arguments: Any) -> None:
        self.wire = wire
        super().__init__(*arguments)

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        status, kind, content = self.wire.pass_on(self.command, self.path, headers, body)
        self.send_response(status)
        if kind is not None:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_arguments: Any) -> None:
        """Nobody wants to read it."""


def _json(kind: str | None, content: bytes) -> Any:
    return (
        json.loads(content) if content and (kind or "").partition(";")[0].endswith("json") else None
    )


def demo(var: Path, language: str) -> subprocess.CompletedProcess[str]:
    """`talent demo`, as it is typed; its environment is that of somebody who has set nothing."""
    return subprocess.run(
        [sys.executable, "-m", "service.cli", "demo", "--language", language, "--var", str(var)],
        cwd=ROOT,
        env={name: one for name, one in os.environ.items() if not OURS.match(name)}
        | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


@contextmanager
def wire(var: Path, alter: Alter = faithfully) -> Iterator[Wire]:
    """A wire for the length of the block."""
    one = Wire(var, alter)
    try:
        yield one
    finally:
        one.close()
