"""What talents say of themselves: name, id number, phone, family."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import errors as postgres
from sqlalchemy import Row, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from service.identity.people.models import FamilyLink, Person
from service.identity.people.queries import FamilyMember, own_person
from service.identity.people.rules import (
    IdType,
    Kinship,
    birth_date_of,
    indexed_id,
    latest_birth_date,
    normal_id_number,
    normal_name,
    normal_phone,
    valid_id_number,
)
from service.kernel import audit, crypto
from service.kernel.actor import Actor
from service.kernel.db import insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid
from service.kernel.ids import new_id
from service.kernel.sealed import Sealable, seal

Registered = Row[IdType | None, bytes | None]
"""The kind and the blind index of the id document on a person's row."""


_INDEX_PURPOSE: Final = "id_number"


def update_me(
    session: Session,
    actor: Actor,
    *,
    name: str | None = None,
    id_type: IdType | None = None,
    id_number: str | None = None,
    phone: str | None = None,
    at: datetime,
) -> None:
    """Change what is given of the talent's name, phone and, once, id document.

    Raises `Invalid` that names each wrong field, `Conflict("id_number_fixed")` where another
    number is registered already, `Conflict("id_number_taken")` where another account has it.
    """
    person_id = own_person(actor)
    if faults := list(_faults(name, id_type, id_number, phone, at)):
        raise Invalid(errors=faults)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = _sealed(session, Person.name, person_id, normal_name(name))
    if phone is not None:
        values["phone"] = _sealed(session, Person.phone, person_id, normal_phone(phone))
    registers = False
    if id_type is not None and id_number is not None:
        document = _document(session, person_id, id_type, normal_id_number(id_number))
        registers = _is_new(_registered(session, person_id), document)
        values |= document if registers else {}
    if values:
        _write(session, person_id, values)
    if registers:
        audit.record(
            session,
            "id_number.registered",
            actor=actor,
            at=at,
            subject=person_id,
            data={"id_type": id_type},
        )


def add_family_member(
    session: Session,
    actor: Actor,
    *,
    name: str,
    kinship: Kinship,
    id_type: IdType,
    id_number: str,
    at: datetime,
) -> FamilyMember:
    """Name a spouse or child of the talent.

    Raises `Invalid` that names each wrong field (also where the number is the talent's own) and
    `Conflict("family_member_known")`.
    """
    person_id, member_id = own_person(actor), new_id()
    if faults := list(_faults(name, id_type, id_number, None, at)):
        raise Invalid(errors=faults)
    given, number = normal_name(name) or "", normal_id_number(id_number)
    document = _document(session, member_id, id_type, number)
    if _same_document(_registered(session, person_id), document):
        raise Invalid(errors=[FieldError("id_number", "family_member_is_self")])
    member = {"id": member_id, "holder": False, "created_at": at}
    sealed_name = {"name": _sealed(session, Person.name, member_id, given)}
    insert_rows(session, Person, [member | sealed_name | document])
    link = {
        "person_id": person_id,
        "member_id": member_id,
        "kinship": kinship,
        "id_type": id_type,
        "member_index": document["id_number_index"],
        "created_at": at,
    }
    _add_link(session, link)
    return FamilyMember(member_id, given, kinship, id_type, number, birth_date_of(id_type, number))


def _faults(
    name: str | None, id_type: IdType | None, id_number: str | None, phone: str | None, at: datetime
) -> Iterator[FieldError]:
    """What is wrong with what was given; None is not given."""
    if name is not None and normal_name(name) is None:
        yield FieldError("name", "name_wrong")
    if phone is not None and normal_phone(phone) is None:
        yield FieldError("phone", "phone_wrong")
    if id_type is None and id_number is None:
        return
    if id_type is None or id_number is None:
        yield FieldError("id_type" if id_type is None else "id_number", "id_number_incomplete")
    elif not valid_id_number(id_type, normal_id_number(id_number), latest=latest_birth_date(at)):
        yield FieldError("id_number", "id_number_wrong")


def _document(session: Session, row: UUID, id_type: IdType, number: str) -> dict[str, Any]:
    """The columns of a person that a valid document fills."""
    born = birth_date_of(id_type, number)
    return {
        "id_type": id_type,
        "id_number": _sealed(session, Person.id_number, row, number),
        "id_number_index": crypto.blind(indexed_id(id_type, number), purpose=_INDEX_PURPOSE),
        "birth_date": _sealed(session, Person.birth_date, row, born.isoformat() if born else None),
    }


def _registered(session: Session, person_id: UUID) -> Registered:
    """The document on the talent's row, which stays locked: two registrations do not cross."""
    return session.execute(
        select(Person.id_type, Person.id_number_index)
        .where(Person.id == person_id)
        .with_for_update(key_share=True)
    ).one()


def _is_new(registered: Registered, document: dict[str, Any]) -> bool:
    """Whether the document is the first; raises `Conflict` where there is another."""
    if registered.id_type is None:
        return True
    if _same_document(registered, document):
        return False
    raise Conflict("id_number_fixed")


def _same_document(registered: Registered, document: dict[str, Any]) -> bool:
    return (registered.id_type, registered.id_number_index) == (
        document["id_type"],
        document["id_number_index"],
    )


def _write(session: Session, person_id: UUID, values: dict[str, Any]) -> None:
    try:
        with session.begin_nested():
            session.execute(update(Person).where(Person.id == person_id).values(**values))
    except IntegrityError as error:
        if isinstance(error.orig, postgres.UniqueViolation):
            raise Conflict("id_number_taken") from None
        raise


def _add_link(session: Session, link: dict[str, Any]) -> None:
    added = session.scalar(
        insert(FamilyLink)
        .values(link)
        .on_conflict_do_nothing(index_elements=["person_id", "id_type", "member_index"])
        .returning(FamilyLink.id)
    )
    if added is None:
        raise Conflict("family_member_known")


def _sealed(session: Session, column: Sealable, row: UUID, value: str | None) -> bytes | None:
    return None if value is None else seal(session, column, value, row=row, of=row)
