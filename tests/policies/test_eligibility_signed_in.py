"""What talents are told: by what is established of them and of their family, and by what they say.

Whose facts count for whom, what another district knows, what staff are told, what it costs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.app import create_app
from service.facts.actions import revoke_fact
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind, Post
from service.kernel.db import scope_of
from service.kernel.ids import new_id
from service.kernel.permissions import Role
from service.policies.queries import eligibility_for
from service.policies.rules import Stated
from tests.acting import bearer
from tests.contract import CheckedClient
from tests.factories import Signed
from tests.packs import demo_pack
from tests.policies.asking import (
    BOUGHT,
    DISTRICT,
    RECOGNISED,
    add_member,
    add_profile,
    ago,
    ask,
    asked_one,
    born,
    criteria,
    criterion,
)
from tests.scopes import scope_of_staff

pytestmark = pytest.mark.dated

CLASS_B = {"class": "B", "level": "national"}
RECENT = {
    "applicant": {"degree": "master", "graduated_on": ago(years=1)},
    "employment": {"insured_since": ago(days=200)},
}
PRIMARY = {
    "schooling": {"stage": "primary", "seat_by": "choice", "school_year": str(clock.now().year)}
}
CANARY = "canary-5d1f0c77"


@pytest.fixture
def talent(world):
    """Somebody of whom nothing is known but that they have signed in."""
    return world.stranger()


def classed(who):
    """What the criterion that asks for a class comes to."""
    return criteria(asked_one(who, "purchase_discount"))["class"]


# --- facts


def test_what_was_established_counts(talent, issue):
    assert classed(talent) == "not_met"
    issue(talent, "recognition", CLASS_B)
    row = asked_one(talent, "purchase_discount")
    assert criteria(row)["class"] == "met"
    assert [one["name"] for one in criterion(row, "class")["reasons"]] == [
        "recognition",
        "recognition.class",
    ]
    assert asked_one(talent, "medical")["verdict"] == "met"


def test_what_was_not_established_is_known_not_to_hold_of_talents_alone(guest, talent):
    def told(who):
        first = criterion(asked_one(who, "medical"), "recognised")["reasons"][0]
        return first["asked"], first["expected"], first["verdict"], first["missing"]

    assert told(guest) == ("given", True, "unknown", ["fact:recognition"])
    assert told(talent) == ("given", True, "not_met", [])


def test_nothing_granted_is_definite_too(guest, talent):
    for who, verdict in ((guest, "unknown"), (talent, "met")):
        row = asked_one(who, "housing_rent", sections=RECENT)
        assert row["verdict"] == criteria(row)["no_purchase_subsidy"] == verdict


def test_what_was_granted_refuses(talent, issue):
    issue(talent, "housing_benefit", BOUGHT["value"], issuer="construction")
    row = asked_one(talent, "housing_rent", sections=RECENT)
    assert row["verdict"] == criteria(row)["no_purchase_subsidy"] == "not_met"


@pytest.mark.parametrize(
    "days",
    [
        {"valid_to": date(2020, 12, 31)},
        {"valid_from": date(2090, 1, 1)},
    ],
)
def test_a_fact_counts_on_its_days_alone(talent, issue, days):
    issue(talent, "recognition", CLASS_B, **days)
    assert classed(talent) == "not_met"


def test_a_revoked_fact_counts_no_longer(talent, issue, database):
    fact_id = issue(talent, "recognition", CLASS_B)
    assert classed(talent) == "met"
    head = Actor(
        kind=ActorKind.STAFF,
        district=DISTRICT,
        account_id=new_id(),
        posts=(Post("human_resources", frozenset({Role.HEAD})),),
    )
    with database.transaction(scope_of_staff(DISTRICT, head.account)) as session:
        revoke_fact(session, head, fact_id=fact_id, reason="核查不实", at=clock.now())
    assert classed(talent) == "not_met"


def test_what_is_stated_is_added_to_what_was_established(talent, issue):
    issue(talent, "recognition", {"class": "E", "level": "district"})
    assert classed(talent) == "not_met"
    what_if = asked_one(talent, "purchase_discount", facts=[RECOGNISED])
    assert criteria(what_if)["class"] == "met"
    assert classed(talent) == "not_met"
    bought = asked_one(talent, "housing_rent", sections=RECENT, facts=[BOUGHT])
    assert bought["verdict"] == "not_met"


def test_what_is_stated_counts_as_the_newest(talent, issue):
    """An expression looks at the newest fact: class B pays 88 per cent, class D 95."""
    issue(talent, "recognition", {"class": "D", "level": "district"})
    price = {"discount": {"list_price_fen": 240000000, "agreed_price_fen": 211200000}}

    def rate(**what_if):
        return criteria(asked_one(talent, "purchase_discount", sections=price, **what_if))["rate"]

    assert rate() == "not_met"
    assert rate(facts=[{"kind": "recognition", "value": CLASS_B}]) == "met"


def test_the_birth_date_on_record_comes_before_the_one_stated(talent):
    def age():
        basis = {"recognition_basis": {"applied_class": "D"}}
        return criteria(asked_one(talent, "recognition", sections=basis, birth_date=born(30)))[
            "age"
        ]

    assert age() == "met"
    add_profile(talent, name="张伟", born=born(66))
    assert age() == "not_met"


# --- the family


def test_each_child_on_record_has_a_row_with_their_person(talent):
    younger = add_member(talent, "child", born(4), "张小明")
    elder = add_member(talent, "child", born(8), "张大明")
    spouse = add_member(talent, "spouse", born(34), "李娜")
    rows = ask(talent, offerings=["schooling", "spouse"], sections=PRIMARY)
    assert [(row["offering"], row["about"], row["subject"]) for row in rows] == [
        ("schooling", "child", younger),
        ("schooling", "child", elder),
        ("spouse", "spouse", spouse),
    ]
    assert [criteria(row)["age"] for row in rows[:2]] == ["not_met", "met"]


def test_children_that_are_stated_follow_those_on_record(talent):
    own = add_member(talent, "child", born(4))
    family = [{"kinship": "child", "birth_date": born(8)}]
    rows = ask(talent, offerings=["schooling"], sections=PRIMARY, family=family)
    assert [(row["subject"], criteria(row)["age"]) for row in rows] == [
        (own, "not_met"),
        (None, "met"),
    ]


def test_a_childs_facts_count_for_their_own_row_alone(talent, issue):
    with_facts = add_member(talent, "child", born(7))
    without = add_member(talent, "child", born(8))
    issue(with_facts, "recognition", CLASS_B)
    family = [{"kinship": "child", "birth_date": born(9)}]
    rows = ask(talent, offerings=["schooling", "medical"], sections=PRIMARY, family=family)
    told = {row["subject"]: criteria(row) for row in rows if row["offering"] == "schooling"}
    assert told[with_facts]["talent"] == told[with_facts]["choice"] == "met"
    for other in (without, None):
        assert (told[other]["talent"], told[other]["choice"]) == ("unknown", "not_met")
    assert criteria(rows[0])["recognised"] == "not_met"


def test_a_talents_facts_count_for_every_child(talent, issue):
    add_member(talent, "child", born(7))
    add_member(talent, "child", born(8))
    issue(talent, "recognition", CLASS_B)
    rows = ask(talent, offerings=["schooling"], sections=PRIMARY)
    assert [criteria(row)["choice"] for row in rows] == ["met", "met"]


# --- of nobody else


def test_facts_of_other_people_neither_count_nor_show(world, talent, issue):
    other = world.stranger()
    their_child = add_member(other, "child", born(7))
    before = ask(talent)
    for about in (other, their_child):
        issue(about, "recognition", CLASS_B | {"certificate_number": CANARY.upper()})
        issue(about, "residence", {"basis": "own_home", "address": CANARY})
    issue(other, "housing_benefit", BOUGHT["value"] | {"contract_number": CANARY.upper()})
    answer = talent.post("/v1/eligibility", json={})
    assert answer.json["items"] == before
    assert CANARY not in answer.text.lower()
    assert their_child not in answer.text


def test_values_of_ones_own_facts_are_not_told_either(talent, issue):
    issue(talent, "recognition", CLASS_B | {"certificate_number": CANARY.upper()})
    assert CANARY not in talent.post("/v1/eligibility", json={}).text.lower()


@pytest.mark.parametrize("username", ["clerk.human_resources", "head.construction", "auditor"])
def test_staff_are_told_what_a_guest_is_told(world, guest, username):
    stated = {
        "sections": RECENT,
        "facts": [RECOGNISED],
        "family": [{"kinship": "child", "birth_date": born(7)}],
        "birth_date": born(40),
    }
    assert ask(world.staff(username), **stated) == ask(guest, **stated)


def test_who_is_signed_in_no_longer_is_a_guest(guest, talent, issue):
    issue(talent, "recognition", CLASS_B)
    expired = Signed(talent.client, {"Authorization": "Bearer spent"}, {}, "")
    assert ask(expired) == ask(guest)


# --- another district


@pytest.fixture
def of_elsewhere(settings, database, elsewhere):
    """A guest of an installation whose default district is the second one."""
    app = create_app(replace(settings, default_district=elsewhere), database)
    app.test_client_class = CheckedClient
    return Signed(app.test_client(), {}, {}, "")


def test_a_guest_is_told_of_the_installations_district(of_elsewhere, guest):
    there = {row["offering"] for row in ask(of_elsewhere)}
    assert there == set(demo_pack().offerings) - {"recognition"}
    assert "recognition" in {row["offering"] for row in ask(guest)}


def test_a_talent_is_told_of_the_district_of_their_sign_in(of_elsewhere, talent, issue):
    issue(talent, "recognition", CLASS_B)
    signed = replace(of_elsewhere, headers=talent.headers)
    assert ask(signed) == ask(talent)


def test_asked_about_another_district_a_talent_is_a_guest(database, talent, app, issue, elsewhere):
    token = talent.headers["Authorization"].removeprefix("Bearer ")
    actor = bearer(app.extensions["talent"], token)
    issue(talent, "recognition", CLASS_B)
    with database.transaction(scope_of(replace(actor, district=elsewhere))) as session:
        stated = Stated(offerings=["medical"])
        [row] = eligibility_for(session, actor, elsewhere, stated, at=clock.now()).rows
    assert row.verdict == "unknown"


def test_what_another_district_has_established_does_not_count(talent, issue, elsewhere):
    issue(talent, "recognition", CLASS_B, district=elsewhere)
    assert classed(talent) == "not_met"


# --- what it costs


def test_all_offerings_cost_a_guest_three_statements(guest, sql_count):
    ask(guest)
    with sql_count() as sent:
        ask(guest, facts=[RECOGNISED], sections=RECENT)
    assert sent.total == 3


def test_and_a_talent_five_whatever_the_family(talent, issue, sql_count):
    for _ in range(3):
        issue(add_member(talent, "child", born(7)), "kinship", {"relation": "mother"})
    issue(talent, "recognition", CLASS_B)
    with sql_count() as sent:
        assert len(ask(talent)) == len(demo_pack().offerings) + 2
    assert sent.total == 5
