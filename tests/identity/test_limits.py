"""How often signing in may be tried, and by whom it can be used up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.identity.conftest import PASSWORD


@pytest.fixture
def limited(client, runtime):
    """A client whose application has these limits, for the length of a test."""
    extensions = client.application.extensions

    def limit(**limits):
        extensions["talent"] = replace(runtime, settings=replace(runtime.settings, **limits))
        return client

    yield limit
    extensions["talent"] = runtime


def sign_in(client, username: str, password: str = "wrong" * 4, address: str = "192.0.2.1"):
    body = {"username": username, "password": password}
    return client.post("/v1/auth/password", json=body, environ_overrides={"REMOTE_ADDR": address})


def test_guessing_one_password_is_slowed_down(limited, hire):
    username, other = hire(), hire()
    client = limited(limit_login_per_account="3 per minute")
    tried = [sign_in(client, username.upper() if n else username) for n in range(5)]
    assert [answer.status_code for answer in tried] == [401, 401, 401, 429, 429]
    assert tried[-1].json["code"] == "too_many_requests"
    assert 0 < int(tried[-1].headers["Retry-After"]) <= 60
    assert username not in str(tried[-1].headers) + tried[-1].text
    # Right or wrong, it is no longer looked at from there; elsewhere the owner still gets in.
    assert sign_in(client, username, PASSWORD).status_code == 429
    assert sign_in(client, username, PASSWORD, "192.0.2.2").status_code == 200
    assert sign_in(client, other, PASSWORD).status_code == 200


def test_guessing_many_names_is_slowed_down(limited):
    client = limited(limit_login_per_address="3 per minute")
    tried = [sign_in(client, f"nobody.{n}", address="192.0.2.3") for n in range(5)]
    assert [answer.status_code for answer in tried] == [401, 401, 401, 429, 429]
    assert sign_in(client, "nobody.9", address="192.0.2.4").status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/auth/wechat", {"code": "not a code"}),
        ("/v1/auth/refresh", {"refresh_token": "not a token"}),
    ],
)
def test_other_ways_in_are_slowed_down(limited, path, body):
    client = limited(limit_login_per_address="3 per minute")
    tried = [client.post(path, json=body).status_code for _ in range(5)]
    assert tried == [401, 401, 401, 429, 429]
