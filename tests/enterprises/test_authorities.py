"""Agents file for employees who let them, over HTTP: from the authority given to it revoked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from service.kernel.db import Scope
from service.kernel.events import Event
from service.notifications.handlers import tell_applicant
from tests.enterprises.conftest import OURS, THEIRS, look, numbers_of, sees
from tests.factories import Signed
from tests.materials.handing_in import form, upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents

NEEDED = ["processing@1", "sensitive@1"]
POLICE = "public_security"


@pytest.fixture
def employed(agent, employee):
    """A talent who has filed once for themselves, naming our enterprise."""
    someone = employee("张伟")
    someone.file("housing_rent")
    return someone


def give(someone, code: str = OURS, consents: list[str] | None = None):
    body = {"credit_code": code, "consents": consents or []}
    return someone.signed.post("/v1/me/authorities", json=body)


def given(someone, **options) -> str:
    answer = give(someone, **options)
    assert answer.status_code == 201, answer.json
    return answer.json["id"]


def revoke(someone, authority: str):
    return someone.signed.post(f"/v1/me/authorities/{authority}/revocation")


def body_of(someone, *offerings: str, **options):
    body = someone.body(*(offerings or ("settlement",)), **options)
    del body["consents"]
    return body


def file_for(agent: Signed, authority: str, body, key: str | None = None):
    path = f"/v1/enterprise/authorities/{authority}/tickets"
    return agent.post(path, json=body, headers={"Idempotency-Key": key or uuid4().hex})


def authorised(agent: Signed) -> list[str]:
    answer = agent.get("/v1/enterprise/authorities", query_string={"limit": 100})
    assert answer.status_code == 200, answer.json
    return [one["id"] for one in answer.json["items"]]


def refused(answer, status: int, code: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code)


# --- from end to end


def test_an_agent_files_for_a_colleague(agent, employed, walk):
    authority = given(employed)
    (listed,) = [
        one
        for one in agent.get("/v1/enterprise/authorities").json["items"]
        if one["id"] == authority
    ]
    assert listed["employee"] == "张*"
    filed = file_for(agent, authority, body_of(employed))
    assert filed.status_code == 201, filed.json
    assert set(filed.json) == {"id", "number", "filed_at", "due_on"}
    assert filed.headers["Location"] == f"/v1/enterprise/requests/{filed.json['id']}"
    # The ticket is the employee's, like any other of theirs.
    own = employed.signed.get(f"/v1/tickets/{filed.json['id']}").json
    assert own["number"] == filed.json["number"]
    assert own["number"] in [
        one["number"] for one in employed.signed.get("/v1/tickets").json["items"]
    ]
    timeline = employed.signed.get(f"/v1/tickets/{own['id']}/timeline").json["items"]
    assert timeline[0]["kind"] == "ticket_filed"
    assert "agent filed" in timeline[0]["text"]["en"]
    assert "专员" in timeline[0]["text"]["zh"]
    # The agent sees what an employer sees, and acts on nothing.
    assert sees(agent, filed.json)
    assert agent.get(f"/v1/tickets/{own['id']}").status_code == 403
    walk(own["items"][0])
    own = employed.signed.get(f"/v1/tickets/{own['id']}").json
    assert own["status"] == "completed"
    assert look(agent, own).json["status"] == "completed"
    # And no longer than the employee lets it.
    assert employed.consent(given=False).status_code == 200
    assert not sees(agent, filed.json)


def test_who_filed_and_by_which_right_is_recorded(agent, employed, superuser, actor_of):
    authority = given(employed)
    filed = file_for(agent, authority, body_of(employed)).json
    row = superuser.execute(
        "SELECT applicant_kind, person_id, enterprise_id, authority, authority_id::text, account_id"
        " FROM tickets WHERE id = %s",
        (filed["id"],),
    ).fetchone()
    person, account = actor_of(employed.signed).person, actor_of(agent).account
    assert row == ("person", person, None, "agent", authority, account)
    own = superuser.execute(
        "SELECT authority, authority_id, account_id FROM tickets WHERE id = %s",
        (employed.ticket["id"],),
    ).fetchone()
    assert own == ("own", None, actor_of(employed.signed).account)
    audited = "SELECT count(*) FROM audit_log WHERE action = 'authority.given' AND subject = %s"
    assert superuser.execute(audited, (authority,)).fetchone() == (1,)


def test_notices_go_to_the_applicant(agent, employed, database, actor_of):
    filed = file_for(agent, given(employed), body_of(employed)).json
    with database.transaction(Scope.system("demo")) as session:
        event = session.scalars(
            select(Event).where(Event.ticket_id == UUID(filed["id"]), Event.kind == "ticket_filed")
        ).one()
        tell_applicant(session, event)
    notices = employed.signed.get("/v1/notices").json["items"]
    assert filed["id"] in [one["ticket"] for one in notices]


@pytest.fixture
def asks_for_documents(employed, database):
    """Once the employee has filed, the pack asks for documents; afterwards it does so no more."""
    publish(database, whole_pack())
    yield
    publish(database, demo_pack())


@pytest.mark.usefixtures("asks_for_documents")
def test_documents_and_family(world, agent, employed):
    """What is handed in for them is theirs; of whom it is about, the employee tells the id."""
    wife, authority = employed.relative("spouse", "李芳"), given(employed)
    stranger = world.talent()
    path = f"/v1/enterprise/authorities/{authority}/materials"

    def hand_in(code: str) -> str:
        answer = agent.post(
            path, data=form(code=code), content_type="multipart/form-data; boundary=cut"
        )
        assert answer.status_code == 201, answer.json
        return answer.json["id"]

    body = with_documents(body_of(employed, "settlement", spouse=[wife]), hand_in)
    strangers = with_documents(body, lambda code: upload(stranger, code=code)["id"])
    refused(file_for(agent, authority, strangers), 422, "invalid")
    filed = file_for(agent, authority, body)
    assert filed.status_code == 201, filed.get_data(as_text=True)
    mine = {one["id"] for one in employed.signed.get("/v1/materials").json["items"]}
    assert mine == {
        one["material"]
        for one in [
            *body["materials"],
            *(one for item in body["items"] for one in item["materials"]),
        ]
    }


# --- once, and one at a time


def test_a_key_gives_the_same_ticket_and_never_another_persons(agent, employee, employed):
    authority, body, key = given(employed), body_of(employed), uuid4().hex
    first = file_for(agent, authority, body, key)
    again = file_for(agent, authority, body, key)
    assert (first.status_code, again.json) == (201, first.json)
    other = employee("李娜")
    other.file("housing_rent")
    refused(file_for(agent, given(other), body, key), 422, "idempotency_key_reused")


def test_what_is_open_is_open_whoever_filed_it(agent, employed):
    authority = given(employed)
    rent = employed.ticket["items"][0]["number"]
    answer = file_for(agent, authority, body_of(employed, "housing_rent"))
    refused(answer, 409, "item_already_open")
    assert rent in answer.json["detail"]
    assert file_for(agent, authority, body_of(employed)).status_code == 201
    key = {"Idempotency-Key": uuid4().hex}
    mine = employed.signed.post("/v1/tickets", json=employed.body("settlement"), headers=key)
    refused(mine, 409, "item_already_open")


# --- refused


def test_after_it_is_revoked(agent, employed):
    authority, body = given(employed), body_of(employed)
    assert authority in authorised(agent)
    for _ in range(2):
        answer = revoke(employed, authority)
        assert answer.status_code == 200
        assert answer.json["revoked_at"] is not None
    assert authority not in authorised(agent)
    assert file_for(agent, authority, body).status_code == 404
    # What was filed before stays; a new authority is another one.
    renewed = given(employed)
    assert renewed != authority
    assert [one["id"] for one in employed.signed.get("/v1/me/authorities").json["items"]] == [
        renewed,
        authority,
    ]
    assert file_for(agent, authority, body).status_code == 404
    assert file_for(agent, renewed, body).status_code == 201


def test_it_is_not_revoked_before_it_was_given(employed, superuser):
    """Given by a machine whose clock is ahead: the later moment counts."""
    authority = given(employed)
    (given_at,) = superuser.execute(
        "UPDATE authorities SET given_at = given_at + interval '9 minutes' WHERE id = %s"
        " RETURNING given_at",
        (authority,),
    ).fetchone()
    answer = revoke(employed, authority)
    assert answer.status_code == 200, answer.json
    assert datetime.fromisoformat(answer.json["revoked_at"]) == given_at


def test_not_even_the_same_key_after_it_is_revoked(agent, employed):
    authority, body, key = given(employed), body_of(employed), uuid4().hex
    assert file_for(agent, authority, body, key).status_code == 201
    assert revoke(employed, authority).status_code == 200
    assert file_for(agent, authority, body, key).status_code == 404


def test_by_another_enterprises_agent(hire, employed):
    other, authority = hire(THEIRS), given(employed)
    assert authority not in authorised(other)
    assert file_for(other, authority, body_of(employed)).status_code == 404
    path = f"/v1/enterprise/authorities/{authority}/materials"
    sent = {"data": form(), "content_type": "multipart/form-data; boundary=cut"}
    assert other.post(path, **sent).status_code == 404
    assert employed.signed.get("/v1/materials").json["items"] == []


def test_after_the_employment_ended(agent, employed, superuser, actor_of):
    authority, person = given(employed), actor_of(employed.signed).person
    superuser.execute("UPDATE employments SET ended_on = now() WHERE person_id = %s", (person,))
    assert authority not in authorised(agent)
    assert file_for(agent, authority, body_of(employed)).status_code == 404
    refused(give(employed), 409, "employment_not_confirmed")


def test_where_nobody_is_known_to_work(agent, employee, employed):
    refused(give(employee()), 409, "employment_not_confirmed")
    refused(give(employed, code=THEIRS), 409, "employment_not_confirmed")
    refused(give(employed, code="no code"), 409, "employment_not_confirmed")


def test_for_who_gave_no_authority(agent, employed, actor_of):
    person = str(actor_of(employed.signed).person)
    for unknown in (person, str(uuid4())):
        assert file_for(agent, unknown, body_of(employed)).status_code == 404


def test_without_the_consents(agent, employed, superuser, actor_of):
    """Nobody consents for somebody else: neither in the body nor by being asked."""
    authority, person = given(employed), actor_of(employed.signed).person
    superuser.execute(
        "UPDATE consents SET withdrawn_at = now() WHERE person_id = %s AND code = 'sensitive'",
        (person,),
    )
    answer = file_for(agent, authority, body_of(employed))
    refused(answer, 409, "consents_not_standing")
    assert "敏感个人信息单独同意" in answer.json["detail"]
    assert answer.json["params"]["consents"] == "sensitive@1"
    with_consents = body_of(employed) | {"consents": NEEDED}
    assert file_for(agent, authority, with_consents).status_code == 422
    # The employee gives them with the authority, on their own phone.
    assert given(employed, consents=NEEDED) == authority
    assert file_for(agent, authority, body_of(employed)).status_code == 201


def test_to_everybody_else(world, agent, employed, client):
    authority, body = given(employed), body_of(employed)
    clerk = world.staff(f"clerk.{POLICE}")
    for somebody in (employed.signed, clerk):
        assert file_for(somebody, authority, body).status_code == 403
        assert somebody.get("/v1/enterprise/authorities").status_code == 403
    for somebody in (agent, clerk):
        assert somebody.get("/v1/me/authorities").status_code == 403
    assert revoke(_Other(world.talent()), authority).status_code == 404
    path = f"/v1/enterprise/authorities/{authority}/tickets"
    assert client.post(path, json=body).status_code == 401


class _Other:
    def __init__(self, signed: Signed) -> None:
        self.signed = signed


def test_a_clerks_own_case_is_theirs_whoever_filed(world, agent, employed, superuser, actor_of):
    """Who works for a department and for themselves: the case stays their own."""
    filed = file_for(agent, given(employed), body_of(employed)).json
    task = superuser.execute(
        "SELECT id FROM tasks WHERE ticket_id = %s AND status = 'open'", (filed["id"],)
    ).fetchone()[0]
    clerk = world.staff(f"clerk.{POLICE}")
    account, person = actor_of(clerk).account, actor_of(employed.signed).person
    superuser.execute("UPDATE accounts SET person_id = %s WHERE id = %s", (person, account))
    try:
        refused(clerk.post(f"/v1/desk/tasks/{task}/claim"), 403, "own_case")
    finally:
        superuser.execute("UPDATE accounts SET person_id = NULL WHERE id = %s", (account,))


def test_what_an_agent_filed_without_being_let_follow_is_not_seen(agent, employee, employed):
    """The authority to file is none to look."""
    assert employed.consent(given=False).status_code == 200
    filed = file_for(agent, given(employed), body_of(employed))
    assert filed.status_code == 201
    assert look(agent, filed.json).status_code == 404
    assert filed.json["number"] not in numbers_of(agent)
