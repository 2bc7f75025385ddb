"""The loop that reads and writes all connections of a process, and the threads behind it."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from service.kernel.errors import Unavailable
from service.kernel.logs import logger
from service.web.channels import Channel, Pace, Parser, Sizes

STALLED_SECONDS: Final = 2.0
"""All threads busy with their present request for so long: what all of them need is away."""
QUEUED_SECONDS: Final = 15.0
"""So long a request may wait for a thread; its client has given up by then, or tries again."""
CONNECTIONS: Final = 2000
"""Of one process; the oldest on which nothing is under way makes room for one more."""
_LONGEST_HEADER: Final = 32 * 1024
_IN_MEMORY: Final = 64 * 1024
"""Bytes of a body, or of an answer, beyond which it waits in a temporary file."""
_NEVER: Final = 1 << 40
"""Bytes of an answer at which a thread would wait for its client, and of a body."""
_PACE: Final = Pace()
_AT_ONCE: Final = "/livez"
_APART: Final = "/readyz"
_RETRY: Final = {"Retry-After": "2"}
_LOG: Final = logger("web")


class Server(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """Serves an application on a listening socket, in the thread that calls `turn`.

    A request has arrived whole before a thread gets it. `/livez` is answered by the loop itself and
    `/readyz` by a thread of its own, so neither waits for the others. Where all threads are stuck,
    what comes is refused with 503 at once.
    """

    channel_class = Channel
    draining = False

    def __init__(
        self,
        application: Callable[..., Any],
        listener: socket.socket,
        *,
        threads: int,
        sizes: Sizes,
        pace: Pace = _PACE,
        behind_proxy: bool = False,
        connections: int = CONNECTIONS,
    ) -> None:
        """`behind_proxy`: leave X-Forwarded-* for the application to judge, else take them away."""
        self.sizes, self.pace, self.connections = sizes, pace, connections
        self.served = 0
        self._looked = time.monotonic()
        self._working: dict[Channel, float] = {}
        self._urgent: deque[Channel] = deque()
        self._threads = threads
        self._apart = ThreadedTaskDispatcher()
        self._apart.set_thread_count(1)
        pool = ThreadedTaskDispatcher()
        pool.set_thread_count(threads)
        adjustments = Adjustments(
            sockets=[listener],
            ident=None,
            threads=threads,
            connection_limit=connections * 2,
            log_socket_errors=False,
            max_request_header_size=_LONGEST_HEADER,
            max_request_body_size=_NEVER,  # Channel knows which kind may have how many
            inbuf_overflow=_IN_MEMORY,
            outbuf_overflow=_IN_MEMORY * 16,
            outbuf_high_watermark=_NEVER,
            clear_untrusted_proxy_headers=not behind_proxy,
        )
        super().__init__(
            application,
            {},
            _sock=listener,
            dispatcher=pool,
            adj=adjustments,
            bind_socket=False,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
        )

    # The loop.

    def turn(self, seconds: float) -> None:
        """Wait up to `seconds` for something to happen on the connections, and see to it."""
        wasyncore.loop(timeout=seconds, use_poll=True, map=self._map, count=1)

    def readable(self) -> bool:
        self._see_to_waiting()
        return bool(super().readable())

    def maintenance(self, now: float) -> None:
        """Nothing: waitress goes by a clock that may be set, `_see_to_waiting` does not."""

    def _see_to_waiting(self) -> None:
        """End what takes too long, answer what waits in vain, and what needs no thread."""
        now = time.monotonic()
        if now > self._looked + self.pace.look_seconds:
            self._looked = now
            for channel in list(self.active_channels.values()):
                channel.expire()
            for channel in self._waiting_in_vain():
                self._refuse(channel)
        while self._urgent:
            channel = self._urgent.popleft()
            try:
                channel.service()
            except Exception as error:  # noqa: BLE001 - no connection ends the loop of all others
                _LOG.error("connection_failed", exc_info=error)
                channel.handle_close()

    def handle_accept(self) -> None:
        super().handle_accept()
        if len(self.active_channels) > self.connections:
            idle = [one for one in self.active_channels.values() if not one.busy]
            if idle:  # what is on its way in counts as idle only where nothing else is
                min(idle, key=lambda one: (bool(one.request), one.progress.begun)).handle_close()

    def has_room_for(self, request: Parser) -> bool:
        """Whether the bodies under way leave room for that of `request`, which is one of them."""
        if not request.chunked and request.content_length <= _IN_MEMORY:
            return True
        requests = [
            one
            for channel in self.active_channels.values()
            for one in (*channel.requests, channel.request)
            if one
        ]
        return sum(self._reserved(one) for one in requests) <= self.sizes.together

    def _reserved(self, request: Parser) -> int:
        """What it holds, or may come to hold: of a body in chunks, as much as its kind may."""
        if request.completed:
            return int(request.body_bytes_received)
        if request.chunked:
            return self.sizes.form if request.is_form else self.sizes.body
        return int(request.content_length)

    # Who answers.

    def add_task(self, task: Channel) -> None:
        """Called under the lock of the connection, by the loop or by a thread."""
        request = task.requests[0]
        task.queued = time.monotonic()
        if request.error or request.path == _AT_ONCE:
            self._soon(task)
        elif request.path == _APART:
            self._apart.add_task(task)
        elif self.stalled:
            self._refuse(task)
        else:
            self.task_dispatcher.add_task(task)

    @property
    def stalled(self) -> bool:
        """Whether every thread has been busy with one request for STALLED_SECONDS."""
        begun = list(self._working.values())
        return len(begun) >= self._threads and max(begun) < time.monotonic() - STALLED_SECONDS

    @contextmanager
    def at_work(self, channel: Channel) -> Iterator[None]:
        """Around what a thread does for a connection."""
        request = channel.requests[0]
        of_pool = not request.error and request.path not in {_AT_ONCE, _APART}
        if of_pool:
            self._working[channel] = time.monotonic()
        try:
            yield
        finally:
            self._working.pop(channel, None)
            self.served += 1

    def _waiting_in_vain(self) -> list[Channel]:
        """Takes out of the queue what no thread will get to in time."""
        pool, stalled = self.task_dispatcher, self.stalled
        before = time.monotonic() - QUEUED_SECONDS
        with pool.lock:
            vain = [one for one in pool.queue if stalled or one.queued < before]
            for channel in vain:
                pool.queue.remove(channel)
        return vain

    def _refuse(self, channel: Channel) -> None:
        channel.requests[0].refuse(Unavailable(headers=_RETRY))
        self._soon(channel)

    def _soon(self, channel: Channel) -> None:
        self._urgent.append(channel)
        self.pull_trigger()

    # The end.

    def stop_accepting(self, *, backlog: bool) -> None:
        """Accept nothing more from here on.

        Where `backlog`, whoever waits to be accepted is accepted before, and the socket is closed:
        who comes when all processes have done so is refused, not reset. Else it stays open for the
        processes that go on listening.
        """
        before = -1
        while backlog and before != len(self.active_channels):
            before = len(self.active_channels)
            self.handle_accept()
        self.draining, self.accepting = True, False
        self.del_channel()
        if backlog:
            self.socket.close()

    def drain(self, until: Callable[[], bool]) -> None:
        """Answer what has begun to arrive, end every connection; sooner when `until()` is true."""
        self.turn(0)
        quiet = time.monotonic() + 0.5  # for what a client has sent that was just accepted
        while self.active_channels and not until():
            for channel in list(self.active_channels.values()):
                waits = channel.request is None and not channel.busy
                if waits and (channel.served or time.monotonic() > quiet):
                    channel.will_close = True
            self._tend(0.1)
        for dispatcher in (self.task_dispatcher, self._apart):
            dispatcher.shutdown(timeout=0.5)
        with suppress(OSError):
            wasyncore.close_all(self._map, ignore_all=True)

    def _tend(self, seconds: float) -> None:
        """`turn` where the server itself is no longer among what is asked."""
        self._see_to_waiting()
        self.turn(seconds)
