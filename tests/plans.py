"""Plans of statements as the application role, caught as a query sends them.

Asserted is what a plan does, never how long it takes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import psycopg

from service.kernel.actor import Actor
from service.kernel.db import Database, scope_of
from tests.statements import counted

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
    session = database.open(replace(scope_of(actor), enterprise=enterprise))
    with counted() as count:
        call(session)
    wanted = re.compile(rf"FROM {table}\b")
    text, parameters = next(sent for sent in count.sent if wanted.search(sent[0]))
    connection = session.connection()
    analysed = sent_to(
        connection, f"EXPLAIN (ANALYZE, TIMING OFF, BUFFERS OFF, FORMAT JSON) {text}", parameters
    )
    generic = sent_to(connection, f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {_numbered(text)}", None)
    session.close()
    return Plan(analysed), Plan(generic)


def sent_to(connection: Any, text: str, parameters: Any) -> Any:
    """The plan that a statement explains, whichever way it names its values."""
    by_number = isinstance(parameters, list)
    kind = psycopg.RawCursor if by_number else psycopg.Cursor
    driver = connection.connection.driver_connection
    return kind(driver).execute(text, parameters).fetchone()[0][0]["Plan"]


def _numbered(statement: str) -> str:
    """The statement as it is prepared: `$1` for a named parameter."""
    names: dict[str, int] = {}
    return re.sub(
        r"%\((\w+)\)s", lambda one: f"${names.setdefault(one[1], len(names) + 1)}", statement
    )
