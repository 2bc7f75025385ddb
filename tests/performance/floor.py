"""What the database alone could do: pgbench sends what one request sent, again and again.

The statements are those of a real request, with its values; only what has to be new each time is:
ids made by the request, numbers, and the person, as whom too it is written. BEGIN and COMMIT stand
where the request had them.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from service.local.postgres import bundled_binaries

_PLACEHOLDER: Final = re.compile(r"%(?:\((?P<name>\w+)\))?s")
_SCOPE: Final = re.compile(r"SET LOCAL (app\.\w+) = '([^']*)'")
"""What the request could see: `SET LOCAL` takes no expression, and the person is another one."""
_QUOTED: Final = re.compile(r" ?(?P<escaped>E)?'(?P<inner>.*)'(?P<cast>::.*)?", re.DOTALL)
_COLON: Final = r"\x3a"
_RATE: Final = re.compile(r"tps = ([\d.]+)")
_FAILED: Final = re.compile(r"number of failed transactions: (\d+)")
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


def script(
    transactions: Sequence[Sequence[tuple[str, Any]]],
    renewed: Renewed,
    connection: psycopg.Connection[Any],
) -> str:
    """The statements of a request as a script for pgbench."""
    lines = [_NEW_EACH_TIME]
    for statements in transactions:
        lines += ["BEGIN;", *(_line(*one, renewed, connection) for one in statements), "COMMIT;"]
    return "\n".join(lines)


def rate(url: str, written: Path, *, clients: int, seconds: int) -> float:
    """How often a second the script is done, by so many clients; it must not fail once.

    A script may be run once for each number of clients.
    """
    command = [
        bundled_binaries() / "bin" / "pgbench", "--no-vacuum", "--protocol=prepared",
        f"--file={written}", f"--client={clients}", f"--time={seconds}",
        f"--define=i={clients * 1_000_000}", url,
    ]  # fmt: skip
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    found, failed = _RATE.search(told.stdout), _FAILED.search(told.stdout)
    if told.returncode or found is None or failed is None or int(failed[1]):
        raise SystemExit(told.stdout + told.stderr)
    return float(found[1])


def _line(text: str, values: Any, renewed: Renewed, connection: psycopg.Connection[Any]) -> str:
    """A statement with its values, which are named or in their order."""
    if scope := _SCOPE.findall(text):
        configured = (
            f"set_config('{name}', {renewed.literal(value, connection, writes=True)}, true)"
            for name, value in scope
        )
        return f"SELECT {', '.join(configured)};"
    writes, ordered = "INSERT" in text, iter(values if isinstance(values, tuple) else ())

    def literal(match: re.Match[str]) -> str:
        value = values[match["name"]] if match["name"] else next(ordered)
        return renewed.literal(value, connection, writes=writes)

    return " ".join(_PLACEHOLDER.sub(literal, text).replace("%%", "%").split("\n")) + ";"


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
