"""Who is asking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import DateTime, Text, Uuid, bindparam, func, select
from sqlalchemy.orm import Session

from service.identity.auth import tokens
from service.identity.people.rules import AccountKind
from service.kernel import clock, permissions
from service.kernel.actor import Actor, ActorKind, Post
from service.kernel.db import prepared
from service.kernel.errors import Unauthenticated
from service.kernel.keys import Keys
from service.kernel.permissions import Role


class _SignedIn(NamedTuple):
    """What the database function says of a sign-in."""

    kind: str
    display_name: str
    person_id: UUID | None
    zone: str
    calendar: UUID | None
    posts: dict[str, list[str]]
    family: list[UUID] | None
    own_cases: list[UUID] | None


_SESSION: Final = prepared(
    select(
        *func.identity_session(
            bindparam("session", type_=Uuid()),
            bindparam("account", type_=Uuid()),
            bindparam("district", type_=Text()),
            bindparam("at", type_=DateTime(timezone=True)),
        )
        .table_valued(*_SignedIn._fields)
        .c
    ),
    _SignedIn,
)


def authenticator(keys: Keys) -> Callable[[Session, str], Actor]:
    """What turns the text of an access token into who is asking.

    One statement, outside any transaction and any scope: a database function that returns nothing
    but what this needs. What it returns is true now: a sign-out, a disabled account, a post that
    began or ended today act on the next request. Raises `Unauthenticated("token_invalid")`.
    """
    verified = tokens.Verified(keys)

    def authenticate(session: Session, token: str) -> Actor:
        claims = verified.claims(token)
        actor = signed_in(
            session,
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
    session: Session,
    *,
    session_id: UUID,
    account_id: UUID,
    district: str,
    at: datetime,
) -> Actor | None:
    """Who a sign-in stands for at that moment, by the district's date; None where it has ended.

    One statement. A talent's name is sealed with the person and not looked up for it.
    """
    row = _SESSION.one_or_none(
        session, session=session_id, account=account_id, district=district, at=at
    )
    if row is None:
        return None
    actor = partial(
        Actor,
        district=district,
        account_id=account_id,
        session_id=session_id,
        zone=row.zone,
        calendar=row.calendar,
    )
    if row.kind == AccountKind.TALENT:
        return actor(
            kind=ActorKind.TALENT,
            person_id=row.person_id,
            family=frozenset(row.family or ()),
            permissions=permissions.TALENT,
        )
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
        own_cases=frozenset(row.own_cases or ()),
        permissions=permissions.granted(role for post in posts for role in post.roles),
    )
