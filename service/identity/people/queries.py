"""Reading people: what they said of themselves, who belongs to whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, bindparam, literal, select, text, union_all
from sqlalchemy.orm import Session

from service.identity.people.models import FamilyLink, Person
from service.identity.people.rules import IdType, Kinship, masked, masked_name
from service.kernel import person_keys
from service.kernel.actor import Actor
from service.kernel.crypto import Erased
from service.kernel.db import prepared
from service.kernel.errors import Forbidden
from service.kernel.sealed import Sealable, load_keys, opened, opened_text

_PERSON: Final = (
    Person.id,
    Person.id_type,
    Person.id_number,
    Person.id_number_index,
    Person.name,
    Person.phone,
    Person.birth_date,
    Person.id_country,
    person_keys.wrapped_key(Person.id).label("key"),
)


class _Named(NamedTuple):
    id: UUID
    name: bytes | None


_NAMES: Final = prepared(
    text("SELECT id, name FROM employer_names(:persons)").bindparams(
        bindparam("persons", type_=ARRAY(Uuid()))
    ),
    _Named,
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a talent has said of themselves; None where nothing was given, or it was erased."""

    person_id: UUID
    name: str | None = field(repr=False)
    id_type: IdType | None
    id_number: str | None = field(repr=False)
    id_country: str | None = field(repr=False)
    phone_masked: str | None
    birth_date: date | None = field(repr=False)

    @property
    def id_number_masked(self) -> str | None:
        """The number as it may be shown."""
        return _masked(self.id_number)

    @property
    def complete(self) -> bool:
        """Whether there is what every filing needs: a name and an id number."""
        return self.name is not None and self.id_number is not None


def profile_for(session: Session, actor: Actor) -> Profile:
    """The talent who asks; one statement. Raises `Forbidden` for anybody else."""
    me = select(*_PERSON).where(Person.id == own_person(actor))
    return _profile(session, session.execute(me).one())


@dataclass(frozen=True, slots=True)
class Registered:
    """What stands on the row of a talent, which is locked, and its blind index."""

    profile: Profile
    index: bytes | None


def registered_of(session: Session, person: UUID) -> Registered:
    """A talent's own row; it stays locked, so that two changes do not cross. One statement."""
    row = session.execute(
        select(*_PERSON, Person.id_number_index)
        .where(Person.id == person)
        .with_for_update(key_share=True)
    ).one()
    return Registered(_profile(session, row), row.id_number_index)


@dataclass(frozen=True, slots=True)
class FamilyMember:
    """A spouse or child; `id` is their person, as this family named them.

    `number_index`, the blind index of their id number, is the same in every family; it is not kept
    with a filing.
    """

    id: UUID
    name: str = field(repr=False)
    kinship: Kinship
    id_type: IdType
    id_number: str = field(repr=False)
    id_country: str | None = field(repr=False)
    birth_date: date | None = field(repr=False)
    number_index: bytes | None = field(default=None, repr=False)

    @property
    def id_number_masked(self) -> str:
        """The number as it may be shown."""
        return masked(self.id_number)


def family_for(session: Session, actor: Actor) -> dict[UUID, FamilyMember]:
    """The family of the talent who asks, as it was added.

    Without those whose link has ended or whose key was destroyed. One statement. Raises
    `Forbidden`.
    """
    rows = session.execute(
        select(
            *_PERSON,
            FamilyLink.kinship,
        )
        .join(FamilyLink, FamilyLink.member_id == Person.id)
        .where(FamilyLink.person_id == own_person(actor), FamilyLink.ended_at.is_(None))
        .order_by(FamilyLink.id)
    )
    return _family(session, rows)


def own_details(session: Session, actor: Actor) -> dict[str, str]:
    """What a talent has said of themselves and may find filled in: `name`, `phone`, `birth_date`.

    In the clear, for nobody but themselves; one statement. Raises `Forbidden`.
    """
    row = session.execute(select(*_PERSON).where(Person.id == own_person(actor))).one()
    columns = (Person.name, Person.phone, Person.birth_date)
    found = {column.key: _opened(session, column, row) for column in columns}
    return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Household:
    """A talent, and their family by person."""

    applicant: Profile
    family: dict[UUID, FamilyMember]


def household_for(session: Session, actor: Actor) -> Household:
    """The talent who asks with their family; one statement. Raises `Forbidden`."""
    return household_of(session, own_person(actor))


def household_of(session: Session, me: UUID) -> Household:
    """A person with their family, for who acts by the person's authority; one statement."""
    rows = _HOUSEHOLD.all(session, me=me)
    return Household(
        applicant=next(_profile(session, row) for row in rows if row.id == me),
        family=_family(session, (row for row in rows if row.id != me)),
    )


def _household() -> Select[*tuple[Any, ...]]:
    me = bindparam("me", type_=Uuid())
    members = union_all(
        select(
            me.label("id"),
            literal(None, FamilyLink.kinship.type).label("kinship"),
            literal(None, Uuid).label("link"),
        ),
        select(FamilyLink.member_id, FamilyLink.kinship, FamilyLink.id).where(
            FamilyLink.person_id == me, FamilyLink.ended_at.is_(None)
        ),
    ).cte("members")
    return (
        select(*_PERSON, members.c.kinship)
        .join(members, members.c.id == Person.id)
        .order_by(members.c.link)
    )


_HOUSEHOLD: Final = prepared(_household())


def family_ids(session: Session, person: UUID) -> frozenset[UUID]:
    """Whom a person names as family; one statement."""
    members = select(FamilyLink.member_id).where(
        FamilyLink.person_id == person, FamilyLink.ended_at.is_(None)
    )
    return frozenset(session.scalars(members))


def own_person(actor: Actor) -> UUID:
    """The person of a talent; raises `Forbidden` for everybody else."""
    if actor.person_id is None:
        raise Forbidden
    return actor.person_id


def is_own_case(actor: Actor, *named: UUID | None) -> bool:
    """Whether a member of staff would work on a case of their own or of their family.

    `named` are the persons whom the case names: who applied and who it is about, where there are
    such. As of the request: what they are to each other was looked up with the sign-in.
    """
    return not actor.own_cases.isdisjoint(named)


def _family(session: Session, rows: Iterable[Any]) -> dict[UUID, FamilyMember]:
    members = (_member(session, row) for row in rows)
    return {member.id: member for member in members if member is not None}


def _member(session: Session, row: Any) -> FamilyMember | None:
    """None for one whose key was destroyed: nothing is left of them to be told."""
    person_keys.take(session, row.id, row.key)
    name = opened(session, Person.name, row)
    if isinstance(name, Erased):
        return None
    return FamilyMember(
        id=row.id,
        name=name or "",
        kinship=row.kinship,
        id_type=row.id_type,
        id_number=_opened(session, Person.id_number, row) or "",
        id_country=_opened(session, Person.id_country, row),
        birth_date=_date(_opened(session, Person.birth_date, row)),
        number_index=row.id_number_index,
    )


def _opened(session: Session, column: Sealable, row: Any) -> str | None:
    """A value of a person's row that was read with its key."""
    person_keys.take(session, row.id, row.key)
    return opened_text(session, column, row)


def _masked(value: str | None) -> str | None:
    return None if value is None else masked(value)


def _date(value: str | None) -> date | None:
    return None if value is None else date.fromisoformat(value)


def people_of_case(
    session: Session, person_id: UUID, member_id: UUID | None
) -> tuple[Profile, FamilyMember | None]:
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
    found = None if member is None else _member(session, member)
    return _profile(session, applicant), found


def kept_of_applicant(applicant: Profile) -> dict[str, Any]:
    """What a filing keeps of its applicant, as JSON: name, document, birth_date."""
    return {
        "name": applicant.name,
        "id_type": applicant.id_type,
        "id_number": applicant.id_number,
        "id_country": applicant.id_country,
        "birth_date": applicant.birth_date,
    }


def kept_of_member(member: FamilyMember) -> dict[str, Any]:
    """What a filing keeps of a member of the family: the same, and kinship."""
    return {
        "name": member.name,
        "kinship": member.kinship,
        "id_type": member.id_type,
        "id_number": member.id_number,
        "id_country": member.id_country,
        "birth_date": member.birth_date,
    }


def applicant_as_filed(person: UUID, kept: Mapping[str, Any] | None) -> Profile:
    """The applicant as kept with a filing, without a phone; `kept` is None where it was erased."""
    kept = kept or {}
    id_type = kept.get("id_type")
    return Profile(
        person_id=person,
        name=kept.get("name"),
        id_type=None if id_type is None else IdType(id_type),
        id_number=kept.get("id_number"),
        id_country=kept.get("id_country"),
        phone_masked=None,
        birth_date=_date(kept.get("birth_date")),
    )


def member_as_filed(person: UUID, kept: Mapping[str, Any] | None) -> FamilyMember | None:
    """The member of the family as kept with a filing; None where `kept` was erased."""
    if kept is None:
        return None
    return FamilyMember(
        id=person,
        name=kept["name"],
        kinship=Kinship(kept["kinship"]),
        id_type=IdType(kept["id_type"]),
        id_number=kept["id_number"],
        id_country=kept.get("id_country"),
        birth_date=_date(kept.get("birth_date")),
    )


def masked_names(session: Session, persons: Collection[UUID]) -> dict[UUID, str]:
    """By person, the masked name, empty where none is given; one statement, none for nobody.

    For an agent, of those whom their enterprise may follow: who is shown that there is somebody,
    not who it is.
    """
    if not persons:
        return {}
    rows = _NAMES.all(session, persons=list(persons))
    load_keys(session, (row.name for row in rows))
    return {row.id: masked_name(opened_text(session, Person.name, row) or "") for row in rows}


def _profile(session: Session, row: Any) -> Profile:
    return Profile(
        person_id=row.id,
        name=_opened(session, Person.name, row),
        id_type=row.id_type,
        id_number=_opened(session, Person.id_number, row),
        id_country=_opened(session, Person.id_country, row),
        phone_masked=_masked(_opened(session, Person.phone, row)),
        birth_date=_date(_opened(session, Person.birth_date, row)),
    )
