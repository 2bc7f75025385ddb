"""Access tokens: signed, short-lived, and trusted for who is asking, never for what they may do.

A JWT of type `at+jwt` (RFC 9068) signed with Ed25519. It names account, session and district;
posts and permissions are looked up for every request. This is the only place that knows JWTs.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final
from uuid import UUID

import jwt
from cachetools import LRUCache
from jwt.algorithms import OKPAlgorithm

from service.kernel import clock
from service.kernel.actor import Actor
from service.kernel.errors import Unauthenticated
from service.kernel.ids import new_id
from service.kernel.keys import Keys

ISSUER: Final = "talent-service"


AUDIENCE: Final = "talent"


_ALGORITHM: Final = "EdDSA"


_TYPE: Final = "at+jwt"


_REQUIRED: Final = ("exp", "iat", "nbf", "jti", "sub", "aud", "iss")


_LEEWAY_SECONDS: Final = 5


_LONGEST: Final = 4096


_KNOWN: Final = 4096
"""Tokens that a process remembers, some 500 bytes each."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: this account, by this sign-in, in this district."""

    account_id: UUID
    session_id: UUID
    district: str


def claims_of(actor: Actor) -> Claims:
    """The claims of who is signed in; raises `LookupError` for a guest."""
    if actor.session_id is None:
        raise LookupError("nobody is signed in")
    return Claims(actor.account, actor.session_id, actor.district)


def issue(keys: Keys, claims: Claims, *, at: datetime, lifetime: timedelta) -> str:
    """A token signed with the active key, good from `at` on for `lifetime`."""
    payload = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(claims.account_id),
        "sid": str(claims.session_id),
        "district": claims.district,
        "jti": str(new_id()),
        "iat": at,
        "nbf": at,
        "exp": at + lifetime,
    }
    kid = keys.active_token
    return jwt.encode(
        payload, keys.token[kid], algorithm=_ALGORITHM, headers={"typ": _TYPE, "kid": kid}
    )


class Verified:
    """Tokens with what they say; a signature that has been verified once is not verified again.

    That a token is signed and what it says never changes. Whether it has expired is asked each
    time, and what its bearer may do is never kept. Of a token only its SHA-256 is.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._lock = Lock()
        self._known: LRUCache[bytes, tuple[Claims, float]] = LRUCache(_KNOWN)

    def claims(self, token: str) -> Claims:
        """What a token says; raises `Unauthenticated` for every other text, whatever is wrong."""
        if len(token) > _LONGEST or not token.isascii():
            raise _refused()
        digest = hashlib.sha256(token.encode()).digest()
        with self._lock:
            claims, expires = self._known.get(digest, (None, 0.0))
        if claims is None or expires <= clock.now().timestamp():
            claims, expires = _verified(self._keys, token)
            with self._lock:
                self._known[digest] = claims, expires
        return claims


def _verified(keys: Keys, token: str) -> tuple[Claims, float]:
    """What a token says, and until when, in seconds since 1970; raises `Unauthenticated`."""
    try:
        return _read(keys, token)
    except (jwt.PyJWTError, LookupError, ValueError, TypeError, ArithmeticError, RecursionError):
        raise _refused() from None


def _read(keys: Keys, token: str) -> tuple[Claims, float]:
    """Raises one of many things: the token's text is anybody's."""
    header = jwt.get_unverified_header(token)
    kid = header.get("kid")
    if not isinstance(kid, str) or header.get("typ") != _TYPE:
        raise ValueError("another type of token")
    payload: dict[str, Any] = jwt.decode(
        token,
        keys.token[kid].public_key(),
        algorithms=[_ALGORITHM],
        audience=AUDIENCE,
        issuer=ISSUER,
        leeway=_LEEWAY_SECONDS,
        options={"require": list(_REQUIRED)},
    )
    district = payload["district"]
    if not isinstance(district, str) or not (district.isascii() and district.isprintable()):
        raise ValueError("district")
    claims = Claims(_id(payload["sub"]), _id(payload["sid"]), district)
    return claims, float(payload["exp"]) + _LEEWAY_SECONDS


def _id(text: str) -> UUID:
    """The UUID that a text is the one usual form of."""
    found = UUID(text)
    if str(found) != text:
        raise ValueError("another form of the id")
    return found


def _refused() -> Unauthenticated:
    return Unauthenticated(
        "token_invalid", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}
    )


def public_keys(keys: Keys) -> list[dict[str, str]]:
    """The verifying keys as JSON Web Keys (RFC 8037), for whoever checks our tokens."""
    return [
        {
            **OKPAlgorithm.to_jwk(key.public_key(), as_dict=True),
            "alg": _ALGORITHM,
            "use": "sig",
            "kid": kid,
        }
        for kid, key in sorted(keys.token.items())
    ]
