"""What a client is told when something goes wrong, whatever it was."""

from __future__ import annotations

import re
from http import HTTPStatus
from uuid import uuid4

import pytest
from werkzeug import exceptions

from service.kernel import messages
from service.kernel.etags import etag
from service.kernel.http import context
from tests.conftest import PASSWORD
from tests.factories import World

MEMBERS = {"type", "title", "status", "detail", "code", "errors", "request_id"}


def is_problem(answer, status, code):
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    told = answer.json
    assert set(told) - {"params"} == MEMBERS
    assert told["status"] == status
    assert told["title"] == HTTPStatus(status).phrase
    assert told["code"] == code
    assert told["type"] == f"/problems/{code}"
    assert told["request_id"] == answer.headers["X-Request-Id"]
    return True


@pytest.fixture(scope="module")
def lina(app):
    return World(app, PASSWORD).talent("李娜")


# --- shape and language ---------------------------------------------------------------------


def test_a_problem_speaks_chinese_unless_english_is_preferred(client):
    for asked, tongue in (
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("en", "en"),
        ("en-GB", "en"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("zh;q=0.9,en;q=0.8", "zh-CN"),
        ("fr, en;q=0.5", "en"),
        ("fr", "zh-CN"),
        ("*", "zh-CN"),
        (";;q=,\t,=1;q=x", "zh-CN"),
        ("en;q=nan", None),
        ("x" * 4000, "zh-CN"),
    ):
        headers = {} if asked is None else {"Accept-Language": asked}
        answer = client.get("/v1/offerings/absent", headers=headers)
        assert is_problem(answer, 404, answer.json["code"])
        if tongue:
            assert answer.headers["Content-Language"] == tongue, asked
            language = "en" if tongue == "en" else "zh"
            assert answer.json["detail"] == messages.say(answer.json["code"], language), asked


def test_faults_of_fields_are_told_in_both_languages(lina):
    for asked, language in (("zh", "zh"), ("en", "en")):
        answer = lina.patch("/v1/me", json={"age": 3}, headers={"Accept-Language": asked})
        assert is_problem(answer, 422, "invalid")
        assert answer.json["errors"] == [
            {
                "path": "age",
                "code": "unknown_field",
                "message": messages.say("unknown_field", language),
            }
        ]


def test_every_fault_is_named_with_the_path_the_client_wrote(lina):
    body = {
        "bundle": 5,
        "items": [{"offering": "a", "extra": 1}, {"subject": "x"}, 7],
        "consents": ["ok", 3],
    }
    answer = lina.post("/v1/tickets", json=body, headers={"Idempotency-Key": "paths"})
    assert is_problem(answer, 422, "invalid")
    assert {(fault["path"], fault["code"]) for fault in answer.json["errors"]} == {
        ("bundle", "not_a_string"),
        ("items.0.extra", "unknown_field"),
        ("items.1.offering", "required"),
        ("items.1.subject", "not_a_uuid"),
        ("items.2", "not_an_object"),
        ("consents.1", "not_a_string"),
    }


# --- routes, methods, paths -----------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/v2/offerings",
        "/v1/absent",
        "/v1/tickets/not-a-uuid",
        "/v1/tickets/" + "0" * 36,
        "/v1/tickets/%00",
        "/v1/offerings/a%00b",
        "/v1/offerings/a%0d%0ab",
        "/v1/offerings/%1b[31m",
        "/v1/offerings/%E2%80%AE",
        "/v1/offerings/%ff%fe",
        "/v1/offerings/%ed%a0%80",
        "/v1/offerings/" + "a" * 4000,
        "/v1/offerings/..%2f..%2fetc",
        "/v1/bundles/%F0%9F%98%80",
        "/docs/absent",
        "/docs/absent.json",
        "/docs/assets/absent.js",
        "/docs/assets/..%2f__init__.py",
        "/docs/%00",
    ],
)
def test_a_path_that_names_nothing_is_not_found(client, path):
    answer = client.get(path)
    assert is_problem(answer, 404, answer.json["code"])
    assert "\x00" not in answer.get_data(as_text=True)


def test_slashes_too_many_lead_to_the_same_host(client):
    for path in ("//v1/offerings", "/v1//offerings", "//evil.example/v1/offerings"):
        answer = client.get("/", environ_overrides={"PATH_INFO": path})
        assert answer.status_code in {200, 308, 404}
        location = answer.headers.get("Location", "http://localhost/")
        assert location.startswith(("http://localhost/", "/v1"))


def test_a_method_that_a_path_does_not_take(client):
    answer = client.delete("/v1/tickets")
    assert is_problem(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert is_problem(client.open("/v1/offerings", method="TRACE"), 405, "method_not_allowed")
    assert is_problem(client.open("/livez", method="BREW"), 405, "method_not_allowed")
    assert is_problem(client.post("/docs/public"), 405, "method_not_allowed")


@pytest.mark.parametrize("asked", ["bytes=999999999-", "bytes=0-3", "lines=a-b", "bytes=,"])
def test_a_part_of_an_asset_is_not_to_be_had_the_whole_is(client, asked):
    """RFC 9110 lets a server ignore Range; werkzeug would answer some of these with a 416."""
    with client.get("/docs/assets/favicon-32x32.png", headers={"Range": asked}) as answer:
        assert answer.status_code == 200
        assert answer.data.startswith(b"\x89PNG")


def test_what_werkzeug_refuses_by_itself_is_the_clients_mistake(app):
    refuse = app.error_handler_spec[None][None][exceptions.HTTPException]
    for kind in (exceptions.RequestedRangeNotSatisfiable, exceptions.RequestURITooLarge):
        with app.test_request_context():
            assert refuse(kind()).status_code == 400
    for kind in (exceptions.NotImplemented, exceptions.InternalServerError):
        with app.test_request_context():
            assert refuse(kind()).status_code == 500


# --- absent and foreign ---------------------------------------------------------------------


def _apart_from_its_id(answer):
    headers = {
        name: value
        for name, value in answer.headers.items()
        if name not in {"X-Request-Id", "Date", "Content-Length"}
    }
    body = answer.get_data(as_text=True).replace(answer.headers["X-Request-Id"], "")
    return answer.status_code, headers, body


def test_foreign_and_absent_are_alike(world, lina):
    ticket = world.ticket(world.talent("王芳"))
    for suffix in ("", "/timeline"):
        foreign = lina.get(f"/v1/tickets/{ticket['id']}{suffix}")
        absent = lina.get(f"/v1/tickets/{uuid4()}{suffix}")
        assert is_problem(foreign, 404, "not_found")
        assert _apart_from_its_id(foreign) == _apart_from_its_id(absent)


def test_a_foreign_task_and_an_absent_one_are_alike(world):
    ticket = world.ticket()
    settlement, housing = ticket["items"]
    clerk = world.staff(f"clerk.{settlement['stages'][0]['department']}")
    stranger = world.staff(f"clerk.{housing['stages'][0]['department']}")
    task = world.open_task(clerk, settlement["number"])
    for ask in (
        lambda one: stranger.get(f"/v1/desk/tasks/{one}"),
        lambda one: stranger.post(f"/v1/desk/tasks/{one}/claim"),
        lambda one: stranger.post(f"/v1/desk/tasks/{one}/release"),
        lambda one: stranger.post(
            f"/v1/desk/tasks/{one}/decision",
            json={"verdict": "accept", "opinion": "同意"},
            headers={"If-Match": etag("task", one, 1)},
        ),
    ):
        foreign, absent = ask(task["id"]), ask(uuid4())
        assert foreign.status_code == 404
        assert _apart_from_its_id(foreign) == _apart_from_its_id(absent)
    assert world.open_task(clerk, settlement["number"])["version"] == task["version"]


# --- request ids and other headers ----------------------------------------------------------


@pytest.mark.parametrize(
    "asked", ["abc", "7F0c-1", "0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11", "9" * 64]
)
def test_a_plain_request_id_is_echoed(client, asked):
    for path in ("/livez", "/v1/absent", "/v1/offerings"):
        assert client.get(path, headers={"X-Request-Id": asked}).headers["X-Request-Id"] == asked


@pytest.mark.parametrize(
    "asked",
    ["", "a b", "a\tb", '"', "x" * 65, "é", "１２", "<script>", "a;b", "---", "../x", "%0a"],
)
def test_any_other_request_id_is_replaced(client, asked):
    answer = client.get("/v1/absent", headers={"X-Request-Id": asked.encode().decode("latin-1")})
    made = answer.headers["X-Request-Id"]
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", made)
    assert answer.json["request_id"] == made


def test_every_answer_forbids_sniffing_and_keeping(client):
    for path in ("/livez", "/v1/offerings", "/v1/absent"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert headers["Referrer-Policy"] == "no-referrer"


def test_unknown_query_parameters_are_refused(client, lina):
    for answer in (
        client.get("/v1/offerings?distrikt=demo"),
        client.get("/v1/bundles/arrival?%00=1"),
        lina.get("/v1/tickets?limit=5&offset=3"),
        lina.get("/v1/notices?unread"),
    ):
        assert is_problem(answer, 422, "invalid")
        assert [fault["code"] for fault in answer.json["errors"]] == ["unknown_field"]


@pytest.mark.parametrize(
    "value", ["%00", "%ed%a0%80", "%ff", "a%0d%0aSet-Cookie:x=1", "%E2%80%AE", "a" * 3000]
)
def test_hostile_query_values_are_refused_or_find_nothing(client, lina, value):
    for answer in (
        client.get(f"/v1/offerings?district={value}"),
        lina.get(f"/v1/tickets?after={value}"),
    ):
        assert answer.status_code in {200, 404, 422}
        if answer.status_code == 200:
            assert answer.json["items"] == []


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "é", "a\tb", "１", "a\x7f"])
def test_a_malformed_idempotency_key(world, lina, key):
    sent = key.encode().decode("latin-1")
    answer = lina.post("/v1/tickets", json=world.filing(), headers={"Idempotency-Key": sent})
    assert is_problem(answer, 400, "idempotency_key_malformed")
    answer = lina.post("/v1/notices/read", json={}, headers={"Idempotency-Key": sent})
    assert is_problem(answer, 400, "idempotency_key_malformed")


def test_a_missing_idempotency_key(world, lina):
    answer = lina.post("/v1/tickets", json=world.filing())
    assert is_problem(answer, 400, "idempotency_key_missing")
    assert lina.get("/v1/tickets").json["items"] == []


def test_the_version_must_be_one_tag_of_this_object_and_the_present_one(world):
    ticket = world.ticket(None, "settlement")
    item = ticket["items"][0]
    clerk = world.staff(f"clerk.{item['stages'][0]['department']}")
    task = world.claimed(clerk, item["number"])

    def decide(tag):
        return clerk.post(
            f"/v1/desk/tasks/{task['id']}/decision",
            json={"verdict": "accept", "opinion": "同意"},
            headers={} if tag is None else {"If-Match": tag},
        )

    assert is_problem(decide(None), 428, "if_match_required")
    present, tag = task["version"], task["etag"]
    assert tag == f'"task.{task["id"]}.{present}"'
    for malformed in (
        "*",
        "",
        f"{present}",
        f'"{present}"',
        tag.strip('"'),
        f"{tag}, {tag}",
        f"{tag},{tag}",
        f"{tag}, *",
        f"w/{tag}",
        f"W/W/{tag}",
        f"W/ {tag}",
        f'"task.{task["id"]}.-1"',
        f'"task.{task["id"]}.0"',
        f'"task.{task["id"]}.0{present}"',
        f'"task.{task["id"]}.１"',
        f'"task.{task["id"]}.1.0"',
        f'"task.{task["id"]}.{"9" * 50}"',
        f'"task.{task["id"].upper()}.{present}"',
        f'"Task.{task["id"]}.{present}"',
        f'"task.{task["id"]}"',
        '"',
        tag[:-1],
        tag.replace('"', "'"),
        '"etag"',
    ):
        answer = decide(malformed.encode().decode("latin-1"))
        assert is_problem(answer, 400, "if_match_malformed"), malformed
    others = [
        etag("task", task["id"], version) for version in (present - 1, present + 1, 999_999_999)
    ]
    others += [etag(kind, task["id"], present) for kind in ("item", "ticket", "draft", "tasks")]
    others += [etag("task", uuid4(), present), item["etag"], ticket["etag"]]
    others += [etag("task", task["item"], present), etag("task", ticket["id"], present)]
    for other in others:
        assert is_problem(decide(other), 412, "stale_version"), other
    assert clerk.get(f"/v1/desk/tasks/{task['id']}").json["version"] == present
    assert decide(f" W/{tag} ").status_code == 200
    assert decide(tag).status_code in {409, 412}


def test_authorization_that_is_no_bearer_token(client):
    for header in ("", "Basic YTpi", "Bearer", "Bearer ", "Token abc", "\x7f"):
        answer = client.get("/v1/me", headers={"Authorization": header})
        assert is_problem(answer, 400, "authorization_malformed"), header
    for token in ("a", "a.b.c", "..", "é", "x" * 5000, "eyJhbGciOiJub25lIn0.e30."):
        sent = token.encode().decode("latin-1")
        answer = client.get("/v1/me", headers={"Authorization": f"Bearer {sent}"})
        assert is_problem(answer, 401, "token_invalid"), token


def test_a_token_that_has_ended_does_not_close_what_is_public(client):
    """A client renews an expired token by calling a public route, often with that very token."""
    headers = {"Authorization": "Bearer expired"}
    assert client.get("/v1/offerings", headers=headers).status_code == 200
    answer = client.post("/v1/auth/refresh", json={"refresh_token": "unknown"}, headers=headers)
    assert is_problem(answer, 401, "refresh_token_invalid")
    answer = client.post("/v1/auth/wechat", json={"code": "demo:renewing"}, headers=headers)
    assert answer.status_code == 200


def test_a_defect_tells_nothing_of_itself(app, monkeypatch):
    def broken(**_options):
        raise ZeroDivisionError("the password is hunter2")

    monkeypatch.setattr(context, "identify", broken)
    answer = super(type(app.test_client()), app.test_client()).open("/v1/offerings")
    assert is_problem(answer, 500, "internal")
    assert b"hunter2" not in answer.data
    assert b"ZeroDivision" not in answer.data
