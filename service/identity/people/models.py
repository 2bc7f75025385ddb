"""Persons and their families, sealed in place; which persons have acted in a district.

Persons belong to no district: a talent signs in to several. An id number is found through its
blind index alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.identity.people.rules import IdType, Kinship
from service.kernel.db import Base, DistrictScoped, EnumText, one_of
from service.kernel.ids import new_id
from service.kernel.sealed import Owner, sealed_column

PERSONS: Final = "persons"


class Person(Base):
    """A human being: the owner of an account (`holder`), or a family member somebody named.

    The same human can be a holder and, in other rows, a member of several families; only a
    holder's row says that its id number is registered, once. `id_country` is the state that issued
    a passport; one that was registered before it was asked has none.
    """

    __tablename__ = PERSONS
    __table_args__ = (
        one_of("id_type", IdType),
        CheckConstraint(
            "(id_type IS NULL) = (id_number IS NULL)"
            " AND (id_number IS NULL) = (id_number_index IS NULL)",
            name="id_number_whole",
        ),
        CheckConstraint("id_country IS NULL OR id_type = 'passport'", name="country_of_passport"),
        Index(
            "uq_persons_holder_id_number",
            "id_type",
            "id_number_index",
            unique=True,
            postgresql_where=text("holder"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    holder: Mapped[bool]
    id_type: Mapped[IdType | None] = mapped_column(EnumText(IdType))
    id_number: Mapped[bytes | None] = sealed_column(of=Owner("id"))
    id_number_index: Mapped[bytes | None]
    id_country: Mapped[bytes | None] = sealed_column(of=Owner("id"))
    name: Mapped[bytes | None] = sealed_column(of=Owner("id"))
    phone: Mapped[bytes | None] = sealed_column(of=Owner("id"))
    birth_date: Mapped[bytes | None] = sealed_column(of=Owner("id"))
    created_at: Mapped[datetime]


class FamilyLink(Base):
    """A person named another as spouse or child.

    A link that has ended stays, for what was filed about the member rests on it. Of those that have
    not, the same member stands there once, and one is a spouse.
    """

    __tablename__ = "family_links"
    __table_args__ = (
        one_of("kinship", Kinship),
        one_of("id_type", IdType),
        Index(
            "uq_family_links_current",
            "person_id",
            "id_type",
            "member_index",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index(
            "uq_family_links_spouse",
            "person_id",
            unique=True,
            postgresql_where=text("kinship = 'spouse' AND ended_at IS NULL"),
        ),
        Index("ix_family_links_person", "person_id", "id"),
        Index("ix_family_links_member", "id_type", "member_index"),
        CheckConstraint("person_id <> member_id", name="two_people"),
        CheckConstraint("ended_at >= created_at", name="ended_after_created"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"), unique=True)
    kinship: Mapped[Kinship] = mapped_column(EnumText(Kinship))
    id_type: Mapped[IdType] = mapped_column(EnumText(IdType))
    member_index: Mapped[bytes]
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class DistrictPerson(DistrictScoped, Base):
    """A person has acted in a district, whose staff may therefore see them."""

    __tablename__ = "district_persons"
    __table_args__ = (UniqueConstraint("district_id", "person_id"),)

    person_id: Mapped[UUID]
    since: Mapped[datetime]
