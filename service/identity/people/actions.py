"""What talents say of themselves: name, id document, phone, family."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import errors as postgres
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.identity.people.models import FamilyLink, Person
from service.identity.people.queries import (
    FamilyMember,
    Registered,
    family_for,
    own_person,
    registered_of,
)
from service.identity.people.rules import (
    NOTHING_GIVEN,
    GivenDocument,
    IdDocument,
    Kinship,
    birth_date_of,
    document_faults,
    document_of,
    normal_id_number,
    normal_name,
    normal_phone,
    of_possible_age,
)
from service.kernel import audit, crypto
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid, NotFound
from service.kernel.ids import new_id
from service.kernel.sealed import Sealable, seal

MOST_MEMBERS: Final = 20
"""How many members a family has at most."""


MOST_LINKS: Final = 60
"""How many members somebody names at most, with those whose link has ended."""


_INDEX_PURPOSE: Final = "id_number"


def update_me(
    session: Session,
    actor: Actor,
    *,
    name: str | None = None,
    phone: str | None = None,
    document: GivenDocument = NOTHING_GIVEN,
    at: datetime,
) -> None:
    """Change what is given of the talent's name, phone and, once, id document.

    A passport that was registered before its state was asked may be given again, with the state. A
    change of the name and the registration are in the audit log. Raises `Invalid` that names each
    wrong field, also where the number is that of a member of their family or makes them younger
    than a child of theirs; `Conflict("id_number_fixed")` where another document is registered
    already, `Conflict("id_number_taken")` where another account has it.
    """
    person_id, today = own_person(actor), actor.local_date(at)
    nothing = document == NOTHING_GIVEN
    _require_right(name, phone, *([] if nothing else document_faults(document, today=today)))
    own, given = registered_of(session, person_id), name and normal_name(name)
    registered = None if nothing else _registered_anew(own, document_of(document, today=today))
    values: dict[str, Any] = {}
    if given is not None:
        values["name"] = _sealed(session, Person.name, person_id, given)
    if phone is not None:
        values["phone"] = _sealed(session, Person.phone, person_id, normal_phone(phone))
    if registered is not None:
        _require_apart(family_for(session, actor).values(), registered)
        values |= _columns(session, person_id, registered)
    if values:
        _write(session, person_id, values)
    if registered is not None:
        about = {"id_type": registered.id_type}
        _record(session, actor, "id_number.registered", person_id, at, about)
    if own.profile.name not in {None, given or own.profile.name}:
        _record(session, actor, "name.changed", person_id, at)


def add_family_member(
    session: Session,
    actor: Actor,
    *,
    name: str,
    kinship: Kinship,
    document: GivenDocument,
    at: datetime,
) -> FamilyMember:
    """Name a spouse or child of the talent.

    Raises `Invalid` that names each wrong field (also where the number is the talent's own, or a
    child is no younger than the talent), and `Conflict`: `family_member_known`, `spouse_known`, or
    `family_full` with the number of members there may be.
    """
    today = actor.local_date(at)
    _require_right(name, None, *document_faults(document, today=today))
    checked = document_of(document, today=today)
    own, member_id = registered_of(session, own_person(actor)), new_id()
    _require_room(session, own)
    member = _member(member_id, normal_name(name) or "", kinship, checked)
    _require_fit(own, family_for(session, actor), member, checked)
    columns = _columns(session, member_id, checked)
    sealed_name = {"name": _sealed(session, Person.name, member_id, member.name)}
    row = {"id": member_id, "holder": False, "created_at": at}
    insert_rows(session, Person, [row | sealed_name | columns])
    link = {
        "person_id": own.profile.person_id,
        "member_id": member_id,
        "kinship": kinship,
        "id_type": checked.id_type,
        "member_index": columns["id_number_index"],
        "created_at": at,
    }
    insert_rows(session, FamilyLink, [link])
    return member


def correct_family_member(
    session: Session,
    actor: Actor,
    member_id: UUID,
    *,
    filed_about: bool,
    name: str | None = None,
    kinship: Kinship | None = None,
    document: GivenDocument = NOTHING_GIVEN,
    at: datetime,
) -> FamilyMember:
    """Correct what was said of a member of the family; what is not given stays.

    The caller has made sure that no open item is about them. Once an item was, `filed_about`,
    kinship and document stay, for what was established of them is known by the member: who turns
    out to be somebody else is named anew. Raises `NotFound`, `Conflict("family_member_fixed")`, and
    what `add_family_member` raises. It is in the audit log.
    """
    own, family = registered_of(session, own_person(actor)), family_for(session, actor)
    before = family.pop(member_id, None)
    if before is None:
        raise NotFound
    merged, today = _merged(before, document), actor.local_date(at)
    _require_right(name, None, *document_faults(merged, today=today))
    checked = document_of(merged, today=today)
    given = before.name if name is None else normal_name(name) or ""
    member = _member(member_id, given, kinship or before.kinship, checked)
    if filed_about and _is_another(before, member):
        raise Conflict("family_member_fixed")
    _require_fit(own, family, member, checked)
    columns = _columns(session, member_id, checked)
    columns["name"] = _sealed(session, Person.name, member_id, member.name)
    session.execute(update(Person).where(Person.id == member_id).values(**columns))
    session.execute(
        update(FamilyLink)
        .where(FamilyLink.member_id == member_id)
        .values(
            kinship=member.kinship,
            id_type=member.id_type,
            member_index=columns["id_number_index"],
        )
    )
    _record(session, actor, "family_member.corrected", member_id, at)
    return member


def end_family_link(session: Session, actor: Actor, member_id: UUID, *, at: datetime) -> None:
    """Let somebody no longer count as family, from now on; what was filed about them stays.

    The caller has made sure that no open item is about them. Raises `NotFound` for who is no member
    or no longer. It is in the audit log.
    """
    ended = session.scalar(
        update(FamilyLink)
        .where(
            FamilyLink.person_id == own_person(actor),
            FamilyLink.member_id == member_id,
            FamilyLink.ended_at.is_(None),
        )
        .values(ended_at=func.greatest(at, FamilyLink.created_at))
        .returning(FamilyLink.id)
    )
    if ended is None:
        raise NotFound
    _record(session, actor, "family_link.ended", member_id, at)


def _require_right(name: str | None, phone: str | None, *of_document: FieldError) -> None:
    """Raise `Invalid` with all that is wrong."""
    if faults := [*_faults(name, phone), *of_document]:
        raise Invalid(errors=faults)


def _faults(name: str | None, phone: str | None) -> Iterator[FieldError]:
    """What is wrong with what was given; None is not given."""
    if name is not None and normal_name(name) is None:
        yield FieldError("name", "name_wrong")
    if phone is not None and normal_phone(phone) is None:
        yield FieldError("phone", "phone_wrong")


def _registered_anew(own: Registered, document: IdDocument) -> IdDocument | None:
    """The document where it is to be written, None where it stands; raises `Conflict` for others.

    A passport that was registered before its state was asked is indexed without it.
    """
    known = own.profile
    if known.id_type is None:
        return document
    if own.index == _index(document.indexed) and known.birth_date == document.born:
        return None
    without_state = replace(document, country=None)
    if known.id_country is None and own.index == _index(without_state.indexed):
        return document
    raise Conflict("id_number_fixed")


def _require_apart(family: Iterable[FamilyMember], document: IdDocument) -> None:
    """Raise `Invalid` where one's own document is that of a member, or no parent's of a child."""
    for member in family:
        if _is_of(document, member):
            raise Invalid(errors=[FieldError("id_number", "id_number_of_family_member")])
        if not of_possible_age(member.kinship, member.birth_date, document.born):
            raise Invalid(errors=[FieldError(_told_by(document), "child_not_younger")])


def _require_room(session: Session, own: Registered) -> None:
    named, ended = session.execute(
        select(func.count(), func.count(FamilyLink.ended_at)).where(
            FamilyLink.person_id == own.profile.person_id
        )
    ).one()
    if named - ended >= MOST_MEMBERS or named >= MOST_LINKS:
        raise Conflict("family_full", most=MOST_MEMBERS)


def _require_fit(
    own: Registered,
    others: Mapping[UUID, FamilyMember],
    member: FamilyMember,
    document: IdDocument,
) -> None:
    """Raise where a member cannot be one, as things stand with the talent and the others."""
    if _is_of(document, own.profile):
        raise Invalid(errors=[FieldError("id_number", "family_member_is_self")])
    if not of_possible_age(member.kinship, member.birth_date, own.profile.birth_date):
        raise Invalid(errors=[FieldError(_told_by(document), "child_not_younger")])
    if any(_is_of(document, other) for other in others.values()):
        raise Conflict("family_member_known")
    spouses = [one for one in others.values() if one.kinship is Kinship.SPOUSE]
    if member.kinship is Kinship.SPOUSE and spouses:
        raise Conflict("spouse_known")


def _is_of(document: IdDocument, known: Any) -> bool:
    """Whether a document is that of somebody known; a passport's state may not be known of them."""
    same_state = document.country == known.id_country or known.id_country is None
    return (document.id_type, document.number) == (known.id_type, known.id_number) and same_state


def _told_by(document: IdDocument) -> str:
    """The field that says when the document's owner was born."""
    shown = birth_date_of(document.id_type, document.number)
    return "birth_date" if shown is None else "id_number"


def _merged(before: FamilyMember, given: GivenDocument) -> GivenDocument:
    """What was given of a document, and what stands of the rest.

    Another type has nothing in common with what stands; a birth date stands where it was asked.
    """
    if given.id_type not in {None, before.id_type}:
        return given
    number = before.id_number if given.id_number is None else given.id_number
    shown = birth_date_of(before.id_type, normal_id_number(number))
    return GivenDocument(
        id_type=before.id_type,
        id_number=number,
        id_country=given.id_country or before.id_country,
        birth_date=given.birth_date or (before.birth_date if shown is None else None),
    )


def _is_another(before: FamilyMember, after: FamilyMember) -> bool:
    """Whether a correction makes somebody else of a member, or something else to the talent.

    The state of a passport may be added where it was never asked, and so may a birth date.
    """
    same_state = before.id_country in {None, after.id_country}
    same_birth = before.birth_date in {None, after.birth_date}
    whole = (before.kinship, before.id_type, before.id_number)
    return whole != (after.kinship, after.id_type, after.id_number) or not (
        same_state and same_birth
    )


def _member(person: UUID, name: str, kinship: Kinship, document: IdDocument) -> FamilyMember:
    return FamilyMember(
        id=person,
        name=name,
        kinship=kinship,
        id_type=document.id_type,
        id_number=document.number,
        id_country=document.country,
        birth_date=document.born,
    )


def _columns(session: Session, row: UUID, document: IdDocument) -> dict[str, Any]:
    """The columns of a person that a document fills."""
    return {
        "id_type": document.id_type,
        "id_number": _sealed(session, Person.id_number, row, document.number),
        "id_number_index": _index(document.indexed),
        "id_country": _sealed(session, Person.id_country, row, document.country),
        "birth_date": _sealed(session, Person.birth_date, row, document.born.isoformat()),
    }


def _index(indexed: str) -> bytes:
    return crypto.blind(indexed, purpose=_INDEX_PURPOSE)


def _write(session: Session, person_id: UUID, values: dict[str, Any]) -> None:
    try:
        with session.begin_nested():
            session.execute(update(Person).where(Person.id == person_id).values(**values))
    except IntegrityError as error:
        if isinstance(error.orig, postgres.UniqueViolation):
            raise Conflict("id_number_taken") from None
        raise


def _sealed(session: Session, column: Sealable, row: UUID, value: str | None) -> bytes | None:
    return None if value is None else seal(session, column, value, row=row, of=row)


def _record(
    session: Session,
    actor: Actor,
    action: str,
    subject: UUID,
    at: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    audit.record(session, action, actor=actor, at=at, subject=subject, data=data)
