"""How it goes on: what the departments make of the seven items."""

from __future__ import annotations

import json

import httpx

from service.kernel import clock
from service.local.story.dates import school_year
from service.local.story.papers import upload_one
from service.local.story.stage import (
    RENT_FEN,
    SCHOOLS,
    Story,
    asks_for,
    match,
    open_departments,
    pass_until,
)


def housing(story: Story) -> None:
    teller, departments = story.teller, story.departments
    teller.chapter(
        "租房补贴：一次补正，两部门会审", "Rent subsidy: one correction, two departments"
    )
    item = story.item("housing_rent")
    point = {"material": "lease_contract", "what": "租赁合同缺第二页，请补齐。"}
    text, article = {
        "zh": ("租赁合同只有第一页，无法核对租期和租金。", "第六条"),
        "en": (
            "Of the lease there is one page only: neither term nor rent are on it.",
            "article 6",
        ),
    }[story.tongue]
    why = {"text": text, "citation": {"code": "rules", "article": article}}
    departments.decide(
        departments.task(item, "acceptance", "construction"),
        "return",
        corrections=[point],
        reason=why,
    )
    ticket = story.ticket()
    teller.tell(
        "建设局一次性告知：租赁合同缺一页。张伟看到期限和要补的内容。",
        "Construction names it once: a page of the lease is missing. Zhang Wei sees what, and by"
        " when.",
        true=ticket["status"] == "awaiting_applicant"
        and [step["kind"] for step in ticket["next_steps"]] == ["correct"],
        found=ticket["next_steps"],
    )
    returned = story.talent.get(f"/items/{item['id']}")["corrections"][0]
    cited = returned["reason"]["citation"]
    teller.tell(
        "理由和依据也写明了：",
        "He is told why, and by which rule:",
        true=returned["reason"]["text"][story.tongue] == why["text"] and bool(cited["title"]),
        found=returned,
    )
    teller.quote(f"{why['text']} {cited['title'][story.tongue]} {cited['article'][story.tongue]}")
    lease = upload_one(story.talent, "lease_contract", pages=2)
    item = story.item("housing_rent")
    story.talent.post(
        f"/items/{item['id']}/correction",
        json={"materials": [{"code": "lease_contract", "material": lease["id"]}]},
        headers=match(item),
    )
    item = story.item("housing_rent")
    teller.tell(
        "他补交完整的合同，受理重新开始。",
        "He hands in the whole lease, and acceptance begins anew.",
        true=item["hold"] is None and story.ticket()["status"] == "in_progress",
        found=item,
    )
    departments.pass_on(item, ("acceptance", "construction"))
    open_to = open_departments(story.item("housing_rent"))
    teller.tell(
        "建设局与人社局同时会审。",
        "Construction and human resources review at the same time.",
        true=open_to == ["construction", "human_resources"],
        found=open_to,
    )
    departments.pass_on(item, ("review", "construction"), ("review", "human_resources"))


def recognition(story: Story) -> None:
    teller, departments = story.teller, story.departments
    teller.chapter("人才认定与落户", "Recognition and settlement")
    item = story.item("recognition")
    departments.pass_on(
        item, ("acceptance", "human_resources"), ("qualification", "human_resources")
    )
    settlement = story.item("settlement")
    departments.pass_on(settlement, ("acceptance", "public_security"))
    permit = {"permit_number": "QY-2026-000123", "valid_until": "2027-12-31"}
    departments.pass_on(settlement, ("decision", "public_security"), result=permit)
    teller.tell(
        "公安分局同时办结落户，准予迁入。",
        "Meanwhile public security decides on the settlement: he may move in.",
        true=story.item("settlement")["outcome"] == "approved",
        found=story.item("settlement"),
    )
    waiting = [one["waiting_for"] for one in story.items("schooling")]
    teller.tell(
        "孩子的入学不必再等落户，只等人才认定。",
        "For that the schooling waits no longer, only for the recognition.",
        true=waiting == [["recognition"], ["recognition"]],
        found=waiting,
    )
    ended = story.notices.end(story.ticket_id)
    teller.tell(
        f"{ended} 个公示各满五个工作日，无异议（演示不等待）。",
        f"{ended} public notices of five working days end without objection (the demonstration"
        " does not wait).",
        true=ended > 1,
        found=ended,
    )
    result = {"class": "D", "certificate_number": "RC-2026-000318"}
    departments.pass_on(item, ("decision", "human_resources"), result=result)
    facts = {one["kind"]: one["value"] for one in story.talent.get("/me/facts")["items"]}
    teller.tell(
        "人社局认定张伟为 D 类人才；这一事实从此不必再证明。",
        "Human resources recognises him as a class D talent: a fact that nobody asks for again.",
        true=facts.get("recognition", {}).get("class") == "D",
        found=facts,
    )
    medical = story.item("medical")
    teller.tell(
        "等待认定的医疗保障随即开始办理。",
        "What waited for it, medical services, begins at once.",
        true=medical["phase"] == "acceptance",
        found=medical,
    )


def rent_decided(story: Story) -> None:
    teller, departments = story.teller, story.departments
    teller.chapter("补贴有了数额，不能重复享受", "The subsidy has an amount, and comes once")
    result = {"monthly_fen": RENT_FEN, "months": 36, "first_month": "2027-01"}
    departments.pass_on(story.item("housing_rent"), ("decision", "construction"), result=result)
    got = story.item("housing_rent")["result"]
    teller.tell(
        "租房补贴获批：每月 2000 元，36 个月。",
        "The rent subsidy is approved: 2,000 yuan a month for 36 months.",
        true=got["monthly_fen"] == RENT_FEN,
        found=got,
    )
    answer = asks_for(story, "housing_purchase")
    told = answer.json().get("errors", [{}])[0]
    teller.tell(
        "他又申请购房补贴，被拒绝，理由和依据写得清楚：",
        "He asks for the purchase subsidy, too, and is refused, with the criterion and its source:",
        true=answer.status_code == httpx.codes.UNPROCESSABLE_ENTITY
        and told["code"] == "criterion_not_met"
        and all(words in told["message"] for words in _no_rent_subsidy(story)),
        found=answer.text,
    )
    teller.quote(told["message"])


def _no_rent_subsidy(story: Story) -> list[str]:
    """The criterion that the rent subsidy stands against, and where it is written."""
    offering = story.talent.get("/offerings/housing_purchase")
    (one,) = [one for one in offering["criteria"] if one["code"] == "no_rent_subsidy"]
    return [one[words][story.tongue] for words in ("title", "citation", "article")]


def children(story: Story) -> None:
    teller, departments = story.teller, story.departments
    teller.chapter("两个孩子，两个学位", "Two children, two seats")
    _home_of_a_child(story)
    autumn = school_year(clock.now().date())
    for number, (child, school) in enumerate(zip(story.items("schooling"), SCHOOLS, strict=True)):
        pass_until(story, child, "decision")
        departments.pass_on(
            child, ("decision", "development_support"), result={"school": school, "grade": 1}
        )
        notice = {"notice_number": f"RX-{autumn}-{219 + number:06}"}
        departments.pass_on(child, ("registration", "education"), result=notice)
    seats = {one["subject"]: one for one in story.items("schooling")}
    told: set[str] = set()
    for child, school in zip(story.family.children, SCHOOLS, strict=True):
        seat = seats[child["id"]]
        notices = [one["result"]["notice_number"] for one in seat["deliveries"]]
        teller.tell(
            f"{child['name']}：{school}，入学通知书编号 {'、'.join(notices)}。",
            f"{child['name']}: {school}, with the notice {', '.join(notices)}.",
            true=seat["result"]["school"] == school
            and len(notices) == 1
            and told.isdisjoint(notices),
            found=seat,
        )
        told |= set(notices)


def _home_of_a_child(story: Story) -> None:
    child, known = story.items("schooling")[0], story.family.children[0]
    pass_until(story, child, "home")
    home = story.departments.look(story.departments.task(child, "home", "construction"))
    text = json.dumps(home, ensure_ascii=False)
    words = [known[what] for what in ("id", "name", "id_number", "birth_date")]
    story.teller.tell(
        "建设局核验住房，看到住址和租赁合同，不知道是哪个孩子。",
        "Construction verifies the home, sees address and lease, and is not told which child it is"
        " for.",
        true=home["subject"] is None and not any(word in text for word in words),
        found=text,
    )


def wife(story: Story) -> None:
    teller, departments = story.teller, story.departments
    teller.chapter("李芳的工作", "Li Fang's work")
    item = story.item("spouse")
    read = departments.look(departments.task(item, "acceptance", "human_resources"))["materials"]
    pass_until(story, item, None)
    result = story.item("spouse")["result"]
    teller.tell(
        f"她的简历到了人社局，带回一份安排：{result['arrangement']}。",
        f"Her CV goes to human resources and brings an offer: {result['arrangement']}.",
        true=bool(result["arrangement"]) and "cv" in [one["code"] for one in read],
        found=(read, result),
    )


def health(story: Story) -> None:
    teller = story.teller
    teller.chapter("医疗保障", "Medical services")
    pass_until(story, story.item("medical"), None)
    result = story.item("medical")["result"]
    teller.tell(
        f"卫健局给予医疗待遇，每年体检 {result['checkups_a_year']} 次。",
        f"Health grants the entitlement, with {result['checkups_a_year']} check-up a year.",
        true=result["level"] == "priority",
        found=result,
    )
