"""Letting the employer follow, and no longer: a talent's own choice at any time."""

from __future__ import annotations

import pytest

from tests.enterprises.conftest import CONSENT, sees


@pytest.fixture
def someone(employee):
    return employee()


def in_force(answer):
    assert answer.status_code == 200, answer.json
    return sorted(
        f"{one['code']}@{one['version']}"
        for one in answer.json["items"]
        if one["withdrawn_at"] is None
    )


def audited(superuser, actor):
    return superuser.execute(
        "SELECT action, actor_kind, subject, data FROM audit_log"
        " WHERE actor_id = %s AND action LIKE 'consent.%%' ORDER BY id",
        (actor.account,),
    ).fetchall()


def test_withdrawing_and_giving_again(someone, superuser, actor_of):
    someone.file()
    answer = someone.consent(given=False)
    assert in_force(answer) == ["processing@1", "sensitive@1"]
    assert someone.signed.get("/v1/me/consents").json == answer.json
    assert in_force(someone.consent(given=True)) == [CONSENT, "processing@1", "sensitive@1"]
    whole = someone.signed.get("/v1/me/consents").json["items"]
    assert [one["withdrawn_at"] is None for one in whole if one["code"] == "enterprise"] == [
        True,
        False,
    ]
    actor = actor_of(someone.signed)
    assert audited(superuser, actor) == [
        ("consent.withdrawn", "talent", actor.person, {"consent": CONSENT}),
        ("consent.given", "talent", actor.person, {"consent": CONSENT}),
    ]


def test_what_is_so_already_stays_as_it_is(someone, superuser, actor_of):
    assert in_force(someone.consent(given=False)) == []
    first = someone.consent(given=True).json
    assert someone.consent(given=True).json == first
    ended = someone.consent(given=False).json
    assert someone.consent(given=False).json == ended
    assert len(audited(superuser, actor_of(someone.signed))) == 2


def test_withdrawing_ends_every_version(agent, someone):
    ticket = someone.file()
    assert someone.consent(given=True, consent="enterprise@1").status_code == 200
    assert someone.consent(given=False, consent="enterprise@1").status_code == 200
    assert not sees(agent, ticket)


@pytest.mark.parametrize("consent", ["processing@1", "sensitive@1", "anything@1"])
@pytest.mark.parametrize("given", [True, False])
def test_what_filings_rest_on_is_not_changed(someone, consent, given):
    someone.file()
    before = someone.signed.get("/v1/me/consents").json
    answer = someone.consent(given=given, consent=consent)
    assert (answer.status_code, answer.json["code"]) == (409, "consent_needed")
    assert someone.signed.get("/v1/me/consents").json == before


@pytest.mark.parametrize("consent", ["enterprise", "enterprise@0", "Enterprise@2", "enterprise@2 "])
def test_a_consent_of_another_form(someone, consent):
    answer = someone.consent(given=True, consent=consent)
    assert answer.status_code == 422
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [
        ("consent", "wrong_pattern")
    ]


def test_nobody_withdraws_for_another(agent, someone, employee):
    ticket = someone.file()
    assert employee().consent(given=False).status_code == 200
    assert sees(agent, ticket)


def test_staff_have_none(world):
    clerk = world.staff("clerk.construction")
    body = {"consent": CONSENT, "given": False}
    assert clerk.post("/v1/me/consents", json=body).status_code == 403
