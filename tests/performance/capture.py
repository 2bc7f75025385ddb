"""What one request sends to the database, transaction by transaction, with its values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

BEGIN = ("BEGIN; ", "SET LOCAL ")
"""How a transaction begins; the second, in commits that left BEGIN to the driver."""
Statement = tuple[str, Any]
"""A text with placeholders, and its parameters."""


class Captured:
    """Transactions in the order in which they began, and what was sent outside of one as one too.

    BEGIN comes with the first statement of a transaction, and COMMIT is not among them.
    """

    def __init__(self) -> None:
        self.transactions: list[list[Statement]] = []
        self._open: dict[int, list[Statement]] = {}

    @property
    def statements(self) -> int:
        return sum(map(len, self.transactions))

    def add(self, connection: Any, text: str, params: Any) -> None:
        began = self._open.get(id(connection))
        inside = began is not None and began[0][0].startswith(BEGIN)
        if began is None or (text.startswith(BEGIN) and not inside):
            began = self._open[id(connection)] = []
            self.transactions.append(began)
        began.append((text, params))

    def end(self, connection: Any) -> None:
        self._open.pop(id(connection), None)


@contextmanager
def captured(*, undone: bool) -> Iterator[Captured]:
    """Capture what this process sends within the block; `undone`: what would commit rolls back.

    The request is then answered as if it were done, and the next that is sent finds everything as
    this one did.
    """
    found = Captured()
    execute, executemany = psycopg.Cursor.execute, psycopg.Cursor.executemany
    commit, rollback = psycopg.Connection.commit, psycopg.Connection.rollback

    def noting_execute(self: Any, query: Any, params: Any = None, **options: Any) -> Any:
        found.add(self.connection, str(query), params)
        return execute(self, query, params, **options)

    def noting_executemany(self: Any, query: Any, params_seq: Any, **options: Any) -> Any:
        params = list(params_seq)
        for one in params:
            found.add(self.connection, str(query), one)
        return executemany(self, query, params, **options)

    def noting_rollback(self: Any) -> None:
        found.end(self)
        rollback(self)

    def noting_commit(self: Any) -> None:
        found.end(self)
        (rollback if undone else commit)(self)

    with (
        _instead(psycopg.Cursor, execute=noting_execute, executemany=noting_executemany),
        _instead(psycopg.Connection, commit=noting_commit, rollback=noting_rollback),
    ):
        yield found


@contextmanager
def _instead(owner: type, **methods: Any) -> Iterator[None]:
    former = {name: getattr(owner, name) for name in methods}
    for name, method in methods.items():
        setattr(owner, name, method)
    try:
        yield
    finally:
        for name, method in former.items():
            setattr(owner, name, method)
