"""How often signing in may be tried, and how often one is told that a number is known."""

from __future__ import annotations

import time

import pytest
from limits import parse

from service.kernel.http.limits import is_remembered, limiter, remember
from tests.identity.conftest import PASSWORD, new_number


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


def given(number: str, **more) -> dict:
    return {"id_type": "citizen_id", "id_number": number} | more


def test_trying_numbers_is_slowed_down(limited, talent):
    """Who is registered is nobody's to find out; one's own slips are few."""
    known = [new_number() for _ in range(5)]
    for number in known:
        assert talent().patch("/v1/me", json=given(number)).status_code == 200
    limited(limit_known_numbers_per_account="3 per day")
    curious, other = talent(), talent()
    tried = [curious.patch("/v1/me", json=given(number)) for number in known]
    assert [answer.status_code for answer in tried] == [409, 409, 409, 429, 429]
    assert tried[-1].json["code"] == "too_many_requests"
    assert known[-1] not in tried[-1].text
    # Nor is a number that nobody has told apart from one that somebody has.
    child = given(new_number("20190601"), name="李小明", kinship="child")
    assert curious.patch("/v1/me", json=given(new_number())).status_code == 429
    assert curious.post("/v1/me/family", json=child).status_code == 429
    assert curious.patch("/v1/me", json={"name": "李娜"}).status_code == 200
    assert other.patch("/v1/me", json=given(known[0])).status_code == 409


def test_what_is_told_of_the_family_counts_too(limited, talent):
    limited(limit_known_numbers_per_account="3 per day")
    lina, number = talent(), new_number("20190601")
    child = given(number, name="李小明", kinship="child")
    own = given(new_number("19850315"))
    assert lina.patch("/v1/me", json=own).status_code == 200
    assert lina.post("/v1/me/family", json=child).status_code == 201
    assert lina.post("/v1/me/family", json=child).status_code == 409
    spouse = own | {"name": "李娜", "kinship": "spouse"}
    assert lina.post("/v1/me/family", json=spouse).status_code == 422
    assert lina.put("/v1/me", json=given("1")).status_code == 422  # tells nothing, and is free
    assert lina.post("/v1/me/family", json=child).status_code == 409
    assert lina.post("/v1/me/family", json=child).status_code == 429


def test_what_a_wrong_number_is_told_does_not_count(limited, talent):
    limited(limit_known_numbers_per_account="1 per day")
    lina = talent()
    for _ in range(3):
        assert lina.patch("/v1/me", json=given("110105194912310021")).status_code == 422
    assert lina.patch("/v1/me", json=given(new_number())).status_code == 200


def test_guessing_one_password_over_many_addresses_is_slowed_down(limited, hire):
    """Whoever has signed in from somewhere goes on signing in from there."""
    username, other = hire(), hire()
    client = limited(limit_failed_per_account="5 per hour")
    assert sign_in(client, username, PASSWORD, "198.51.100.1").status_code == 200
    tried = [sign_in(client, username, address=f"203.0.113.{n}") for n in range(1, 9)]
    assert [answer.status_code for answer in tried] == [401] * 5 + [429] * 3
    assert int(tried[-1].headers["Retry-After"]) >= 1
    assert sign_in(client, username, PASSWORD, "203.0.113.99").status_code == 429
    assert sign_in(client, username, PASSWORD, "198.51.100.1").status_code == 200
    assert sign_in(client, other, PASSWORD, "203.0.113.99").status_code == 200


def test_signing_in_counts_as_no_failure(limited, hire):
    username = hire()
    client = limited(limit_failed_per_account="2 per hour")
    for n in range(1, 7):
        answer = sign_in(client, username, PASSWORD, f"203.0.113.{n}")
        assert answer.status_code == 200


def test_an_ipv6_subscriber_is_one_address_and_their_neighbour_another(limited):
    client = limited(limit_login_per_address="3 per minute")
    tried = [
        sign_in(client, f"nobody.{n}", address=f"2001:db8:0:1::{n:x}").status_code for n in range(5)
    ]
    assert tried == [401, 401, 401, 429, 429]
    assert sign_in(client, "nobody.8", address="2001:db8:0:2::1").status_code == 401
    assert sign_in(client, "nobody.8", address="::ffff:192.0.2.77").status_code == 401


@pytest.mark.parametrize("path", ["/v1/auth/wechat", "/v1/auth/refresh", "/v1/auth/password"])
@pytest.mark.parametrize("body", [b"", b"{", b'{"no": "such field"}', b"[" * 500])
def test_a_body_that_is_not_even_read_counts(limited, path, body):
    client = limited(limit_login_per_address="2 per minute")
    address = {"REMOTE_ADDR": f"192.0.2.{150 + len(body) % 50}"}
    tried = [
        client.post(path, data=body, content_type="application/json", environ_overrides=address)
        for _ in range(4)
    ]
    assert [answer.status_code for answer in tried][2:] == [429, 429]


def test_where_one_has_signed_in_is_remembered_from_the_last_time(limited, talent):
    """Ninety days from the first time, an owner would be as unknown as whoever guesses."""
    limited()
    with limited().application.app_context():
        remember("signed in", "owner", "here")
        at, left = window("signed in", "owner", "here")
        assert (left, is_remembered("signed in", "owner", "here")) == (0, True)
        time.sleep(1.1)
        remember("signed in", "owner", "here")
        assert window("signed in", "owner", "here").reset_time > at
        assert is_remembered("signed in", "owner", "here")
        assert not is_remembered("signed in", "owner", "elsewhere")


def window(*who):
    return limiter.limiter.get_window_stats(parse("1 per 90 day"), *who)
