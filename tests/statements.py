"""The SQL statements that this process sends, taken where they leave it: in psycopg's cursors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from tests.families import fault_of


class Count:
    """The statements that were sent while counting, in order, each with its parameters.

    A statement run for many parameters counts as often as it is run; BEGIN and COMMIT do not.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []

    @property
    def total(self) -> int:
        return len(self.sent)

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.sent]


@contextmanager
def counted() -> Iterator[Count]:
    """Count what is sent within the block, by whichever thread."""
    count = Count()
    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany

    def counted_execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        count.sent.append((str(query), params))
        return execute(self, query, params, **options)

    def counted_executemany(self: Any, query: Any, params_seq: Any, **options: Any) -> Any:
        params = list(params_seq)
        count.sent += [(str(query), one) for one in params]
        return executemany(self, query, params, **options)

    psycopg.Cursor.execute, psycopg.Cursor.executemany = counted_execute, counted_executemany
    try:
        yield count
    finally:
        psycopg.Cursor.execute, psycopg.Cursor.executemany = execute, executemany


MIXED: list[str] = []
"""What of the service's statements since the last look a distributed engine would refuse."""


@contextmanager
def watched() -> Iterator[None]:
    """Within the block every statement on a connection of the service's is looked at: `MIXED`."""
    execute = psycopg.Cursor.execute

    def watched_execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        ours = self.connection.info.parameter_status("application_name") == "talent"
        if ours and (fault := fault_of(str(query))):
            MIXED.append(f"{fault}\n{query}")
        return execute(self, query, params, **options)

    psycopg.Cursor.execute = watched_execute
    try:
        yield
    finally:
        psycopg.Cursor.execute = execute
