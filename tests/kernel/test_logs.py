"""Logs are one JSON object a line and hold nothing that a person has said."""

from __future__ import annotations

import json
import logging
from uuid import uuid4

import pytest

import service.worker
from service.kernel import logs
from tests.loglines import listening

CANARY = "金丝雀Canaryqzx"
BROKEN = f'{{"name": "{CANARY}'.encode()


@pytest.fixture
def lines():
    """Everything that is logged, as text."""
    with listening() as lines:
        yield lines


def test_a_line_is_json_whatever_is_in_it(lines):
    logs.logger("a").info("happened", code="x\r\ny", figure=5)
    logging.getLogger("library").warning("one\ntwo %s", "three")
    own, foreign = map(json.loads, lines())
    assert own["event"] == "happened"
    assert (own["code"], own["figure"], own["level"]) == ("x\r\ny", 5, "info")
    assert own["at"].endswith(("Z", "+00:00"))
    assert foreign["event"] == "one\ntwo three"


def test_an_exception_is_told_by_type_and_place_alone(lines):
    def inner():
        raise KeyError(CANARY)

    for log in (logs.logger("a").error, logging.getLogger("library").error):
        try:
            try:
                inner()
            except KeyError as error:
                raise ValueError(f"row ({CANARY}) refused") from error
        except ValueError:
            log("failed", exc_info=True)
    for line in map(json.loads, lines()):
        assert line["exception"] == "ValueError from KeyError"
        assert any("inner" in frame or "test_logs.py" in frame for frame in line["frames"])
    assert CANARY not in "".join(lines())


def test_an_exception_handed_over_or_absent_is_no_trouble(lines):
    log = logs.logger("a")
    log.error("given", exc_info=ValueError(CANARY))
    log.error("none", exc_info=True)  # noqa: LOG014 - it is what is tested
    given, none = map(json.loads, lines())
    assert given["exception"] == "ValueError"
    assert none["exception"] == "unknown"
    assert CANARY not in "".join(lines())


def test_the_debug_of_libraries_is_not_ours(lines):
    logs.configure()
    logging.getLogger("sqlalchemy.engine").info(CANARY)
    logging.getLogger("httpx").info(CANARY)
    logging.getLogger("procrastinate").info(CANARY)
    assert lines() == []


# --- through the whole service --------------------------------------------------------------


def everywhere(value):
    """The same text where a client may write: header, query, body."""
    return {
        "headers": {
            "User-Agent": value.encode().decode("latin-1"),
            "X-Request-Id": value.encode().decode("latin-1"),
            "Referer": f"https://a.example/{value}".encode().decode("latin-1"),
            "Cookie": f"a={value}".encode().decode("latin-1"),
        },
        "query_string": {"q": value},
    }


def test_what_people_write_is_in_no_log(client, world, lines):
    from tests.factories import citizen_id

    number = citizen_id()
    talent = world.stranger()
    profile = {"name": CANARY, "id_type": "citizen_id", "id_number": number, "phone": "13912345678"}
    assert talent.patch("/v1/me", json=profile).status_code == 200
    member = {
        "name": f"{CANARY}小",
        "kinship": "child",
        "id_type": "passport",
        "id_number": "E73917391",
        "id_country": "GBR",
        "birth_date": "2019-06-01",
    }
    assert talent.post("/v1/me/family", json=member).status_code == 201
    filing = world.filing("settlement")
    for section in filing["sections"].values():
        for name, value in section.items():
            if isinstance(value, str) and not value.isascii():
                section[name] = f"{value}{CANARY}"
    answer = talent.post("/v1/tickets", json=filing, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.json
    item = answer.json["items"][0]
    clerk = world.staff(f"clerk.{item['stages'][0]['department']}")
    task = world.claimed(clerk, item["number"])
    clerk.post(
        f"/v1/desk/tasks/{task['id']}/decision",
        json={"verdict": "accept", "opinion": CANARY},
        headers={"If-Match": task["etag"]},
    )
    text = "".join(lines())
    assert text.count('"request"') >= 6, "requests are logged"
    for secret in (CANARY, number, "13912345678", "E73917391", talent.refresh_token,
                   talent.headers["Authorization"][7:]):  # fmt: skip
        assert secret not in text
    assert "Canaryqzx" not in text


def test_what_is_refused_is_in_no_log_and_not_said_again(client, world, lines):
    talent = world.talent()
    wrong = [
        talent.patch("/v1/me", json={"name": CANARY + "\x00"}),
        talent.patch("/v1/me", json={"name": 5, "id_number": CANARY, "id_type": CANARY}),
        talent.patch("/v1/me", json={"id_type": "citizen_id", "id_number": CANARY}),
        talent.patch("/v1/me", json={"phone": CANARY}),
        talent.patch("/v1/me", data=BROKEN, content_type="application/json"),
        talent.patch("/v1/me", data=CANARY.encode(), content_type="text/plain"),
        talent.post("/v1/tickets", json={"bundle": CANARY, "items": [{"offering": CANARY}]},
                    headers={"Idempotency-Key": uuid4().hex}),
        talent.get("/v1/tickets", query_string={"after": CANARY}),
        talent.get("/v1/tickets", query_string={"limit": CANARY}),
        client.get("/v1/offerings", query_string={"district": CANARY}),
        client.get(f"/v1/offerings/{CANARY}"),
        client.get(f"/{CANARY}"),
        client.post("/v1/auth/wechat", json={"code": CANARY}),
        client.post("/v1/auth/password", json={"username": CANARY, "password": CANARY}),
        client.post("/v1/auth/refresh", json={"refresh_token": CANARY}),
        client.get("/v1/me", headers={"Authorization": "Bearer Canaryqzx"}),
        client.get("/v1/offerings", **everywhere(CANARY)),
    ]  # fmt: skip
    for answer in wrong:
        if answer.status_code >= 400:
            assert "Canaryqzx" not in answer.get_data(as_text=True), answer.request.path
            assert "Canaryqzx" not in str(answer.headers)
    text = "".join(lines())
    assert text.count('"request"') >= len(wrong)
    assert "Canaryqzx" not in text


def test_a_defect_is_logged_without_its_message(app, client, lines, monkeypatch):
    from sqlalchemy import exc

    from service.kernel.http import context

    for error in (
        ValueError(CANARY),
        exc.IntegrityError(
            f"INSERT {CANARY}", {"name": CANARY}, Exception(f"Key ({CANARY}) exists")
        ),
        exc.OperationalError(f"SELECT {CANARY}", {}, Exception(CANARY)),
    ):

        def broken(error=error, **_options):
            raise error

        monkeypatch.setattr(context, "identify", broken)
        answer = super(type(client), client).open("/v1/offerings")
        assert answer.status_code in {500, 503}
        if answer.status_code == 503:
            assert int(answer.headers["Retry-After"]) >= 1
        assert CANARY not in answer.get_data(as_text=True)
    found = [json.loads(line) for line in lines() if "exception" in line]
    assert {line["exception"].split(" ")[0] for line in found} == {
        "ValueError",
        "IntegrityError",
        "OperationalError",
    }
    assert CANARY not in "".join(lines())
    request_ids = {line["request_id"] for line in found}
    assert None not in request_ids
    assert len(request_ids) == 3


def test_the_worker_logs_no_words_either(settings, database, database_name, world, lines):
    world.ticket(world.talent(CANARY))
    with service.worker.build(settings, database).open() as app:
        app.run_worker(wait=False, install_signal_handlers=False)
    assert CANARY not in "".join(lines())
