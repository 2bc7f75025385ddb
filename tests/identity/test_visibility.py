"""Who sees whom, by the database alone: every query here is without a WHERE."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from service.identity.auth.models import Account, Credential, RefreshToken, SignInSession
from service.identity.consents.actions import give_consents
from service.identity.consents.models import Consent
from service.identity.people.models import DistrictPerson, FamilyLink, Person
from service.identity.people.queries import is_own_case
from service.identity.people.rules import IdType, Kinship
from service.identity.staff.models import Department, StaffPost
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import District, Scope, insert_rows, scope_of
from service.kernel.ids import new_id
from tests.acting import bearer
from tests.identity.conftest import new_number

ALL = (
    Account,
    Consent,
    Credential,
    Department,
    DistrictPerson,
    FamilyLink,
    Person,
    RefreshToken,
    SignInSession,
    StaffPost,
)


def acting(runtime, guest) -> tuple[Actor, Scope]:
    actor = bearer(runtime, guest.answer["access_token"])
    return actor, scope_of(actor)


def seen(runtime, scope: Scope, column) -> list:
    with runtime.database.transaction(scope) as session:
        return list(session.scalars(select(column)))


@pytest.fixture
def family(talent):
    """Two talents, each with a child."""
    guests = talent(), talent()
    for guest in guests:
        number = {"id_type": "citizen_id", "id_number": new_number("20190601")}
        given = {"name": "李小明", "kinship": "child"} | number
        assert guest.post("/v1/me/family", json=given).status_code == 201
    return guests


def test_without_a_scope_there_is_nothing(runtime, family, staff):
    staff()
    for model in ALL:
        with runtime.database.transaction(Scope.system()) as session:
            assert session.scalar(select(func.count()).select_from(model)) == 0, model


def test_talents_see_themselves_and_their_family(runtime, family):
    lina, _ = family
    actor, scope = acting(runtime, lina)
    member = lina.get("/v1/me/family").json["items"][0]["id"]
    assert {str(one) for one in seen(runtime, scope, Person.id)} == {str(actor.person_id), member}
    assert seen(runtime, scope, FamilyLink.person_id) == [actor.person_id]
    assert seen(runtime, scope, DistrictPerson.person_id) == [actor.person_id]
    assert seen(runtime, scope, Account.id) == [lina.account]
    assert set(seen(runtime, scope, Credential.account_id)) == {lina.account}
    assert set(seen(runtime, scope, SignInSession.account_id)) == {lina.account}
    assert len(seen(runtime, scope, RefreshToken.id)) == 1


def test_staff_see_who_came_to_their_district(runtime, family, staff, talent):
    with runtime.database.transaction(Scope.system("elsewhere")) as session:
        session.merge(District(id="elsewhere", name={}, settings={}))
    far, _ = acting(runtime, talent(district="elsewhere"))
    near, _ = acting(runtime, family[0])
    member = family[0].get("/v1/me/family").json["items"][0]["id"]
    clerk = staff()
    _, scope = acting(runtime, clerk)
    persons = set(seen(runtime, scope, Person.id))
    assert near.person_id in persons
    assert member in {str(one) for one in persons}
    assert far.person_id not in persons
    assert clerk.account in seen(runtime, scope, Account.id)
    assert family[0].account not in seen(runtime, scope, Account.id)
    assert set(seen(runtime, scope, Credential.account_id)) == {clerk.account}
    elsewhere = seen(runtime, Scope.system("elsewhere"), Person.id)
    assert far.person_id in elsewhere
    assert near.person_id not in elsewhere


def test_consents_are_seen_by_their_person_everywhere_and_by_the_district(runtime, talent):
    lina, other = talent(), talent()
    for guest in (lina, other):
        actor, scope = acting(runtime, guest)
        with runtime.database.transaction(scope) as session:
            give_consents(session, actor, codes=["processing@1"], at=clock.now())
    actor, scope = acting(runtime, lina)
    assert seen(runtime, scope, Consent.person_id) == [actor.person_id]
    elsewhere = replace(scope, district="elsewhere")
    assert seen(runtime, elsewhere, Consent.person_id) == [actor.person_id]
    assert actor.person_id in seen(runtime, Scope.system("demo"), Consent.person_id)
    assert seen(runtime, Scope.system("elsewhere"), Consent.person_id) == []


@pytest.mark.parametrize(
    "attempt",
    [
        "INSERT INTO persons (id, holder, created_at) VALUES (gen_random_uuid(), true, now())",
        (
            "INSERT INTO accounts (id, kind, username, display_name, created_at)"
            " VALUES (gen_random_uuid(), 'staff', 'intruder', 'x', now())"
        ),
        (
            "INSERT INTO posts (district_id, id, account_id, department, role, valid_from)"
            " VALUES ('elsewhere', gen_random_uuid(), gen_random_uuid(), 'x', 'head', now())"
        ),
        (
            "INSERT INTO family_links VALUES (gen_random_uuid(), gen_random_uuid(),"
            " gen_random_uuid(), 'child', 'passport', 'x', now())"
        ),
        (
            "INSERT INTO sessions (id, account_id, district_id, created_at, expires_at)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'demo', now(), now() + interval '1 d')"
        ),
        (
            "INSERT INTO consents"
            " (district_id, id, person_id, code, version, legal_basis, given_at)"
            " VALUES ('demo', gen_random_uuid(), gen_random_uuid(), 'x', 1, 'consent', now())"
        ),
        "DELETE FROM persons",
        "DELETE FROM sessions",
        "DELETE FROM audit_log",
        "UPDATE audit_log SET action = 'nothing'",
    ],
)
def test_what_the_database_refuses(runtime, talent, attempt):
    _, scope = acting(runtime, talent())
    with pytest.raises(DBAPIError, match=r"row-level security|permission denied"):  # noqa: SIM117
        with runtime.database.transaction(scope) as session:
            session.execute(text(attempt))


def test_nobody_changes_somebody_else(runtime, talent):
    _, scope = acting(runtime, talent())
    other, _ = acting(runtime, talent())
    for change in (
        "UPDATE persons SET phone = 'x' WHERE id = :person",
        "UPDATE accounts SET disabled_at = now() WHERE person_id = :person",
        "UPDATE sessions SET revoked_at = now() WHERE account_id = :account",
    ):
        with runtime.database.transaction(scope) as session:
            asked = {"person": other.person_id, "account": other.account_id}
            assert session.execute(text(change), asked).rowcount == 0


def test_nobody_works_on_a_case_of_their_own(runtime, talent, hire, staff):
    wang, daughter, stranger = talent(), new_number("20190601"), talent()
    number = new_number()
    wang.patch("/v1/me", json={"id_type": "citizen_id", "id_number": number})
    wang.post(
        "/v1/me/family",
        json={
            "name": "王小",
            "kinship": "child",
            "id_type": "citizen_id",
            "id_number": daughter,
        },
    )
    own, _ = acting(runtime, wang)
    spouse = talent()
    spouse.post(
        "/v1/me/family",
        json={
            "name": "王芳",
            "kinship": "spouse",
            "id_type": "citizen_id",
            "id_number": number,
        },
    )
    grown = talent()
    grown.patch("/v1/me", json={"id_type": "citizen_id", "id_number": daughter})
    clerk, colleague = staff(hire(person_id=own.person_id)), staff()
    member = wang.get("/v1/me/family").json["items"][0]["id"]
    cases = {
        own.person_id: True,
        UUID(member): True,
        acting(runtime, spouse)[0].person_id: True,
        acting(runtime, grown)[0].person_id: True,
        acting(runtime, stranger)[0].person_id: False,
        new_id(): False,
    }
    for person_id, theirs in cases.items():
        assert asked_own_case(runtime, clerk, person_id) is theirs
        assert asked_own_case(runtime, colleague, person_id) is False
        assert asked_own_case(runtime, stranger, person_id) is False


def asked_own_case(runtime, guest, person_id) -> bool:
    """As of the sign-in's request, and as the database answers in a colleague's name."""
    actor, scope = acting(runtime, guest)
    answer = is_own_case(actor, person_id)
    if actor.kind is ActorKind.STAFF:
        cases = func.identity_cases_of(actor.account)
        with runtime.database.transaction(scope) as session:
            assert (person_id in session.scalar(select(cases))) is answer
    return answer


def test_staff_who_are_talents_too_do_not_act_as_persons(runtime, talent, hire, staff):
    own, _ = acting(runtime, talent())
    actor, _ = acting(runtime, staff(hire(person_id=own.person_id)))
    assert actor.person_id is None


def test_naming_a_stranger_opens_nothing(runtime, family):
    actor, scope = acting(runtime, family[0])
    other, _ = acting(runtime, family[1])
    link = {
        "person_id": actor.person_id,
        "member_id": other.person_id,
        "kinship": Kinship.CHILD,
        "id_type": IdType.PASSPORT,
        "member_index": b"x",
        "created_at": clock.now(),
    }
    with runtime.database.transaction(scope) as session:
        insert_rows(session, FamilyLink, [link])
        assert other.person_id not in set(session.scalars(select(Person.id)))
