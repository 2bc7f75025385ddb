"""Access tokens: what is issued holds, and nothing else does."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from uuid import UUID

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from service.identity.auth import tokens
from service.identity.auth.tokens import Claims
from service.kernel import clock
from service.kernel.errors import Unauthenticated
from service.kernel.ids import new_id
from service.kernel.keys import Keys

pytestmark = pytest.mark.dated

CLAIMS = Claims(new_id(), new_id(), "demo")
LIFE = timedelta(minutes=15)


def new_keys(*kids: str) -> Keys:
    return Keys(
        data={"d1": bytes(32)},
        active_data="d1",
        index=bytes(32),
        cursor=bytes(32),
        token={kid: Ed25519PrivateKey.generate() for kid in kids},
        active_token=kids[-1],
    )


KEYS = new_keys("t1", "t2")


def issued(keys: Keys = KEYS, at: datetime | None = None) -> str:
    return tokens.issue(keys, CLAIMS, at=at or clock.now(), lifetime=LIFE)


def payload(**changes) -> dict:
    now = clock.now()
    whole = {
        "iss": "talent-service",
        "aud": "talent",
        "sub": str(CLAIMS.account_id),
        "sid": str(CLAIMS.session_id),
        "district": "demo",
        "jti": str(new_id()),
        "iat": now,
        "nbf": now,
        "exp": now + LIFE,
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def signed(*, key=None, algorithm="EdDSA", headers=None, **changes) -> str:
    key = KEYS.token["t2"] if key is None else key
    headers = {"typ": "at+jwt", "kid": "t2"} | (headers or {})
    return jwt.encode(payload(**changes), key, algorithm=algorithm, headers=headers)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def assembled(header, body=None, signature=b"") -> str:
    """A token put together by hand: libraries refuse to make some of these."""
    body = body or {k: v for k, v in payload().items() if not isinstance(v, datetime)}
    body |= {"iat": 1, "nbf": 1, "exp": 9_999_999_999}
    parts = [base64url(json.dumps(part).encode()) for part in (header, body)]
    return ".".join([*parts, base64url(signature)])


def refused(token: str) -> bool:
    try:
        tokens.Verified(KEYS).claims(token)
    except Unauthenticated as problem:
        return problem.code == "token_invalid"
    return False


def test_what_is_issued_says_what_was_claimed():
    assert tokens.Verified(KEYS).claims(issued()) == CLAIMS
    assert tokens.Verified(KEYS).claims(signed()) == CLAIMS


def test_what_is_known_of_a_token_holds_until_it_expires(wall_clock, monkeypatch):
    verified, token = tokens.Verified(KEYS), issued()
    assert verified.claims(token) == CLAIMS
    with monkeypatch.context() as no_more:
        no_more.setattr(tokens.jwt, "decode", None)
        assert verified.claims(token) == CLAIMS
    wall_clock.move(hours=LIFE.total_seconds() / 3600 + 0.1)
    with pytest.raises(Unauthenticated):
        verified.claims(token)


def test_another_signature_makes_another_token():
    verified, token = tokens.Verified(KEYS), issued()
    assert verified.claims(token) == CLAIMS
    signed_part, _, signature = token.rpartition(".")
    turned = signature[::-1]
    with pytest.raises(Unauthenticated):
        verified.claims(f"{signed_part}.{turned}")


def test_every_key_of_the_file_verifies():
    older = Keys(
        data=KEYS.data,
        active_data="d1",
        index=KEYS.index,
        cursor=KEYS.cursor,
        token=KEYS.token,
        active_token="t1",
    )
    assert tokens.Verified(KEYS).claims(issued(older)) == CLAIMS


@pytest.mark.parametrize(
    "claim", ["iss", "aud", "sub", "sid", "district", "jti", "iat", "nbf", "exp"]
)
def test_every_claim_is_required(claim):
    assert refused(signed(**{claim: ...}))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "another-service"},
        {"aud": "another-audience"},
        {"sub": "not-a-uuid"},
        {"sid": "1"},
        {"district": 7},
        {"district": ["demo"]},
        {"district": "demo\0"},
        {"district": "\ud800"},
        {"sub": f"urn:uuid:{CLAIMS.account_id}"},
        {"sid": f"{{{CLAIMS.session_id}}}"},
        {"exp": "soon"},
    ],
)
def test_wrong_claims(changes):
    assert refused(signed(**changes))


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -30), ("nbf", 60), ("iat", 60)])
def test_a_token_before_and_after_its_time(claim, seconds):
    assert refused(signed(**{claim: clock.now() + timedelta(seconds=seconds)}))


@pytest.mark.parametrize(
    "headers",
    [
        {"typ": "JWT"},
        {"typ": "refresh"},
        {"typ": None},
        {"kid": "t3"},
        {"kid": "t1"},  # another of our keys
        {"kid": "../../keys/t2"},
        {"kid": ""},
    ],
)
def test_wrong_headers(headers):
    assert refused(signed(headers=headers))


@pytest.mark.parametrize("kid", [None, 1, True, 1.5, ["t2"], {"kid": "t2"}, "t2\x00"])
def test_a_key_id_of_any_type(kid):
    assert refused(assembled({"alg": "EdDSA", "typ": "at+jwt", "kid": kid}))


@pytest.mark.parametrize("algorithm", ["none", "None", "", "HS256", "RS256", "ES256", None, 7])
def test_other_algorithms(algorithm):
    assert refused(assembled({"alg": algorithm, "typ": "at+jwt", "kid": "t2"}))


@pytest.mark.parametrize(
    ("encoding", "form"),
    [
        (serialization.Encoding.Raw, serialization.PublicFormat.Raw),
        (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
    ],
)
def test_our_public_key_is_no_shared_secret(encoding, form):
    secret = KEYS.token["t2"].public_key().public_bytes(encoding, form)
    unsigned = assembled({"alg": "HS256", "typ": "at+jwt", "kid": "t2"}).rpartition(".")[0]
    mac = hmac.digest(secret, unsigned.encode(), hashlib.sha256)
    assert refused(f"{unsigned}.{base64url(mac)}")


def test_a_key_that_is_not_ours():
    assert refused(signed(key=Ed25519PrivateKey.generate()))


def test_an_expired_token_has_five_seconds():
    assert (
        tokens.Verified(KEYS).claims(issued(at=clock.now() - LIFE - timedelta(seconds=2))) == CLAIMS
    )
    assert refused(issued(at=clock.now() - LIFE - timedelta(seconds=8)))


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "….….…",
        "\udc80",
        "x" * 5000,
        base64url(b"[" * 2900) + ".e30.",
        base64url(b'{"alg":' + b"9" * 2000 + b"}") + ".e30.",
        base64url(b'"header"') + ".e30.c2ln",
        base64url(b"null") + ".e30.c2ln",
    ],
)
def test_texts_that_are_no_tokens(text):
    assert refused(text)


@given(st.text())
def test_no_text_crashes(text):
    assert refused(text)


@given(st.integers(0, 10**6), st.characters(min_codepoint=33, max_codepoint=126))
def test_a_changed_token_is_refused(place, character):
    token = issued()
    place %= len(token)
    changed = token[:place] + character + token[place + 1 :]
    # The last characters of base64 hold bits that decode to nothing.
    if changed.rpartition(".")[0] != token.rpartition(".")[0]:
        assert refused(changed)


def test_published_keys_verify_tokens():
    published = {key["kid"]: key for key in tokens.public_keys(KEYS)}
    assert set(published) == {"t1", "t2"}
    assert not any("d" in key for key in published.values())
    token = issued()
    key = jwt.PyJWK(published[jwt.get_unverified_header(token)["kid"]])
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience="talent")
    assert UUID(claims["sub"]) == CLAIMS.account_id
