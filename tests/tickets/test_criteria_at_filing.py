"""Who may apply for what: criteria that refuse a filing, and those that only advise."""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from service.kernel import clock
from tests.tickets import invariants

pytestmark = pytest.mark.dated

CLASS = {"class": "D", "level": "district"}
YEAR = clock.now().year


@pytest.fixture
def talent(world):
    return world.talent()


def file(talent, body, tongue="en"):
    headers = {"Idempotency-Key": uuid4().hex, "Accept-Language": tongue}
    return talent.post("/v1/tickets", json=body, headers=headers)


def unmet(answer):
    """Where a criterion was not met, and how it is told."""
    assert (answer.status_code, answer.json["code"]) == (422, "invalid"), answer.json
    assert {error["code"] for error in answer.json["errors"]} == {"criterion_not_met"}
    return [(error["path"], error["message"]) for error in answer.json["errors"]]


MEDICAL = {
    "zh-CN": (
        "不符合条件：经认定为人才（依据：《东湾高新区人才医疗保障服务规则》（示范文本）第三条）"
    ),
    "en": (
        "A criterion is not met: Recognised as a talent"
        " (Dongwan rules on medical services for talents (demonstration text), article 3)."
    ),
}


@pytest.mark.parametrize("tongue", MEDICAL)
def test_one_that_is_not_met_refuses_with_the_rule_that_says_so(world, talent, footprint, tongue):
    before = footprint()
    answer = file(talent, world.filing("medical"), tongue)
    assert unmet(answer) == [("items.0", MEDICAL[tongue])]
    assert answer.headers["Content-Language"] == tongue
    assert footprint() == before


def test_the_item_is_named_by_its_place(world, talent):
    body = world.filing("settlement", "medical", "housing_rent")
    ((path, _),) = unmet(file(talent, body))
    assert path == "items.1"


def test_all_are_told_at_once(world, talent):
    body = world.filing("housing_rent", "housing_purchase", "medical")
    told = unmet(file(talent, body))
    assert [path for path, _ in told] == ["items.0", "items.1", "items.2"]
    assert "article 8" in told[0][1]
    assert "article 11, paragraph 1" in told[1][1]


def test_they_are_asked_of_what_is_well_filled_in(world, talent):
    """What is wrong elsewhere hides none of them, and none is asked of an answer that is wrong."""
    body = world.filing("settlement", "medical", household={"children": 6})
    body["sections"]["employment"]["insured_since"] = "lately"
    told = [(one["path"], one["code"]) for one in file(talent, body).json["errors"]]
    assert told == [
        ("items.0.sections.household.children", "above_maximum"),
        ("sections.employment.insured_since", "wrong_pattern"),
        ("items.1", "criterion_not_met"),
    ]


def test_what_is_established_counts(world, establish, talent):
    establish(talent, "recognition", CLASS)
    assert file(talent, world.filing("medical")).status_code == 201


@pytest.mark.parametrize(
    ("rank", "percent", "cited"),
    [
        ("D", 95, None),
        ("D", 94, "article 5"),
        ("C", 92, None),
        ("B", 87, "article 5"),
        ("E", 100, "article 3"),
    ],
)
def test_an_expression_over_answers_and_facts(world, establish, talent, rank, percent, cited):
    establish(talent, "recognition", CLASS | {"class": rank})
    price = {"list_price_fen": 240000000, "agreed_price_fen": 2400000 * percent}
    answer = file(talent, world.filing("purchase_discount", discount=price))
    if cited is None:
        assert answer.status_code == 201
    else:
        ((path, message),) = unmet(answer)
        assert path == "items.0"
        assert message.endswith(f", {cited}).")


def test_of_two_facts_the_better_may_count(world, establish, talent):
    """Several hold at once; any of them is enough where a set of classes is asked for."""
    for rank in ("E", "C"):
        establish(talent, "recognition", CLASS | {"class": rank})
    price = {"list_price_fen": 240000000, "agreed_price_fen": 2400000 * 92}
    assert file(talent, world.filing("purchase_discount", discount=price)).status_code == 201


def test_what_a_criterion_leaves_open_refuses_nothing(world, talent):
    """Whether the price fits the class is seen once there is a class: the pack says so."""
    price = {"list_price_fen": 240000000, "agreed_price_fen": 2400000 * 80}
    body = world.filing("recognition", "purchase_discount", discount=price)
    assert file(talent, body).status_code == 201


@pytest.mark.parametrize(("age", "status"), [(3, 422), (8, 201), (30, 422)])
def test_a_passport_tells_no_age_so_it_is_asked(world, talent, age, status):
    member = {
        "name": "Anna",
        "kinship": "child",
        "id_type": "passport",
        "id_number": f"E{uuid4().int % 10**8:08}",
        "id_country": "GBR",
        "birth_date": f"{clock.now().year - age}-01-01",
    }
    child = talent.post("/v1/me/family", json=member).json["id"]
    assert file(talent, world.filing(("schooling", child))).status_code == status


def test_whose_birth_date_is_not_known_is_of_no_age(world, talent, superuser, footprint):
    """Of a passport it was not always asked; that is no way around a rule about ages."""
    child = world.child(talent)
    superuser.execute("UPDATE persons SET birth_date = NULL WHERE id = %s", (child,))
    before = footprint()
    answer = file(talent, world.filing(("schooling", child)))
    assert answer.status_code == 422
    [error] = answer.json["errors"]
    assert (error["path"], error["code"]) == ("items.0", "criterion_unknown")
    assert error["message"].endswith("Needed: the date of birth of the member of the family.")
    assert footprint() == before


@pytest.mark.parametrize(
    ("born", "school_year", "status"),
    [
        (date(YEAR - 6, 8, 31), YEAR, 201),
        (date(YEAR - 6, 9, 1), YEAR, 422),
        (date(YEAR - 6, 9, 1), YEAR + 1, 201),
    ],
)
def test_a_filing_is_held_to_31_august_too(world, talent, born, school_year, status):
    child = world.child(talent, born=born)
    body = world.filing(("schooling", child), schooling={"school_year": str(school_year)})
    assert file(talent, body).status_code == status


@pytest.mark.parametrize(("age", "status"), [(5, 422), (6, 201), (13, 201), (14, 422)])
def test_the_age_of_the_child_counts_and_not_of_who_applies(world, talent, age, status):
    child = world.child(talent, born=date(YEAR - age, 8, 31))
    assert file(talent, world.filing(("schooling", child))).status_code == status


def test_one_that_only_advises_refuses_nothing(world, talent):
    """The household goes to a home of one's own, but the talent rents."""
    body = world.filing("settlement", household={"into": "own_home"})
    assert file(talent, body).status_code == 201


class TestAskedForTogether:
    """`requested`: what is asked for with it, or is still open."""

    def test_what_is_in_the_same_filing(self, world, talent):
        assert file(talent, world.filing("recognition", "medical")).status_code == 201

    def test_what_is_open_from_another_ticket(self, world, walk, talent):
        recognition = walk("recognition", talent=talent)
        assert file(talent, world.filing("medical")).status_code == 201
        recognition.until("qualification")
        recognition.say("qualification", "reject")
        other = world.talent()
        assert len(unmet(file(other, world.filing("medical")))) == 1

    def test_what_has_ended_is_not(self, world, walk, talent):
        recognition = walk("recognition", talent=talent)
        recognition.say("acceptance", "not_accept")
        assert len(unmet(file(talent, world.filing("medical")))) == 1

    def test_what_is_open_of_somebody_else_is_not(self, world, walk, talent):
        walk("recognition", talent=world.talent())
        assert len(unmet(file(talent, world.filing("medical")))) == 1

    @pytest.mark.parametrize(
        ("open_one", "other"),
        [("housing_rent", "housing_purchase"), ("housing_purchase", "housing_rent")],
    )
    def test_what_excludes_each_other(self, world, walk, talent, open_one, other, footprint):
        first = walk(open_one, talent=talent)
        before = footprint()
        ((path, _),) = unmet(file(talent, world.filing(other)))
        assert path == "items.0"
        assert footprint() == before
        first.say("acceptance", "not_accept")
        assert file(talent, world.filing(other)).status_code == 201


def test_a_refused_key_may_be_used_again(world, establish, talent):
    body, headers = world.filing("medical"), {"Idempotency-Key": "one"}
    assert talent.post("/v1/tickets", json=body, headers=headers).status_code == 422
    establish(talent, "recognition", CLASS)
    assert talent.post("/v1/tickets", json=body, headers=headers).status_code == 201


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 10
