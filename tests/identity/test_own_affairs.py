"""What talents say of themselves, their family and their consents."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from service.identity.consents.actions import give_consents
from service.identity.people import actions
from service.identity.people.models import FamilyLink, Person
from service.identity.people.queries import family_for, own_person, profile_for
from service.identity.people.rules import IdType, Kinship, masked
from service.kernel import clock, crypto
from service.kernel.actor import Actor, ActorKind
from service.kernel.audit import AuditEntry
from service.kernel.db import Scope, insert_rows, scope_of
from service.kernel.errors import Forbidden, Invalid
from service.kernel.ids import new_id
from tests.acting import bearer
from tests.identity.conftest import new_number
from tests.statements import counted


def is_problem(answer, status: int, code: str) -> bool:
    return (answer.status_code, answer.json["code"]) == (status, code)


def faults(answer) -> set[tuple[str, str]]:
    assert is_problem(answer, 422, "invalid"), answer.json
    return {(error["path"], error["code"]) for error in answer.json["errors"]}


def document(number: str | None = None) -> dict:
    return {"id_type": "citizen_id", "id_number": number or new_number()}


def passport(number: str | None = None, **changes) -> dict:
    number = number or f"E{secrets.randbelow(10**8):08}"
    issued = {"id_country": "GBR", "birth_date": "1985-03-15"}
    return {"id_type": "passport", "id_number": number} | issued | changes


def spouse(**changes) -> dict:
    return {"name": "Anna Smith", "kinship": "spouse"} | passport() | changes


def child(number: str | None = None, **changes) -> dict:
    born = document(number or new_number("20190601"))
    return {"name": "李小明", "kinship": "child"} | born | changes


@contextmanager
def acting(runtime, guest):
    """A transaction of a talent who has signed in, and who that is."""
    actor = bearer(runtime, guest.answer["access_token"])
    scope = scope_of(actor)
    with runtime.database.transaction(scope) as session:
        yield session, actor


def test_a_profile_is_filled_in(talent):
    lina = talent()
    number = new_number()
    given = {"name": " 李娜 ", "phone": "138 0000 5678"} | document(f" {number.lower()} ")
    answer = lina.patch("/v1/me", json=given)
    assert answer.status_code == 200
    assert answer.json == {
        "id": str(lina.account),
        "kind": "talent",
        "display_name": "李娜",
        "district": "demo",
        "posts": [],
        "name": "李娜",
        "id_type": "citizen_id",
        "id_number": masked(number),
        "id_country": None,
        "birth_date": "1987-03-04",
        "phone": "138****5678",
        "complete": True,
    }
    assert lina.get("/v1/me").json == answer.json
    assert number not in answer.text


def test_what_is_left_out_stays(talent):
    lina = talent()
    lina.patch("/v1/me", json={"name": "李娜"})
    answer = lina.patch("/v1/me", json={"phone": "13800005678"}).json
    assert (answer["name"], answer["phone"]) == ("李娜", "138****5678")
    assert answer["complete"] is False
    assert lina.patch("/v1/me", json={}).json == answer


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"name": "李娜1"}, {("name", "name_wrong")}),
        ({"name": "李\u202e娜"}, {("name", "name_wrong")}),
        ({"name": "李\u0007娜"}, {("name", "control_character")}),
        ({"name": ""}, {("name", "length_out_of_bounds")}),
        ({"name": None}, {("name", "null_not_allowed")}),
        ({"phone": "110"}, {("phone", "phone_wrong")}),
        ({"id_type": "citizen_id"}, {("id_number", "id_number_incomplete")}),
        ({"id_number": "11010519491231002X"}, {("id_type", "id_number_incomplete")}),
        (document("110105194912310021"), {("id_number", "id_number_wrong")}),
        (document("１１０１０５１９４９１２３１００２１"), {("id_number", "id_number_wrong")}),
        (document("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X"), {("id_number", "id_number_wrong")}),
        (document("110105491231002"), {("id_number", "id_number_first_generation")}),
        (
            passport("11010519491231002X"),
            {("id_number", "id_number_of_another_type")},
        ),
        (passport(id_country="HKG"), {("id_country", "id_country_unknown")}),
        (
            {"id_type": "passport", "id_number": "E12345678"},
            {("id_country", "id_country_needed"), ("birth_date", "birth_date_needed")},
        ),
        (passport(birth_date="1899-12-31"), {("birth_date", "birth_date_too_early")}),
        (passport(birth_date="0000-01-01"), {("birth_date", "not_a_date")}),
        (passport(birth_date="-0985-01-01"), {("birth_date", "not_a_date")}),
        (
            document("11010519491231002X") | {"birth_date": "1949-12-30"},
            {("birth_date", "birth_date_differs")},
        ),
        ({"id_type": "library_card", "id_number": "1"}, {("id_type", "not_one_of")}),
        ({"name": "1", "phone": "1"}, {("name", "name_wrong"), ("phone", "phone_wrong")}),
        (
            {"birth_date": "2000-01-01"},
            {("id_type", "id_number_incomplete"), ("id_number", "id_number_incomplete")},
        ),
    ],
)
def test_bad_profiles_change_nothing(talent, body, expected):
    lina = talent()
    before = lina.get("/v1/me").json
    assert faults(lina.patch("/v1/me", json={"name": "李娜"} | body)) == expected
    assert lina.get("/v1/me").json == before


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("zh-CN", "证件号码不正确，请核对。"),
        ("en", "This is not a valid id number; please check it."),
    ],
)
def test_a_wrong_number_is_told_in_both_languages_and_not_repeated(talent, language, message):
    wrong = "110105194912310021"
    answer = talent().patch("/v1/me", json=document(wrong), headers={"Accept-Language": language})
    assert answer.json["errors"][0]["message"] == message
    assert wrong not in answer.text


def test_an_id_number_is_given_once(talent, runtime):
    lina, given = talent(), document()
    assert lina.patch("/v1/me", json=given).status_code == 200
    assert lina.patch("/v1/me", json=given).status_code == 200  # the same again is no change
    assert is_problem(lina.patch("/v1/me", json=document()), 409, "id_number_fixed")
    assert is_problem(lina.patch("/v1/me", json=passport()), 409, "id_number_fixed")
    with runtime.database.transaction(Scope.system("demo")) as session:
        rows = session.scalars(
            select(AuditEntry).where(
                AuditEntry.action == "id_number.registered", AuditEntry.actor_id == lina.account
            )
        ).all()
    assert [row.data for row in rows] == [{"id_type": "citizen_id"}]


def test_an_id_number_has_one_account(talent):
    lina, other, given = talent(), talent(), document()
    lina.patch("/v1/me", json=given)
    before = other.get("/v1/me").json
    assert is_problem(other.patch("/v1/me", json={"name": "李娜"} | given), 409, "id_number_taken")
    assert other.get("/v1/me").json == before
    assert other.patch("/v1/me", json=document()).status_code == 200


def test_of_many_who_register_one_number_one_gets_it(talent):
    given = document()
    guests = [talent() for _ in range(6)]

    def register(guest):
        headers = guest.headers
        with guest.client.application.test_client() as client:
            return client.patch("/v1/me", json=given, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(register, guests)) == [200, 409, 409, 409, 409, 409]


def test_personal_values_are_sealed(talent, runtime):
    lina, number = talent(), new_number()
    lina.patch("/v1/me", json={"name": "李娜", "phone": "13800005678"} | document(number))
    with acting(runtime, lina) as (session, actor):
        row = session.get_one(Person, actor.person)
    kept = row.name + row.phone + row.id_number + row.birth_date + row.id_number_index
    for plain in ("李娜", "13800005678", number, "1987-03-04"):
        assert plain.encode() not in kept


def test_family(talent):
    lina, number = talent(), new_number("20190601")
    added = lina.post("/v1/me/family", json=child(number))
    assert added.status_code == 201
    assert added.json == {
        "id": added.json["id"],
        "name": "李小明",
        "kinship": "child",
        "id_type": "citizen_id",
        "id_number": masked(number),
        "id_country": None,
        "birth_date": "2019-06-01",
    }
    second = lina.post("/v1/me/family", json=spouse(id_country="ｇｂｒ"))
    assert (second.json["id_country"], second.json["birth_date"]) == ("GBR", "1985-03-15")
    assert lina.get("/v1/me/family").json == {"items": [added.json, second.json]}
    assert number not in added.text + lina.get("/v1/me/family").text


def test_a_family_member_is_added_once(talent):
    lina, other, given = talent(), talent(), child()
    assert lina.post("/v1/me/family", json=given).status_code == 201
    again = given | {"name": "李明", "id_number": given["id_number"].lower()}
    assert is_problem(lina.post("/v1/me/family", json=again), 409, "family_member_known")
    assert len(lina.get("/v1/me/family").json["items"]) == 1
    # The other parent names the child as well.
    assert other.post("/v1/me/family", json=given).status_code == 201


def test_nobody_is_their_own_family(talent):
    lina, given = talent(), document()
    lina.patch("/v1/me", json=given)
    answer = lina.post("/v1/me/family", json={"name": "李娜", "kinship": "spouse"} | given)
    assert faults(answer) == {("id_number", "family_member_is_self")}


def test_a_number_is_one_person_whatever_it_is_typed_as(talent):
    lina, number = talent(), new_number()
    lina.patch("/v1/me", json=document(number))
    as_passport = passport(number)
    answers = [
        talent().patch("/v1/me", json=as_passport),
        lina.post("/v1/me/family", json=spouse(**as_passport)),
        lina.post("/v1/me/family", json=child() | as_passport),
    ]
    for answer in answers:
        assert faults(answer) == {("id_number", "id_number_of_another_type")}


def test_a_german_passport_is_entered_as_it_is_printed(talent):
    """ICAO Doc 9303 has one letter for Germany, ISO 3166-1 three."""
    given = passport(id_country="D")
    assert talent().patch("/v1/me", json={"name": "Jonas Weber", **given}).status_code == 200


def test_a_passport_is_one_of_its_state(talent):
    lina, other, given = talent(), talent(), passport()
    assert lina.patch("/v1/me", json=given).status_code == 200
    assert is_problem(talent().patch("/v1/me", json=given), 409, "id_number_taken")
    assert other.patch("/v1/me", json=given | {"id_country": "FRA"}).status_code == 200
    later = given | {"birth_date": "1985-03-16"}
    assert is_problem(lina.patch("/v1/me", json=later), 409, "id_number_fixed")


def test_a_passport_of_before_is_given_again_with_its_state(talent, runtime):
    lina, given = talent(), passport()
    lina.patch("/v1/me", json=given)
    former = crypto.blind(f"passport|{given['id_number']}", purpose="id_number")
    with acting(runtime, lina) as (session, actor):
        values = {"id_country": None, "birth_date": None, "id_number_index": former}
        session.execute(update(Person).where(Person.id == actor.person).values(**values))
    assert lina.get("/v1/me").json["id_country"] is None
    self_named = lina.post("/v1/me/family", json=spouse(**given))
    assert faults(self_named) == {("id_number", "family_member_is_self")}
    another = given | {"id_number": "E1234"}
    assert is_problem(lina.patch("/v1/me", json=another), 409, "id_number_fixed")
    assert lina.patch("/v1/me", json=given).json["id_country"] == "GBR"
    assert is_problem(
        lina.patch("/v1/me", json=given | {"id_country": "FRA"}), 409, "id_number_fixed"
    )


def test_a_permanent_residence_card_of_before_2024(talent):
    given = {"id_type": "permanent_residence", "id_number": f"usa{secrets.randbelow(10**12):012}"}
    lina = talent()
    assert faults(lina.patch("/v1/me", json=given)) == {("birth_date", "birth_date_needed")}
    answer = lina.patch("/v1/me", json=given | {"birth_date": "1985-03-15"})
    assert (answer.status_code, answer.json["birth_date"]) == (200, "1985-03-15")
    assert answer.json["id_number"].startswith("USA")


@pytest.mark.parametrize("kinship", ["child", "spouse"])
def test_ones_own_number_is_not_that_of_a_member_already_named(talent, kinship):
    lina, number = talent(), new_number()
    named = {"name": "李小明", "kinship": kinship} | document(number)
    assert lina.post("/v1/me/family", json=named).status_code == 201
    before = lina.get("/v1/me").json
    answer = lina.patch("/v1/me", json=document(number))
    assert faults(answer) == {("id_number", "id_number_of_family_member")}
    assert lina.get("/v1/me").json == before


def test_a_child_is_younger_than_the_parent_whoever_is_given_first(talent):
    lina, other = talent(), talent()
    older, own = child(new_number("19700101")), document(new_number("19700101"))
    lina.patch("/v1/me", json=own)
    answer = lina.post("/v1/me/family", json=older)
    assert faults(answer) == {("id_number", "child_not_younger")}
    answer = lina.post("/v1/me/family", json=child() | passport(birth_date="1969-12-31"))
    assert faults(answer) == {("birth_date", "child_not_younger")}
    assert other.post("/v1/me/family", json=older).status_code == 201
    later = document(new_number("19700102"))
    assert faults(other.patch("/v1/me", json=later)) == {("id_number", "child_not_younger")}
    assert other.patch("/v1/me", json=document(new_number("19691231"))).status_code == 200


def test_a_birth_is_compared_with_the_date_of_the_district(talent, wall_clock):
    day = clock.now().date()
    wall_clock.set(datetime.combine(day, time(15, 55), UTC))  # five minutes before midnight
    lina, next_day = talent(), day + timedelta(days=1)
    later = child(new_number(f"{next_day:%Y%m%d}"))
    assert faults(lina.post("/v1/me/family", json=later)) == {("id_number", "id_number_wrong")}
    late = child() | passport(birth_date=next_day.isoformat())
    assert faults(lina.post("/v1/me/family", json=late)) == {("birth_date", "birth_date_in_future")}
    wall_clock.move(minutes=5)
    assert lina.post("/v1/me/family", json=later).status_code == 201
    assert lina.post("/v1/me/family", json=late).status_code == 201


def test_there_is_one_spouse_at_a_time(talent, runtime):
    lina = talent()
    assert lina.post("/v1/me/family", json=spouse()).status_code == 201
    second = spouse()
    assert is_problem(lina.post("/v1/me/family", json=second), 409, "spouse_known")
    with pytest.raises(IntegrityError, match="spouse"):
        _link_another_spouse(runtime, lina)


def _link_another_spouse(runtime, guest):
    with acting(runtime, guest) as (session, actor):
        other = {"id": new_id(), "holder": False, "created_at": clock.now()}
        insert_rows(session, Person, [other])
        row = {
            "person_id": actor.person,
            "member_id": other["id"],
            "kinship": Kinship.SPOUSE,
            "id_type": IdType.PASSPORT,
            "member_index": b"x",
            "created_at": clock.now(),
        }
        insert_rows(session, FamilyLink, [row])


def test_a_family_has_an_end(talent, monkeypatch):
    monkeypatch.setattr(actions, "MOST_MEMBERS", 2)
    lina = talent()
    for _ in range(2):
        assert lina.post("/v1/me/family", json=child()).status_code == 201
    answer = lina.post("/v1/me/family", json=child())
    assert is_problem(answer, 409, "family_full")


def test_a_name_that_changes_is_in_the_audit_log(talent, runtime):
    lina = talent()
    for name in ("李娜", " 李娜 ", "李．娜", "李·娜"):
        assert lina.patch("/v1/me", json={"name": name}).status_code == 200
    with runtime.database.transaction(Scope.system("demo")) as session:
        rows = session.scalars(
            select(AuditEntry).where(
                AuditEntry.action == "name.changed", AuditEntry.actor_id == lina.account
            )
        ).all()
    assert [row.data for row in rows] == [{}]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"name": "<script>"}, {("name", "name_wrong")}),
        ({"kinship": "parent"}, {("kinship", "not_one_of")}),
        ({"kinship": ["child"]}, {("kinship", "not_one_of")}),
        ({"id_number": "110105194912310021"}, {("id_number", "id_number_wrong")}),
        ({"id_number": "x" * 61}, {("id_number", "length_out_of_bounds")}),
        ({"member": "x"}, {("member", "unknown_field")}),
    ],
)
def test_bad_family_members(talent, changes, expected):
    lina = talent()
    assert faults(lina.post("/v1/me/family", json=child() | changes)) == expected
    assert lina.get("/v1/me/family").json == {"items": []}


def test_a_retry_with_its_key_adds_nobody(talent):
    lina, given = talent(), child()
    key = {"Idempotency-Key": "family-1"}
    first = lina.post("/v1/me/family", json=given, headers=key)
    again = lina.post("/v1/me/family", json=given, headers=key)
    assert (again.status_code, again.json) == (201, first.json)


def test_consents(talent, runtime):
    lina = talent()
    assert lina.get("/v1/me/consents").json == {"items": []}
    at = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
    for codes in (["processing@1", "sensitive@1"], ["processing@1", "processing@2"], []):
        with acting(runtime, lina) as (session, actor), counted() as seen:
            give_consents(session, actor, codes=codes, at=at)
        assert seen.total == bool(codes)
    given = lina.get("/v1/me/consents").json["items"]
    assert {(one["code"], one["version"]) for one in given} == {
        ("processing", 1),
        ("processing", 2),
        ("sensitive", 1),
    }
    assert len(given) == 3
    assert given[0] == {
        "code": "processing",
        "version": 2,
        "legal_basis": "consent",
        "given_at": "2026-11-02T03:00:00+00:00",
        "withdrawn_at": None,
    }


def test_a_consent_of_another_form(talent, runtime):
    with pytest.raises(Invalid) as caught, acting(runtime, talent()) as (session, actor):
        give_consents(session, actor, codes=["a@1", "processing"], at=clock.now())
    assert caught.value.errors[0].path == "consents.1"


def test_what_others_ask_of_a_talent(talent, runtime):
    lina, number = talent(), new_number()
    lina.patch("/v1/me", json={"name": "李娜"} | document(number))
    member = lina.post("/v1/me/family", json=child()).json
    with acting(runtime, lina) as (session, actor):
        with counted() as seen:
            applicant = profile_for(session, actor)
        assert seen.total == 1
        with counted() as seen:
            family = family_for(session, actor)
        assert seen.total == 1
    assert applicant.person_id == actor.person_id
    assert (applicant.name, applicant.complete) == ("李娜", True)
    assert applicant.birth_date == date(1987, 3, 4)
    assert applicant.id_number_masked == masked(number)
    assert "李娜" not in repr(applicant)
    [one] = family.values()
    assert str(one.id) == member["id"]
    assert (one.kinship, one.birth_date) == (Kinship.CHILD, date(2019, 6, 1))
    assert "李小明" not in repr(one)


def test_staff_have_no_family_here(staff):
    clerk = staff()
    me = clerk.get("/v1/me").json
    assert (me["kind"], me["display_name"]) == ("staff", "王芳")
    assert {
        me[name]
        for name in (
            "name",
            "id_type",
            "id_number",
            "phone",
            "complete",
            "id_country",
            "birth_date",
        )
    } == {None}
    for path in ("/v1/me/family", "/v1/me/consents"):
        assert is_problem(clerk.get(path), 403, "forbidden")
    assert is_problem(clerk.patch("/v1/me", json={"name": "李娜"}), 403, "forbidden")
    assert is_problem(clerk.post("/v1/me/family", json=child()), 403, "forbidden")


def test_who_is_no_person_is_told_so():
    clerk = Actor(kind=ActorKind.STAFF, district="demo", account_id=new_id())
    with pytest.raises(Forbidden):
        own_person(clerk)


@pytest.mark.parametrize("path", ["/v1/me", "/v1/me/family", "/v1/me/consents"])
def test_guests_have_nothing(client, path):
    assert is_problem(client.get(path), 401, "unauthenticated")
