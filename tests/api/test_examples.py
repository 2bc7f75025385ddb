"""What the documents show as a request can be sent as it is."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.contract import document
from tests.materials.handing_in import upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents


def example_of(audience, path, method):
    body = document(audience)["paths"][path][method]["requestBody"]
    return body["content"]["application/json"]["example"]


def test_signing_in_as_shown(client):
    body = example_of("public", "/v1/auth/wechat", "post")
    assert client.post("/v1/auth/wechat", json=body).status_code == 200


def test_a_profile_and_a_family_as_shown_and_then_the_filing(world, database):
    """With documents of one's own instead of the one that is shown."""
    talent = world.stranger()
    answer = talent.patch("/v1/me", json=example_of("talent", "/v1/me", "patch"))
    assert answer.status_code == 200, answer.json
    answer = talent.post("/v1/me/family", json=example_of("talent", "/v1/me/family", "post"))
    assert answer.status_code == 201, answer.json
    publish(database, whole_pack())
    shown = example_of("talent", "/v1/tickets", "post")
    body = with_documents(shown, lambda code: upload(talent, code=code)["id"])
    assert set(shown["materials"][0]) == set(body["materials"][0])
    answer = talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.json
    publish(database, demo_pack())


def test_a_decision_as_shown(world):
    ticket = world.ticket(None, "settlement")
    item = ticket["items"][0]
    clerk = world.staff(f"clerk.{item['stages'][0]['department']}")
    task = world.claimed(clerk, item["number"])
    answer = clerk.post(
        f"/v1/desk/tasks/{task['id']}/decision",
        json=example_of("desk", "/v1/desk/tasks/{task_id}/decision", "post"),
        headers={"If-Match": task["etag"]},
    )
    assert answer.status_code == 200, answer.json


def test_notices_read_as_shown(world):
    body = example_of("talent", "/v1/notices/read", "post")
    assert world.talent().post("/v1/notices/read", json=body).status_code == 200


@pytest.mark.parametrize(
    ("path", "code"),
    [("/v1/auth/refresh", "refresh_token_invalid"), ("/v1/auth/password", "credentials_wrong")],
)
def test_secrets_shown_are_no_secrets(client, path, code):
    answer = client.post(path, json=example_of("public", path, "post"))
    assert answer.status_code == 401
    assert answer.json["code"] == code
