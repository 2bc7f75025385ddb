"""Who acts for an enterprise: signing in, for which one, until when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from service.enterprises import actions
from service.identity.staff.actions import ensure_staff
from service.kernel import clock
from service.kernel.db import Scope
from service.kernel.errors import Conflict, Invalid
from service.kernel.permissions import Role
from tests.conftest import PASSWORD
from tests.enterprises.conftest import OURS, THEIRS, look, paths, requests_of

EVERYTHING = ("", "/employees", "/requests")


def test_an_agent_signs_in_like_staff(client, world):
    body = {"username": "agent.1", "password": PASSWORD}
    answer = client.post("/v1/auth/password", json=body)
    assert answer.status_code == 200
    account = answer.json["account"]
    assert account | {"id": ""} == {
        "id": "",
        "kind": "agent",
        "display_name": "agent.1",
        "district": "demo",
        "posts": [],
    }
    refreshed = client.post(
        "/v1/auth/refresh", json={"refresh_token": answer.json["refresh_token"]}
    )
    assert refreshed.json["account"] == account
    headers = {"Authorization": f"Bearer {refreshed.json['access_token']}"}
    me = client.get("/v1/me", headers=headers).json
    assert me == account | dict.fromkeys(
        ("name", "id_type", "id_number", "id_country", "birth_date", "phone", "complete")
    )
    assert client.post("/v1/auth/logout", headers=headers).status_code == 204
    assert client.get("/v1/enterprise", headers=headers).status_code == 401


def test_guessing_an_agents_password_is_slowed_down(client, hire):
    hire(username="agent.guessed")
    runtime = client.application.extensions["talent"]
    strict = replace(runtime.settings, limit_login_per_account="3 per minute")
    client.application.extensions["talent"] = replace(runtime, settings=strict)
    body = {"username": "agent.guessed", "password": "wrong" * 4}
    try:
        tried = [client.post("/v1/auth/password", json=body) for _ in range(5)]
    finally:
        client.application.extensions["talent"] = runtime
    assert [answer.status_code for answer in tried] == [401, 401, 401, 429, 429]


def test_the_demonstrations_agent_acts_for_its_enterprise(world):
    answer = world.staff("agent.1").get("/v1/enterprise")
    assert answer.status_code == 200
    assert paths(answer.json) == {"id", "name", "credit_code"}
    assert (answer.json["name"], answer.json["credit_code"]) == ("东湾海芯科技有限公司", OURS)


def test_an_agent_acts_for_one_enterprise_only(hire):
    ours, theirs = hire(OURS).get("/v1/enterprise").json, hire(THEIRS).get("/v1/enterprise").json
    assert (ours["credit_code"], theirs["credit_code"]) == (OURS, THEIRS)
    assert ours["id"] != theirs["id"]


def test_talents_and_staff_are_no_agents(client, world, employee):
    ticket = employee().file()
    people = [world.talent(), *map(world.staff, ("clerk.human_resources", "coordinator"))]
    for path in (*EVERYTHING, f"/requests/{ticket['id']}"):
        assert client.get(f"/v1/enterprise{path}").status_code == 401
        for person in people:
            answer = person.get(f"/v1/enterprise{path}")
            assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    "path", ["/v1/tickets", "/v1/me/facts", "/v1/desk/tasks", "/v1/me/family", "/v1/me/consents"]
)
def test_an_agent_is_nobody_else(agent, path):
    assert agent.get(path).status_code == 403


def test_an_agent_writes_nothing(agent, employee):
    ticket = employee().file()
    assert agent.patch("/v1/me", json={"name": "陈静"}).status_code == 403
    body = {"consent": "enterprise@2", "given": True}
    assert agent.post("/v1/me/consents", json=body).status_code == 403
    assert agent.get(f"/v1/tickets/{ticket['id']}").status_code == 403
    assert agent.get(f"/v1/tickets/{ticket['id']}/timeline").status_code == 403


def test_in_another_district_an_agent_acts_for_nobody(hire, world, elsewhere, employee):
    hire(username="agent.near")
    ticket = employee().file()
    body = {"username": "agent.near", "password": PASSWORD, "district": elsewhere}
    far = world._signed(world.client.post("/v1/auth/password", json=body))
    for path in (*EVERYTHING, f"/requests/{ticket['id']}"):
        answer = far.get(f"/v1/enterprise{path}")
        assert (answer.status_code, answer.json["code"]) == (403, "no_enterprise_in_district")


def test_an_enterprise_of_another_district_with_the_same_code_sees_nothing(
    hire, elsewhere, employee
):
    ticket = employee().file()
    far = hire(OURS, district=elsewhere)
    assert far.get("/v1/enterprise").json["credit_code"] == OURS
    assert requests_of(far) == []
    assert look(far, ticket).status_code == 404


# --- bringing agents up to date


AT = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)  # the 24th already in Beijing


@pytest.fixture
def settle(session):
    """Makes both enterprises known, and agents in a transaction that is rolled back."""
    ids = {}
    for code in (OURS, THEIRS):
        name = "东湾海芯科技有限公司"
        ids[code] = actions.ensure_enterprise(session, credit_code=code, name=name, at=AT)

    def agent(code, at=AT, **changes):
        said = {"username": "agent.a", "display_name": "陈静", "password": PASSWORD} | changes
        return actions.ensure_agent(session, credit_code=code, at=at, **said)

    agent.ids = ids
    return agent


def spans(session, account):
    rows = session.connection().exec_driver_sql(
        "SELECT enterprise_id, valid_from::text, valid_to::text FROM enterprise_agents"
        " WHERE account_id = %(account)s ORDER BY valid_from",
        {"account": account},
    )
    return [tuple(row) for row in rows]


def test_an_agent_begins_by_the_date_of_the_district(session, settle):
    account = settle(OURS)
    later = {"at": AT + timedelta(days=3), "display_name": "陈静静"}
    with pytest.raises(Conflict, match="account_of_another"):
        settle(OURS, **later)
    assert settle(OURS, **later, renamed=True) == account
    assert spans(session, account) == [(settle.ids[OURS], "2026-11-24", None)]


def test_an_agent_changes_the_enterprise(session, settle):
    account = settle(OURS)
    settle(THEIRS)  # on the same day: the first was never worked for
    assert spans(session, account) == [(settle.ids[THEIRS], "2026-11-24", None)]
    settle(OURS, at=AT + timedelta(days=10))
    assert spans(session, account) == [
        (settle.ids[THEIRS], "2026-11-24", "2026-12-03"),
        (settle.ids[OURS], "2026-12-04", None),
    ]


def test_a_change_of_enterprise_acts_on_the_next_request(hire):
    signed = hire(OURS, username="agent.moves")
    hire(THEIRS, username="agent.moves")
    assert signed.get("/v1/enterprise").json["credit_code"] == THEIRS


def test_what_has_ended_or_not_begun_is_not_acted_for(hire, superuser):
    signed = hire(username="agent.leaves")
    where = f"WHERE account_id = '{signed.account['id']}'"
    set_days = "UPDATE enterprise_agents SET valid_from = {}, valid_to = {} " + where
    for first, last, status in (
        ("'2020-01-01'", "'2020-12-31'", 403),
        ("'2090-01-01'", "NULL", 403),
        ("'2020-01-01'", "'2090-12-31'", 200),
    ):
        superuser.execute(set_days.format(first, last))
        assert signed.get("/v1/enterprise").status_code == status


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"username": "Agent A"}, "username", "wrong_pattern"),
        ({"password": "short"}, "password", "length_out_of_bounds"),
        ({"credit_code": "91350100M000100Y44"}, "credit_code", "enterprise_unknown"),
        ({"credit_code": "91110000600037341L"}, "credit_code", "enterprise_unknown"),
    ],
)
def test_agents_of_another_form(session, settle, changes, path, code):
    said = {"username": "agent.b", "display_name": "陈静", "password": PASSWORD}
    with pytest.raises(Invalid) as caught:
        actions.ensure_agent(session, **{**said, "credit_code": OURS, **changes}, at=AT)
    assert [(fault.path, fault.code) for fault in caught.value.errors] == [(path, code)]


@pytest.mark.parametrize(
    ("code", "name", "path"),
    [
        ("91350100M000100Y44", "公司", "credit_code"),
        (OURS, " ", "name"),
        (OURS, "长" * 101, "name"),
    ],
)
def test_enterprises_of_another_form(session, code, name, path):
    with pytest.raises(Invalid) as caught:
        actions.ensure_enterprise(session, credit_code=code, name=name, at=AT)
    assert [fault.path for fault in caught.value.errors] == [path]


def test_an_enterprise_is_known_once_and_renamed(session, settle):
    again = actions.ensure_enterprise(session, credit_code=OURS.lower(), name=" 新名 ", at=AT)
    assert again == settle.ids[OURS]
    found = session.connection().exec_driver_sql(
        "SELECT name FROM enterprises WHERE credit_code = %(code)s", {"code": OURS}
    )
    assert found.scalars().all() == ["新名"]


def test_one_name_is_not_of_two_kinds(session, settle, database):
    with pytest.raises(Conflict, match="username_taken"):
        settle(OURS, username="clerk.construction")
    settle(OURS)
    staff = {"display_name": "王芳", "password": PASSWORD, "posts": [("office", Role.HEAD)]}
    with pytest.raises(Conflict, match="username_taken"):
        ensure_staff(session, username="agent.a", at=AT, **staff)


def test_making_them_known_is_in_the_audit_log(database, superuser):
    with database.transaction(Scope.system("demo")) as session:
        said = {"username": "agent.audited", "display_name": "陈静", "password": PASSWORD}
        at = clock.now()
        enterprise = actions.ensure_enterprise(session, credit_code=OURS, name="公司", at=at)
        account = actions.ensure_agent(session, **said, credit_code=OURS, at=at)
    rows = superuser.execute(
        "SELECT action, actor_kind, data::text FROM audit_log WHERE at = %s AND subject = ANY(%s)"
        " ORDER BY action",
        (at, [enterprise, account]),
    ).fetchall()
    assert rows == [("agent.ensured", "system", "{}"), ("enterprise.ensured", "system", "{}")]
