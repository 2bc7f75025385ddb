"""Accounts, their credentials and their sign-ins. They belong to no district."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.identity.auth.rules import CredentialKind
from service.identity.people.rules import AccountKind
from service.kernel.db import Base, EnumText, one_of
from service.kernel.ids import new_id


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
    """One sign-in to one district: the family of its refresh tokens, revoked as a whole.

    `district_id` has no foreign key: `identity_session` shows no sign-in to a district that is not
    there, and no table of the global family refers to one that a distributed engine keeps apart.
    """

    __tablename__ = "sessions"
    __table_args__ = (CheckConstraint("expires_at > created_at", name="times_in_order"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    district_id: Mapped[str]
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
