"""Copies of tickets, each with people, numbers and ids of its own, written past everybody by COPY.

A copy is as sound as its original: the same rows, with the same moments; what is sealed is sealed
anew for its row. What an original's rows come to in COPY's text format is made once, with holes for
all that is another one in each copy; to copy is to fill the holes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from itertools import islice
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from service.identity.people.rules import IdDocument, IdType
from service.kernel import clock, crypto
from service.kernel.crypto import PersonCipher, new_person_key
from service.kernel.ids import new_id
from service.kernel.sealed import sealed_columns
from service.tickets.rules.states import ticket_number
from tests.factories import checked
from tests.performance.loading import unguarded
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
WRITTEN: Final = ("person_keys", *TABLES)
SEALED: Final = {(one.table.name, one.name) for one in sealed_columns()}
KEY_COLUMNS: Final = ["person_id", "wrapped_key", "master_key_id", "created_at"]
INDEXED: Final = {"id_number_index": "id", "member_index": "member_id", "subject_key": "subject_id"}
"""By column that holds the blind index of a number, the one that says whose."""
NUMBERED: Final = {"number"}
_BY_THE_DATABASE: Final = {"events": {"xid"}}
_WHOSE: Final = """
SELECT array_agg(DISTINCT person), array_agg(DISTINCT account_id), array_agg(DISTINCT item)
FROM tickets JOIN items ON items.ticket_id = tickets.id,
    unnest(ARRAY[tickets.person_id, items.subject_id]) person, unnest(ARRAY[items.id]) item
WHERE tickets.id = %s AND person IS NOT NULL
"""
_COLUMNS: Final = """
SELECT attname FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""
_ID: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOST_IDS: Final = 0x1000
_AT_ONCE: Final = 999
"""So many people are born in one region on one day."""
_NULL: Final = b"\\N"
_HEAD, _TAIL, _NUMBER = b"\x01", b"\x02", b"\x03"
"""Where in a text an id begins and ends, and the number of the ticket stands: another one in each
copy, so that three replacements do for all ids of a table."""
Row = Mapping[str, bytes]
"""What COPY says of a row, by column."""


@dataclass(slots=True)
class Fresh:
    """What is new in one copy: ids, the ticket's number, and of people, by the place of their ids,
    the numbers and keys.

    An id is a head, twelve bits that are the place of the original's id among all of its ids, and
    a tail: head and tail are those of a UUIDv7 made for the copy, so ids are as many and come in
    the same order as those of the original.
    """

    head: str
    tail: str
    number: str
    people: Mapping[int, str]
    ciphers: dict[int, PersonCipher]

    def id(self, place: int) -> UUID:
        return UUID(f"{self.head}{place:03x}{self.tail}")


@dataclass(frozen=True, slots=True)
class SealedText:
    """A hole for a value that is sealed for its row; of no `person`, under a master key.

    `told` is what it says, or None for the number of a person.
    """

    table: str
    column: str
    row: int
    person: int | None
    told: str | None

    def filled(self, fresh: Fresh) -> bytes:
        text = fresh.people[self.row] if self.told is None else self.told
        seal = crypto.seal if self.person is None else fresh.ciphers[self.person].seal
        return _bytea(seal(text, table=self.table, column=self.column, row=fresh.id(self.row)))


@dataclass(frozen=True, slots=True)
class IndexOfNumber:
    """A hole for the blind index of somebody's number."""

    person: int

    def filled(self, fresh: Fresh) -> bytes:
        return _bytea(blind_index(fresh.people[self.person]))


Hole = SealedText | IndexOfNumber


class Original:
    """The rows of a ticket, ready to be copied; can be sent to another process."""

    def __init__(self, connection: psycopg.Connection[Any], ticket: UUID, region: int) -> None:
        """`region` is another one for each, from 1 to 999: copies are born where nobody else is."""
        self.region = region
        self.made = 0
        people, accounts, items = connection.execute(_WHOSE, (ticket,)).fetchone() or ([], [], [])
        known = {"ticket": ticket, "people": people, "accounts": accounts, "items": items}
        self.columns = {table: _columns(connection, table) for table in TABLES}
        rows = {
            table: list(_rows(connection, table, self.columns[table], known)) for table in TABLES
        }
        ids = sorted({row["id"] for found in rows.values() for row in found})
        assert len(ids) <= _MOST_IDS
        self.columns["person_keys"] = KEY_COLUMNS
        self._places = {id_: place for place, id_ in enumerate(ids)}
        self._born = {self._places[row["id"]]: _born(connection, row) for row in rows["persons"]}
        (self._number,) = [row["number"] for row in rows["tickets"]]
        (filed_at,) = [row["filed_at"].decode() for row in rows["tickets"]]
        self.filed_on: date = datetime.fromisoformat(filed_at).date()
        holed = partial(self._holed, connection)
        self._texts = {
            table: _joined(part for row in found for part in holed(table, row))
            for table, found in rows.items()
            if found
        }

    def copy(self, number: str, turn: int) -> Iterator[tuple[str, bytes]]:
        """The rows of one copy, by table; of one original each has another `turn`, from 0 on."""
        id_ = str(new_id())
        first = turn * len(self._born)  # twins of one ticket have different numbers too
        people = {
            person: self._namesake(born, first + place)
            for place, (person, born) in enumerate(self._born.items())
        }
        fresh = Fresh(id_[:15], id_[18:], number, people, {})
        yield "person_keys", b"".join(_new_key(fresh, person) for person in people)
        head, tail, numbered = fresh.head.encode(), fresh.tail.encode(), number.encode()
        for table, parts in self._texts.items():
            filled = (part if isinstance(part, bytes) else part.filled(fresh) for part in parts)
            text = b"".join(filled).replace(_HEAD, head).replace(_TAIL, tail)
            yield table, text.replace(_NUMBER, numbered)

    def _namesake(self, born: str, turn: int) -> str:
        """A number with this date of birth, another one at every turn."""
        region, person = divmod(turn, _AT_ONCE)
        assert region < _AT_ONCE
        return checked(f"{self.region:03d}{region + 1:03d}{born}{person + 1:03d}")

    def _holed(
        self, connection: psycopg.Connection[Any], table: str, row: Row
    ) -> Iterator[bytes | Hole]:
        """The line of a row."""
        for place, (column, text) in enumerate(row.items()):
            yield b"\t" if place else b""
            if text != _NULL and (table, column) in SEALED:
                yield self._sealed(connection, table, column, row)
            elif text != _NULL and column in INDEXED:
                yield IndexOfNumber(self._places[row[INDEXED[column]]])
            else:
                named = text.replace(self._number, _NUMBER) if column in NUMBERED else text
                yield _ID.sub(self._other, named)
        yield b"\n"

    def _other(self, found: re.Match[bytes]) -> bytes:
        place = self._places.get(found[0])
        return found[0] if place is None else b"%b%03x%b" % (_HEAD, place, _TAIL)

    def _sealed(
        self, connection: psycopg.Connection[Any], table: str, column: str, row: Row
    ) -> SealedText:
        sealed, own = _of_bytea(row[column]), UUID(row["id"].decode())
        person = crypto.person_of(sealed)
        told = opened(connection, sealed, table=table, column=column, row=own)
        return SealedText(
            table,
            column,
            self._places[row["id"]],
            None if person is None else self._places[str(person).encode()],
            None if (table, column) == ("persons", "id_number") else told,
        )


def blind_index(number: str) -> bytes:
    """What finds a person by their number."""
    born = date.fromisoformat(f"{number[6:10]}-{number[10:12]}-{number[12:14]}")
    document = IdDocument(IdType.CITIZEN_ID, number, None, born)
    return crypto.blind(document.indexed, purpose="id_number")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A copy to be made: of which original, and which one of its copies."""

    original: Original
    turn: int


def wanted(copies: Iterable[Original]) -> Iterator[Wanted]:
    """A copy of each; the same original may come again and again."""
    for original in copies:
        original.made += 1
        yield Wanted(original, original.made - 1)


def write(
    connection: psycopg.Connection[Any], copies: Iterable[Original], *, batch: int = 500
) -> None:
    """Write a copy of each, and verify that what they refer to is there.

    The connection is a superuser's. Commits after each batch.
    """
    with unguarded(connection, WRITTEN):
        some = wanted(copies)
        while found := list(islice(some, batch)):
            write_batch(connection, found)


def write_batch(connection: psycopg.Connection[Any], found: Sequence[Wanted]) -> None:
    """Write these copies, within `unguarded`, and commit."""
    code = _administrative_code(connection)
    sequence = "SELECT nextval('ticket_numbers') FROM generate_series(1, %s)"
    numbers = connection.execute(sequence, (len(found),)).fetchall()
    texts: dict[str, list[bytes]] = defaultdict(list)
    columns: dict[str, list[str]] = {}
    for one, (turn,) in zip(found, numbers, strict=True):
        columns |= one.original.columns
        number = ticket_number(code, one.original.filed_on, turn)
        for table, text in one.original.copy(number, one.turn):
            texts[table].append(text)
    for table in WRITTEN:
        names = sql.SQL(", ").join(map(sql.Identifier, columns[table]))
        into = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
        with connection.cursor() as cursor, cursor.copy(into) as copy:
            copy.write(b"".join(texts[table]))
    connection.commit()


def _new_key(fresh: Fresh, person: int) -> bytes:
    """The line of a key that the copy of a person seals with; the columns are `KEY_COLUMNS`."""
    ring, key, id_ = crypto.keyring(), new_person_key(), fresh.id(person)
    fresh.ciphers[person] = PersonCipher.of(id_, key)
    wrapped = _bytea(ring.wrap(key, person=id_))
    columns = (str(id_).encode(), wrapped, ring.active.encode(), str(clock.now()).encode())
    return b"\t".join(columns) + b"\n"


def _joined(parts: Iterable[bytes | Hole]) -> list[bytes | Hole]:
    """The same, with as few texts as can be."""
    found: list[bytes | Hole] = []
    for part in parts:
        if found and isinstance(part, bytes) and isinstance(found[-1], bytes):
            found[-1] += part
        else:
            found.append(part)
    return found


def _bytea(value: bytes) -> bytes:
    return b"\\\\x" + value.hex().encode()


def _of_bytea(text: bytes) -> bytes:
    return bytes.fromhex(text.removeprefix(b"\\\\x").decode())


def _born(connection: psycopg.Connection[Any], person: Row) -> str:
    """The eight digits of a resident's number that are the date of birth."""
    id_ = UUID(person["id"].decode())
    place: dict[str, Any] = {"table": "persons", "column": "id_number", "row": id_}
    return opened(connection, _of_bytea(person["id_number"]), **place)[6:14]


def _columns(connection: psycopg.Connection[Any], table: str) -> list[str]:
    left_out = _BY_THE_DATABASE.get(table, set())
    found = connection.execute(_COLUMNS, (table,)).fetchall()
    return [name for (name,) in found if name not in left_out]


def _rows(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Sequence[str],
    known: Mapping[str, Any],
) -> Iterator[Row]:
    where = TABLES[table]
    for name in known:
        where = where.replace(f":{name}", f"%({name})s")
    asked = sql.SQL("COPY (SELECT {} FROM {} WHERE {} ORDER BY id) TO STDOUT").format(
        sql.SQL(", ").join(map(sql.Identifier, columns)), sql.Identifier(table), sql.SQL(where)
    )
    with connection.cursor() as cursor, cursor.copy(asked, known) as copy:
        text = b"".join(bytes(some) for some in copy)
    assert not {*text} & {*_HEAD, *_TAIL, *_NUMBER}
    for line in text.splitlines():
        yield dict(zip(columns, line.split(b"\t"), strict=True))


def _administrative_code(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute("SELECT settings->>'administrative_code' FROM districts").fetchone()
    return str(row[0]) if row else ""
