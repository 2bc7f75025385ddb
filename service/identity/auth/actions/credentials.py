"""Finding the account behind a credential before anybody is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.identity.auth.rules import CredentialKind
from service.identity.people.rules import AccountKind
from service.kernel import crypto
from service.kernel.db import Scope, ScopeKind, set_scope

_LOGIN: Final = text(
    "SELECT account_id, account_kind, person_id, secret, disabled"
    " FROM identity_login(:kind, :subject)"
)
_KINDS: Final = {
    AccountKind.TALENT: ScopeKind.PERSON,
    AccountKind.AGENT: ScopeKind.AGENT,
    AccountKind.STAFF: ScopeKind.STAFF,
}


@dataclass(frozen=True, slots=True)
class Found:
    """An account and what is needed to let it in."""

    account_id: UUID
    kind: AccountKind
    person_id: UUID | None
    secret: str | None = None
    disabled: bool = False


def subject_of(kind: CredentialKind, name: str) -> bytes:
    """The blind index under which a username (in lower case) or an openid is kept."""
    return crypto.blind(name, purpose=f"credential.{kind}")


def find(session: Session, kind: CredentialKind, subject: bytes) -> Found | None:
    """The account of a credential: one statement, past row-level security, by blind index."""
    row = session.execute(_LOGIN, {"kind": kind.value, "subject": subject}).one_or_none()
    if row is None:
        return None
    kind_found = AccountKind(row.account_kind)
    return Found(row.account_id, kind_found, row.person_id, row.secret, row.disabled)


def act_as(session: Session, found: Found, district: str) -> None:
    """Go on as this account. Staff never act as the person they also are."""
    person = found.person_id if found.kind is AccountKind.TALENT else None
    set_scope(session, Scope(_KINDS[found.kind], district, person, found.account_id))
