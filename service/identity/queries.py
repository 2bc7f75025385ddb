"""Reading people: who is asking, what they said of themselves, who belongs to whom."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Date,
    Uuid,
    any_,
    cast,
    func,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.orm import Session

from service.identity import tokens
from service.identity.models import PERSONS, Account, Consent, FamilyLink, Person, StaffPost
from service.identity.rules import AccountKind, IdType, Kinship, masked, masked_name
from service.kernel import clock, crypto, permissions
from service.kernel.actor import Actor, ActorKind, Post
from service.kernel.db import Database, District, is_there
from service.kernel.errors import Forbidden, Unauthenticated
from service.kernel.keys import Keys
from service.kernel.permissions import Role

_SESSION: Final = text(
    "SELECT kind, display_name, person_id, posts"
    " FROM identity_session(:session, :account, :district, :at)"
)


_DEFAULT_ZONE: Final = "Asia/Shanghai"
_PERSON: Final = (
    Person.id,
    Person.id_type,
    Person.id_number,
    Person.name,
    Person.phone,
    Person.birth_date,
)


def authenticator(database: Database, keys: Keys) -> Callable[[str], Actor]:
    """What turns the text of an access token into who is asking.

    One statement, outside any transaction and any scope: a database function that gives nothing
    but what this needs. What it gives is true now: a sign-out, a disabled account, a post that
    began or ended today act on the next request. Raises `Unauthenticated("token_invalid")`.
    """
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")

    def authenticate(token: str) -> Actor:
        claims = tokens.verify(keys, token)
        with engine.connect() as connection:
            actor = signed_in(
                connection,
                session_id=claims.session_id,
                account_id=claims.account_id,
                district=claims.district,
                at=clock.now(),
            )
        if actor is None:
            raise Unauthenticated("token_invalid")
        return actor

    return authenticate


def signed_in(
    connection: Connection | Session,
    *,
    session_id: UUID,
    account_id: UUID,
    district: str,
    at: datetime,
) -> Actor | None:
    """Who a sign-in stands for at that moment, by the district's date; None where it has ended.

    One statement. A talent's name is sealed with the person and not looked up for it.
    """
    asked = {"session": session_id, "account": account_id, "district": district, "at": at}
    row = connection.execute(_SESSION, asked).one_or_none()
    if row is None:
        return None
    actor = partial(Actor, district=district, account_id=account_id, session_id=session_id)
    if row.kind == AccountKind.TALENT:
        return actor(kind=ActorKind.TALENT, person_id=row.person_id, permissions=permissions.TALENT)
    if row.kind == AccountKind.AGENT:
        return actor(
            kind=ActorKind.AGENT, display_name=row.display_name, permissions=permissions.AGENT
        )
    posts = tuple(
        Post(department, frozenset(map(Role, roles)))
        for department, roles in sorted(row.posts.items())
    )
    return actor(
        kind=ActorKind.STAFF,
        display_name=row.display_name,
        posts=posts,
        permissions=permissions.granted(role for post in posts for role in post.roles),
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
    """The talent who asks, and their family by person."""

    applicant: Applicant
    family: dict[UUID, FamilyMember]


def household_for(session: Session, actor: Actor) -> Household:
    """The talent who asks with their family; one statement. Raises `Forbidden`."""
    me = own_person(actor)
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


def consents_for(session: Session, actor: Actor) -> Sequence[Consent]:
    """The consents that the talent who asks gave in this district, newest first."""
    return session.scalars(
        select(Consent)
        .where(Consent.district_id == actor.district, Consent.person_id == own_person(actor))
        .order_by(Consent.id.desc())
    ).all()


def consent_stands(
    code: str, *, district: ColumnElement[str] | Any, person: ColumnElement[UUID] | Any
) -> ColumnElement[bool]:
    """Whether a person's consent to some version of a text is in force, as an expression.

    `district` and `person` are columns of the row that is asked about. What was withdrawn is so
    from the next statement on.
    """
    return is_there(
        select(Consent.id).where(
            Consent.district_id == district,
            Consent.person_id == person,
            Consent.code == code,
            Consent.withdrawn_at.is_(None),
        )
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


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff who may be handed a case; `own_case`: but not this one."""

    name: str
    own_case: bool


def colleague_with(
    session: Session,
    actor: Actor,
    account_id: UUID,
    *,
    department: str,
    role: str,
    person_id: UUID,
    at: datetime,
) -> Colleague | None:
    """Who this account is, if it holds the role in the department on that day; one statement.

    `person_id` is the person of the case they would be handed.
    """
    today = local_day(at)
    row = session.execute(
        select(Account.display_name, func.identity_is_case_of(Account.id, person_id))
        .join(StaffPost, StaffPost.account_id == Account.id)
        .join(District, District.id == StaffPost.district_id)
        .where(
            District.id == actor.district,
            Account.id == account_id,
            Account.disabled_at.is_(None),
            StaffPost.department == department,
            StaffPost.role == role,
            StaffPost.valid_from <= today,
            func.coalesce(StaffPost.valid_to, today) >= today,
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else Colleague(row[0], row[1])


def staff_names(
    session: Session, actor: Actor, asked: Collection[tuple[str, UUID]]
) -> dict[tuple[str, UUID], str]:
    """The names at work of those who hold or held a post, by department and account.

    Only of departments in which the actor has a post too. One statement, none for nobody.
    """
    own = {post.department for post in actor.posts}
    wanted = {one for one in asked if one[0] in own}
    if not wanted:
        return {}
    rows = session.execute(
        select(StaffPost.department, StaffPost.account_id, Account.display_name)
        .join(Account, Account.id == StaffPost.account_id)
        .where(
            StaffPost.district_id == actor.district,
            StaffPost.account_id
            == any_(literal(sorted({account for _, account in wanted}), ARRAY(Uuid()))),
        )
        .distinct()
    )
    names = {(row.department, row.account_id): row.display_name for row in rows}
    return {one: names[one] for one in wanted if one in names}


def local_day(at: datetime) -> ColumnElement[date]:
    """The date that a moment has in the district which the statement reads."""
    zone = func.coalesce(District.settings["zone"].astext, _DEFAULT_ZONE)
    return cast(func.timezone(zone, at), Date)


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
