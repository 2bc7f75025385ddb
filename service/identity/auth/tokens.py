"""Access tokens: signed, short-lived, and trusted for who is asking, never for what they may do.

A JWT of type `at+jwt` (RFC 9068) signed with Ed25519. It names account, session and district;
posts and permissions are looked up for every request. This is the only place that knows JWTs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt
from jwt.algorithms import OKPAlgorithm

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


def verify(keys: Keys, token: str) -> Claims:
    """What a token says; raises `Unauthenticated` for every other text, whatever is wrong."""
    if len(token) > _LONGEST or not token.isascii():
        raise _refused()
    try:
        return _read(keys, token)
    except (jwt.PyJWTError, LookupError, ValueError, TypeError, ArithmeticError, RecursionError):
        raise _refused() from None


def _read(keys: Keys, token: str) -> Claims:
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
    return Claims(_id(payload["sub"]), _id(payload["sid"]), district)


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
