"""A draft is kept on the server, changed, thrown away or filed; a ticket keeps its id."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from threading import Barrier
from uuid import uuid4

import pytest

from service.kernel.etags import etag

numbers = count()
WISH = {"offering": "housing_rent", "subject": None, "sections": {}, "materials": []}


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
    sections = draft["draft"]["sections"] | {"applicant": {"school": "东湾"}}
    assert len(sections) > 1
    assert changed.json["draft"]["sections"] == sections
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


def test_a_section_at_a_time(talent, draft):
    """A screen saves what is on it; what stands on the others is not lost."""
    one, other = (item | {"sections": {}} for item in (WISH, {**WISH, "offering": "schooling"}))
    draft = change(talent, draft, sections={}, items=[one, other]).json
    for section in ("lease", "bank"):
        named = {"offering": WISH["offering"], "sections": {section: {"number": section}}}
        draft = change(talent, draft, items=[named, other]).json
    assert draft["draft"]["items"][0] == one | {
        "sections": {"lease": {"number": "lease"}, "bank": {"number": "bank"}}
    }
    assert draft["draft"]["items"][1] == other
    less = {"offering": WISH["offering"], "sections": {"lease": None}}
    draft = change(talent, draft, items=[less], sections={"applicant": None}).json
    assert draft["draft"]["items"] == [one | {"sections": {"bank": {"number": "bank"}}}]
    assert "applicant" not in draft["draft"]["sections"]


def test_documents_stay_where_none_are_sent(talent, draft):
    kept = [{"code": "lease_contract", "material": str(uuid4())}]
    shared = [{"code": "id_card", "material": str(uuid4())}]
    draft = change(talent, draft, materials=shared, items=[{**WISH, "materials": kept}]).json
    named = {"offering": WISH["offering"], "sections": {"lease": {}}}
    draft = change(talent, draft, items=[named]).json
    assert draft["draft"]["items"][0]["materials"] == kept
    assert draft["draft"]["materials"] == shared
    draft = change(talent, draft, materials=[], items=[{**named, "materials": []}]).json
    assert draft["draft"]["items"][0]["materials"] == draft["draft"]["materials"] == []


def test_put_means_what_patch_means(talent, draft):
    """A mini-program's `wx.request` sends PUT, and no PATCH."""
    where = f"/v1/tickets/{draft['id']}"
    sent = {"json": {"consents": []}, "headers": talent.headers | seen(draft)}
    changed = talent.client.put(where, **sent)
    assert (changed.status_code, changed.json["version"]) == (200, draft["version"] + 1)
    assert talent.client.put(where, **sent).status_code == 412
    named = talent.client.put("/v1/me", json={"name": "欧阳娜"}, headers=talent.headers)
    assert (named.status_code, named.json["name"]) == (200, "欧阳娜")


def test_what_was_filed_is_no_draft_any_more(world, talent, draft):
    """Filed a second time with another key, changed or thrown away: the number is named."""
    draft = change(talent, draft, consents=world.filing("settlement")["consents"]).json
    number = file(talent, draft).json["number"]
    for again in (file(talent, draft), change(talent, draft, consents=[]), forget(talent, draft)):
        assert (again.status_code, again.json["code"]) == (409, "already_filed")
        assert number in again.json["detail"]
    assert talent.get(f"/v1/tickets/{draft['id']}").json["number"] == number


def test_what_is_not_filed_is_no_ticket_yet(talent, draft):
    where = f"/v1/tickets/{draft['id']}"
    tag = {"If-Match": etag("ticket", draft["id"], 1)}
    for answer in (
        talent.get(f"{where}/timeline"),
        talent.get(f"{where}/withdrawal"),
        talent.post(f"{where}/withdrawal", headers=tag),
    ):
        assert (answer.status_code, answer.json["code"]) == (409, "not_filed")


def test_the_last_filed_comes_first(world, talent, draft):
    """A ticket that was a draft for long is as new as its filing, on whatever page."""
    draft = change(talent, draft, consents=world.filing("settlement")["consents"]).json
    other = {**world.filing("schooling"), "file": False}
    begun = talent.post("/v1/tickets", json=other, headers=key()).json
    meanwhile = talent.post("/v1/tickets", json=world.filing("housing_rent"), headers=key()).json
    at_last = file(talent, draft).json
    order = [one["id"] for one in (at_last, meanwhile, begun)]
    assert order != sorted(order, reverse=True)
    assert [one["id"] for one in talent.get("/v1/tickets").json["items"]] == order
    paged, after = [], ""
    while after is not None:
        page = talent.get(f"/v1/tickets?limit=1{after and '&after='}{after}").json
        paged += [one["id"] for one in page["items"]]
        after = page["next"]
    assert paged == order


def test_a_draft_with_faults_is_not_filed_and_stays(talent, draft):
    refused = file(talent, draft)
    assert refused.status_code == 422
    paths = {one["path"] for one in refused.json["errors"]}
    assert paths == {"consents.processing@1", "consents.sensitive@1"}
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


def test_drafts_begun_at_once_are_no_more_than_may_be(app, talent):
    """Nineteen stand; of several that come at the same moment one finds room."""
    body = {"bundle": "arrival", "file": False}
    for _ in range(19):
        assert talent.post("/v1/tickets", json=body, headers=key()).status_code == 201
    together = Barrier(6)

    def once(headers):
        together.wait()
        who = replace(talent, client=app.test_client())
        return who.post("/v1/tickets", json=body, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(once, [key() for _ in range(6)]))
    assert sorted(told) == [201, *[409] * 5]
