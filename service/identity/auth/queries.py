"""Who is asking."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from sqlalchemy import (
    Connection,
    text,
)
from sqlalchemy.orm import Session

from service.identity.auth import tokens
from service.identity.people.rules import AccountKind
from service.kernel import clock, permissions
from service.kernel.actor import Actor, ActorKind, Post
from service.kernel.db import Database
from service.kernel.errors import Unauthenticated
from service.kernel.keys import Keys
from service.kernel.permissions import Role

_SESSION: Final = text(
    "SELECT kind, display_name, person_id, zone, posts, family, own_cases"
    " FROM identity_session(:session, :account, :district, :at)"
)


def authenticator(database: Database, keys: Keys) -> Callable[[str], Actor]:
    """What turns the text of an access token into who is asking.

    One statement, outside any transaction and any scope: a database function that returns nothing
    but what this needs. What it returns is true now: a sign-out, a disabled account, a post that
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
    actor = partial(
        Actor, district=district, account_id=account_id, session_id=session_id, zone=row.zone
    )
    if row.kind == AccountKind.TALENT:
        return actor(
            kind=ActorKind.TALENT,
            person_id=row.person_id,
            family=frozenset(row.family),
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
        own_cases=frozenset(row.own_cases),
        permissions=permissions.granted(role for post in posts for role in post.roles),
    )
