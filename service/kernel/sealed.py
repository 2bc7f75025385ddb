"""Personal columns: declared where they are stored, sealed and opened in one way.

    class Task(DistrictScoped, Base):
        opinion: Mapped[bytes | None] = sealed_column(of=Owner("ticket_id", "tickets"))

    task.opinion = seal(session, Task.opinion, words, row=task.id, of=ticket.person_id)
    words = opened_text(session, Task.opinion, task)

The declaration puts the column into the registry (`sealed_columns`), which everything walks that
deals with all that is personal: sealing anew, erasure, export, the tests that look for canaries.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import LargeBinary, Table
from sqlalchemy.orm import InstrumentedAttribute, MappedColumn, Session, mapped_column

from service.kernel import crypto, person_keys
from service.kernel.crypto import Erased
from service.kernel.db import Base

Default = TypeVar("Default")
Sealable = InstrumentedAttribute[Any]
"""A sealed column of a model, as in `Task.opinion`."""

_INFO: Final = "sealed"


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a value is: the person in `column` of its row or, where a table is named, in `person`
    of the row of that table to which `column` refers, in the same district.

    A person that is null there is nobody: such a value is sealed under a master key.
    """

    column: str
    table: str | None = None
    person: str = "person_id"


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One entry of the registry.

    `short_lived`: rows of the table are deleted within a day, so nothing seals them anew.
    """

    table: Table
    name: str
    owner: Owner
    short_lived: bool


def sealed_column(*, of: Owner, short_lived: bool = False) -> MappedColumn[Any]:
    """Declare a column that keeps a sealed value; the table needs a column `id`."""
    return mapped_column(LargeBinary(), info={_INFO: (of, short_lived)})


def sealed_columns() -> list[SealedColumn]:
    """The registry: every sealed column of the models that are imported, in order of tables."""
    return [
        SealedColumn(table, column.name, *column.info[_INFO])
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if _INFO in column.info
    ]


def seal(session: Session, column: Sealable, value: str, *, row: UUID, of: UUID | None) -> bytes:
    """Encrypt a value for its place, under the key of the person it is of.

    A statement is sent only where the key is not at hand (`person_keys.hold`). Of None is of
    nobody: under a master key. Raises `Conflict("person_erased")`.
    """
    place = _place(column)
    if of is None:
        return crypto.seal(value, **place, row=row)
    return person_keys.for_sealing(session, of).seal(value, **place, row=row)


def seal_json(
    session: Session, column: Sealable, value: Any, *, row: UUID, of: UUID | None
) -> bytes:
    """`seal` of a value as JSON."""
    return seal(session, column, orjson.dumps(value).decode(), row=row, of=of)


def opened(session: Session, column: Sealable, row: Any) -> str | Erased | None:
    """The value that `row`, an entity or a row with `id` and the column, has in a sealed column.

    None where the column is null, `Erased` where the person's key was destroyed. A statement is
    sent only where the key is not at hand (`load_keys`). Raises `crypto.SealBroken`.
    """
    value: bytes | None = getattr(row, column.key)
    if value is None:
        return None
    return open_value(session, value, **_place(column), row=row.id)


def opened_text(session: Session, column: Sealable, row: Any) -> str | None:
    """`opened`, with None for what was erased."""
    value = opened(session, column, row)
    return None if isinstance(value, Erased) else value


def opened_json(
    session: Session, column: Sealable, row: Any, *, otherwise: Default
) -> Any | Default:
    """`opened` out of JSON, with `otherwise` for null and for what was erased."""
    value = opened_text(session, column, row)
    return otherwise if value is None else orjson.loads(value)


def open_value(
    session: Session, value: bytes, *, table: str, column: str, row: UUID
) -> str | Erased:
    """A sealed value of either format, from its place; raises `crypto.SealBroken`."""
    person = crypto.person_of(value)
    if person is None:
        return crypto.unseal(value, table=table, column=column, row=row)
    key = person_keys.for_opening(session, person)
    if isinstance(key, Erased):
        return key
    return key.unseal(value, table=table, column=column, row=row)


def load_keys(session: Session, values: Iterable[bytes | None]) -> None:
    """Have the keys at hand under which these are sealed; at most one statement for all of them."""
    sealed = (value for value in values if value is not None)
    person_keys.load(session, {crypto.person_of(value) for value in sealed})


def _place(column: Sealable) -> dict[str, str]:
    table: str = column.class_.__tablename__
    if _INFO not in column.property.columns[0].info:
        raise LookupError(f"{table}.{column.key} is not declared as sealed")
    return {"table": table, "column": column.key}
