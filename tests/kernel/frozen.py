"""A way to the database that can be made to hold everything back, as a stopped server does."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

from service.kernel.settings import Settings


class Relay:
    """Passes on what is sent between clients and `host:port`; nothing while `frozen` is set."""

    def __init__(self, host: str, port: int) -> None:
        self.frozen = threading.Event()
        self._target = (host, port)
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopped.is_set():
            watched = [] if self.frozen.is_set() else [self._listener, *self._pairs]
            for ready in select.select(watched, [], [], 0.02)[0]:
                if ready is self._listener:
                    client, server = ready.accept()[0], socket.create_connection(self._target)
                    self._pairs |= {client: server, server: client}
                elif ready in self._pairs:
                    self._pass_on(ready)

    def _pass_on(self, source: socket.socket) -> None:
        with suppress(OSError):
            if data := source.recv(65536):
                self._pairs[source].sendall(data)
                return
        other = self._pairs.pop(source)
        del self._pairs[other]
        source.close()
        other.close()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()
        for one in (self._listener, *self._pairs):
            one.close()


@contextmanager
def relayed(settings: Settings, **changes) -> Iterator[tuple[Relay, Settings]]:
    """Settings whose database is reached through a relay."""
    url = urlsplit(settings.database_url)
    relay = Relay(url.hostname, url.port)
    login = url.netloc.rpartition("@")[0]
    through = urlunsplit(url._replace(netloc=f"{login}@127.0.0.1:{relay.port}"))
    try:
        yield relay, replace(settings, database_url=through, **changes)
    finally:
        relay.stop()
