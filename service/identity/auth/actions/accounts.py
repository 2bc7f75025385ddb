"""Accounts that sign in by password, as an installation sets them up."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.identity.auth.actions.credentials import Found, act_as, find, subject_of
from service.identity.auth.actions.sign_in import keep_password
from service.identity.auth.models import Account, Credential
from service.identity.auth.providers import password as passwords
from service.identity.auth.rules import CredentialKind, valid_username
from service.identity.people.rules import AccountKind
from service.kernel import audit
from service.kernel.actor import system
from service.kernel.db import Scope, insert_rows, set_scope
from service.kernel.errors import Conflict, FieldError, Invalid
from service.kernel.ids import new_id


def ensure_account(
    session: Session,
    *,
    kind: AccountKind,
    district: str,
    username: str,
    display_name: str,
    password: str,
    at: datetime,
    person_id: UUID | None = None,
    renamed: bool = False,
) -> UUID:
    """Make this account, or make it be so: name and password; returns its id.

    `renamed`: another name than before is the same person's. Without it the name is refused: who
    follows somebody in an office has an account of their own, and is not shown as having done what
    the other did.

    The transaction runs in the scope of the district, and of nobody, before and after. Raises
    `Invalid` for a username or password of another form, and `Conflict`: `username_taken` where
    an account of another kind has that name, `account_of_another` where it is somebody else's.
    """
    _check(username, password)
    subject = subject_of(CredentialKind.PASSWORD, username)
    known = find(session, CredentialKind.PASSWORD, subject)
    if known is not None and known.kind is not kind:
        raise Conflict("username_taken")
    found = known or Found(new_id(), kind, person_id)
    act_as(session, found, district)
    if known is None:
        names = {"username": username, "display_name": display_name, "person_id": person_id}
        _make(session, found, names, subject, password, at)
    else:
        before = session.scalar(select(Account.display_name).where(Account.id == found.account_id))
        if before != display_name and not renamed:
            raise Conflict("account_of_another")
        changed = update(Account).where(Account.id == found.account_id)
        session.execute(changed.values(display_name=display_name, person_id=person_id))
        if not passwords.password_matches(found.secret, password):
            keep_password(session, found.account_id, password)
    set_scope(session, Scope.system(district))
    audit.record(
        session, f"{kind}.ensured", actor=system(district), at=at, subject=found.account_id
    )
    return found.account_id


def _check(username: str, password: str) -> None:
    bounds = {"minimum": passwords.SHORTEST, "maximum": passwords.LONGEST}
    faults = []
    if not valid_username(username):
        faults.append(FieldError("username", "wrong_pattern"))
    if not passwords.SHORTEST <= len(password) <= passwords.LONGEST:
        faults.append(FieldError("password", "length_out_of_bounds", bounds))
    if faults:
        raise Invalid(errors=faults)


def _make(
    session: Session,
    found: Found,
    names: dict[str, Any],
    subject: bytes,
    password: str,
    at: datetime,
) -> None:
    account = {"id": found.account_id, "kind": found.kind, "created_at": at}
    insert_rows(session, Account, [account | names])
    credential = {
        "account_id": found.account_id,
        "kind": CredentialKind.PASSWORD,
        "subject": subject,
        "secret": passwords.hash_password(password),
        "created_at": at,
    }
    insert_rows(session, Credential, [credential])
