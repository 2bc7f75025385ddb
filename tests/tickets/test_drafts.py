"""A draft is kept on the server, changed, thrown away or filed; a ticket keeps its id."""

from __future__ import annotations

from itertools import count

import pytest

from service.kernel.etags import etag

numbers = count()


@pytest.fixture
def talent(world):
    return world.talent()


def key():
    return {"Idempotency-Key": f"draft-{next(numbers)}"}


def seen(draft):
    return {"If-Match": draft["etag"]}


@pytest.fixture
def draft(world, talent):
    body = {**world.filing("settlement"), "consents": [], "file": False}
    answer = talent.post("/v1/tickets", json=body, headers=key())
    assert answer.status_code == 201, answer.json
    return answer.json


def change(talent, draft, **parts):
    where = f"/v1/tickets/{draft['id']}"
    return talent.client.patch(where, json=parts, headers=talent.headers | seen(draft))


def forget(talent, draft):
    where = f"/v1/tickets/{draft['id']}"
    return talent.client.delete(where, headers=talent.headers | seen(draft))


def file(talent, draft):
    return talent.post(f"/v1/tickets/{draft['id']}/filing", headers=key() | seen(draft))


def test_what_is_sent_replaces_and_the_rest_stays(world, talent, draft):
    assert (draft["status"], draft["items"]) == ("draft", [])
    changed = change(talent, draft, sections={"applicant": {"school": "东湾"}})
    assert changed.status_code == 200, changed.json
    assert changed.json["draft"]["sections"] == {"applicant": {"school": "东湾"}}
    assert changed.json["draft"]["items"] == draft["draft"]["items"]
    assert changed.json["version"] == draft["version"] + 1
    assert talent.get(f"/v1/tickets/{draft['id']}").json == changed.json
    assert change(talent, draft, consents=[]).status_code == 412


def test_a_draft_is_filed_and_is_a_ticket_by_the_same_id(world, talent, draft):
    consents = world.filing("settlement")["consents"]
    draft = change(talent, draft, consents=consents).json
    filed = file(talent, draft)
    assert filed.status_code == 201, filed.json
    assert (filed.json["id"], filed.json["status"]) == (draft["id"], "in_progress")
    assert [one["offering"] for one in filed.json["items"]] == ["settlement"]
    assert file(talent, draft).status_code == 404


def test_a_draft_with_faults_is_not_filed_and_stays(talent, draft):
    refused = file(talent, draft)
    assert refused.status_code == 422
    assert {one["path"] for one in refused.json["errors"]} == {"consents"}
    assert talent.get(f"/v1/tickets/{draft['id']}").json == draft
    assert file(talent, {**draft, "etag": etag("draft", draft["id"], 9)}).status_code == 412


def test_what_is_thrown_away_is_gone(talent, draft):
    assert forget(talent, {**draft, "etag": etag("draft", draft["id"], 9)}).status_code == 412
    assert forget(talent, draft).status_code == 204
    assert talent.get(f"/v1/tickets/{draft['id']}").status_code == 404


def test_somebody_elses_draft_is_not_there(world, talent, draft):
    stranger = world.stranger()
    assert stranger.get(f"/v1/tickets/{draft['id']}").status_code == 404
    answers = [change(stranger, draft, consents=[]), forget(stranger, draft), file(stranger, draft)]
    assert [one.status_code for one in answers] == [404, 404, 404]
    assert talent.get(f"/v1/tickets/{draft['id']}").json == draft


def test_nothing_of_a_draft_stands_readable_in_the_database(superuser, draft):
    [row] = superuser.execute("SELECT d::text FROM drafts d WHERE id = %s", (draft["id"],))
    assert "文澜路" not in row[0]
    assert "文澜路".encode().hex() not in row[0]
