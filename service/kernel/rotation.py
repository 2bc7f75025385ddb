"""Moving sealed values and keys of persons to newer keys, in batches that may be broken off.

Each row shows whether it is done, so a run that was killed is simply started again. Rows that
somebody else has locked are skipped: no run waits for a row while it holds others. The database has
to be connected as the role `talent_keys` (`connect_for_keys`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Table, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from service.kernel import crypto, person_keys
from service.kernel.crypto import PersonCipher
from service.kernel.db import Base, Database, District, Scope, connect
from service.kernel.person_keys import PersonKey
from service.kernel.sealed import Owner, SealedColumn, sealed_columns
from service.kernel.settings import Settings

ROLE: Final = "talent_keys"
BATCH: Final = 500
_NOBODY: Final = UUID(int=0)


@dataclass(slots=True)
class Resealed:
    """What a run came to in one table: values sealed anew, and rows that it had to pass over."""

    table: str
    values: int = 0
    left: int = 0


def connect_for_keys(settings: Settings) -> Database:
    """A pool for the role that may change sealed columns and keys, through the owner's login."""
    return connect(replace(settings, database_url=settings.database_owner_url, database_role=ROLE))


def rotate(database: Database, *, batch: int = BATCH) -> Iterator[int]:
    """Rewrap under the active master key every key of a person that lies under another one.

    Yields the number after each batch, which has been committed then. Raises `SealBroken` where
    the key file lacks the master key of a key; its batch is rolled back.
    """
    behind: UUID | None = _NOBODY
    while behind is not None:
        with database.transaction(Scope.system()) as session:
            found = _wrapped_otherwise(session, behind, batch)
            for row in found:
                _rewrap(session, row)
        behind = found[-1].person_id if len(found) == batch else None
        yield len(found)


def wrapped_by(database: Database) -> dict[str, int]:
    """How many keys of persons each master key wraps."""
    with database.transaction(Scope.system()) as session:
        rows = session.execute(
            select(PersonKey.master_key_id, func.count())
            .where(PersonKey.destroyed_at.is_(None))
            .group_by(PersonKey.master_key_id)
            .order_by(PersonKey.master_key_id)
        )
        return {row[0]: row[1] for row in rows}


def reseal(database: Database, *, batch: int = BATCH) -> Iterator[Resealed]:
    """Seal under their person's key all values that still lie under a master key.

    What is of nobody is sealed under the active master key. Values of a person whose key was
    destroyed are sealed under a key that is thrown away. Yields every table when it is done.
    """
    with database.transaction(Scope.system()) as session:
        districts = session.scalars(select(District.id).order_by(District.id)).all()
    lasting = (column for column in sealed_columns() if not column.short_lived)
    for _, columns in groupby(lasting, key=lambda column: column.table.name):
        table = _OfTable(list(columns), batch)
        scopes = districts if "district_id" in table.table.c else [""]
        yield table.reseal(database, scopes)


def _wrapped_otherwise(
    session: Session, behind: UUID, limit: int
) -> Sequence[Row[UUID, bytes | None]]:
    return session.execute(
        select(PersonKey.person_id, PersonKey.wrapped_key)
        .where(
            PersonKey.destroyed_at.is_(None),
            PersonKey.master_key_id != crypto.keyring().active,
            PersonKey.person_id > behind,
        )
        .order_by(PersonKey.person_id)
        .limit(limit)
        .with_for_update(key_share=True, skip_locked=True)
    ).all()


def _rewrap(session: Session, row: Row[UUID, bytes | None]) -> None:
    ring = crypto.keyring()
    key = ring.unwrap(bytes(row.wrapped_key or b""), person=row.person_id)
    session.execute(
        update(PersonKey)
        .where(PersonKey.person_id == row.person_id)
        .values(wrapped_key=ring.wrap(key, person=row.person_id), master_key_id=ring.active)
        .execution_options(synchronize_session=False)
    )


class _OfTable:
    """The sealed columns of one table, and the way through its rows."""

    def __init__(self, columns: Sequence[SealedColumn], batch: int) -> None:
        self.columns, self.table, self.batch = columns, columns[0].table, batch
        self.done = Resealed(self.table.name)
        self._nobodys = 0

    def reseal(self, database: Database, scopes: Sequence[str]) -> Resealed:
        for district in scopes:
            behind: UUID | None = _NOBODY
            while behind is not None:
                with database.transaction(Scope.system(district)) as session:
                    rows = self._old_rows(session, behind)
                    self._seal_anew(session, rows)
                behind = rows[-1].id if len(rows) == self.batch else None
            with database.transaction(Scope.system(district)) as session:
                self.done.left += self._count(session)
        self.done.left -= self._nobodys
        return self.done

    def _old_rows(self, session: Session, behind: UUID) -> Sequence[Row[Any]]:
        owners = {column.owner.column for column in self.columns} | {"id"}
        wanted = [self.table.c[name] for name in sorted(owners)]
        wanted += [
            self.table.c[column.name] for column in self.columns if column.name not in owners
        ]
        return session.execute(
            select(*wanted)
            .where(*self._in_scope(), self._is_old(), self.table.c.id > behind)
            .order_by(self.table.c.id)
            .limit(self.batch)
            .with_for_update(key_share=True, skip_locked=True)
        ).all()

    def _count(self, session: Session) -> int:
        query = select(func.count()).select_from(self.table)
        return session.scalar(query.where(*self._in_scope(), self._is_old())) or 0

    def _is_old(self) -> ColumnElement[bool]:
        return or_(
            *(
                func.substring(self.table.c[column.name], 1, 1) == crypto.MASTER
                for column in self.columns
            )
        )

    def _in_scope(self) -> list[ColumnElement[bool]]:
        """The rows of the transaction's district, which row-level security shows alone."""
        if "district_id" not in self.table.c:
            return []
        return [self.table.c.district_id == func.current_setting("app.district")]

    def _seal_anew(self, session: Session, rows: Sequence[Row[Any]]) -> None:
        nobodys: set[UUID] = set()
        for column in self.columns:
            owners = owners_of(session, self.table, column.owner, rows)
            person_keys.hold(session, owners.values())
            old = {row.id: value for row in rows if (value := _old(row, column)) is not None}
            nobodys |= {row for row in old if owners.get(row) is None}
            fresh = [
                {"of_row": row, "before": value, "after": after}
                for row, value in old.items()
                if (after := self._sealed(session, column, row, value, owners.get(row)))
            ]
            self._write(session, column, fresh)
        self._nobodys += len(nobodys)

    def _sealed(
        self, session: Session, column: SealedColumn, row: UUID, old: bytes, person: UUID | None
    ) -> bytes | None:
        """The value in its new form; None where it is of nobody and under the active key."""
        place: dict[str, Any] = {"table": self.table.name, "column": column.name, "row": row}
        if person is None and crypto.master_of(old) == crypto.keyring().active:
            return None
        value = crypto.unseal(old, **place)
        if person is None:
            return crypto.seal(value, **place)
        key = person_keys.for_opening(session, person)
        if not isinstance(key, PersonCipher):
            key = PersonCipher.of(person, crypto.new_person_key())
        return key.seal(value, **place)

    def _write(
        self, session: Session, column: SealedColumn, fresh: Sequence[Mapping[str, Any]]
    ) -> None:
        """Only where a value is still what it was when it was read."""
        if not fresh:
            return
        stored = self.table.c[column.name]
        session.connection().execute(
            update(self.table)
            .where(
                *self._in_scope(),
                self.table.c.id == bindparam("of_row"),
                stored == bindparam("before"),
            )
            .values({stored.name: bindparam("after")}),
            fresh,
        )
        self.done.values += len(fresh)


def owners_of(
    session: Session, table: Table, owner: Owner, rows: Sequence[Any]
) -> dict[UUID, UUID | None]:
    """Whose the values of some rows are, by the id of the row; `rows` have the owner's column.

    At most one statement, over the table that the owner's path names.
    """
    named = {row.id: getattr(row, owner.column) for row in rows}
    if owner.table is None or not rows:
        return named
    through = Base.metadata.tables[owner.table]
    query = select(through.c.id, through.c[owner.person]).where(
        through.c.id.in_({row_id for row_id in named.values() if row_id is not None})
    )
    if "district_id" in table.c and "district_id" in through.c:
        query = query.where(through.c.district_id == func.current_setting("app.district"))
    persons = {row[0]: row[1] for row in session.execute(query)}
    return {row_id: persons.get(other) for row_id, other in named.items()}


def _old(row: Row[Any], column: SealedColumn) -> bytes | None:
    value: bytes | None = getattr(row, column.name)
    return value if value is not None and value[:1] == crypto.MASTER else None
