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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psycopg

from service.app import create_app
from service.kernel import logs
from service.kernel.settings import load
from service.local.environment import read_environment
from service.runtime import open_database
from tests.performance.copies import Original, write
from tests.performance.originals import ENDED, Originals

ORIGINALS: Final = 120
SEED: Final = 20261124
_STATISTICS: Final = "VACUUM (ANALYZE)"


@contextmanager
def nobody_else(var: Path) -> Iterator[None]:
    """Within the block the worker of the service in a folder rests."""
    worker = json.loads((var / "up.json").read_text("utf-8"))["pids"]["worker"]
    os.kill(worker, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(worker, signal.SIGCONT)


def fill(var: Path, *, tickets: int, seed: int = SEED) -> dict[str, int]:
    """Make so many tickets in the service of a folder; gives how many rows there then are."""
    with nobody_else(var):  # what is due long since would be done before its turn
        return _filled(var, tickets, seed)


def _filled(var: Path, tickets: int, seed: int) -> dict[str, int]:
    os.environ.update(read_environment(var))
    logs.configure(logging.WARNING)
    settings = load()
    database = open_database(settings)
    password = (var / "demo-password").read_text("utf-8").strip()
    try:
        made = Originals(create_app(settings, database), database, password, seed)
        originals = list(made.make(min(ORIGINALS, tickets)))
    finally:
        database.dispose()
    with psycopg.connect(settings.database_owner_url) as connection:
        ended = [_read(connection, *one) for one in enumerate(originals, start=1) if one[1][1]]
        others = [_read(connection, *one) for one in enumerate(originals, start=1) if not one[1][1]]
        write(connection, _drawn(ended, others, tickets - len(originals), seed))
        connection.commit()
        connection.autocommit = True
        connection.execute(_STATISTICS)
        return _counted(connection)


def _read(connection: psycopg.Connection[Any], region: int, made: tuple[Any, bool]) -> Original:
    return Original(connection, made[0], region)


def _drawn(
    ended: list[Original], others: list[Original], number: int, seed: int
) -> Iterator[Original]:
    chance = random.Random(seed)
    for _ in range(number):
        wanted = ended if chance.random() < ENDED else others
        yield chance.choice(wanted or ended or others)


def _counted(connection: psycopg.Connection[Any]) -> dict[str, int]:
    counted = {}
    for name, query in {
        "tickets": "SELECT count(*) FROM tickets",
        "items": "SELECT count(*) FROM items",
        "tasks": "SELECT count(*) FROM tasks",
        "open tasks": "SELECT count(*) FROM tasks WHERE status IN ('open', 'claimed')",
        "events": "SELECT count(*) FROM events",
    }.items():
        row = connection.execute(query).fetchone()
        counted[name] = row[0] if row else 0
    return counted


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tickets", type=int, required=True)
    asked.add_argument("--seed", type=int, default=SEED)
    asked.add_argument("--var", type=Path, default=Path("var"))
    told = asked.parse_args()
    for name, number in fill(told.var, tickets=told.tickets, seed=told.seed).items():
        print(f"{number:>12,}  {name}")


if __name__ == "__main__":
    main()
