"""Signing in, staying signed in, signing out.

Nobody is signed in when these begin, and row-level security shows a guest no account. Narrow
database functions find the one account a credential names; from then on the transaction runs as
that account. A refusal commits, so that what was tried stays in the audit log.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.identity.auth.actions.credentials import Found, act_as, find, subject_of
from service.identity.auth.models import Account, Credential, RefreshToken, SignInSession
from service.identity.auth.providers import password as passwords
from service.identity.auth.queries import signed_in
from service.identity.auth.rules import CredentialKind, RefreshVerdict, TokenState, judge_refresh
from service.identity.people.models import DistrictPerson, Person
from service.identity.people.queries import profile_for
from service.identity.people.rules import AccountKind
from service.kernel import audit
from service.kernel.actor import Actor, ActorKind, guest
from service.kernel.db import District, insert_rows
from service.kernel.errors import FieldError, Forbidden, Invalid, Refusal, Unauthenticated
from service.kernel.ids import new_id

_REFRESH: Final = text(
    "SELECT token_id, used_at, session_id, district_id, expires_at,"
    " account_id, account_kind, person_id, ended FROM identity_refresh(:digest)"
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is in, and the token that buys the next answer like this one."""

    actor: Actor
    refresh_token: str = field(repr=False)


def sign_in_by_password(
    session: Session,
    actor: Actor,
    *,
    username: str,
    password: str,
    lifetime: timedelta,
    at: datetime,
) -> SignedIn:
    """Let a member of staff or an agent in to the actor's district, for `lifetime` at most.

    Raises `Refusal("credentials_wrong")`, the same after the same time whether the username or
    the password is wrong, `Forbidden("account_disabled")` and `Forbidden("no_post_in_district")`
    only to who knows the password, `Invalid("district_unknown")`, and `Unavailable` while too many
    passwords are being checked. An agent comes in to every
    district; what there is to see for them there, their enterprise decides, request by request.
    """
    _check_district(session, actor.district)
    subject = subject_of(CredentialKind.PASSWORD, username.lower())
    found = find(session, CredentialKind.PASSWORD, subject)
    secret = found.secret if found else None
    with passwords.one_at_a_time():
        right = passwords.password_matches(secret, password)
        renewed = passwords.hash_password(password) if right and _is_outdated(secret) else None
    if not right or found is None:
        failed = {"method": CredentialKind.PASSWORD, "subject": subject.hex()}
        audit.record(session, "login.failed", actor=guest(actor.district), at=at, data=failed)
        raise Refusal("credentials_wrong")
    act_as(session, found, actor.district)
    if renewed is not None:
        _keep(session, found.account_id, renewed)
    return _let_in(session, found, actor.district, CredentialKind.PASSWORD, lifetime, at)


def sign_in_by_wechat(
    session: Session, actor: Actor, *, openid: str, lifetime: timedelta, at: datetime
) -> SignedIn:
    """Let a talent in to the actor's district; the first time makes account and person.

    `openid` is what WeChat vouched for. Raises `Forbidden("account_disabled")` and
    `Invalid("district_unknown")`.
    """
    _check_district(session, actor.district)
    subject = subject_of(CredentialKind.WECHAT, openid)
    found = find(session, CredentialKind.WECHAT, subject)
    if found is None:
        session.execute(select(func.pg_advisory_xact_lock(_lock_number(subject))))
        found = find(session, CredentialKind.WECHAT, subject)
    found = found or _make_talent(session, actor.district, subject, at)
    act_as(session, found, actor.district)
    arrival = {"district_id": actor.district, "person_id": found.person_id, "since": at}
    session.execute(insert(DistrictPerson).values(arrival).on_conflict_do_nothing())
    return _let_in(session, found, actor.district, CredentialKind.WECHAT, lifetime, at)


def refresh_session(session: Session, *, token: str, grace: timedelta, at: datetime) -> SignedIn:
    """Change a refresh token for the next one.

    Whoever comes second with the same token waits for the first, then gets a sibling within
    `grace`; later the whole sign-in is revoked. Raises `Refusal("refresh_token_invalid")` for
    that, `Unauthenticated` with the same code for a token that is unknown or has ended, and
    `Forbidden("no_post_in_district")` for staff whose last post has ended.
    """
    row = session.execute(_REFRESH, {"digest": _digest(token)}).one_or_none()
    if row is None:
        raise Unauthenticated("refresh_token_invalid")
    verdict = judge_refresh(TokenState(row.used_at, row.expires_at, row.ended), at, grace)
    if verdict is RefreshVerdict.ENDED:
        raise Unauthenticated("refresh_token_invalid")
    found = Found(row.account_id, AccountKind(row.account_kind), row.person_id)
    act_as(session, found, row.district_id)
    if verdict is RefreshVerdict.REUSE:
        _revoke_reused(session, row, at)
        raise Refusal("refresh_token_invalid")
    if verdict is RefreshVerdict.FRESH:
        session.execute(
            update(RefreshToken).where(RefreshToken.id == row.token_id).values(used_at=at)
        )
    return _go_on(session, found, row.district_id, row.session_id, at)


def sign_out(session: Session, actor: Actor, *, at: datetime) -> None:
    """End the sign-in of who asks: its tokens are refused from the next request on."""
    if actor.session_id is None:
        raise LookupError("nobody is signed in")
    _revoke(session, actor.session_id, at)
    audit.record(session, "logout", actor=actor, at=at, subject=actor.session_id)


def keep_password(session: Session, account_id: UUID, password: str) -> None:
    """Replace the password's hash of the account that the transaction runs as."""
    _keep(session, account_id, passwords.hash_password(password))


def _keep(session: Session, account_id: UUID, secret: str) -> None:
    session.execute(
        update(Credential)
        .where(Credential.account_id == account_id, Credential.kind == CredentialKind.PASSWORD)
        .values(secret=secret)
    )


def _is_outdated(secret: str | None) -> bool:
    return secret is not None and passwords.outdated(secret)


def _check_district(session: Session, district: str) -> None:
    if session.scalar(select(District.id).where(District.id == district)) is None:
        fault = FieldError("district", "district_unknown")
        raise Invalid("district_unknown", errors=[fault])


def _make_talent(session: Session, district: str, subject: bytes, at: datetime) -> Found:
    found = Found(new_id(), AccountKind.TALENT, new_id())
    act_as(session, found, district)
    insert_rows(session, Person, [{"id": found.person_id, "holder": True, "created_at": at}])
    account = {"id": found.account_id, "kind": found.kind, "person_id": found.person_id}
    insert_rows(session, Account, [account | {"created_at": at}])
    credential = {"account_id": found.account_id, "kind": CredentialKind.WECHAT}
    insert_rows(session, Credential, [credential | {"subject": subject, "created_at": at}])
    return found


def _let_in(
    session: Session,
    found: Found,
    district: str,
    method: CredentialKind,
    lifetime: timedelta,
    at: datetime,
) -> SignedIn:
    """Open a sign-in of the account that the transaction runs as."""
    if found.disabled:
        raise Forbidden("account_disabled")
    family = {
        "id": new_id(),
        "account_id": found.account_id,
        "district_id": district,
        "created_at": at,
        "expires_at": at + lifetime,
    }
    insert_rows(session, SignInSession, [family])
    entered = _go_on(session, found, district, family["id"], at)
    audit.record(
        session,
        "login",
        actor=entered.actor,
        at=at,
        subject=entered.actor.session_id,
        data={"method": method},
    )
    return entered


def _go_on(
    session: Session, found: Found, district: str, session_id: Any, at: datetime
) -> SignedIn:
    """The next refresh token of a sign-in, for who it belongs to as of now."""
    actor = signed_in(
        session, session_id=session_id, account_id=found.account_id, district=district, at=at
    )
    if actor is None:
        raise Unauthenticated("refresh_token_invalid")
    if actor.kind is ActorKind.STAFF and not actor.posts:
        raise Forbidden("no_post_in_district")
    if actor.kind is ActorKind.TALENT:
        actor = replace(actor, display_name=profile_for(session, actor).name or "")
    token = secrets.token_urlsafe(32)
    row = {"session_id": session_id, "digest": _digest(token), "created_at": at}
    insert_rows(session, RefreshToken, [row])
    return SignedIn(actor, token)


def _revoke_reused(session: Session, row: Any, at: datetime) -> None:
    _revoke(session, row.session_id, at)
    who = replace(guest(row.district_id), account_id=row.account_id)
    audit.record(session, "refresh.reused", actor=who, at=at, subject=row.session_id)


def _revoke(session: Session, session_id: UUID, at: datetime) -> None:
    session.execute(
        update(SignInSession)
        .where(SignInSession.id == session_id, SignInSession.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def _digest(token: str) -> bytes:
    """SHA-256 is enough for 256 random bits: there is nothing to guess."""
    return hashlib.sha256(token.encode()).digest()


def _lock_number(subject: bytes) -> int:
    return int.from_bytes(subject[:8], "big", signed=True)
