"""Reading people: what they said of themselves, who belongs to whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Uuid,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.orm import Session

from service.identity.people.models import PERSONS, FamilyLink, Person
from service.identity.people.rules import IdType, Kinship, masked, masked_name
from service.kernel import crypto
from service.kernel.actor import Actor, ActorKind
from service.kernel.errors import Forbidden

_PERSON: Final = (
    Person.id,
    Person.id_type,
    Person.id_number,
    Person.name,
    Person.phone,
    Person.birth_date,
)


@dataclass(frozen=True, slots=True)
class Applicant:
    """What a talent has said of themselves; numbers are masked, values not given are None."""

    person_id: UUID
    name: str | None = field(repr=False)
    id_type: IdType | None
    id_number_masked: str | None
    phone_masked: str | None
    birth_date: date | None = field(repr=False)

    @property
    def complete(self) -> bool:
        """Whether there is what every filing needs: a name and an id number."""
        return self.name is not None and self.id_number_masked is not None


def applicant_for(session: Session, actor: Actor) -> Applicant:
    """The talent who asks; one statement. Raises `Forbidden` for anybody else."""
    me = select(*_PERSON).where(Person.id == own_person(actor))
    return _applicant(session.execute(me).one())


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """A spouse or child; `id` is their person."""

    id: UUID
    name: str = field(repr=False)
    kinship: Kinship
    id_type: IdType
    id_number_masked: str
    birth_date: date | None = field(repr=False)


def family_for(session: Session, actor: Actor) -> dict[UUID, FamilyMember]:
    """The family of the talent who asks, as it was added; one statement. Raises `Forbidden`."""
    rows = session.execute(
        select(
            Person.id,
            Person.id_type,
            Person.id_number,
            Person.name,
            Person.birth_date,
            FamilyLink.kinship,
        )
        .join(FamilyLink, FamilyLink.member_id == Person.id)
        .where(FamilyLink.person_id == own_person(actor))
        .order_by(FamilyLink.id)
    )
    return {row.id: _member(row) for row in rows}


def own_details(session: Session, actor: Actor) -> dict[str, str]:
    """What a talent has said of themselves and may find filled in: `name`, `phone`, `birth_date`.

    In the clear, for nobody but themselves; one statement. Raises `Forbidden`.
    """
    row = session.execute(select(*_PERSON).where(Person.id == own_person(actor))).one()
    found = {name: _opened(row, name) for name in ("name", "phone", "birth_date")}
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Household:
    """A talent, and their family by person."""

    applicant: Applicant
    family: dict[UUID, FamilyMember]


def household_for(session: Session, actor: Actor) -> Household:
    """The talent who asks with their family; one statement. Raises `Forbidden`."""
    return household_of(session, own_person(actor))


def household_of(session: Session, me: UUID) -> Household:
    """A person with their family, for who acts by the person's authority; one statement."""
    members = union_all(
        select(
            literal(me, Uuid).label("id"),
            literal(None, FamilyLink.kinship.type).label("kinship"),
            literal(None, Uuid).label("link"),
        ),
        select(FamilyLink.member_id, FamilyLink.kinship, FamilyLink.id).where(
            FamilyLink.person_id == me
        ),
    ).cte("members")
    rows = session.execute(
        select(*_PERSON, members.c.kinship)
        .join(members, members.c.id == Person.id)
        .order_by(members.c.link)
    ).all()
    return Household(
        applicant=next(_applicant(row) for row in rows if row.id == me),
        family={row.id: _member(row) for row in rows if row.id != me},
    )


def own_person(actor: Actor) -> UUID:
    """The person of a talent; raises `Forbidden` for everybody else."""
    if actor.person_id is None:
        raise Forbidden
    return actor.person_id


def is_own_case(session: Session, actor: Actor, person_id: UUID) -> bool:
    """Whether a member of staff would work on a case of their own or of their family.

    One statement for staff, none for others. To ask in the statement that reads the case, select
    `own_case(Ticket.person_id)` there.
    """
    if actor.kind is not ActorKind.STAFF:
        return False
    return bool(session.scalar(select(func.identity_is_own_case(person_id))))


def own_case(person_id: ColumnElement[UUID] | Any) -> ColumnElement[bool]:
    """`is_own_case` of the account that asks, as an expression; for one row, not for lists."""
    expression: ColumnElement[bool] = func.identity_is_own_case(person_id)
    return expression


def _member(row: Any) -> FamilyMember:
    number = _opened(row, "id_number")
    return FamilyMember(
        id=row.id,
        name=_opened(row, "name") or "",
        kinship=row.kinship,
        id_type=row.id_type,
        id_number_masked=masked(number or ""),
        birth_date=_date(_opened(row, "birth_date")),
    )


def _opened(row: Any, column: str) -> str | None:
    sealed: bytes | None = getattr(row, column)
    if sealed is None:
        return None
    return crypto.unseal(sealed, table=PERSONS, column=column, row=row.id)


def _masked(value: str | None) -> str | None:
    return None if value is None else masked(value)


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def people_of_case(
    session: Session, person_id: UUID, member_id: UUID | None
) -> tuple[Applicant, FamilyMember | None]:
    """The applicant of a case and, where one is asked for, the member of their family that it is
    about, for the staff who work on it; one statement.

    Row-level security shows staff the persons who have acted in their district, with their family.
    """
    asked = [one for one in (person_id, member_id) if one is not None]
    rows = session.execute(
        select(*_PERSON, FamilyLink.kinship)
        .outerjoin(
            FamilyLink,
            (FamilyLink.member_id == Person.id) & (FamilyLink.person_id == person_id),
        )
        .where(Person.id.in_(asked), (Person.id == person_id) | FamilyLink.id.is_not(None))
    ).all()
    applicant = next(row for row in rows if row.id == person_id)
    member = next((row for row in rows if row.id == member_id), None)
    return _applicant(applicant), None if member is None else _member(member)


def masked_names(session: Session, persons: Collection[UUID]) -> dict[UUID, str]:
    """By person, the masked name, empty where none is given; one statement, none for nobody.

    For who is shown that there is somebody, not who it is.
    """
    if not persons:
        return {}
    rows = session.execute(select(Person.id, Person.name).where(Person.id.in_(persons)))
    return {row.id: masked_name(_opened(row, "name") or "") for row in rows}


def _applicant(row: Any) -> Applicant:
    return Applicant(
        person_id=row.id,
        name=_opened(row, "name"),
        id_type=row.id_type,
        id_number_masked=_masked(_opened(row, "id_number")),
        phone_masked=_masked(_opened(row, "phone")),
        birth_date=_date(_opened(row, "birth_date")),
    )
