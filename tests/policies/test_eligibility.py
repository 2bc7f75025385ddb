"""What somebody who is not signed in is told, by what they state alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from service.catalogue.rules.pack import Subject
from service.kernel import clock
from service.kernel.actor import guest as as_guest
from service.policies.queries import eligibility_for
from service.policies.rules import Relative, Stated
from tests.packs import demo_pack
from tests.policies.asking import (
    BOUGHT,
    DISTRICT,
    RECOGNISED,
    RENTED,
    ago,
    ask,
    asked_one,
    born,
    criteria,
    criterion,
    reason,
)

pytestmark = pytest.mark.dated

PACK = demo_pack()
SHANGHAI = ZoneInfo("Asia/Shanghai")
YEAR = clock.now().year
RECENT = {
    "applicant": {"degree": "master", "graduated_on": ago(years=1)},
    "employment": {"insured_since": ago(days=200)},
    "lease": {"to": ago(days=-100)},
}
LONG_AGO = RECENT | {"applicant": {"degree": "college", "graduated_on": ago(years=7)}}
PRICE = {"agreed_price_fen": 228000000, "list_price_fen": 240000000}


def test_with_nothing_stated_every_offering_has_one_row(guest):
    rows = ask(guest)
    assert [row["offering"] for row in rows] == sorted(PACK.offerings)
    for row in rows:
        offered = PACK.offerings[row["offering"]]
        assert (row["title"], row["about"]) == (offered.title, offered.subject)
        assert row["subject"] is None
        assert row["verdict"] == "unknown"
        assert list(criteria(row)) == [one["code"] for one in offered.criteria]


def test_with_nothing_stated_nothing_is_met_or_not_met(guest):
    told = {
        (row["offering"], code): verdict
        for row in ask(guest)
        for code, verdict in criteria(row).items()
    }
    assert {one for one, verdict in told.items() if verdict != "unknown"} == set()


def test_every_criterion_cites_its_rule_in_both_languages(guest):
    for row in ask(guest):
        offered = PACK.offerings[row["offering"]]
        cited = {one["code"]: one for one in offered.citations}
        for told, one in zip(row["criteria"], offered.criteria, strict=True):
            citation = cited[one["cites"]["citation"]]
            assert told["title"] == one["title"]
            assert told["citation"] == citation["title"]
            assert told["article"] == one["cites"].get("article", citation.get("article"))
            assert told["binding"] == one.get("binding", "refuse")
            assert all(set(told[name]) == {"zh", "en"} for name in ("title", "citation", "article"))


def test_who_graduated_lately_meets_what_the_rent_subsidy_asks(guest):
    row = asked_one(guest, "housing_rent", sections=RECENT, facts=[RENTED])
    assert row["verdict"] == "met"
    assert set(criteria(row).values()) == {"met"}
    assert reason(row, "graduate") == {
        "source": "field",
        "name": "applicant.graduated_on",
        "title": {"zh": "毕业日期", "en": "Date of graduation"},
        "text": {
            "zh": "毕业日期须在最近 5 年内",
            "en": "Date of graduation: within the last 5 years",
        },
        "asked": "within_last",
        "expected": {"years": 5},
        "on": ago(days=0),
        "verdict": "met",
        "missing": [],
    }


def test_what_was_granted_before_is_not_known_of_a_guest(guest):
    row = asked_one(guest, "housing_rent", sections=RECENT)
    assert row["verdict"] == criteria(row)["no_purchase_subsidy"] == "unknown"
    told = criterion(row, "no_purchase_subsidy")["reasons"]
    assert [(one["name"], one["asked"], one["missing"]) for one in told] == [
        ("housing_benefit", "given", ["fact:housing_benefit"]),
        ("housing_benefit.kind", "is", ["fact:housing_benefit.kind"]),
    ]
    assert told[0]["title"] == {"zh": "已享受的住房待遇", "en": "Housing benefit granted"}
    assert told[1]["title"] == {"zh": "待遇种类", "en": "Kind"}


def test_who_graduated_long_ago_is_told_what_would_change_it(guest):
    row = asked_one(guest, "housing_rent", sections=LONG_AGO)
    assert row["verdict"] == "unknown"
    assert [
        (one["source"], one["name"], one["missing"]) for one in criterion(row, "degree")["reasons"]
    ] == [("fact", "recognition", ["fact:recognition"])]
    recognised = asked_one(guest, "housing_rent", sections=LONG_AGO, facts=[RECOGNISED, RENTED])
    assert recognised["verdict"] == "met"
    assert [one["name"] for one in criterion(recognised, "graduate")["reasons"]] == [
        "recognition",
        "recognition.class",
    ]


@pytest.mark.parametrize(
    ("level", "graduate", "degree"),
    [("D", "met", "met"), ("E", "not_met", "met")],
)
def test_the_class_stated_decides(guest, level, graduate, degree):
    fact = {"kind": "recognition", "value": {"class": level}}
    row = asked_one(guest, "housing_rent", sections=LONG_AGO, facts=[fact])
    assert (criteria(row)["graduate"], criteria(row)["degree"]) == (graduate, degree)


def test_of_several_facts_of_a_kind_one_suffices(guest):
    facts = [{"kind": "recognition", "value": {"class": one}} for one in ("E", "D")]
    row = asked_one(guest, "housing_rent", sections=LONG_AGO, facts=facts)
    assert criteria(row)["graduate"] == "met"


def test_what_is_not_met_comes_with_the_clauses_that_are_not(guest):
    row = asked_one(guest, "housing_rent", sections=RECENT, facts=[BOUGHT])
    assert row["verdict"] == criteria(row)["no_purchase_subsidy"] == "not_met"
    told = criterion(row, "no_purchase_subsidy")["reasons"]
    assert [(one["asked"], one["expected"], one["verdict"]) for one in told] == [
        ("given", False, "not_met"),
        ("is", "purchase", "not_met"),
    ]
    assert [one["missing"] for one in told] == [[], []]


def test_advice_that_is_not_met_refuses_nobody(guest):
    ended = RECENT | {"lease": {"to": ago(days=3)}}
    row = asked_one(guest, "housing_rent", sections=ended, facts=[RENTED])
    assert criterion(row, "running_lease")["binding"] == "advise"
    assert criteria(row)["running_lease"] == "not_met"
    assert row["verdict"] == "met"


@pytest.mark.parametrize(
    ("sections", "facts", "verdict"),
    [
        ({"discount": PRICE}, [RECOGNISED], "met"),
        ({"discount": PRICE | {"agreed_price_fen": 227000000}}, [RECOGNISED], "not_met"),
        ({"discount": PRICE}, [], "unknown"),
        ({"discount": {"agreed_price_fen": 228000000}}, [RECOGNISED], "unknown"),
    ],
)
def test_an_expression_is_told_as_it_stands_in_the_pack(guest, sections, facts, verdict):
    row = asked_one(guest, "purchase_discount", sections=sections, facts=facts)
    told = criterion(row, "rate")["reasons"][-1]
    wanted = next(
        one for one in PACK.offerings["purchase_discount"].criteria if "rate" in one.values()
    )
    assert (told["source"], told["name"]) == ("cel", "cel")
    assert told["title"] == told["text"] == wanted["title"]
    assert (told["asked"], told["expected"]) == ("is", wanted["met_when"]["any"][1]["cel"])
    assert told["verdict"] == verdict
    assert bool(told["missing"]) is (verdict == "unknown")


def test_what_is_compared_with_another_answer_says_so(guest):
    sections = {
        "purchase": {"signed_on": ago(days=10)},
        "employment": {"insured_since": ago(days=9)},
    }
    row = asked_one(guest, "housing_purchase", sections=sections)
    told = reason(row, "insured_before")
    assert (told["asked"], told["verdict"]) == ("at_least", "not_met")
    assert told["expected"] == {"field": "employment.insured_since", "plus": {"months": 6}}
    assert told["text"]["en"].endswith("+ 6 months")


@pytest.mark.parametrize(
    ("birth_date", "verdict", "missing"),
    [
        (born(40), "met", []),
        (born(61), "not_met", []),
        (None, "unknown", ["age:applicant"]),
    ],
    ids=["forty", "sixty-one", "not said"],
)
def test_a_birth_date_may_be_stated(guest, birth_date, verdict, missing):
    basis = {"recognition_basis": {"applied_class": "D"}}
    row = asked_one(guest, "recognition", sections=basis, birth_date=birth_date)
    told = criterion(row, "age")["reasons"]
    assert criteria(row)["age"] == verdict
    assert (told[0]["source"], told[0]["name"]) == ("age", "applicant")
    assert (told[0]["asked"], told[0]["expected"]) == ("at_most", 60)
    assert told[0]["title"] == {"zh": "申请人年龄", "en": "Age of the applicant"}
    today = clock.now().astimezone(SHANGHAI).date()
    assert told[0]["text"] == {
        "zh": f"申请人年龄须不高于60 周岁（截至 {today}）",
        "en": f"Age of the applicant: at most 60 years (as of {today})",
    }
    assert told[0]["missing"] == missing


# --- the family


def test_each_child_that_is_stated_has_a_row(guest):
    family = [{"kinship": "child", "birth_date": f"{YEAR - age}-08-31"} for age in (3, 7, 20)]
    family[1:1] = [{"kinship": "spouse"}]
    rows = ask(
        guest,
        offerings=["schooling"],
        sections={"schooling": {"stage": "primary", "school_year": str(YEAR)}},
        family=family,
    )
    assert [criteria(row)["age"] for row in rows] == ["not_met", "met", "not_met"]
    texts = {one["text"]["zh"] for one in criterion(rows[0], "age")["reasons"]}
    assert f"家属年龄须不低于6 周岁（截至 {YEAR}-08-31）" in texts
    assert [(row["about"], row["subject"]) for row in rows] == [("child", None)] * 3


def test_a_child_without_a_birth_date_is_of_unknown_age(guest):
    stage = {"schooling": {"stage": "junior", "school_year": str(YEAR)}}
    for family in ([], [{"kinship": "child"}], [{"kinship": "child", "birth_date": None}]):
        row = asked_one(guest, "schooling", sections=stage, family=family)
        assert criteria(row)["age"] == "unknown"
        told = criterion(row, "age")["reasons"]
        assert {(one["source"], one["name"]) for one in told} == {("age", "subject")}


def test_the_talents_age_is_not_the_childs(guest):
    row = asked_one(
        guest,
        "schooling",
        sections={"schooling": {"stage": "primary", "school_year": str(YEAR)}},
        birth_date=born(7),
    )
    assert criteria(row)["age"] == "unknown"


def test_a_spouse_that_is_stated_has_the_row_of_spouses(guest):
    family = [{"kinship": "spouse", "birth_date": born(33)}, {"kinship": "child"}]
    rows = ask(guest, offerings=["spouse", "settlement"], family=family)
    assert [(row["offering"], row["about"]) for row in rows] == [
        ("settlement", "self"),
        ("spouse", "spouse"),
    ]


# --- what is asked for


def test_offerings_come_in_the_order_of_their_codes_each_once(guest):
    wanted = ["spouse", "medical", "spouse", "housing_rent"]
    rows = ask(guest, offerings=wanted)
    assert [row["offering"] for row in rows] == ["housing_rent", "medical", "spouse"]


def test_answers_of_other_offerings_may_be_stated_too(guest):
    assert asked_one(guest, "medical", sections=RECENT)["verdict"] == "unknown"


@pytest.mark.parametrize(
    ("moment", "truth"),
    [
        (datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC), "met"),
        (datetime(2026, 3, 31, 16, 0, tzinfo=UTC), "unknown"),
    ],
)
def test_today_is_the_districts_today(session, moment, truth):
    """Five years after 31 March 2021 end with 31 March 2026, at midnight in Shanghai."""
    sections = {"applicant": {"graduated_on": "2021-03-31"}}
    stated = Stated(offerings=["housing_rent"], sections=sections)
    [row] = eligibility_for(session, as_guest(DISTRICT), DISTRICT, stated, at=moment).rows
    [graduate] = [one.answer for one in row.criteria if one.criterion.code == "graduate"]
    assert graduate.truth == truth


@pytest.mark.parametrize(
    ("moment", "school_year"),
    [
        (moment, year)
        for moment in (
            datetime(2025, 8, 31, 10, tzinfo=SHANGHAI),
            datetime(2026, 7, 15, 10, tzinfo=SHANGHAI),
            datetime(2026, 8, 31, 0, 10, tzinfo=SHANGHAI),
            datetime(2026, 8, 31, 23, 50, tzinfo=SHANGHAI),
            datetime(2026, 9, 1, 0, 10, tzinfo=SHANGHAI),
        )
        for year in ("2026", "2027")
    ],
)
@pytest.mark.parametrize("born", [date(2020, 8, 31), date(2020, 9, 1)])
def test_the_age_of_a_pupil_is_that_of_31_august_whenever_it_is_asked(
    session, moment, school_year, born
):
    stated = Stated(
        offerings=["schooling"],
        sections={"schooling": {"stage": "primary", "school_year": school_year}},
        family=[Relative(Subject.CHILD, born)],
    )
    [row] = eligibility_for(session, as_guest(DISTRICT), DISTRICT, stated, at=moment).rows
    [age] = [one.answer for one in row.criteria if one.criterion.code == "age"]
    old_enough = born <= date(int(school_year) - 6, 8, 31)
    assert age.truth == ("met" if old_enough else "not_met")
    assert {one.on for one in age.reasons if one.on} == {date(int(school_year), 8, 31)}


# --- sentences

CLASSES = (
    "人才类别须为下列之一："
    "A 类（顶尖人才）、B 类（国家级领军人才）、C 类（省级领军人才）、D 类（高级人才）"
)


@pytest.mark.parametrize(
    ("offering", "sections", "facts", "code", "zh", "en"),
    [
        (
            "housing_rent",
            {"applicant": {"graduated_on": "2010-06-30"}},
            [{"kind": "recognition", "value": {"class": "E", "level": "district"}}],
            "graduate",
            CLASSES,
            "Date of graduation: within the last 5 years",
        ),
        (
            "housing_rent",
            {"lease": {"to": "2020-01-01"}},
            [],
            "running_lease",
            "租期终止日期（租期不少于一年）须晚于今天",
            None,
        ),
        (
            "housing_rent",
            {},
            [{"kind": "housing_benefit", "value": {"kind": "purchase"}}],
            "no_purchase_subsidy",
            None,
            "Kind: must not be Purchase subsidy (total)",
        ),
        (
            "housing_rent",
            {"employment": {"insured_since": "2026-11-23"}},
            [],
            "insured",
            None,
            "Social insurance paid by this employer since: at least 1 month ago",
        ),
    ],
)
def test_a_clause_is_a_sentence(guest, offering, sections, facts, code, zh, en):
    row = asked_one(guest, offering, sections=sections, facts=facts)
    texts = [one["text"] for one in criterion(row, code)["reasons"]]
    assert zh is None or zh in [one["zh"] for one in texts], texts
    assert en is None or en in [one["en"] for one in texts], texts


def test_every_clause_of_the_pack_has_a_sentence_without_codes(guest):
    """Of nobody of whom anything is known, and of a talent who states one thing: no clause is left
    without a title, and no code of an offering, a kind of fact or an option stands in a sentence.
    """
    codes = {*PACK.offerings, *PACK.facts, *PACK.sections}
    for row in ask(guest):
        for judged in row["criteria"]:
            for one in judged["reasons"]:
                assert set(one["title"]) == set(one["text"]) == {"zh", "en"}
                words = set(one["text"]["en"].replace(",", " ").replace(":", " ").split())
                assert not {word for word in words & codes if "_" in word}
