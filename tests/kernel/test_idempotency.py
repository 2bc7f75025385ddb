"""One key, one effect, one answer."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import exc, func, select

from service.kernel import clock, crypto, idempotency
from service.kernel.db import Scope, connect
from service.kernel.errors import Conflict
from service.kernel.idempotency import Answer, IdempotencyKey, Request
from tests.conftest import url_of
from tests.sealing import opened

KEPT = {"ETag", "Location", "Content-Type"}


def file(talent, body, key, **headers):
    return talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": key, **headers})


def keep(talent, body, key):
    """Keep a draft: the answer is stored, whereas the key of a filing is its ticket's."""
    return file(talent, {**body, "file": False}, key)


@pytest.fixture
def talent(client, world):
    return world.talent()


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


def tickets_of(talent):
    return talent.get("/v1/tickets").json["items"]


def stored(superuser, key):
    return superuser.execute(
        "SELECT id, answer, digest FROM idempotency_keys WHERE key = %s", (key,)
    ).fetchall()


def test_the_same_request_again_gets_the_same_answer(world, talent):
    key, body = uuid4().hex, world.filing()
    first, second = file(talent, body, key), file(talent, body, key)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.data == second.data
    for name in KEPT:
        assert first.headers[name] == second.headers[name]
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert len(tickets_of(talent)) == 1


def test_a_draft_that_comes_again_is_answered_with_the_draft_as_it_stands(world, talent):
    key, body = uuid4().hex, world.filing("settlement")
    first = keep(talent, body, key)
    where = f"/v1/tickets/{first.json['id']}"
    version = {"If-Match": first.headers["ETag"], **talent.headers}
    assert talent.client.patch(where, json={"consents": []}, headers=version).status_code == 200
    again, now = keep(talent, body, key), talent.get(where)
    assert (again.status_code, again.json) == (201, now.json)
    for name in ("ETag", "Content-Type"):
        assert again.headers[name] == now.headers[name]
    assert again.headers["Location"] == first.headers["Location"]
    assert len(tickets_of(talent)) == 1
    gone = talent.client.delete(where, headers=talent.headers | {"If-Match": again.json["etag"]})
    assert gone.status_code == 204
    late = keep(talent, body, key)
    assert (late.status_code, late.json["code"]) == (409, "draft_gone")


def test_a_draft_that_was_filed_since_is_answered_with_the_ticket(world, talent):
    key, body = uuid4().hex, world.filing("settlement")
    first = keep(talent, body, key)
    headers = {"If-Match": first.headers["ETag"], "Idempotency-Key": uuid4().hex}
    filed = talent.post(f"/v1/tickets/{first.json['id']}/filing", headers=headers)
    assert filed.status_code == 201, filed.json
    again = keep(talent, body, key)
    assert (again.status_code, again.json) == (201, filed.json)


def test_what_is_stored_of_a_draft_does_not_grow_with_it(world, talent, superuser):
    """Twenty drafts of a megabyte that are made and thrown away leave nothing of that size."""
    sizes = []
    for school in ("东", "东" * 50_000):
        key, body = uuid4().hex, world.filing("settlement")
        body["sections"]["applicant"] = {"school": school}
        answer = keep(talent, body, key)
        assert answer.status_code == 201, answer.json
        [(_, kept, _)] = stored(superuser, key)
        sizes.append(len(kept))
    assert sizes[0] == sizes[1] < 1000


def test_a_filing_that_comes_again_is_answered_with_the_ticket_as_it_stands(world, talent):
    key, body = uuid4().hex, world.filing("settlement")
    first = file(talent, body, key)
    world.through(first.json["items"][0])
    again = file(talent, body, key)
    assert (again.status_code, again.json["status"]) == (201, "completed")
    now = talent.get(f"/v1/tickets/{first.json['id']}")
    assert (again.json, again.headers["ETag"]) == (now.json, now.headers["ETag"])
    assert again.headers["Location"] == first.headers["Location"]


def test_the_order_of_names_and_white_space_do_not_count(world, talent):
    key, body = uuid4().hex, world.filing()
    first = file(talent, body, key)
    turned = json.dumps(dict(reversed(body.items())), indent=3, ensure_ascii=True).encode()
    again = talent.post(
        "/v1/tickets",
        data=turned,
        content_type="application/json; charset=utf-8",
        headers={"Idempotency-Key": key},
    )
    assert again.status_code == 201
    assert again.data == first.data


@pytest.mark.parametrize("send", [file, keep])
def test_another_payload_with_the_key_is_refused(world, talent, send):
    key, body = uuid4().hex, world.filing()
    send(talent, body, key)
    for other in (world.filing("settlement"), {**body, "items": body["items"][::-1]}):
        answer = send(talent, other, key)
        assert answer.status_code == 422
        assert answer.json["code"] == "idempotency_key_reused"
    assert len(tickets_of(talent)) == 1


def test_another_account_may_use_the_same_key(world, talent):
    key, body, other = uuid4().hex, world.filing(), world.talent("王芳")
    mine, theirs = file(talent, body, key), file(other, body, key)
    assert (mine.status_code, theirs.status_code) == (201, 201)
    assert mine.json["id"] != theirs.json["id"]


def test_another_route_may_use_the_same_key(world, talent):
    key = uuid4().hex
    assert file(talent, world.filing(), key).status_code == 201
    read = {"ids": [str(uuid4())]}
    answer = talent.post("/v1/notices/read", json=read, headers={"Idempotency-Key": key})
    assert answer.status_code == 200


def test_another_object_of_the_route_is_another_request(world):
    """The path is part of what is asked for: a claim's answer is not given for another task."""
    one, two = world.ticket(None, "settlement"), world.ticket(None, "settlement")
    clerk = world.staff(f"clerk.{one['items'][0]['stages'][0]['department']}")
    tasks = [world.open_task(clerk, ticket["items"][0]["number"]) for ticket in (one, two)]
    key = {"Idempotency-Key": uuid4().hex}
    first = clerk.post(f"/v1/desk/tasks/{tasks[0]['id']}/claim", headers=key)
    assert first.status_code == 200
    assert clerk.post(f"/v1/desk/tasks/{tasks[0]['id']}/claim", headers=key).data == first.data
    other = clerk.post(f"/v1/desk/tasks/{tasks[1]['id']}/claim", headers=key)
    assert other.json["code"] == "idempotency_key_reused"
    assert world.open_task(clerk, two["items"][0]["number"])["state"] == "open"


@pytest.mark.parametrize(
    ("body", "media"),
    [(b"\xff no json", "text/plain"), (b"{", "application/json"), (b"x" * 2**21, "text/plain")],
)
def test_a_body_where_none_is_wanted_is_no_matter(world, body, media):
    ticket = world.ticket(None, "settlement")
    clerk = world.staff(f"clerk.{ticket['items'][0]['stages'][0]['department']}")
    task = world.open_task(clerk, ticket["items"][0]["number"])
    for headers in ({"Idempotency-Key": uuid4().hex}, {}):
        path = f"/v1/desk/tasks/{task['id']}"
        for action in ("claim", "release"):
            answer = clerk.post(f"{path}/{action}", data=body, content_type=media, headers=headers)
            assert answer.status_code == 200


def test_a_body_too_large_is_refused_with_a_key_as_without(talent):
    for headers in ({"Idempotency-Key": uuid4().hex}, {}):
        for path in ("/v1/tickets", "/v1/notices/read"):
            answer = talent.post(
                path, data=b"x" * 2**21, content_type="application/json", headers=headers
            )
            assert answer.status_code in {400, 413}
            assert answer.json["code"] in {"body_too_large", "idempotency_key_missing"}


def test_a_problem_leaves_nothing_and_the_key_is_free(world, talent, superuser):
    key, body = uuid4().hex, world.filing()
    for wrong in ({}, {**body, "bundle": 1}, {**body, "consents": [1]}, {**body, "x": 1}):
        assert keep(talent, wrong, key).status_code == 422
        assert stored(superuser, key) == []
    assert keep(talent, body, key).status_code == 201
    assert len(stored(superuser, key)) == 1


def test_a_filing_that_was_refused_leaves_its_key_free(world, talent):
    key, body = uuid4().hex, world.filing()
    for wrong in ({}, {**body, "bundle": "absent"}, {**body, "consents": []}, {**body, "x": 1}):
        assert file(talent, wrong, key).status_code == 422
    assert file(talent, body, key).status_code == 201


def test_an_answer_that_cannot_be_stored_undoes_the_effect(world, talent, superuser, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError

    key = uuid4().hex
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "store_answer", broken)
        open_unchecked = super(type(talent.client), talent.client).open
        answer = open_unchecked(
            "/v1/tickets",
            method="POST",
            json={"bundle": "arrival", "file": False},
            headers={**talent.headers, "Idempotency-Key": key},
        )
    assert answer.status_code == 500
    assert tickets_of(talent) == []
    assert keep(talent, world.filing(), key).status_code == 201


def test_what_is_stored_is_sealed(world, superuser):
    talent = world.talent()
    key, body = uuid4().hex, world.filing("settlement")
    answer = keep(talent, body | {"sections": {"applicant": {"school": "欧阳金丝雀"}}}, key)
    ((row_id, sealed, digest),) = stored(superuser, key)
    for told in (answer.json["id"], "settlement", "欧阳金丝雀", '"items"'):
        assert told.encode() not in bytes(sealed)
    assert len(digest) == 32

    place = {"table": "idempotency_keys", "column": "answer"}
    kept = json.loads(opened(superuser, sealed, **place, row=row_id))
    assert kept["status"] == 201
    assert kept["body"] == "", "what was sent is in the draft alone"
    assert kept["headers"]["Location"] == f"/v1/tickets/{answer.json['id']}"
    assert crypto.person_of(sealed) is not None
    with pytest.raises(crypto.SealBroken):
        opened(superuser, sealed, **place, row=uuid4())


def test_while_the_key_is_at_work_others_are_told_so(world, talent, database):
    key, body = uuid4().hex, world.filing()
    account = UUID(talent.account["id"])
    first = keep(talent, body, key)
    with database.transaction(Scope.system("demo")) as session:
        route = session.scalar(select(IdempotencyKey.route).where(IdempotencyKey.key == key))
    other = uuid4().hex
    with database.transaction(Scope.system("demo")) as session:
        request = Request("demo", account, route, other, b"")
        assert idempotency.stored_answer(session, request) is None
        answer = keep(talent, world.filing(), other)
        assert answer.status_code == 409
        assert answer.json["code"] == "request_in_progress"
        assert answer.headers["Retry-After"] == "1"
        with database.transaction(Scope.system("demo")) as second, pytest.raises(Conflict):
            idempotency.stored_answer(second, request)
        assert keep(talent, body, key).data == first.data


def test_a_key_whose_request_was_cut_off_is_free_again(world, talent, database, settings):
    """A half-open connection holds its key for as long as a transaction may idle, not for ever."""
    first = uuid4().hex
    keep(talent, world.filing(), first)
    with database.transaction(Scope.system("demo")) as session:
        route = session.scalar(select(IdempotencyKey.route).where(IdempotencyKey.key == first))
    other, body = uuid4().hex, world.filing()
    request = Request("demo", UUID(talent.account["id"]), route, other, b"")
    cut_off = connect(replace(settings, database_idle_timeout=500))
    held = cut_off.open(Scope.system("demo"))
    try:
        assert idempotency.stored_answer(held, request) is None
        assert keep(talent, body, other).status_code == 409
        time.sleep(1.2)
        assert keep(talent, body, other).status_code == 201
        with pytest.raises(exc.DBAPIError):
            held.execute(select(1))
    finally:
        held.close()
        cut_off.dispose()


@pytest.mark.parametrize("files", [True, False])
def test_one_key_a_hundred_times_at_once_is_one_ticket(app, world, talent, files):
    """Filings of one person go one after the other; of drafts, the others are told to come again.

    Both times there is one answer for all.
    """
    key, body = uuid4().hex, {**world.filing(), "file": files}
    clients = [app.test_client() for _ in range(100)]
    together = threading.Barrier(100)

    def once(client):
        together.wait()
        return client.post(
            "/v1/tickets", json=body, headers={**talent.headers, "Idempotency-Key": key}
        )

    with ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(once, clients))
    made = {answer.data for answer in answers if answer.status_code == 201}
    assert len(made) == 1
    others = [answer for answer in answers if answer.status_code != 201]
    assert not (files and others)
    assert {answer.json["code"] for answer in others} <= {"request_in_progress"}
    assert {answer.headers["Retry-After"] for answer in others} <= {"1"}
    assert len(tickets_of(talent)) == 1


def test_answers_are_forgotten_after_a_day(world, talent, database, superuser):
    key = uuid4().hex
    keep(talent, world.filing(), key)
    at = clock.now()
    with database.transaction(Scope.system("demo")) as session:
        almost = at + timedelta(hours=23, minutes=59)
        assert idempotency.forget_old_answers(session, district="demo", at=almost, most=9) == 0
    assert len(stored(superuser, key)) == 1
    with database.transaction(Scope.system("demo")) as session:
        after = at + timedelta(hours=24, minutes=1)
        idempotency.forget_old_answers(session, district="demo", at=after, most=99)
    assert stored(superuser, key) == []


def test_forgetting_keeps_to_its_district(database, superuser):
    superuser.execute("INSERT INTO districts VALUES ('other', '{}', '{}') ON CONFLICT DO NOTHING")
    long_ago = clock.now() - timedelta(days=9)
    for district in ("demo", "other"):
        request = Request(district, uuid4(), "a", "long ago", b"digest")
        with database.transaction(Scope.system(district)) as session:
            idempotency.store_answer(session, request, Answer(200, {}, "{}"), at=long_ago)
    with database.transaction(Scope.system("demo")) as session:
        idempotency.forget_old_answers(session, district="other", at=clock.now(), most=9)
        idempotency.forget_old_answers(session, district="demo", at=clock.now(), most=9)
    with database.transaction(Scope.system("demo")) as session:
        held = select(func.count()).where(IdempotencyKey.key == "long ago")
        assert session.scalar(held) == 0
    with database.transaction(Scope.system("other")) as session:
        assert session.scalar(held) == 1


def test_who_has_lost_a_post_is_not_shown_again_what_they_saw_in_it(world, client, superuser):
    """A clerk claims with a key; another post is all that is left; the answer is not repeated."""
    ticket = world.ticket(None, "settlement")
    department = ticket["items"][0]["stages"][0]["department"]
    clerk = world.staff(f"clerk.{department}")
    task = world.open_task(clerk, ticket["items"][0]["number"])
    key = {"Idempotency-Key": uuid4().hex}
    path = f"/v1/desk/tasks/{task['id']}/claim"
    assert clerk.post(path, headers=key).status_code == 200
    assert clerk.post(path, headers=key).status_code == 200
    moved = "UPDATE posts SET department = 'construction' WHERE account_id = %s"
    superuser.execute(moved, (clerk.account["id"],))
    answer = clerk.post(path, headers=key)
    assert (answer.status_code, answer.json["code"]) == (409, "rights_changed")
    assert ticket["items"][0]["number"] not in answer.text
    assert clerk.post(path).status_code == 404


def test_a_key_that_is_sent_twice_is_no_key(world, talent):
    """A server joins both with a comma; which of them counts, nobody knows."""
    answer = keep(talent, world.filing("settlement"), f"{uuid4().hex},{uuid4().hex}")
    assert (answer.status_code, answer.json["code"]) == (400, "idempotency_key_malformed")
