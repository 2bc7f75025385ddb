"""Signing in and out over HTTP, and the keys that verify our tokens."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from flask import Response

from service.identity.auth import tokens
from service.identity.auth.actions import sign_in
from service.identity.auth.actions.credentials import subject_of
from service.identity.auth.providers.wechat import openid_of
from service.identity.auth.rules import CredentialKind
from service.identity.auth.schemas import (
    KeySetOut,
    LoginOut,
    PasswordLoginIn,
    RefreshIn,
    WechatLoginIn,
)
from service.identity.people.schemas import STAFF_EXAMPLE, TALENT_EXAMPLE, account_of
from service.kernel import clock, http
from service.kernel.http.context import read_json
from service.kernel.http.limits import client_network, is_remembered, limiter, remember
from service.kernel.permissions import Permission

auth: Final = http.Blueprint("auth", __name__, description="Signing in and out.")


_EVERYBODY: Final = ("public", "talent", "desk", "enterprise")


_REFRESH_TOKEN: Final = "vV0cV5yTzVZ1b2VnX3d0eW5nLWV4YW1wbGUtdG9rZW4"  # noqa: S105 - an example


def _login_example(account: dict[str, Any]) -> dict[str, Any]:
    return {
        "access_token": "eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.c2lnbmF0dXJl",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": _REFRESH_TOKEN,
        "account": account,
    }


def _per_address() -> str:
    return http.runtime().settings.limit_login_per_address


def _per_account() -> str:
    return http.runtime().settings.limit_login_per_account


def _failed_per_account() -> str:
    return http.runtime().settings.limit_failed_per_account


def _account() -> str:
    username = read_json()["username"]
    return subject_of(CredentialKind.PASSWORD, username.lower()).hex()


def _account_at_address() -> str:
    """Who is tried from where: somebody else's guessing elsewhere does not lock the owner out."""
    return f"{_account()}@{client_network()}"


def _is_known_here() -> bool:
    """Whether the account has signed in from here before: others' guessing does not slow it."""
    return is_remembered("signed in", _account(), client_network())


def _has_failed(response: Response) -> bool:
    return response.status_code == HTTPStatus.UNAUTHORIZED


@auth.post(
    "/v1/auth/wechat",
    allow=http.PUBLIC,
    audiences=("public", "talent"),
    keyed=http.Keyed.NO,
    problems={
        401: ["wechat_code_wrong", "demo_code_wrong"],
        403: ["account_disabled"],
        422: ["district_unknown"],
        429: ["too_many_requests"],
    },
)
@limiter.limit(_per_address)
@auth.arguments(WechatLoginIn, example={"code": "demo:lina", "district": "demo"})
@auth.response(200, LoginOut, example=_login_example(TALENT_EXAMPLE))
def login_wechat(body: dict[str, Any]) -> dict[str, Any]:
    """Sign a talent in with the one-time code of `wx.login()`.

    The first sign-in makes the account. In demonstration mode the code is `demo:<name>`.
    """
    openid = openid_of(body["code"], http.runtime().settings)
    session = http.session_for(body.get("district"))
    signed_in = sign_in.sign_in_by_wechat(
        session, http.actor(), openid=openid, lifetime=_sign_in_lasts(), at=clock.now()
    )
    return _answer(signed_in)


@auth.post(
    "/v1/auth/password",
    allow=http.PUBLIC,
    audiences=("public", "desk", "enterprise"),
    keyed=http.Keyed.NO,
    problems={
        401: ["credentials_wrong"],
        403: ["account_disabled", "no_post_in_district"],
        422: ["district_unknown"],
        429: ["too_many_requests"],
    },
)
@limiter.limit(_per_address)
@auth.arguments(
    PasswordLoginIn,
    example={"username": "clerk.construction", "password": "correct horse battery staple"},
)
@auth.response(200, LoginOut, example=_login_example(STAFF_EXAMPLE))
def login_password(body: dict[str, Any]) -> dict[str, Any]:
    """Sign in a member of staff, to a district in which they hold a post, or an agent."""
    return _tried(body)


@limiter.limit(
    _failed_per_account, key_func=_account, exempt_when=_is_known_here, deduct_when=_has_failed
)
@limiter.limit(_per_account, key_func=_account_at_address)
def _tried(body: dict[str, Any]) -> dict[str, Any]:
    """Limited by the account that is tried, so apart from the view: its limit needs no body."""
    session = http.session_for(body.get("district"))
    signed_in = sign_in.sign_in_by_password(
        session,
        http.actor(),
        username=body["username"],
        password=body["password"],
        lifetime=_sign_in_lasts(),
        at=clock.now(),
    )
    remember("signed in", _account(), client_network())
    return _answer(signed_in)


@auth.post(
    "/v1/auth/refresh",
    allow=http.PUBLIC,
    audiences=_EVERYBODY,
    keyed=http.Keyed.NO,
    problems={
        401: ["refresh_token_invalid"],
        403: ["no_post_in_district"],
        429: ["too_many_requests"],
    },
)
@limiter.limit(_per_address)
@auth.arguments(RefreshIn, example={"refresh_token": _REFRESH_TOKEN})
@auth.response(200, LoginOut, example=_login_example(TALENT_EXAMPLE))
def refresh_session(body: dict[str, Any]) -> dict[str, Any]:
    """Change a refresh token for a new pair of tokens.

    A refresh token is good once. Used a second time after a few seconds' grace, it ends the whole
    sign-in: somebody else may have a copy.
    """
    grace = timedelta(seconds=http.runtime().settings.reuse_grace_seconds)
    signed_in = sign_in.refresh_session(
        http.session(), token=body["refresh_token"], grace=grace, at=clock.now()
    )
    return _answer(signed_in)


@auth.post(
    "/v1/auth/logout", allow=Permission.SESSION_END, audiences=_EVERYBODY, keyed=http.Keyed.NO
)
@auth.response(204)
def logout() -> None:
    """End this sign-in: its tokens are refused from the next request on."""
    sign_in.sign_out(http.session(), http.actor(), at=clock.now())


@auth.get("/.well-known/jwks.json", allow=http.PUBLIC, audiences=("public",))
@auth.response(
    200,
    KeySetOut,
    example={
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "kid": "t1",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
            }
        ]
    },
)
def get_token_keys() -> dict[str, Any]:
    """The public keys that verify access tokens."""
    return {"keys": tokens.public_keys(http.runtime().keys)}


def _sign_in_lasts() -> timedelta:
    return timedelta(days=http.runtime().settings.refresh_days)


def _answer(signed_in: sign_in.SignedIn) -> dict[str, Any]:
    runtime, actor = http.runtime(), signed_in.actor
    seconds = runtime.settings.access_seconds
    return {
        "access_token": tokens.issue(
            runtime.keys,
            tokens.claims_of(actor),
            at=clock.now(),
            lifetime=timedelta(seconds=seconds),
        ),
        "token_type": "Bearer",
        "expires_in": seconds,
        "refresh_token": signed_in.refresh_token,
        "account": account_of(actor),
    }
