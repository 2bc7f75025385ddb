"""What clients that are slow, silent or rude do to everybody else.

`python -m tests.faults.slow_clients [--port PORT]`; without a port a whole service is started on a
free one. Each attack holds its connections for some seconds while somebody else asks for `/livez`;
at last all of them come at once and are held until the server has ended them. Bounded to about a
minute. Prints milliseconds of `/livez`, and what became of the connections.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from service.local.ports import HOST, free_port

ROOT: Final = Path(__file__).resolve().parents[2]
HELD_SECONDS: Final = 3.0
ALL_SECONDS: Final = 60.0
"""For what the server ends within two spans of ten seconds, on a machine that does other work."""
PROBE_SECONDS: Final = 5.0
"""When a probe of somebody else counts as not answered."""
DRIP_SECONDS: Final = 0.5

_NOT_INHERITED: Final = ("DATABASE_", "REDIS_", "TALENT_")
_POST: Final = b"POST /v1/eligibility HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
_REFUSED: Final = (
    b"POST /v1/tickets HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer none\r\nContent-Length: 50000\r\n\r\n"
)
_DOCUMENT: Final = b"GET /docs/talent.json HTTP/1.1\r\nHost: a\r\n\r\n"


@dataclass(frozen=True)
class Attack:
    """Connections of one kind: what each sends at once, and byte by byte then; whether it reads."""

    name: str
    connections: int
    first: bytes = b""
    drip: bytes = b""
    reads: bool = True


ATTACKS: Final = (
    Attack("nothing sent", 16),
    Attack("nothing sent", 200),
    Attack("one byte of a request", 16, b"G"),
    Attack("header byte by byte", 200, b"GET /livez HTTP/1.1\r\nX-A: ", b"a"),
    Attack("body byte by byte", 200, _POST + b"Content-Length: 5000\r\n\r\n{", b" "),
    Attack("chunks byte by byte", 16, _POST + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    Attack("body that stops", 16, _POST + b"Content-Length: 100\r\n\r\n{"),
    Attack("refused, body unfinished", 50, _REFUSED + b"{" + b" " * 20_000),
    Attack("answers nobody reads", 16, _DOCUMENT * 20, reads=False),
)
ALL_AT_ONCE: Final = "all at once"


@dataclass
class Outcome:
    """What others saw during an attack, and how its connections ended."""

    name: str
    connections: int
    answered: list[float] = field(default_factory=list)
    """Milliseconds of each answered probe."""
    unanswered: int = 0
    ended: list[float] = field(default_factory=list)
    """Seconds until the server ended a connection, by an answer or by closing it."""
    answers: Counter[str] = field(default_factory=Counter)
    """Status of the first answer, or `closed`, of the connections that were ended."""

    @property
    def median(self) -> float:
        return statistics.median(self.answered) if self.answered else float("inf")

    @property
    def worst(self) -> float:
        return max(self.answered) if self.answered and not self.unanswered else float("inf")

    def line(self) -> str:
        last = f"{max(self.ended):.1f} s" if self.ended else "-"
        answers = ", ".join(f"{times} x {what}" for what, times in sorted(self.answers.items()))
        return (
            f"{self.name:26} {self.connections:5} {len(self.answered):5} {self.unanswered:5}"
            f" {self.median:9.1f} {self.worst:9.1f}   {len(self.ended):4} ({last}) {answers}"
        )


HEADING: Final = (
    f"{'attack':26} {'conns':>5} {'livez':>5} {'none':>5}"
    f" {'p50 ms':>9} {'max ms':>9}   ended (last)"
)


def measure(port: int) -> Iterator[Outcome]:
    """Each attack on its own, nothing before them, and all of them at once at the end."""
    yield asyncio.run(_attacked(port, "nobody", (), HELD_SECONDS))
    for attack in ATTACKS:
        yield asyncio.run(_attacked(port, attack.name, (attack,), HELD_SECONDS))
    yield asyncio.run(_attacked(port, ALL_AT_ONCE, ATTACKS, ALL_SECONDS))


async def _attacked(port: int, name: str, attacks: Sequence[Attack], seconds: float) -> Outcome:
    outcome = Outcome(name, sum(attack.connections for attack in attacks))
    held = {
        asyncio.create_task(_hold(port, attack, outcome)): attack
        for attack in attacks
        for _ in range(attack.connections)
    }
    await asyncio.sleep(0.3 if held else 0)
    until = time.monotonic() + seconds
    reading = [task for task, attack in held.items() if attack.reads]
    while time.monotonic() < until and not (len(attacks) > 1 and all(t.done() for t in reading)):
        await _probe(port, outcome)
        await asyncio.sleep(0.1)
    for task in held:
        task.cancel()
    await asyncio.gather(*held, return_exceptions=True)
    return outcome


async def _probe(port: int, outcome: Outcome) -> None:
    begun = time.monotonic()
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            reader, writer = await asyncio.open_connection(HOST, port)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            alive = (await reader.read()).startswith(b"HTTP/1.1 200")
            writer.close()
    except (OSError, TimeoutError):
        alive = False
    if alive:
        outcome.answered.append((time.monotonic() - begun) * 1000)
    else:
        outcome.unanswered += 1


async def _hold(port: int, attack: Attack, outcome: Outcome) -> None:
    begun = time.monotonic()
    sock = socket.socket()
    sock.setblocking(False)
    if not attack.reads:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    loop = asyncio.get_running_loop()
    try:
        what = await _held(loop, sock, port, attack)
    except OSError:
        what = "closed"
    finally:
        sock.close()
    outcome.ended.append(time.monotonic() - begun)
    outcome.answers[what] += 1


async def _held(
    loop: asyncio.AbstractEventLoop, sock: socket.socket, port: int, attack: Attack
) -> str:
    """What the server ended the connection with."""
    await loop.sock_connect(sock, (HOST, port))
    await loop.sock_sendall(sock, attack.first)
    if not attack.reads:
        while True:  # the end of it shows itself as an error of a write alone
            await asyncio.sleep(DRIP_SECONDS)
            await loop.sock_sendall(sock, b"")
            if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or _is_over(sock):
                return "closed"
    dripping = asyncio.create_task(_drip(loop, sock, attack.drip))
    try:
        answer = received = await loop.sock_recv(sock, 4096)
        while received:
            received = await loop.sock_recv(sock, 4096)
    except ConnectionError:
        answer = b""
    finally:
        dripping.cancel()
    return answer[9:12].decode() or "closed"


def _is_over(sock: socket.socket) -> bool:
    """Whether the peer has closed or reset, whatever is still to be read."""
    established = 1
    with suppress(OSError):
        return sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != established
    return True


async def _drip(loop: asyncio.AbstractEventLoop, sock: socket.socket, drip: bytes) -> None:
    while drip:
        await asyncio.sleep(DRIP_SECONDS)
        with suppress(OSError):
            await loop.sock_sendall(sock, drip)


@contextmanager
def running() -> Iterator[int]:
    """A whole service with servers and settings of its own; its port."""
    port = free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)
    }
    with tempfile.TemporaryDirectory(prefix="talent-faults-") as var:
        command = [sys.executable, "-m", "service.cli", "up", "--var", var, "--port", str(port)]
        with Path(var, "up.out").open("w") as output:
            up = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
            try:
                while not Path(var, "up.json").exists():
                    if up.poll() is not None:
                        raise SystemExit(Path(var, "up.out").read_text())
                    time.sleep(0.1)
                yield port
            finally:
                up.terminate()
                up.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, help="of a service that runs; else one is started")
    port = parser.parse_args().port
    with running() if port is None else nullcontext(port) as own:
        print(HEADING, flush=True)
        for outcome in measure(own):
            print(outcome.line(), flush=True)


if __name__ == "__main__":
    main()
