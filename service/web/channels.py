"""One connection: read and written by the server's one loop, for as long as its client keeps pace.

Requests are held to RFC 9112; what cannot be one is answered by the application, as a problem
document, without ever reaching a route.
"""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, Final, cast

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.task import WSGITask
from waitress.utilities import BadRequest

from service.kernel.errors import (
    HeaderTooLarge,
    Malformed,
    Problem,
    RequestTimeout,
    TooLarge,
    Unavailable,
    UnknownTransferCoding,
)
from service.kernel.http.problems import REFUSAL

_LONGEST_CONTROL_LINE: Final = 1024
_LONGEST_TRAILER: Final = 8192
_AT_ONCE: Final = struct.pack("ii", 1, 0)
_FORM: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Pace:
    """What a client is given.

    A header comes within `seconds`. Of a body, and of an answer, `seconds` times
    `bytes_per_second` or the rest of it move in every `seconds`. `idle_seconds` are those of a
    connection on which nothing is under way, after its first request.
    """

    seconds: float = 10
    bytes_per_second: int = 1024
    idle_seconds: float = 65
    lingering_seconds: float = 3
    look_seconds: float = 0.5
    """How often the server looks who is too slow."""


@dataclass(slots=True)
class Progress:
    """What moves, measured from the beginning of one of the spans of `Pace`."""

    begun: float = field(default_factory=time.monotonic)
    moved: int = 0

    def is_too_slow(self, pace: Pace, moved: int) -> bool:
        """Whether a span is over in which too little moved; `moved` counts from the beginning."""
        now = time.monotonic()
        if now <= self.begun + pace.seconds:
            return False
        if moved - self.moved < pace.seconds * pace.bytes_per_second:
            return True
        self.begun, self.moved = now, moved
        return False


@dataclass(frozen=True, slots=True)
class Sizes:
    """The largest bodies, in bytes, and what the bodies under way may take together."""

    body: int
    form: int
    together: int = 256 * 1024 * 1024


class Parser(HTTPRequestParser):  # type: ignore[misc]  # waitress has no types
    """One request as it arrives. `refusal` is why it is none."""

    # Of a request whose first line never came or cannot be read.
    command = "GET"
    path = "/"
    query = ""
    request_uri = "/"
    url_scheme = "http"
    refusal: Problem | None = None
    is_admitted = False
    """Whether it was asked if its body has room."""

    def parse_header(self, header_plus: bytes) -> None:
        """Raises `ParsingError` where two readers could see two bodies (RFC 9112, 6.3), and for a
        target that is no URI.
        """
        try:
            super().parse_header(header_plus)
        except ValueError:
            raise ParsingError("Bad URI") from None
        coded = self.chunked or "TRANSFER_ENCODING" in self.headers
        if coded and ("CONTENT_LENGTH" in self.headers or not self.chunked):
            raise ParsingError("Transfer-Encoding beside a length or in HTTP/1.0")

    def received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        coding = self.body_rcv
        if not self.completed and isinstance(coding, ChunkedReceiver):
            if len(coding.control_line) > _LONGEST_CONTROL_LINE:
                self.refuse(Malformed())
            if len(coding.trailer) > _LONGEST_TRAILER:
                self.refuse(HeaderTooLarge())
        return consumed

    def hold_to(self, sizes: Sizes) -> None:
        """Refuse a body that is larger than its kind may be, by what is said of it or has come."""
        largest = sizes.form if self.is_form else sizes.body
        if max(self.content_length, self.body_bytes_received) > largest and not self.error:
            self.refuse(TooLarge("body_too_large", maximum=largest))

    @property
    def is_form(self) -> bool:
        """Whether it says that it carries files."""
        return bool(self.headers.get("CONTENT_TYPE", "").lower().startswith(_FORM))

    def refuse(self, why: Problem) -> None:
        """It is complete as it is, and answered with `why`."""
        self.refusal = why
        self.error = BadRequest(why.code)
        self.completed = True

    def problem(self) -> Problem:
        """Why it is refused; what waitress has found is said with its code alone."""
        if self.refusal is not None:
            return self.refusal
        by_status: dict[int, type[Problem]] = {
            431: HeaderTooLarge,
            500: Problem,
            501: UnknownTransferCoding,
        }
        return by_status.get(self.error.code, Malformed)()


class Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    """A request that is handed to the application."""

    def get_environment(self) -> dict[str, Any]:
        if self.environ is None:
            environ = cast("dict[str, Any]", super().get_environment())
            # As it was sent: a path rule of a proxy in front has seen no other.
            environ["PATH_INFO"] = self.request.path
        return cast("dict[str, Any]", self.environ)

    def execute(self) -> None:
        super().execute()
        if self.channel.server.draining:
            self.close_on_finish = True

    def build_response_header(self) -> bytes:
        if self.channel.server.draining:
            self.set_close_on_finish()
        return cast("bytes", super().build_response_header())


class RefusedTask(Task):
    """A request that is none: the application says so, and the connection ends."""

    def get_environment(self) -> dict[str, Any]:
        environ = super().get_environment()
        environ[REFUSAL] = self.request.problem()
        environ["wsgi.input"] = BytesIO()
        environ.pop("CONTENT_LENGTH", None)
        return environ

    def execute(self) -> None:
        self.channel.lingers = True
        self.set_close_on_finish()
        super().execute()


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress has no types
    """A connection and where it stands; `expire` ends what takes too long."""

    parser_class = Parser
    task_class = Task
    error_task_class = RefusedTask

    request: Parser | None
    requests: list[Parser]
    will_close: bool
    close_when_flushed: bool

    progress: Progress
    """Of what is under way: the request that comes in, or the answer that goes out."""
    sent = 0
    served = 0
    lingers = False
    lingering_until: float | None = None
    queued: float = 0.0

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.progress = Progress()
        super().__init__(*arguments, **named)

    @property
    def busy(self) -> bool:
        """Whether a request is with the application, or its answer on the way."""
        return bool(self.requests or self.total_outbufs_len)

    def received(self, data: bytes) -> bool:
        if self.lingering_until is not None:
            return False
        if self.request is None and data.strip():  # empty lines before a request begin none
            self.progress = Progress()
        taken: bool = super().received(data)
        with self.requests_lock:
            self._hold()
        return taken

    def send_continue(self) -> None:
        """Not for what is refused already by its header."""
        request = self.request
        if request is not None:
            request.hold_to(self.server.sizes)
            if not request.error:
                super().send_continue()

    def _hold(self) -> None:
        """Hold the body that comes in to its limits, before it has come."""
        request = self.request
        if request is None or not request.headers_finished:
            return
        if not request.is_admitted:
            request.is_admitted, self.progress = True, Progress()
            if not self.server.has_room_for(request):
                request.refuse(Unavailable(headers={"Retry-After": "5"}))
        request.hold_to(self.server.sizes)
        if request.completed:
            self._give_up_request()

    def _give_up_request(self) -> None:
        request, self.request = self.request, None
        if request is not None:
            self.requests.append(request)
            if len(self.requests) == 1:  # else `service` goes on with it after those before it
                self.server.add_task(self)

    def expire(self) -> None:
        """End it where its client is too slow. The loop calls it about once a second."""
        pace, now = self.server.pace, time.monotonic()
        if self.lingering_until is not None:
            self.will_close = self.will_close or now > self.lingering_until
        elif self.total_outbufs_len:
            if self.progress.is_too_slow(pace, self.sent):
                self._reset()
        elif self.requests:
            return
        elif self.request is not None:
            with self.requests_lock:
                if self.progress.is_too_slow(pace, self.request.body_bytes_received):
                    self.request.refuse(RequestTimeout())
                    self._give_up_request()
        elif now > self.progress.begun + (pace.idle_seconds if self.served else pace.seconds):
            self.will_close = True

    def _reset(self) -> None:
        """Close without waiting for what the system itself still holds for a client."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.will_close = True

    def service(self) -> None:
        with self.server.at_work(self):
            super().service()
        self.served += 1
        if not self.total_outbufs_len:
            self.progress = Progress()

    def write_soon(self, data: Any) -> int:
        if not self.total_outbufs_len:
            self.progress, self.sent = Progress(), 0
        return int(super().write_soon(data))

    def send(self, data: bytes, do_close: bool = True) -> int:
        moved = int(super().send(data, do_close=do_close))
        self.sent += moved
        return moved

    # A connection that is closed while its client still sends is reset, and the answer lost with
    # it. So after an answer that did not wait for the whole request the server first ends its own
    # side, and throws away what comes for a while (RFC 9112, 9.6).

    def readable(self) -> bool:
        return self.lingering_until is not None or bool(super().readable())

    def handle_write(self) -> None:
        flushed = self.close_when_flushed and not self.total_outbufs_len
        if self.lingers and flushed and self.lingering_until is None and not self.will_close:
            self._linger()
        super().handle_write()

    def _linger(self) -> None:
        self.close_when_flushed = False
        self.lingering_until = time.monotonic() + self.server.pace.lingering_seconds
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.will_close = True
