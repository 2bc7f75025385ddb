"""Who is refused, or asked for something more, is told why: by which rule, and what can be done.

Administrative Licensing Law (行政许可法) art. 32 and 38.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories import REASON
from tests.packs import demo_pack, publish, whole_pack
from tests.tickets.asking import claim, decide

POLICE, BUILDERS, PEOPLE = "public_security", "construction", "human_resources"
WORDS = "金丝雀理由：户口簿所载地址与申请不符。"
RULES = {
    "title": {
        "zh": "《东湾高新区人才落户实施办法》（示范文本）",
        "en": "Dongwan rules on settling talents (demonstration text)",
    },
    "article": {"zh": "第四条", "en": "article 4"},
}
REMEDIES = whole_pack().offerings["settlement"].remedies
MEND = [{"what": "请核对", "section": "household"}]


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def item(world, talent):
    return world.ticket(talent, "settlement")["items"][0]


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


@pytest.fixture
def task(world, clerk, item):
    return world.claimed(clerk, item["number"])


def both(words):
    return {"zh": words, "en": words}


def shown(talent, item):
    return talent.get(f"/v1/items/{item['id']}").json


def fault(answer):
    assert answer.status_code == 422, answer.json
    return [(one["path"], one["code"]) for one in answer.json["errors"]]


@pytest.mark.parametrize(
    ("verdict", "more"), [("not_accept", {}), ("return", {"corrections": MEND})]
)
def test_who_refuses_or_returns_says_why(clerk, task, footprint, verdict, more):
    before = footprint()
    answer = decide(clerk, task, verdict, reason=None, **more)
    assert fault(answer) == [("reason", "reason_missing")]
    assert footprint() == before


def test_a_rejection_says_why(world, clerk, item, task):
    decide(clerk, task)
    reviewer = world.staff(f"reviewer.{POLICE}")
    second = world.claimed(reviewer, item["number"])
    assert fault(decide(reviewer, second, "reject", reason=None)) == [("reason", "reason_missing")]


RETURNED = {"verdict": "return", "corrections": MEND}
REFUSED = {"verdict": "not_accept"}


@pytest.mark.parametrize(
    ("said", "reason", "path", "code"),
    [
        ({"verdict": "accept"}, REASON, "reason", "reason_not_expected"),
        (REFUSED, {"citation": {"code": "rules"}}, "reason.text", "required"),
        (REFUSED, {"text": " ", "citation": {"code": "rules"}}, "reason.text", "blank"),
        (REFUSED, {"text": WORDS}, "reason.citation", "required"),
        (REFUSED, {"text": WORDS, "citation": {}}, "reason.citation", "citation_needed"),
        (
            REFUSED,
            {"text": WORDS, "citation": {"code": "rules", "text": "某法第一条"}},
            "reason.citation",
            "citation_needed",
        ),
        (
            REFUSED,
            {"text": WORDS, "citation": {"code": "custom"}},
            "reason.citation.code",
            "citation_unknown",
        ),
        (
            REFUSED,
            {"text": WORDS, "citation": {"text": "某法", "article": "第一条"}},
            "reason.citation.article",
            "citation_needed",
        ),
        (
            RETURNED,
            REASON | {"remedies": "可以复议"},
            "reason.remedies",
            "remedies_not_expected",
        ),
    ],
)
def test_a_reason_that_does_not_fit_is_refused(clerk, task, footprint, said, reason, path, code):
    before = footprint()
    assert fault(decide(clerk, task, reason=reason, **said)) == [(path, code)]
    assert footprint() == before


def test_where_the_offering_names_no_remedies_the_clerk_does(world, database, talent, clerk):
    pack = demo_pack()
    silent = replace(pack.offerings["settlement"], remedies=None)
    publish(database, replace(pack, offerings={**pack.offerings, "settlement": silent}))
    try:
        item = world.ticket(talent, "settlement")["items"][0]
        task = world.claimed(clerk, item["number"])
        assert clerk.get(f"/v1/desk/tasks/{task['id']}").json["remedies"] is None
        assert fault(decide(clerk, task, "not_accept")) == [("reason.remedies", "remedies_missing")]
        own = REASON | {"remedies": "六十日内可以申请行政复议。"}
        assert decide(clerk, task, "not_accept", reason=own).status_code == 200
        (told,) = shown(talent, item)["refusals"]
        assert told["reason"]["remedies"] == both(own["remedies"])
    finally:
        publish(database, pack)


@pytest.mark.parametrize(
    ("citation", "cited"),
    [
        ({"code": "rules"}, RULES),
        ({"code": "rules", "article": "第七条"}, RULES | {"article": both("第七条")}),
        ({"text": "《某办法》第三条"}, {"title": both("《某办法》第三条"), "article": None}),
    ],
)
def test_the_applicant_reads_why_by_which_rule_and_what_can_be_done(
    talent, clerk, item, task, citation, cited
):
    reason = {"text": WORDS, "citation": citation}
    assert decide(clerk, task, "not_accept", reason=reason).status_code == 200
    told = {"text": both(WORDS), "citation": cited, "remedies": REMEDIES}
    (refusal,) = shown(talent, item)["refusals"]
    assert refusal.pop("at").endswith("+00:00")
    assert refusal == {
        "stage": "acceptance",
        "stage_title": {"zh": "受理", "en": "Acceptance"},
        "department": POLICE,
        "department_name": {"zh": "公安分局", "en": "Public Security Branch"},
        "verdict": "not_accept",
        "reason": told,
    }
    ticket = talent.get(f"/v1/tickets/{shown(talent, item)['ticket']}").json
    assert ticket["items"][0]["refusals"][0]["reason"] == told
    lines = talent.get(f"/v1/tickets/{ticket['id']}/timeline").json["items"]
    said = {line["kind"]: line["reason"] for line in lines}
    assert said.pop("item_not_accepted") == told
    assert set(said.values()) == {None}


def test_a_return_has_its_reason_beside_its_points(talent, clerk, item, task):
    reason = {"text": WORDS, "citation": {"code": "rules"}}
    assert decide(clerk, task, "return", reason=reason, corrections=MEND).status_code == 200
    told = {"text": both(WORDS), "citation": RULES, "remedies": None}
    (asked,) = shown(talent, item)["corrections"]
    assert (asked["reason"], shown(talent, item)["refusals"]) == (told, [])
    household = {"zh": "户口迁移信息", "en": "Move of the household registration"}
    assert [one["title"] for one in asked["points"]] == [household]


def test_the_reason_stays_with_what_was_answered(world, talent, clerk, item, task):
    decide(clerk, task, "return", corrections=MEND)
    kept = shown(talent, item)
    answer = talent.post(
        f"/v1/items/{item['id']}/correction",
        json={"sections": {"household": kept["sections"]["household"]}},
        headers={"If-Match": kept["etag"]},
    )
    assert answer.status_code == 200, answer.json
    (asked,) = shown(talent, item)["corrections"]
    assert asked["reason"]["text"] == both(REASON["text"])


def test_a_vote_that_did_not_decide_is_no_refusal(world, talent, walk):
    """Of three departments of which two have to pass it, one votes against it."""
    purchase = walk("housing_purchase", talent=talent)
    purchase.until("joint_review")
    purchase.say("joint_review", "reject", department=PEOPLE)
    path = f"/v1/tickets/{purchase.ticket}"
    assert talent.get(path).json["items"][0]["refusals"] == []
    lines = talent.get(f"{path}/timeline").json["items"]
    assert {line["reason"] for line in lines} == {None}
    purchase.say("joint_review", department=BUILDERS)
    assert talent.get(path).json["items"][0]["refusals"] == []


def test_a_check_says_by_its_title_and_the_rule_that_its_pack_names(talent, walk, establish):
    """The rent subsidy was granted after the purchase subsidy was asked for."""
    purchase = walk("housing_purchase", talent=talent)
    purchase.until("joint_review")
    rent = {"kind": "rent", "contract_number": "ZL-2025-001873", "amount_fen": 100000}
    establish(talent, "housing_benefit", rent, issuer=BUILDERS)
    for department in (BUILDERS, "finance"):
        purchase.say("joint_review", department=department)
    path = f"/v1/tickets/{purchase.ticket}"
    (refusal,) = talent.get(path).json["items"][0]["refusals"]
    assert (refusal["department"], refusal["verdict"]) == (None, "reject")
    assert refusal["reason"]["text"] == {
        "zh": "系统核验未通过：重复享受校验。",
        "en": "A check by the system was not passed: No benefit twice.",
    }
    assert refusal["reason"]["citation"]["article"]["en"] == "article 11, paragraph 1"
    assert refusal["reason"]["remedies"]["zh"].startswith("如对决定不服")
    lines = talent.get(f"{path}/timeline").json["items"]
    assert [one["reason"] for one in lines if one["reason"]] == [refusal["reason"]]


def test_a_reason_is_sealed(clerk, task, tables_with):
    reason = {"text": WORDS, "citation": {"code": "rules"}}
    decide(clerk, task, "not_accept", reason=reason)
    assert not tables_with(WORDS)
    told = clerk.get(f"/v1/desk/tasks/{task['id']}").json["reason"]
    assert told["text"] == both(WORDS)


def test_neither_a_department_that_reads_the_timeline_nor_anybody_else_is_shown_it(
    world, talent, clerk, item, task
):
    decide(clerk, task, "not_accept", reason={"text": WORDS, "citation": {"code": "rules"}})
    lines = clerk.get(f"/v1/desk/items/{item['id']}/timeline").json["items"]
    assert {line["reason"] for line in lines} == {None}
    notices = talent.get("/v1/notices").get_data(as_text=True)
    assert WORDS not in notices


def test_a_task_names_the_rules_and_remedies_to_choose_from(clerk, task):
    told = clerk.get(f"/v1/desk/tasks/{task['id']}").json
    declared = whole_pack().offerings["settlement"]
    assert [one["code"] for one in told["citations"]] == [one["code"] for one in declared.citations]
    assert told["citations"][2]["title"] == RULES["title"]
    assert told["remedies"] == REMEDIES


def test_a_database_keeps_no_reason_where_nothing_was_refused(clerk, task, superuser):
    decide(clerk, task)
    with pytest.raises(Exception, match="ck_tasks_reason"):
        superuser.execute("UPDATE tasks SET reason = 'x' WHERE id = %s", (task["id"],))


def test_a_claim_of_the_same_task_is_unchanged(clerk, item, world):
    """A passing verdict needs no reason."""
    task = world.open_task(clerk, item["number"])
    assert decide(clerk, claim(clerk, task).json).status_code == 200
