"""Signing in, staying signed in, signing out."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from service.identity.auth import routes, tokens
from service.identity.auth.actions.credentials import find, subject_of
from service.identity.auth.providers import password as passwords
from service.identity.auth.rules import CredentialKind
from service.identity.auth.tokens import Claims
from service.identity.staff.models import StaffPost
from service.kernel import clock
from service.kernel.audit import AuditEntry
from service.kernel.db import District, Scope, ScopeKind
from service.kernel.ids import new_id
from service.kernel.permissions import Role
from tests.acting import bearer
from tests.identity.conftest import OFFICE, PASSWORD

pytestmark = pytest.mark.dated


def audited(runtime, action: str) -> list[AuditEntry]:
    with runtime.database.transaction(Scope.system("demo")) as session:
        found = select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)
        return list(session.scalars(found))


def refresh(client, token: str):
    return client.post("/v1/auth/refresh", json={"refresh_token": token})


def is_problem(answer, status: int, code: str) -> bool:
    return (answer.status_code, answer.json["code"]) == (status, code)


def test_a_talent_signs_in(client, talent):
    first = talent("signs.in")
    assert first.answer["token_type"] == "Bearer"
    assert first.answer["expires_in"] == 900
    assert first.answer["account"] == {
        "id": str(first.account),
        "kind": "talent",
        "display_name": "",
        "district": "demo",
        "posts": [],
    }
    assert first.get("/v1/me").status_code == 200
    assert talent("signs.in").account == first.account
    assert talent("signs.in.too").account != first.account


def test_the_first_sign_in_twice_at_once_makes_one_account(client):
    code = f"demo:{secrets.token_hex(8)}"

    def sign_in(_):
        with client.application.test_client() as other:
            return other.post("/v1/auth/wechat", json={"code": code}).json["account"]["id"]

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(sign_in, range(8)))) == 1


def test_staff_sign_in(staff, hire, office):
    posts = [(office, Role.HEAD), (office, Role.CLERK)]
    clerk = staff(hire(posts=posts))
    account = clerk.answer["account"]
    assert account["kind"] == "staff"
    assert account["display_name"] == "王芳"
    assert account["posts"] == [{"department": office, "roles": ["clerk", "head"]}]


def test_usernames_have_no_case(client, hire):
    body = {"username": hire().upper(), "password": PASSWORD}
    assert client.post("/v1/auth/password", json=body).status_code == 200


def test_wrong_username_and_wrong_password_look_alike(client, hire, runtime):
    nobody = f"nobody.{secrets.token_hex(8)}"
    known = hire()
    answers = [
        client.post("/v1/auth/password", json={"username": username, "password": "wrong" * 4})
        for username in (nobody, known)
    ]
    for answer in answers:
        assert is_problem(answer, 401, "credentials_wrong")
    assert len({answer.json["detail"] for answer in answers}) == 1
    failed = audited(runtime, "login.failed")[-2:]
    assert [entry.data["method"] for entry in failed] == ["password", "password"]
    told = str([(entry.data, entry.subject) for entry in failed])
    assert nobody not in told
    assert known not in told


def test_a_username_that_nobody_has_costs_a_verification(client, monkeypatch):
    spent = []
    verify = passwords.password_matches
    monkeypatch.setattr(
        passwords, "password_matches", lambda *given: spent.append(given) or verify(*given)
    )
    client.post("/v1/auth/password", json={"username": "nobody.here", "password": PASSWORD})
    assert spent == [(None, PASSWORD)]
    assert not passwords.password_matches(None, "nobody has this password")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/auth/wechat", {"code": "demo:lost", "district": "nowhere"}),
        ("/v1/auth/password", {"username": "x", "password": "y", "district": "nowhere"}),
    ],
)
def test_unknown_districts(client, path, body):
    answer = client.post(path, json=body)
    assert is_problem(answer, 422, "district_unknown")
    assert [error["path"] for error in answer.json["errors"]] == ["district"]


@pytest.mark.parametrize(
    ("path", "body", "faults"),
    [
        ("wechat", {}, {("code", "required")}),
        ("wechat", {"code": 7}, {("code", "not_a_string")}),
        ("wechat", {"code": "x" * 129}, {("code", "length_out_of_bounds")}),
        ("wechat", {"code": "c", "scope": "all"}, {("scope", "unknown_field")}),
        ("password", {"username": "x"}, {("password", "required")}),
        (
            "password",
            {"username": "x", "password": "y" * 201},
            {("password", "length_out_of_bounds")},
        ),
        ("password", {"username": None, "password": "y"}, {("username", "null_not_allowed")}),
        ("refresh", {"refresh_token": ["x"]}, {("refresh_token", "not_a_string")}),
        ("refresh", {"refresh_token": ""}, {("refresh_token", "length_out_of_bounds")}),
    ],
)
def test_bad_bodies(client, path, body, faults):
    answer = client.post(f"/v1/auth/{path}", json=body)
    assert is_problem(answer, 422, "invalid")
    assert {(error["path"], error["code"]) for error in answer.json["errors"]} == faults


def test_a_code_that_wechat_refuses(client):
    answer = client.post("/v1/auth/wechat", json={"code": "real-looking-code"})
    assert is_problem(answer, 401, "demo_code_wrong")


@pytest.mark.parametrize(
    ("language", "detail"),
    [(None, "用户名或密码不正确。"), ("en", "The username or the password is not right.")],
)
def test_problems_in_both_languages(client, language, detail):
    headers = {"Accept-Language": language} if language else {}
    body = {"username": "nobody.here", "password": PASSWORD}
    answer = client.post("/v1/auth/password", json=body, headers=headers)
    assert answer.json["detail"] == detail


def test_staff_need_a_post_in_the_district(client, hire, runtime):
    with runtime.database.transaction(Scope.system("elsewhere")) as session:
        session.merge(District(id="elsewhere", name={}, settings={}))
    username = hire()
    body = {"username": username, "password": PASSWORD}
    elsewhere = client.post("/v1/auth/password", json=body | {"district": "elsewhere"})
    assert is_problem(elsewhere, 403, "no_post_in_district")
    # Who does not know the password does not learn where somebody works.
    wrong = body | {"district": "elsewhere", "password": "wrong" * 4}
    assert is_problem(client.post("/v1/auth/password", json=wrong), 401, "credentials_wrong")


def test_posts_act_on_the_next_request(client, runtime, staff, hire, office):
    username = hire(posts=[(office, Role.CLERK)])
    clerk = staff(username)
    assert posts_of(runtime, clerk) == [(office, {Role.CLERK})]
    hire(username, posts=[(office, Role.REVIEWER)])
    assert posts_of(runtime, clerk) == [(office, {Role.REVIEWER})]
    hire(username, posts=[])
    assert posts_of(runtime, clerk) == []
    refused = refresh(client, clerk.answer["refresh_token"])
    assert is_problem(refused, 403, "no_post_in_district")
    body = {"username": username, "password": PASSWORD}
    assert is_problem(client.post("/v1/auth/password", json=body), 403, "no_post_in_district")


def test_posts_follow_the_date_of_the_district(runtime, staff, hire, wall_clock):
    clerk = staff(hire())

    def dated(**days):
        with runtime.database.transaction(Scope.system("demo")) as session:
            held = select(StaffPost).where(StaffPost.account_id == clerk.account)
            for name, day in days.items():
                setattr(session.scalars(held).one(), name, day)

    today_in_beijing = (clock.now() + timedelta(hours=8)).date()
    dated(valid_to=today_in_beijing)
    assert posts_of(runtime, clerk) != []
    dated(valid_from=today_in_beijing + timedelta(days=1), valid_to=None)
    assert posts_of(runtime, clerk) == []
    wall_clock.move(days=1)
    # The access token has ended by then; the sign-in has not.
    again = refresh(clerk.client, clerk.answer["refresh_token"])
    assert again.json["account"]["posts"] == [{"department": OFFICE, "roles": ["clerk"]}]


def posts_of(runtime, guest) -> list:
    actor = bearer(runtime, guest.answer["access_token"])
    return [(post.department, post.roles) for post in actor.posts]


def test_passwords_are_replaced(client, hire):
    username = hire()
    hire(username, password="another long password")
    body = {"username": username, "password": PASSWORD}
    assert is_problem(client.post("/v1/auth/password", json=body), 401, "credentials_wrong")
    body["password"] = "another long password"
    assert client.post("/v1/auth/password", json=body).status_code == 200


def test_a_weaker_hash_is_made_anew(runtime, hire, client):
    username = hire()
    whole = passwords.hashing.hasher
    passwords.hashing.hasher = type(whole)(time_cost=2, memory_cost=8, parallelism=1)
    try:
        body = {"username": username, "password": PASSWORD}
        assert client.post("/v1/auth/password", json=body).status_code == 200
        secret = secret_of(runtime, username)
        assert "t=2" in secret
    finally:
        passwords.hashing.hasher = whole


def secret_of(runtime, username: str) -> str:
    subject = subject_of(CredentialKind.PASSWORD, username)
    with runtime.database.transaction(Scope.system()) as session:
        return find(session, CredentialKind.PASSWORD, subject).secret


def disable(runtime, account) -> None:
    with runtime.database.transaction(Scope(ScopeKind.STAFF, account=account)) as session:
        session.execute(text("UPDATE accounts SET disabled_at = now()"))


def test_disabled_accounts_are_out_at_once(client, runtime, talent, staff, hire):
    username = hire()
    clerk, lina = staff(username), talent("is.disabled")
    for guest in (clerk, lina):
        disable(runtime, guest.account)
        assert is_problem(guest.get("/v1/me"), 401, "token_invalid")
        again = refresh(client, guest.answer["refresh_token"])
        assert is_problem(again, 401, "refresh_token_invalid")
    wechat = client.post("/v1/auth/wechat", json={"code": "demo:is.disabled"})
    assert is_problem(wechat, 403, "account_disabled")
    body = {"username": username, "password": PASSWORD}
    assert is_problem(client.post("/v1/auth/password", json=body), 403, "account_disabled")
    wrong = client.post("/v1/auth/password", json=body | {"password": "wrong" * 4})
    assert is_problem(wrong, 401, "credentials_wrong")


def test_refreshing(client, talent):
    lina = talent()
    first = refresh(client, lina.answer["refresh_token"])
    assert first.status_code == 200
    assert first.json["account"] == lina.answer["account"]
    assert first.json["refresh_token"] != lina.answer["refresh_token"]
    assert refresh(client, first.json["refresh_token"]).status_code == 200
    # Access tokens of one sign-in stand beside each other.
    assert lina.get("/v1/me").status_code == 200


def test_a_lost_answer_may_be_asked_for_again(client, talent):
    token = talent().answer["refresh_token"]
    siblings = [refresh(client, token) for _ in range(3)]
    assert [sibling.status_code for sibling in siblings] == [200] * 3
    assert len({sibling.json["refresh_token"] for sibling in siblings}) == 3
    assert all(refresh(client, one.json["refresh_token"]).status_code == 200 for one in siblings)


def test_reuse_ends_the_whole_sign_in(client, talent, runtime, wall_clock):
    name = secrets.token_hex(8)
    lina, elsewhere = talent(name), talent(name)
    newest = refresh(client, lina.answer["refresh_token"]).json
    with wall_clock.later(seconds=11):
        reused = refresh(client, lina.answer["refresh_token"])
        assert is_problem(reused, 401, "refresh_token_invalid")
        again = refresh(client, newest["refresh_token"])
        assert is_problem(again, 401, "refresh_token_invalid")
        assert is_problem(lina.get("/v1/me"), 401, "token_invalid")
        assert elsewhere.get("/v1/me").status_code == 200
    session_id = tokens.Verified(runtime.keys).claims(lina.answer["access_token"]).session_id
    assert session_id in {entry.subject for entry in audited(runtime, "refresh.reused")}


def test_one_token_many_times_at_once(client, talent):
    token = talent().answer["refresh_token"]

    def once(_):
        with client.application.test_client() as other:
            return refresh(other, token)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(once, range(12)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json["refresh_token"] for answer in answers}) == 12


@pytest.mark.parametrize("token", ["x", "x" * 128, "令牌", "' OR 1=1 --"])
def test_refresh_tokens_that_are_none(client, token):
    assert is_problem(refresh(client, token), 401, "refresh_token_invalid")


def test_a_sign_in_ends_by_itself(client, talent, wall_clock):
    lina = talent()
    wall_clock.move(days=30, seconds=1)
    ended = refresh(client, lina.answer["refresh_token"])
    assert is_problem(ended, 401, "refresh_token_invalid")


def test_signing_out_acts_on_the_next_request(client, talent, runtime):
    name = secrets.token_hex(8)
    lina, elsewhere = talent(name), talent(name)
    answer = lina.post("/v1/auth/logout")
    assert (answer.status_code, answer.data) == (204, b"")
    assert is_problem(lina.get("/v1/me"), 401, "token_invalid")
    assert is_problem(lina.post("/v1/auth/logout"), 401, "token_invalid")
    again = refresh(client, lina.answer["refresh_token"])
    assert is_problem(again, 401, "refresh_token_invalid")
    assert elsewhere.get("/v1/me").status_code == 200
    assert audited(runtime, "logout")[-1].actor_id == lina.account


def test_signing_out_needs_somebody(client):
    answer = client.post("/v1/auth/logout")
    assert is_problem(answer, 401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer x.y.z", 401),
        ("Bearer " + "x" * 6000, 401),
        ("bearer é", 401),
        ("Bearer", 400),
        ("Basic YTpi", 400),
    ],
)
def test_authorization_of_any_kind(client, header, status):
    answer = client.get("/v1/me", headers={"Authorization": header})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"


def test_a_token_belongs_to_one_account_session_and_district(client, talent, runtime):
    lina, other = talent(), talent()
    claims = tokens.Verified(runtime.keys).claims(lina.answer["access_token"])
    forged = [
        Claims(other.account, claims.session_id, "demo"),
        Claims(claims.account_id, new_id(), "demo"),
        Claims(claims.account_id, claims.session_id, "elsewhere"),
        Claims(claims.account_id, claims.session_id, ""),
    ]
    for one in forged:
        token = tokens.issue(runtime.keys, one, at=clock.now(), lifetime=timedelta(minutes=1))
        answer = client.get("/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert is_problem(answer, 401, "token_invalid")


def test_published_keys(client, runtime):
    keys = client.get("/.well-known/jwks.json").json["keys"]
    assert keys == tokens.public_keys(runtime.keys)
    assert all(set(key) == {"kty", "crv", "alg", "use", "kid", "x"} for key in keys)


def test_who_is_signed_in_and_signs_in_again_holds_no_connection_meanwhile(
    talent, runtime, monkeypatch
):
    """WeChat may take long to answer; a token that came along was looked up before."""
    lina, held = talent(), []

    def asked(_code, _settings):
        held.append(runtime.database.engine.pool.checkedout())
        return "o-lina-again"

    monkeypatch.setattr(routes, "openid_of", asked)
    assert lina.post("/v1/auth/wechat", json={"code": "demo:lina"}).status_code == 200
    assert held == [0]


def test_a_token_of_one_district_and_a_sign_in_to_another(talent, runtime):
    with runtime.database.transaction(Scope.system("elsewhere")) as session:
        session.merge(District(id="elsewhere", name={}, settings={}))
    body = {"code": f"demo:{secrets.token_hex(8)}", "district": "elsewhere"}
    again = talent().post("/v1/auth/wechat", json=body)
    assert again.status_code == 200
    assert again.json["account"]["district"] == "elsewhere"


def test_asking_who_somebody_is_takes_one_statement_and_no_transaction(runtime, talent, sql_count):
    lina = talent()
    with sql_count() as count:
        actor = bearer(runtime, lina.answer["access_token"])
    assert count.total == 1
    assert "identity_session" in count.texts[0]
    assert actor.account_id == lina.account
    # What it asked left no scope and no transaction behind on its connection.
    with runtime.database.engine.connect() as connection:
        assert connection.scalar(select(func.current_setting("app.district", True))) in {None, ""}
