"""Writing many rows in one statement, past the unit of work: what hot paths do.

SQLAlchemy builds an INSERT of many VALUES anew for every call. Here the text is made once for each
table, set of columns and number of rows; types bind the values as they always do.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from sqlalchemy import (
    ARRAY,
    JSON,
    Column,
    ColumnElement,
    Table,
    delete,
    inspect,
    select,
)
from sqlalchemy.orm import Mapper, Session
from sqlalchemy.orm.attributes import get_history, set_committed_value
from sqlalchemy.orm.exc import StaleDataError

from service.kernel.db.columns import Base, DistrictScoped
from service.kernel.db.driver import DIALECT, send
from service.kernel.ids import new_id

Bind = Callable[[Any], Any]
_TEXTS: Final = 1024
_QUOTE: Final = DIALECT.identifier_preparer.quote
_SKIPPING: Final = " ON CONFLICT DO NOTHING RETURNING id"


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, all with the same columns, in one statement; no row: nothing.

    Rows without an id get one; every other column has its value in the row or from the database.
    """
    if rows:
        _execute(session, model, rows, "")


def insert_new_rows(
    session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> set[UUID]:
    """Write those rows that no unique constraint refuses, in one statement; returns their ids.

    A row that another transaction is just writing is waited for.
    """
    return {row[0] for row in _execute(session, model, rows, _SKIPPING)} if rows else set()


def update_changed(session: Session, model: type[Base]) -> None:
    """Write what has changed in the entities of a table: one statement for each set of columns.

    As the unit of work does it, row by row where rows have versions: those are compared, and rise
    by one. Raises `StaleDataError` where a row is gone or has another version. What has changed in
    columns that hold lists or documents is left to the unit of work.
    """
    mapper = inspect(model)
    groups: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for entity in session.dirty:
        if isinstance(entity, model) and (names := _changed(mapper, entity)):
            groups[names].append(entity)
    for names, entities in groups.items():
        _update(session, mapper, names, sorted(entities, key=lambda entity: entity.id))


def delete_rows(
    session: Session, model: type[DistrictScoped], found: ColumnElement[bool], *, most: int
) -> int:
    """Delete at most `most` of the rows that are found, in one statement; returns how many.

    `found` names the district. For what would outlast a statement's time if deleted at once.
    """
    chosen = select(model.id).where(found).limit(most).scalar_subquery()
    deleted = session.execute(delete(model).where(found, model.id.in_(chosen)).returning(model.id))
    return len(deleted.all())


@dataclass(frozen=True, slots=True)
class _Insertion:
    text: str
    binds: tuple[tuple[str, Bind | None], ...]

    def values(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
        return tuple(
            row[name] if bind is None else bind(row[name])
            for row in rows
            for name, bind in self.binds
        )


def _execute(
    session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]], ending: str
) -> psycopg.RawCursor[Any]:
    text, values = prepared_insert(model, rows)
    return send(session.connection(), text + ending, values)


def prepared_insert(
    model: type[Base], rows: Sequence[Mapping[str, Any]]
) -> tuple[str, Sequence[Any]]:
    """The statement that writes rows, all with the same columns, and its values."""
    if "id" not in rows[0]:
        rows = [{"id": new_id(), **row} for row in rows]
    names = rows[0].keys()
    if any(row.keys() != names for row in rows):
        raise ValueError(f"rows of {model.__tablename__} with different columns")
    insertion = _insertion(cast("Table", model.__table__), tuple(names), len(rows))
    return insertion.text, insertion.values(rows)


@lru_cache(_TEXTS)
def _insertion(table: Table, names: tuple[str, ...], rows: int) -> _Insertion:
    """Raises `LookupError` where SQLAlchemy would have made a value."""
    forgotten = [one.name for one in table.columns if one.default and one.name not in names]
    if forgotten:
        raise LookupError(f"{table.name}: no value for {', '.join(forgotten)}")
    columns = [table.columns[name] for name in names]
    into = ", ".join(_QUOTE(one.name) for one in columns)
    number = count(1)
    values = ", ".join(
        f"({', '.join(f'${next(number)}::{type_}' for type_ in map(_type_of, columns))})"
        for _ in range(rows)
    )
    return _Insertion(
        f"INSERT INTO {_QUOTE(table.name)} ({into}) VALUES {values}",  # noqa: S608 - names are ours
        tuple((one.name, _bind_of(one)) for one in columns),
    )


def _changed(mapper: Mapper[Any], entity: Any) -> tuple[str, ...]:
    """The columns of an entity that have changed; none where one of them is no plain value."""
    untouched = inspect(entity).unmodified
    names = [
        name
        for name in mapper.columns.keys()  # noqa: SIM118 - a collection of columns, not a mapping
        if name not in untouched and get_history(entity, name).has_changes()
    ]
    plain = all(not isinstance(mapper.columns[name].type, (ARRAY, JSON)) for name in names)
    return tuple(names) if plain else ()


def _update(
    session: Session, mapper: Mapper[Any], names: Sequence[str], entities: Sequence[Any]
) -> None:
    version = None if mapper.version_id_col is None else mapper.version_id_col.key
    table = cast("Table", mapper.local_table)
    columns = ("district_id", "id", *((version,) if version else ()))
    statement = _updating(table, columns, tuple(names))
    written = send(session.connection(), statement.text, statement.lists(entities))
    if written.rowcount != len(entities):
        raise StaleDataError(f"{table.name}: rows are gone, or of another version")
    for entity in entities:
        if version:
            set_committed_value(entity, version, getattr(entity, version) + 1)
        for name in names:
            set_committed_value(entity, name, getattr(entity, name))


@dataclass(frozen=True, slots=True)
class _Updating:
    text: str
    binds: tuple[tuple[str, Bind | None], ...]

    def lists(self, entities: Sequence[Any]) -> tuple[list[Any], ...]:
        """The values of each column, as an array: one text, however many rows there are."""
        return tuple(
            [
                getattr(entity, name) if bind is None else bind(getattr(entity, name))
                for entity in entities
            ]
            for name, bind in self.binds
        )


@lru_cache(_TEXTS)
def _updating(table: Table, by: tuple[str, ...], names: tuple[str, ...]) -> _Updating:
    """`by` are the columns by which a row is found; of these a version rises."""
    read = (*by, *names)
    columns = [table.columns[name] for name in read]
    into = _QUOTE(table.name)
    arrays = ", ".join(f"${place}::{_type_of(one)}[]" for place, one in enumerate(columns, 1))
    changes = [f"{_QUOTE(name)} = changed.{_QUOTE(name)}" for name in names]
    changes += [f"{name} = changed.{name} + 1" for name in by[2:]]
    found = " AND ".join(f"{into}.{_QUOTE(name)} = changed.{_QUOTE(name)}" for name in by)
    return _Updating(
        f"UPDATE {into} SET {', '.join(changes)}"  # noqa: S608 - names are ours
        f" FROM unnest({arrays}) AS changed ({', '.join(map(_QUOTE, read))}) WHERE {found}",
        tuple((one.name, _bind_of(one)) for one in columns),
    )


def _type_of(column: Column[Any]) -> str:
    """The type of a column's values, as a cast names it."""
    return DIALECT.type_compiler_instance.process(column.type)


def _bind_of(column: Column[Any]) -> Bind | None:
    """What makes a value of a column into one that the driver takes; None where it is one."""
    return column.type.dialect_impl(DIALECT).bind_processor(DIALECT)
