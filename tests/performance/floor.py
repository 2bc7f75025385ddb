"""What the database alone could do: pgbench sends what one request sent, again and again.

The statements are those of a real request, with its values, prepared; BEGIN and COMMIT stand where
the request had them. A filing is made anew each time: ids made by the request, numbers, and the
person, as whom too it is written, are others. What another request changes is rolled back to a
savepoint before its transaction commits, so that the next finds what it found; the commit makes
the same log durable. Notifications of such a transaction are not sent.
"""

from __future__ import annotations

import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from service.local.postgres import bundled_binaries
from tests.performance.capture import BEGIN, Captured, Statement

_PLACEHOLDER: Final = re.compile(r"%(?:\((?P<name>\w+)\))?s|\$(?P<number>\d+)")
_SCOPE: Final = re.compile(r"SET LOCAL (app\.\w+) = '([^']*)'")
"""What the request could see: `SET LOCAL` takes no expression, and the person is another one."""
_QUOTED: Final = re.compile(r" ?(?P<escaped>E)?'(?P<inner>.*)'(?P<cast>::.*)?", re.DOTALL)
_COLON: Final = r"\x3a"
_CHANGES: Final = re.compile(r"\b(INSERT|UPDATE|DELETE)\b")
"""A statement that writes or locks rows."""
_RATE: Final = re.compile(r"tps = ([\d.]+)")
_FAILED: Final = re.compile(r"number of failed transactions: (\d+)")
JOBS: Final = 2
"""Threads of pgbench: one would be the limit before the database is."""
_NEW_EACH_TIME: Final = r"""
\set i :i + 1
\set n :client_id * 16777216 + :i
"""


@dataclass(frozen=True)
class Renewed:
    """What is another one each time: ids after `since`, the person, texts with the number."""

    since: UUID
    person: UUID
    number: str
    key: str

    def literal(self, value: Any, connection: psycopg.Connection[Any], *, writes: bool) -> str:
        """A value as it stands in the script; only what is written is renewed."""
        if isinstance(value, UUID) and (value > self.since or (writes and value == self.person)):
            return f"{_renewed(value)}::uuid"
        if isinstance(value, str) and str(self.person) in value:
            before, after = value.split(str(self.person))
            return f"('{before}' || {_renewed(self.person)} || '{after}')"
        text = sql.Literal(value).as_string(connection)
        if isinstance(value, str) and (value == self.key or value.startswith(self.number)):
            return f"({_quiet(text)} || :n::text)"
        return _quiet(text)


@dataclass(frozen=True)
class Floor:
    """How often a second a script is done, and the median of how long that takes."""

    per_second: float
    p50_ms: float


def script(
    captured: Captured, connection: psycopg.Connection[Any], renewed: Renewed | None = None
) -> str:
    """The statements of a request for pgbench, undone again where nothing is renewed."""
    lines = [_NEW_EACH_TIME]
    for statements in captured.transactions:
        sent = [_line(one, renewed, connection) for one in statements]
        if statements[0][0].startswith(BEGIN):
            undone = renewed is None and any(_CHANGES.search(text) for text, _ in statements)
            before, after = ["SAVEPOINT before;"], ["ROLLBACK TO before;"]
            sent = [*before, *sent, *after] if undone else sent
            sent = ["BEGIN;", *sent, "COMMIT;"]
        lines += sent
    return "\n".join(lines)


def measured(url: str, written: str, *, clients: int, seconds: int) -> Floor:
    """What so many clients of pgbench do with a script; raises `SystemExit` where it fails once.

    A script that renews may be run once for each number of clients.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "script.sql"
        file.write_text(written, "utf-8")
        command = [
            bundled_binaries() / "bin" / "pgbench", "--no-vacuum", "--protocol=prepared",
            f"--file={file}", f"--client={clients}", f"--jobs={min(clients, JOBS)}",
            f"--time={seconds}", f"--define=i={clients * 1_000_000}",
            "--log", f"--log-prefix={folder}/times", url,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        found, failed = _RATE.search(done.stdout), _FAILED.search(done.stdout)
        if done.returncode or found is None or failed is None or int(failed[1]):
            raise SystemExit(done.stdout + done.stderr)
        return Floor(float(found[1]), statistics.median(_milliseconds(Path(folder))))


def _milliseconds(folder: Path) -> Iterator[float]:
    """Of each transaction, the third column of pgbench's log."""
    for log in folder.glob("times.*"):
        for line in log.read_text().splitlines():
            yield int(line.split()[2]) / 1000


def _line(
    statement: Statement, renewed: Renewed | None, connection: psycopg.Connection[Any]
) -> str:
    """A statement with its values, which are named or in their order."""
    text, values = statement
    if scope := _SCOPE.findall(text):
        configured = (
            f"set_config('{name}', {_literal(value, renewed, connection)}, true)"
            for name, value in scope
        )
        return f"SELECT {', '.join(configured)};"
    writes, ordered = "INSERT" in text, iter(values if isinstance(values, Sequence) else ())

    def literal(match: re.Match[str]) -> str:
        if match["number"]:
            value = values[int(match["number"]) - 1]
        else:
            value = values[match["name"]] if match["name"] else next(ordered)
        return _literal(value, renewed, connection, writes=writes)

    return " ".join(_PLACEHOLDER.sub(literal, text).replace("%%", "%").split("\n")) + ";"


def _literal(
    value: Any,
    renewed: Renewed | None,
    connection: psycopg.Connection[Any],
    *,
    writes: bool = True,
) -> str:
    if renewed is not None:
        return renewed.literal(value, connection, writes=writes)
    return _quiet(sql.Literal(value).as_string(connection))


def _renewed(value: UUID) -> str:
    """Another id of the same millisecond; those of one request stay as many as they are."""
    return f"overlay('{value.hex}' placing lpad(to_hex(:n::bigint), 8, '0') from 13)"


def _quiet(literal: str) -> str:
    """A literal in which pgbench sees no variable, as it would in a colon before a word."""
    found = _QUOTED.fullmatch(literal)
    if found is None or ":" not in found["inner"]:
        return literal
    inner = found["inner"] if found["escaped"] else found["inner"].replace("\\", "\\\\")
    return f"E'{inner.replace(':', _COLON)}'{found['cast'] or ''}"
