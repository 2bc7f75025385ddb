"""HTTP over plain sockets: requests are bytes before the time begins to count.

A client library costs more than the service that it asks, and on the same cores.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

_CHUNK: Final = 1 << 16
_PATIENCE: Final = 30
_SUCCESS: Final = range(200, 300)
_END_OF_HEAD: Final = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked, with a path below `/v1`."""

    method: str
    path: str
    headers: Mapping[str, str]
    json: Any = None

    def prepared(self) -> bytes:
        """The request as it goes over the wire."""
        body = b"" if self.json is None else json.dumps(self.json).encode()
        headers = {"Host": "localhost", **self.headers}
        if body:
            headers |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        lines = [f"{self.method} /v1{self.path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + _END_OF_HEAD + body


@dataclass(frozen=True, slots=True)
class Answer:
    """The body of a success, and how long it took from the first byte sent to the last received."""

    body: bytes
    milliseconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    begun: float = 0.0
    received: bytearray = field(default_factory=bytearray)

    def send(self, prepared: bytes) -> None:
        self.received.clear()
        self.begun = time.perf_counter()
        self.socket.sendall(prepared)

    def receive(self) -> Answer | None:
        """What has come; the answer where it is whole. Raises `SystemExit` for a refusal."""
        chunk = self.socket.recv(_CHUNK)
        if not chunk:
            raise SystemExit(f"the service has closed the connection: {bytes(self.received)!r}")
        self.received += chunk
        head, separator, body = self.received.partition(_END_OF_HEAD)
        if not separator or len(body) < _length(head):
            return None
        taken = (time.perf_counter() - self.begun) * 1000
        if int(head[9:12]) not in _SUCCESS:
            raise SystemExit(f"{head.decode()}\n\n{body.decode()}")
        return Answer(bytes(body), taken)


def _length(head: bytes | bytearray) -> int:
    """Of the body that a head announces; none is announced where there is none."""
    announced = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return int(announced or 0)


@contextmanager
def connected(port: int, clients: int) -> Iterator[Wires]:
    """So many connections to a service on this machine, each kept for all its requests."""
    where = ("127.0.0.1", port)
    connections = [socket.create_connection(where, _PATIENCE) for _ in range(clients)]
    for one in connections:
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        yield Wires([_Connection(one) for one in connections])
    finally:
        for one in connections:
            one.close()


class Wires:
    """Connections over which requests go: on each the next one when the former is answered."""

    def __init__(self, connections: Sequence[_Connection]) -> None:
        self._connections = connections

    def ask(self, requests: Sequence[bytes]) -> list[Answer]:
        """The answers to all requests, in their order; raises `SystemExit` for a refusal."""
        answers: dict[int, Answer] = {}
        waiting = iter(enumerate(requests))
        with selectors.DefaultSelector() as selector:
            asked = {}
            for connection, (place, request) in zip(self._connections, waiting, strict=False):
                selector.register(connection.socket, selectors.EVENT_READ, connection)
                asked[id(connection)] = place
                connection.send(request)
            while asked:
                ready = selector.select(_PATIENCE)
                if not ready:
                    raise SystemExit(f"the service has not answered within {_PATIENCE} s")
                for key, _ in ready:
                    connection = key.data
                    if (answer := connection.receive()) is None:
                        continue
                    answers[asked.pop(id(connection))] = answer
                    if following := next(waiting, None):
                        asked[id(connection)] = following[0]
                        connection.send(following[1])
        return [answers[place] for place in sorted(answers)]
