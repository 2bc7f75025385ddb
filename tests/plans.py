"""Plans of statements as the application role, caught as a query sends them.

Asserted is what a plan does, never how long it takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import event

from service.kernel.actor import Actor
from service.kernel.db import Database, scope_of

_REMOVED = "Rows Removed by Filter"


@dataclass(frozen=True)
class Plan:
    """A plan that has been carried out."""

    root: dict[str, Any]

    def nodes(self, node: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        node = node or self.root
        yield node
        for inner in node.get("Plans", ()):
            yield from self.nodes(inner)

    @property
    def indexes(self) -> set[str]:
        return {node["Index Name"] for node in self.nodes() if "Index Name" in node}

    @property
    def read_whole(self) -> set[str]:
        """The tables that are read from one end to the other."""
        return {
            node["Relation Name"] for node in self.nodes() if node["Node Type"].endswith("Seq Scan")
        }

    @property
    def kinds(self) -> set[str]:
        return {node["Node Type"] for node in self.nodes()}

    def reads_nothing_whole(self, big: set[str], *, sorted_at_most: int) -> None:
        """No big table is read from end to end, or hashed, and no more rows than this sorted."""
        assert not self.read_whole & big
        assert not self.kinds & {"Bitmap Heap Scan", "Hash Join"}
        for node in self.nodes():
            assert node["Node Type"] != "Sort" or node["Actual Rows"] <= sorted_at_most, node

    def touched(self, index: str) -> int:
        """How many rows were taken from an index, those not wanted included."""
        return sum(
            round(node["Actual Loops"] * (node["Actual Rows"] + node.get(_REMOVED, 0)))
            for node in self.nodes()
            if node.get("Index Name") == index
        )


def explained(
    database: Database,
    actor: Actor,
    call: Callable[[Any], Any],
    table: str,
    *,
    enterprise: UUID | None = None,
) -> tuple[Plan, Plan]:
    """The plan of the one statement on `table` that a call sends, and the one for any values.

    A statement is prepared after some runs, and may be planned once for all. `enterprise`: the one
    that an agent acts for.
    """
    sent: list[tuple[str, Any]] = []

    def catch(_connection, _cursor, statement, parameters, *_more) -> None:
        if re.search(rf"FROM {table}\b", statement):
            sent.append((statement, parameters))

    session = database.open(replace(scope_of(actor), enterprise=enterprise))
    event.listen(database.engine, "before_cursor_execute", catch)
    try:
        call(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", catch)
    statement, parameters = sent[0]
    connection = session.connection()
    analysed = connection.exec_driver_sql(
        f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) {statement}", parameters
    ).scalar_one()[0]["Plan"]
    generic = connection.exec_driver_sql(
        f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {_numbered(statement)}"
    ).scalar_one()[0]["Plan"]
    session.close()
    return Plan(analysed), Plan(generic)


def _numbered(statement: str) -> str:
    """The statement as it is prepared: `$1` for a named parameter."""
    names: dict[str, int] = {}
    return re.sub(
        r"%\((\w+)\)s", lambda one: f"${names.setdefault(one[1], len(names) + 1)}", statement
    )
