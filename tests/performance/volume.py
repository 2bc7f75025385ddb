"""A district with as many tickets as are asked for.

`python -m tests.performance.volume --tickets 10000` fills the database of the service that runs
here (`make up`). Some tickets are filed and worked on for real, through the use cases; the rest
are copies of them, each with people, numbers and ids of its own. Seven of ten have ended.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import psycopg

from service.app import create_app
from service.kernel import clock, crypto, logs
from service.kernel.ids import lowest_id
from service.kernel.keys import load_keys
from service.kernel.settings import Settings, load
from service.local.environment import read_environment
from service.local.postgres import SUPERUSER
from service.runtime import open_database
from tests.performance.copies import WRITTEN, Original, Wanted, wanted, write_batch
from tests.performance.loading import begin, verify, without_indexes
from tests.performance.originals import ENDED, Originals

ORIGINALS: Final = 120
SEED: Final = 20261124
GENEROUS: Final = {
    "TALENT_LIMIT_LOGIN_PER_ADDRESS": "100000 per minute",
    "TALENT_LIMIT_LOGIN_PER_ACCOUNT": "100000 per minute",
    "TALENT_LIMIT_UPLOADS": "100000 per minute",
}
"""All people of a district sign in and hand in within one process, at one address."""
_BATCH: Final = 250
_STATISTICS: Final = "VACUUM (ANALYZE, INDEX_CLEANUP on)"
"""With it nothing is left of what was undone before: else indexes would keep a little of it."""
_DELIVERED: Final = "UPDATE delivery_cursors SET swept_to = greatest(swept_to, %s)"
"""Of copies nobody is notified: else the worker would find, ten minutes later, that nobody was."""


@contextmanager
def nobody_else(var: Path) -> Iterator[None]:
    """Within the block the worker of the service in a folder rests."""
    worker = json.loads((var / "up.json").read_text("utf-8"))["pids"]["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


@dataclass(frozen=True)
class Filled:
    """How many rows there are, and the seconds that copies, indexes, foreign keys and statistics
    took.
    """

    rows: dict[str, int]
    seconds: dict[str, float]


class _Seconds:
    def __init__(self) -> None:
        self.by_part: dict[str, float] = {}
        self._since = time.monotonic()

    def took(self, part: str) -> None:
        now = time.monotonic()
        self.by_part[part] = round(now - self._since, 1)
        self._since = now


class District:
    """What is copied, drawn by chance; the same with the same seed.

    The service of the folder runs, and its worker rests (`nobody_else`): what is due long since
    would be done before its turn.
    """

    def __init__(self, var: Path, *, seed: int = SEED, originals: int = ORIGINALS) -> None:
        """File the originals and walk them. This process then has the service's environment."""
        settings = settings_of(var)
        self.superuser_url = superuser_url(var, settings.database_owner_url)
        self._chance = random.Random(seed)
        database = open_database(settings)
        password = (var / "demo-password").read_text("utf-8").strip()
        try:
            made = Originals(create_app(settings, database), database, password, seed)
            found = list(made.make(originals))
        finally:
            database.dispose()
        with psycopg.connect(self.superuser_url) as connection:
            copied = [Original(connection, one, at) for at, (one, _) in enumerate(found, start=1)]
        self._ended = [one for one, (_, ended) in zip(copied, found, strict=True) if ended]
        self._others = [one for one, (_, ended) in zip(copied, found, strict=True) if not ended]

    def copy(self, number: int, *, processes: int = 1) -> Filled:
        """Write so many copies, verify them, and analyze all there is."""
        seconds = _Seconds()
        with psycopg.connect(self.superuser_url) as connection:
            self._add(connection, self._batches(number), processes, seconds)
            connection.commit()
            connection.autocommit = True
            analyze(connection)
            seconds.took("statistics")
            return Filled(counted(connection), seconds.by_part)

    def _batches(self, number: int) -> list[Batch]:
        copies = islice(wanted(self._drawn()), number)
        batches: list[Batch] = []
        while batch := [(one.original.region, one.turn) for one in islice(copies, _BATCH)]:
            batches.append(batch)
        return batches

    def _add(
        self,
        connection: psycopg.Connection[Any],
        batches: Sequence[Batch],
        processes: int,
        seconds: _Seconds,
    ) -> None:
        with without_indexes(connection, WRITTEN):
            self._write(batches, processes)
            seconds.took("copies")
        seconds.took("indexes")
        verify(connection, WRITTEN)
        seconds.took("foreign keys")
        connection.execute(_DELIVERED, (lowest_id(clock.now()),))

    def _drawn(self) -> Iterator[Original]:
        while True:
            likely = self._ended if self._chance.random() < ENDED else self._others
            yield self._chance.choice(likely or self._ended or self._others)

    def _write(self, batches: Sequence[Batch], processes: int) -> None:
        """In processes of their own: all of a processor is used, and no memory is shared."""
        ready = (self.superuser_url, [*self._ended, *self._others])
        with ProcessPoolExecutor(processes, get_context("spawn"), _begin, ready) as pool:
            for _ in pool.map(_write_batch, batches):
                pass


Batch = Sequence[tuple[int, int]]
"""Copies: the region of the original, by which it is known, and the turn."""


@dataclass(frozen=True)
class _Writing:
    connection: psycopg.Connection[Any]
    originals: dict[int, Original]


_writing: _Writing | None = None


def _begin(url: str, originals: Sequence[Original]) -> None:
    """What a process that writes needs."""
    global _writing  # noqa: PLW0603 - a process of a pool hands on nothing else
    crypto.use(crypto.Keyring(load_keys(load().keys_file)))
    connection = psycopg.connect(url)
    begin(connection)
    _writing = _Writing(connection, {one.region: one for one in originals})


def _write_batch(batch: Batch) -> None:
    assert _writing is not None
    known = _writing.originals
    write_batch(_writing.connection, [Wanted(known[region], turn) for region, turn in batch])


def fill(var: Path, *, tickets: int, seed: int = SEED, processes: int = 1) -> dict[str, int]:
    """Make so many tickets in the service of a folder; returns how many rows there then are."""
    return _filled(var, tickets, seed, processes).rows


def _filled(var: Path, tickets: int, seed: int, processes: int) -> Filled:
    with nobody_else(var):
        originals = min(ORIGINALS, tickets)
        district = District(var, seed=seed, originals=originals)
        return district.copy(tickets - originals, processes=processes)


def settings_of(var: Path) -> Settings:
    """Of the service of a folder, whose environment this process then has."""
    os.environ.update(read_environment(var) | GENEROUS)
    logs.configure(logging.WARNING)
    return load()


def analyze(connection: psycopg.Connection[Any]) -> None:
    """Have statistics, and nothing in a table or index that nobody sees."""
    connection.execute(_STATISTICS)


def superuser_url(var: Path, url: str) -> str:
    """The address of the superuser of a folder's database, of which `url` is another role's."""
    password = json.loads((var / "postgres" / "passwords.json").read_text("utf-8"))[SUPERUSER]
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{SUPERUSER}:{quote(password)}@{place}").geturl()


def counted(connection: psycopg.Connection[Any]) -> dict[str, int]:
    """How many rows there are."""
    found = {}
    for name, query in {
        "tickets": "SELECT count(*) FROM tickets",
        "items": "SELECT count(*) FROM items",
        "tasks": "SELECT count(*) FROM tasks",
        "open tasks": "SELECT count(*) FROM tasks WHERE status IN ('open', 'claimed')",
        "events": "SELECT count(*) FROM events",
    }.items():
        row = connection.execute(query).fetchone()
        found[name] = row[0] if row else 0
    return found


def main() -> None:
    """Fill the service of a folder, and print how many rows there are and what took how long."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tickets", type=int, required=True)
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--var", type=Path, default=Path("var"))
    asked.add_argument("--processes", type=int, default=1, help="that write copies")
    chosen = asked.parse_args()
    filled = _filled(chosen.var, chosen.tickets, chosen.seed, chosen.processes)
    for name, number in filled.rows.items():
        print(f"{number:>12,}  {name}")
    for name, seconds in filled.seconds.items():
        print(f"{seconds:>12,}  seconds for {name}")


if __name__ == "__main__":
    main()
