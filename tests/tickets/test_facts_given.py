"""What an approval establishes, and what was relied on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from service.facts.models import Fact
from service.kernel import clock
from service.kernel.db import Scope
from service.kernel.sealed import opened_json
from service.tickets.rules.states import Reliance
from tests.packs import demo_pack, publish
from tests.tickets import invariants
from tests.tickets.asking import claim, decide

pytestmark = pytest.mark.dated

POLICE, PEOPLE = "public_security", "human_resources"
D = {"class": "D", "level": "district"}


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def person(acting, talent):
    return acting(talent).actor.person


def given(walk):
    """By kind, the facts that a ticket gave: about whom, what, by whom, from when to when."""
    facts = walk.story.facts
    with walk.database.transaction(Scope.system("demo")) as session:
        values = {fact.id: value_of(session, fact) for fact in facts}
    return {
        fact.kind: (fact.person_id, values[fact.id], fact.issuer, fact.valid_from, fact.valid_to)
        for fact in facts
    }


def value_of(session, fact):
    return opened_json(session, Fact.value, fact, otherwise=None)


class TestGiven:
    def test_from_answers_the_result_and_what_is_always_so(self, walk, talent, person):
        settlement = walk("settlement", talent=talent)
        result = {"permit_number": "QY-2026-000777", "valid_until": "2026-12-31"}
        settlement.until("decision")
        settlement.say("decision", result=result)
        value = {"region": "350100", "into": "collective", "permit_number": "QY-2026-000777"}
        assert given(settlement) == {"household": (person, value, POLICE, date(2026, 3, 2), None)}

    def test_for_so_long_as_is_said(self, walk, talent, person):
        recognition = walk("recognition", talent=talent)
        recognition.through()
        value = D | {"certificate_number": "RC-2026-000318"}
        begins = date(2026, 3, 9)  # the day on which the notice period was over
        ends = date(2031, 3, 8)
        assert given(recognition) == {"recognition": (person, value, PEOPLE, begins, ends)}

    def test_several_at_once_one_of_them_from_the_day_that_the_form_has(self, walk, talent, person):
        rent = walk("housing_rent", talent=talent)
        rent.through()
        assert given(rent) == {
            "housing_benefit": (
                person,
                {"kind": "rent", "contract_number": "ZL-2025-001873", "amount_fen": 100000},
                "construction",
                date(2026, 3, 9),
                date(2029, 3, 8),
            ),
            "residence": (
                person,
                {"basis": "rented_home", "address": "东湾高新区望海路 18 号 3 幢 702 室"},
                "construction",
                date(2025, 7, 10),
                date(2027, 7, 9),
            ),
        }

    def test_about_the_child_and_not_about_who_applied(self, world, walk, talent):
        child = world.child(talent)
        schooling = walk(("schooling", child), talent=talent)
        schooling.until("registration")
        facts = given(schooling)
        assert {str(fact[0]) for fact in facts.values()} == {child}
        assert facts["school_seat"][1]["school"] == "东湾高新区实验小学"
        assert facts["kinship"][1] == {"relation": "father"}

    def test_with_the_approval_and_not_with_the_delivery(self, world, walk, talent):
        schooling = walk(("schooling", world.child(talent)), talent=talent)
        schooling.until("decision")
        assert schooling.story.facts == []
        schooling.say("decision")
        assert {fact.issued_at for fact in schooling.story.facts} == {schooling.at}
        assert schooling.story.items[0].phase == "fulfilment"

    def test_a_rejection_gives_nothing(self, walk):
        settlement = walk("settlement")
        settlement.until("decision")
        settlement.say("decision", "reject")
        assert settlement.story.facts == []

    def test_the_talent_sees_it(self, world, walk, talent):
        settlement = walk("settlement", talent=talent)
        settlement.through()
        (shown,) = talent.get("/v1/me/facts").json["items"]
        assert (shown["kind"], shown["issuer"], shown["state"]) == ("household", POLICE, "in_force")
        assert shown["value"]["permit_number"] == "QY-2026-000123"

    def test_it_is_told_by_its_codes_alone(self, walk, talent):
        settlement = walk("settlement", talent=talent)
        settlement.through()
        (event,) = [one for one in settlement.story.events if one.kind == "fact_issued"]
        (fact,) = settlement.story.facts
        assert (event.seq, event.public) == (None, False)
        assert event.data == {"fact": str(fact.id), "kind": "household", "issuer": POLICE}

    def test_another_time_makes_another_fact(self, walk, talent):
        """Nothing is overwritten: both hold, the newest first."""
        for _ in range(2):
            walk("settlement", talent=talent).through()
        shown = talent.get("/v1/me/facts").json["items"]
        assert [one["state"] for one in shown] == ["in_force"] * 2


class TestNoGoodFact:
    @pytest.fixture
    def medical(self, establish, walk, talent):
        establish(talent, "recognition", D)
        medical = walk("medical", talent=talent, at=clock.now())
        medical.until("decision")
        return medical

    def test_a_result_whose_dates_are_not_in_order(self, world, medical, footprint):
        """Valid until a day that is over."""
        reviewer, todo = world.staff("reviewer.health"), medical.one("decision")
        claimed = claim(reviewer, {"id": todo.task.id}).json
        before = footprint()
        result = todo.example | {"valid_until": "2020-01-01"}
        answer = decide(reviewer, claimed, "approve", result=result)
        assert answer.status_code == 422
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [
            ("result", "fact_dates_wrong")
        ]
        assert footprint() == before
        assert decide(reviewer, claimed, "approve", result=todo.example).status_code == 200

    @pytest.fixture
    def strict(self, database):
        """The district knows no permit of before 2027."""
        pack = demo_pack()
        kind = pack.facts["household"]
        number = kind.schema["properties"]["permit_number"] | {"pattern": "^QY-2027-[0-9]{6}$"}
        properties = {**kind.schema["properties"], "permit_number": number}
        changed = replace(kind, schema={**kind.schema, "properties": properties})
        publish(database, replace(pack, facts={**pack.facts, "household": changed}))
        yield
        publish(database, pack)

    def test_a_result_that_makes_no_fact_of_its_kind(self, strict, world, walk, footprint):
        settlement = walk("settlement", at=clock.now())
        settlement.until("decision")
        reviewer, todo = world.staff(f"reviewer.{POLICE}"), settlement.one("decision")
        claimed = claim(reviewer, {"id": todo.task.id}).json
        before = footprint()
        answer = decide(reviewer, claimed, "approve", result=todo.example)
        assert answer.status_code == 422
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [
            ("result", "fact_value_wrong")
        ]
        assert footprint() == before


class TestReliedOn:
    def test_what_a_criterion_looked_at_is_kept(self, establish, walk, talent):
        recognised = establish(talent, "recognition", D)
        establish(talent, "marriage", {"married_on": "2016-10-18",
                                       "certificate_number": "J330106-2016-004217"})  # fmt: skip
        medical = walk("medical", talent=talent)
        (item,) = medical.story.items
        kept = [(one.item_id, one.fact_id, one.reliance) for one in medical.story.relied]
        assert kept == [(item.id, recognised, Reliance.CRITERION)]

    def test_for_every_item_that_looked(self, establish, walk, talent):
        recognised = establish(talent, "recognition", D)
        both = walk("medical", "purchase_discount", "recognition", talent=talent)
        relied = {
            item.offering_code: {one.reliance for one in both.story.of(item, both.story.relied)}
            for item in both.story.items
        }
        assert relied == {
            "medical": {Reliance.CRITERION, Reliance.EDGE},
            "purchase_discount": {Reliance.CRITERION, Reliance.EDGE},
            "recognition": set(),
        }
        assert {one.fact_id for one in both.story.relied} == {recognised}

    def test_a_flow_that_looks_twice_is_kept_once(self, establish, walk, talent):
        establish(talent, "housing_benefit", {"kind": "discount", "amount_fen": 1,
                                              "contract_number": "YH-2026-000041"})  # fmt: skip
        purchase = walk("housing_purchase", talent=talent)
        purchase.through()
        reliances = sorted(one.reliance for one in purchase.story.relied)
        assert reliances == [Reliance.CRITERION, Reliance.FLOW]

    def test_what_had_ended_is_not_looked_at(self, establish, walk, talent):
        establish(talent, "recognition", D, valid_to=date(2026, 3, 1))
        rent = walk("housing_rent", talent=talent)
        assert rent.story.relied == []


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 10
