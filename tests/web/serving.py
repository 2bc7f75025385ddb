"""A server in this process, and clients that speak HTTP as badly as they like."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from service.web.channels import Pace, Sizes
from service.web.server import Server

QUICK = Pace(
    seconds=0.6, bytes_per_second=1000, idle_seconds=2, lingering_seconds=0.5, look_seconds=0.05
)
SIZES = Sizes(body=100_000, form=400_000)
GET = b"GET %s HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass
class Serving:
    """`server`, turned by a thread until `stop` is set; then it drains."""

    server: Server
    port: int
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.is_set():
            self.server.turn(0.02)
        self.server.stop_accepting(backlog=True)
        until = time.monotonic() + 5
        self.server.drain(lambda: time.monotonic() > until)

    def connect(self, sent: bytes = b"") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        client.sendall(sent)
        return client

    def ask(self, sent: bytes) -> bytes:
        """The whole of what is answered until the server closes."""
        with self.connect(sent) as client:
            return everything(client)

    def get(self, path: bytes) -> bytes:
        return self.ask(b"GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" % path)


def one_answer(client: socket.socket) -> bytes:
    """The next answer, of the length that it says of itself; what follows it stays to be read."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += _some(client, 1)
    length = int(head.lower().partition(b"content-length: ")[2].split()[0])
    body = b""
    while len(body) < length:
        body += _some(client, length - len(body))
    return head + body


def _some(client: socket.socket, most: int) -> bytes:
    received = client.recv(most)
    assert received, "the server has closed"
    return received


def everything(client: socket.socket) -> bytes:
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received


def status(answer: bytes) -> int:
    return int(answer[9:12])


@contextmanager
def serving(
    application: Callable, *, threads: int = 2, pace: Pace = QUICK, **more
) -> Iterator[Serving]:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = Server(application, listener, threads=threads, sizes=SIZES, pace=pace, **more)
    one = Serving(server, listener.getsockname()[1])
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        yield one
    finally:
        one.stop.set()
        thread.join(10)
        listener.close()
    assert not thread.is_alive()
