"""Copies of tickets, each with people, numbers and ids of its own, written past everybody by COPY.

A copy is as sound as its original: the same rows, with the same moments; what is sealed is opened
and sealed anew for its row.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import count
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from service.identity.people.rules import IdDocument, IdType
from service.kernel import clock, crypto
from service.kernel.crypto import PersonCipher, new_person_key
from service.kernel.ids import new_id
from service.kernel.sealed import sealed_columns
from service.tickets.rules.states import ticket_number
from tests.factories import checked
from tests.sealing import opened

# Each table with the rows that belong to one ticket, `:name` being what was found before; in an
# order in which every row finds what it refers to.
TABLES: Final = {
    "persons": "id = ANY(:people)",
    "accounts": "id = ANY(:accounts)",
    "family_links": "person_id = ANY(:people)",
    "district_persons": "person_id = ANY(:people)",
    "consents": "person_id = ANY(:people)",
    "employments": "person_id = ANY(:people)",
    "materials": "person_id = ANY(:people)",
    "tickets": "id = :ticket",
    "items": "ticket_id = :ticket",
    "ticket_sections": "ticket_id = :ticket",
    "ticket_materials": "ticket_id = :ticket",
    "edges": "ticket_id = :ticket",
    "stages": "item_id = ANY(:items)",
    "tasks": "ticket_id = :ticket",
    "corrections": "ticket_id = :ticket",
    "facts": "item_id = ANY(:items)",
    "relied_facts": "item_id = ANY(:items)",
    "events": "ticket_id = :ticket",
    "due_changes": "ticket_id = :ticket",
}
SEALED: Final = {(one.table.name, one.name) for one in sealed_columns()}
KEY_COLUMNS: Final = ["person_id", "wrapped_key", "master_key_id", "created_at"]
INDEXED: Final = {"id_number_index": "id", "member_index": "member_id", "subject_key": "subject_id"}
"""By column that holds the blind index of a number, the one that says whose."""
NUMBERED: Final = {"number"}
_LISTS: Final = {"left_out"}
"""Lists that are JSON; the others are arrays."""
_BY_THE_DATABASE: Final = {"events": {"xid"}}
_WHOSE: Final = """
SELECT array_agg(DISTINCT person), array_agg(DISTINCT account_id), array_agg(DISTINCT item)
FROM tickets JOIN items ON items.ticket_id = tickets.id,
    unnest(ARRAY[tickets.person_id, items.subject_id]) person, unnest(ARRAY[items.id]) item
WHERE tickets.id = %s AND person IS NOT NULL
"""
Row = dict[str, Any]
Value = Callable[["Fresh"], Any]


@dataclass
class Fresh:
    """What is new in one copy: ids by those of the original, the ticket's number, and by person
    of the original their number and key.
    """

    ids: Mapping[UUID, UUID]
    number: str
    people: Mapping[UUID, str]
    keys: Mapping[UUID, bytes]

    def cipher(self, person: UUID) -> PersonCipher:
        """Of the copy of a person."""
        return PersonCipher.of(self.ids[person], self.keys[person])


class Original:
    """The rows of a ticket, ready to be copied."""

    def __init__(self, connection: psycopg.Connection[Any], ticket: UUID, region: int) -> None:
        """`region` is another one for each, from 1 to 999: copies are born where nobody else is."""
        self.region = region
        people, accounts, items = connection.execute(_WHOSE, (ticket,)).fetchone() or ([], [], [])
        known = {"ticket": ticket, "people": people, "accounts": accounts, "items": items}
        rows = {table: _rows(connection, table, known) for table in TABLES}
        self.ids = sorted({row["id"] for found in rows.values() for row in found})
        self._connection = connection
        self.born = {row["id"]: _born(connection, row) for row in rows["persons"]}
        self._namesakes = count()
        (self.number,) = [row["number"] for row in rows["tickets"]]
        self.filed_on: date = rows["tickets"][0]["filed_at"].date()
        self.columns = {table: list(found[0]) for table, found in rows.items() if found}
        self.columns["person_keys"] = KEY_COLUMNS
        self._values = {
            table: [[self._value(table, name, row) for name in row] for row in found]
            for table, found in rows.items()
        }

    def copy(self, number: str) -> Iterator[tuple[str, list[list[Any]]]]:
        """The rows of one copy, by table."""
        new = sorted(new_id() for _ in self.ids)
        people = {person: self._namesake(born) for person, born in self.born.items()}
        keys = {person: new_person_key() for person in self.born}
        fresh = Fresh(dict(zip(self.ids, new, strict=True)), number, people, keys)
        yield "person_keys", [_key_row(fresh, person) for person in keys]
        for table, rows in self._values.items():
            yield table, [[value(fresh) for value in row] for row in rows]

    def _namesake(self, born: str) -> str:
        """A number with this date of birth, another one at every call."""
        region, person = divmod(next(self._namesakes), 999)
        return checked(f"{self.region:03d}{region + 1:03d}{born}{person + 1:03d}")

    def _value(self, table: str, column: str, row: Row) -> Value:
        """How a value of a row comes about in a copy."""
        value = row[column]
        if value is None or (table, column) in SEALED:
            return self._sealed(table, column, row) if value else _same(None)
        if column in INDEXED:
            person = row[INDEXED[column]]
            return lambda fresh: blind_index(fresh.people[person])
        if column in NUMBERED:
            return lambda fresh: value.replace(self.number, fresh.number)
        as_json = isinstance(value, dict) or column in _LISTS
        return self._json(value) if as_json else self._plain(value)

    def _plain(self, value: Any) -> Value:
        if isinstance(value, UUID):
            return lambda fresh: fresh.ids.get(value, value)
        return _same(value)

    def _sealed(self, table: str, column: str, row: Row) -> Value:
        own = row["id"]
        told = opened(self._connection, row[column], table=table, column=column, row=own)
        person = crypto.person_of(row[column])
        number = (table, column) == ("persons", "id_number")

        def value(fresh: Fresh) -> bytes:
            text = fresh.people[own] if number else told
            seal = crypto.seal if person is None else fresh.cipher(person).seal
            return seal(text, table=table, column=column, row=fresh.ids[own])

        return value

    def _json(self, value: Any) -> Value:
        text = json.dumps(value, ensure_ascii=False)
        inside = [one for one in self.ids if str(one) in text]

        def told(fresh: Fresh) -> Jsonb:
            copied = text
            for one in inside:
                copied = copied.replace(str(one), str(fresh.ids[one]))
            return Jsonb(None, dumps=lambda _: copied)

        return told


def _same(value: Any) -> Value:
    return lambda _fresh: value


def _key_row(fresh: Fresh, person: UUID) -> list[Any]:
    """The columns are `KEY_COLUMNS`."""
    ring, copied = crypto.keyring(), fresh.ids[person]
    return [copied, ring.wrap(fresh.keys[person], person=copied), ring.active, clock.now()]


def _born(connection: psycopg.Connection[Any], person: Row) -> str:
    """The eight digits of a resident's number that are the date of birth."""
    place = {"table": "persons", "column": "id_number", "row": person["id"]}
    return opened(connection, person["id_number"], **place)[6:14]


def blind_index(number: str) -> bytes:
    """What finds a person by their number."""
    born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    document = IdDocument(IdType.CITIZEN_ID, number, None, born)
    return crypto.blind(document.indexed, purpose="id_number")


def write(
    connection: psycopg.Connection[Any], copies: Iterable[Original], *, batch: int = 500
) -> None:
    """Write a copy of each; the same original may come again and again."""
    code = _administrative_code(connection)
    rows: dict[str, list[list[Any]]] = defaultdict(list)
    columns: dict[str, list[str]] = {}
    for place, original in enumerate(copies, start=1):
        (sequence,) = connection.execute("SELECT nextval('ticket_numbers')").fetchone() or (0,)
        columns |= original.columns
        for table, found in original.copy(ticket_number(code, original.filed_on, sequence)):
            rows[table] += found
        if place % batch == 0:
            _flush(connection, rows, columns)
    _flush(connection, rows, columns)


def _flush(
    connection: psycopg.Connection[Any],
    rows: dict[str, list[list[Any]]],
    columns: Mapping[str, list[str]],
) -> None:
    for table in ("person_keys", *TABLES):
        found = rows.pop(table, [])
        if not found:
            continue
        names = sql.SQL(", ").join(map(sql.Identifier, columns[table]))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            for row in found:
                copy.write_row(row)
    connection.commit()


def _rows(connection: psycopg.Connection[Any], table: str, known: Mapping[str, Any]) -> list[Row]:
    where = TABLES[table]
    for name in known:
        where = where.replace(f":{name}", f"%({name})s")
    with connection.cursor(row_factory=dict_row) as cursor:
        asked = sql.SQL("SELECT * FROM {} WHERE ").format(sql.Identifier(table)) + sql.SQL(where)
        found = cursor.execute(asked + sql.SQL(" ORDER BY id"), known).fetchall()
    left_out = _BY_THE_DATABASE.get(table, set())
    return [{name: one for name, one in row.items() if name not in left_out} for row in found]


def _administrative_code(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute("SELECT settings->>'administrative_code' FROM districts").fetchone()
    return str(row[0]) if row else ""
