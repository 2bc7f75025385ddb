"""The request that is being answered: its actor, its one transaction, what its headers demand."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast
from uuid import UUID

import orjson
from flask import current_app, g, has_request_context, request
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge

from service.kernel.actor import Actor, guest
from service.kernel.db import Database, begin, scope_of
from service.kernel.errors import (
    Malformed,
    PreconditionRequired,
    Problem,
    TooLarge,
    Unauthenticated,
    UnsupportedMediaType,
)
from service.kernel.etags import ETag, read_etag
from service.kernel.http import strict_json
from service.kernel.keys import Keys
from service.kernel.logs import logger
from service.kernel.messages import Language
from service.kernel.settings import Settings

_KEY: Final = re.compile(r"[\x21-\x2b\x2d-\x7e]{1,128}")
"""Visible ASCII but the comma, with which a server joins a header that is sent twice."""
_LOG: Final = logger("http")

Authenticate = Callable[[Session, str], Actor]
"""Who bears a token, by a session in which no transaction has begun."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """What the process has and every request uses; `authenticate` comes from identity."""

    settings: Settings
    database: Database
    keys: Keys
    authenticate: Authenticate


@dataclass(slots=True)
class Unit:
    """One request's unit of work.

    `opened`: the session with the connection on which it was asked who asks; `begun`: whether the
    transaction of the use case is under way there. `outside`: how to undo what was done outside for
    an effect that has not been committed.
    """

    actor: Actor
    opened: Session | None = None
    begun: bool = False
    seen: ETag | None = None
    key: str | None = None
    digest: bytes = b""
    outside: list[Callable[[], None]] = field(default_factory=list)

    def session(self) -> Session:
        """The transaction of the use case; it begins at the first call."""
        if self.opened is None:
            self.opened = runtime().database.sessions()
        if not self.begun:
            begin(self.opened, scope_of(self.actor))
            self.begun = True
        return self.opened

    def session_for(self, district: str) -> Session:
        """The transaction of a public route that names its district."""
        if district != self.actor.district:
            self.actor = replace(self.actor, district=district, zone=None, calendar=None)
        return self.session()

    def commit(self) -> None:
        """Make it durable; nothing to do where no transaction was needed.

        From here on nothing outside is undone: a COMMIT whose answer is lost may have happened.
        """
        if self.opened is not None and self.begun:
            self.outside.clear()
            runtime().database.commit(self.opened)

    def close(self) -> None:
        """Give the connection back; whatever was not committed is gone, outside too."""
        if self.opened is not None:
            self.opened.close()
            self.opened, self.begun = None, False
        while self.outside:
            try:
                self.outside.pop()()
            except Exception as error:  # noqa: BLE001 - the answer does not depend on it
                _LOG.error("undo_failed", exc_info=error)


def runtime() -> Runtime:
    """What this process runs with."""
    return cast("Runtime", current_app.extensions["talent"])


def unit() -> Unit:
    """The unit of work of the request that is being answered."""
    return cast("Unit", g.unit)


def session() -> Session:
    """The use case's transaction, scoped to the actor; begun at the first call."""
    return unit().session()


def session_for(district: str | None) -> Session:
    """A public route's transaction, scoped to the district asked for, else the default one."""
    return unit().session_for(district or runtime().settings.default_district)


def finish() -> None:
    """Commit now and give the connection back, for what has to be done outside after it."""
    unit().commit()
    unit().close()


def unless_committed(undo: Callable[[], None]) -> None:
    """Have `undo` called where this request commits nothing: it fails, or was answered before.

    After a COMMIT that failed it is not called, for it may have happened.
    """
    unit().outside.append(undo)


def actor() -> Actor:
    """Who asks; a guest where nobody is signed in."""
    return unit().actor


def if_match(kind: str, object_id: UUID) -> int:
    """The version of an object that the client believes to be changing, from 1 on.

    `NO_VERSION`, which no object has, where If-Match names another kind or another object. Only
    on routes that are declared versioned.
    """
    seen = unit().seen
    if seen is None:
        raise LookupError("the route is not declared versioned")
    return seen.version_of(kind, object_id)


def idempotency_key() -> tuple[str, bytes]:
    """The key of a keyed request and the SHA-256 of what it asks for."""
    current = unit()
    if current.key is None:
        raise LookupError("the route is not declared keyed")
    return current.key, current.digest


def language() -> Language:
    """Chinese, unless the client prefers English."""
    if not has_request_context():
        return "zh"
    best = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh-CN")
    return "en" if best == "en" else "zh"


def identify(*, needed: bool) -> Unit:
    """A unit of work for who asks, by the bearer token; raises `Unauthenticated` for one that does
    not hold.

    Where nobody is `needed` such a token counts for nothing: it may have expired, and the way to
    a new one is a public route.
    """
    nobody = guest(runtime().settings.default_district)
    header = request.headers.get("Authorization")
    if header is None:
        return Unit(nobody)
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Malformed("authorization_malformed")
    session = runtime().database.sessions()
    try:
        found = Unit(runtime().authenticate(session, token.strip()), session)
    except BaseException as error:
        session.close()
        if isinstance(error, Unauthenticated) and not needed:
            return Unit(nobody)
        raise
    if not needed:
        found.close()  # a public route may ask somebody outside before it needs a connection
    return found


def read_if_match() -> ETag:
    """The tag in If-Match: one, and of those that this service makes."""
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired
    seen = read_etag(header)
    if seen is None:
        raise Malformed("if_match_malformed")
    return seen


def read_key(*, required: bool) -> str | None:
    """The Idempotency-Key: 1 to 128 visible ASCII characters, none of them a comma."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        if required:
            raise Malformed("idempotency_key_missing")
        return None
    if not _KEY.fullmatch(key):
        raise Malformed("idempotency_key_malformed")
    return key


def read_json() -> Any:
    """The body as strict JSON, read once; raises what `strict_json.loads` raises, and 415."""
    if "json" not in g:
        if request.mimetype != "application/json":
            raise UnsupportedMediaType
        g.json = strict_json.loads(_body())
    return g.json


def has_no_body() -> bool:
    """Whether nothing was sent, of no media type."""
    return not request.content_type and not _body()


def _body() -> bytes:
    """The body, at most one byte more of it than is allowed.

    werkzeug refuses by Content-Length, but a body without one it cuts off at the limit: the byte
    too many is how `strict_json` sees that there was more.
    """
    request.max_content_length = strict_json.MAX_BYTES + 1
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge:
        raise TooLarge("body_too_large", maximum=strict_json.MAX_BYTES) from None
    except OSError:  # how servers say that chunks are malformed, or the client is gone
        raise Malformed from None


def request_digest() -> bytes:
    """SHA-256 over method, path and body; key order and white space of JSON do not count.

    A form that has been read counts by its fields and the hashes of its files. Another body that
    is no JSON counts as it is, and one too large to be read as none: whether it is wanted at all
    is for the route to say.
    """
    body = g.get("form", b"")
    if not body:
        with suppress(Problem):
            body = _body()
            body = orjson.dumps(read_json(), option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(
        b"\n".join((request.method.encode(), request.path.encode(), body))
    ).digest()
