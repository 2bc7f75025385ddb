"""The column types and table shapes that all models share."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    Date,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    Uuid,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.types import TypeEngine

from service.kernel.ids import new_id

State = TypeVar("State", bound=StrEnum)


class EnumText(TypeDecorator[State]):
    """A `StrEnum` kept as text.

    Text and not a native enum: under row-level security only leakproof operators may use an
    index, and those of native enums are not leakproof. `one_of` returns the CHECK.
    """

    impl = Text
    cache_ok = True

    def __init__(self, enum: type[State]) -> None:
        super().__init__()
        self.enum = enum
        self._members: dict[str | None, State | None] = {None: None}
        self._members |= {member.value: member for member in enum}

    def process_bind_param(self, value: State | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else str(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:  # noqa: ARG002
        """The look-up itself, and not the two calls around it: there are many such values."""
        return self._members.__getitem__


class Base(DeclarativeBase):
    """The parent of every table."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, TypeEngine[Any]]] = {
        str: Text(),
        int: BigInteger(),
        bytes: LargeBinary(),
        date: Date(),
        datetime: DateTime(timezone=True),
        UUID: Uuid(),
        dict[str, Any]: JSONB(),
        dict[str, str]: JSONB(),
        list[Any]: JSONB(),
        list[str]: JSONB(),
    }


class DistrictScoped:
    """A table of the district family: its key begins with the district, which owns the row.

    No table of this family refers to a table of the global family, reference tables excepted:
    a district's rows can be moved, exported or sharded by themselves. Only the tables at the root
    of the family refer to `districts` (`rooted`): were every insert to lock that one row, it would
    be the hottest of the database, and row-level security already refuses another district.
    """

    district_id: Mapped[str] = mapped_column(primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


def one_of(column: str, enum: type[StrEnum]) -> CheckConstraint:
    """A CHECK that holds `column` to the values of `enum`."""
    values = ", ".join(f"'{member.value}'" for member in enum)
    return CheckConstraint(f"{column} IN ({values})", name=column)


def rooted() -> ForeignKeyConstraint:
    """The foreign key of a table at the root of the district family."""
    return ForeignKeyConstraint(["district_id"], ["districts.id"])


def owned_by(table: str, column: str, target: str = "id") -> ForeignKeyConstraint:
    """A foreign key within the district, from `column` to `table.target`."""
    return ForeignKeyConstraint(
        ["district_id", column], [f"{table}.district_id", f"{table}.{target}"]
    )


class District(Base):
    """An authority that owns departments, staff, a catalogue and its tickets: the tenant."""

    __tablename__ = "districts"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[dict[str, str]]
    settings: Mapped[dict[str, Any]]
    zone: Mapped[str] = mapped_column(
        Computed("coalesce(settings ->> 'zone', 'Asia/Shanghai')", persisted=True)
    )
    """The time zone by which a moment has a date in the district; its settings name it."""


def zone_of(session: Session, district: str) -> str:
    """The time zone of a district; one statement. Raises `NoResultFound` for an unknown one.

    Who is signed in has it in the actor: `Actor.local_date`.
    """
    return session.execute(select(District.zone).where(District.id == district)).scalar_one()
