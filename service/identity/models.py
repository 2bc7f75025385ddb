"""Who there is: persons, accounts, sessions; and, in a district, departments, posts, consents.

Persons and accounts belong to no district: one talent signs in to several. Personal values are
sealed in place (`kernel.crypto`), and an id number is found through its blind index alone.
"""

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.identity.rules import (
    AccountKind,
    CredentialKind,
    DepartmentKind,
    IdType,
    Kinship,
    LegalBasis,
)
from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by, rooted
from service.kernel.ids import new_id
from service.kernel.permissions import Role

PERSONS: Final = "persons"


class Person(Base):
    """A human being: the owner of an account (`holder`), or a family member somebody named.

    The same human can be a holder and, in other rows, a member of several families; only a
    holder's row says that its id number is registered, once.
    """

    __tablename__ = PERSONS
    __table_args__ = (
        one_of("id_type", IdType),
        CheckConstraint(
            "(id_type IS NULL) = (id_number IS NULL)"
            " AND (id_number IS NULL) = (id_number_index IS NULL)",
            name="id_number_whole",
        ),
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
    id_number: Mapped[bytes | None]
    id_number_index: Mapped[bytes | None]
    name: Mapped[bytes | None]
    phone: Mapped[bytes | None]
    birth_date: Mapped[bytes | None]
    created_at: Mapped[datetime]


class FamilyLink(Base):
    """A person named another as spouse or child; the same member stands there once."""

    __tablename__ = "family_links"
    __table_args__ = (
        one_of("kinship", Kinship),
        one_of("id_type", IdType),
        UniqueConstraint("person_id", "id_type", "member_index"),
        Index("ix_family_links_member", "id_type", "member_index"),
        CheckConstraint("person_id <> member_id", name="two_people"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"), unique=True)
    kinship: Mapped[Kinship] = mapped_column(EnumText(Kinship))
    id_type: Mapped[IdType] = mapped_column(EnumText(IdType))
    member_index: Mapped[bytes]
    created_at: Mapped[datetime]


class Account(Base):
    """Somebody who can sign in. Staff and agents have a name at work, talents their person's."""

    __tablename__ = "accounts"
    __table_args__ = (
        one_of("kind", AccountKind),
        CheckConstraint(
            "CASE kind WHEN 'talent'"
            " THEN person_id IS NOT NULL AND username IS NULL AND display_name IS NULL"
            " WHEN 'agent'"
            " THEN person_id IS NULL AND username IS NOT NULL AND display_name IS NOT NULL"
            " ELSE username IS NOT NULL AND display_name IS NOT NULL END",
            name="fits_its_kind",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[AccountKind] = mapped_column(EnumText(AccountKind))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("persons.id"), index=True)
    username: Mapped[str | None] = mapped_column(unique=True)
    display_name: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Credential(Base):
    """A way to sign in: `subject` is the blind index of a username or of a WeChat openid.

    `secret` is the argon2id hash of a password; WeChat vouches for the openid itself.
    """

    __tablename__ = "credentials"
    __table_args__ = (
        one_of("kind", CredentialKind),
        UniqueConstraint("kind", "subject"),
        CheckConstraint("(kind = 'password') = (secret IS NOT NULL)", name="secret_of_password"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[CredentialKind] = mapped_column(EnumText(CredentialKind))
    subject: Mapped[bytes]
    secret: Mapped[str | None]
    created_at: Mapped[datetime]


class SignInSession(Base):
    """One sign-in to one district: the family of its refresh tokens, revoked as a whole."""

    __tablename__ = "sessions"
    __table_args__ = (CheckConstraint("expires_at > created_at", name="times_in_order"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    district_id: Mapped[str] = mapped_column(ForeignKey("districts.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class RefreshToken(Base):
    """One refresh token, known by its SHA-256 alone; used once, save for a retry."""

    __tablename__ = "refresh_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id"), index=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Department(DistrictScoped, Base):
    """Who processes: a part of the government, a company, or an authority outside."""

    __tablename__ = "departments"
    __table_args__ = (
        rooted(),
        UniqueConstraint("district_id", "code"),
        one_of("kind", DepartmentKind),
    )

    code: Mapped[str]
    name: Mapped[dict[str, str]]
    kind: Mapped[DepartmentKind] = mapped_column(EnumText(DepartmentKind))


class StaffPost(DistrictScoped, Base):
    """A role that an account has in a department, from a day to a day (inclusive) or open-ended.

    `account_id` has no foreign key: no table of the district family refers to a global one.
    """

    __tablename__ = "posts"
    __table_args__ = (
        owned_by("departments", "department", "code"),
        UniqueConstraint("district_id", "account_id", "department", "role", "valid_from"),
        one_of("role", Role),
        CheckConstraint("valid_to >= valid_from", name="days_in_order"),
    )

    account_id: Mapped[UUID]
    department: Mapped[str]
    role: Mapped[Role] = mapped_column(EnumText(Role))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Consent(DistrictScoped, Base):
    """A person's consent to one version of a text; in force until it is withdrawn."""

    __tablename__ = "consents"
    __table_args__ = (
        one_of("legal_basis", LegalBasis),
        CheckConstraint("version > 0", name="version"),
        Index(
            "uq_consents_in_force",
            "district_id",
            "person_id",
            "code",
            "version",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    person_id: Mapped[UUID]
    code: Mapped[str]
    version: Mapped[int]
    legal_basis: Mapped[LegalBasis] = mapped_column(EnumText(LegalBasis))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class DistrictPerson(DistrictScoped, Base):
    """A person has acted in a district, whose staff may therefore see them."""

    __tablename__ = "district_persons"
    __table_args__ = (UniqueConstraint("district_id", "person_id"),)

    person_id: Mapped[UUID]
    since: Mapped[datetime]
