"""How it begins: the family arrives, fills in one form, files once; and who sees what."""

from __future__ import annotations

import json
from uuid import uuid4

import httpx

from service.local.story.papers import upload
from service.local.story.people import Caller
from service.local.story.stage import (
    OFFERINGS,
    Story,
    filled,
    key,
    match,
    open_departments,
    request_seen,
)


def arrival(story: Story) -> None:
    teller, family = story.teller, story.family
    teller.chapter("张伟来到东湾高新区", "Zhang Wei arrives in the Dongwan zone")
    members = story.talent.get("/me/family")["items"]
    teller.tell(
        "他用微信登录，完善了个人信息，添加了妻子李芳和两个孩子。",
        "He signs in through WeChat, completes his profile, and adds his wife Li Fang and two"
        " children.",
        true=len(members) == 1 + len(family.children),
        found=members,
    )
    asked = story.talent.post("/eligibility", json={"offerings": ["medical"]})["items"][0]
    (criterion,) = asked["criteria"]
    teller.tell(
        f"他先问了医疗保障的条件：尚不符合——{criterion['title']['zh']}（{criterion['article']['zh']}）。",
        f"He asks about medical services first: not yet, since it takes this:"
        f" {criterion['title']['en']} ({criterion['article']['en']}).",
        true=asked["verdict"] == "not_met",
        found=asked,
    )


def one_form(story: Story) -> None:
    teller = story.teller
    teller.chapter("一张表、一套材料", "One form, one set of documents")
    path = "/bundles/arrival/form?offerings=" + ",".join(OFFERINGS)
    story.form = story.talent.get(path)
    sections = [one["code"] for one in story.form["sections"]]
    shared = [one for one in story.form["sections"] if len(one["asked_by"]) > 1]
    filled = next(one for one in story.form["sections"] if one["code"] == "applicant")
    teller.tell(
        f"六个事项只有 {len(sections)} 部分表单，其中 {len(shared)} 部分多个事项共用；"
        "手机号已经填好。",
        f"Six services ask for {len(sections)} sections, {len(shared)} of them shared;"
        " his phone number is filled in already.",
        true=len(set(sections)) == len(sections)
        and filled["prefilled"].get("mobile") == "13800138000",
        found=story.form["sections"],
    )
    codes = {one["code"] for one in story.form["materials"]}
    story.papers = upload(story.talent, sorted(codes))
    kept = story.talent.get("/materials", params={"limit": "100"})["items"]
    teller.tell(
        f"他上传了 {len(kept)} 份材料，每份只传一次。",
        f"He uploads {len(kept)} documents, each of them once.",
        true=len(kept) == len(codes),
        found=kept,
    )


def draft_and_filing(story: Story) -> None:
    teller = story.teller
    teller.chapter("草稿与提交", "A draft, and filing it")
    story.body = filled(story)
    part = {"bundle": "arrival", "file": False, "sections": story.body["sections"]}
    draft = story.talent.post("/tickets", json=part, headers=key(uuid4().hex))
    teller.tell(
        "填到一半，他存了草稿。",
        "Halfway through he keeps a draft.",
        true=draft["status"] == "draft" and draft["number"] is None,
        found=draft,
    )
    other = Caller(story.http, story.tongue, "张伟").sign_in(
        "wechat", code=f"demo:{story.family.code}"
    )
    listed = [one["id"] for one in other.get("/tickets")["items"]]
    rest = {name: story.body[name] for name in ("items", "materials", "consents")}
    draft = other.patch(f"/tickets/{draft['id']}", json=rest, headers=match(draft))
    teller.tell(
        "换一部手机登录，草稿还在，他接着填完。",
        "On another phone the draft is there, and he goes on with it.",
        true=draft["id"] in listed,
        found=listed,
    )
    filed = other.post(f"/tickets/{draft['id']}/filing", headers={**match(draft), **key(story.key)})
    story.ticket_id = filed["id"]
    number = filed["number"]
    teller.tell(
        f"提交：一个联办件 {number}，七个子办件，最晚 {filed['due_on']} 办结。",
        f"Filed: one joint ticket {number} with seven items, due on {filed['due_on']}.",
        true=len(filed["items"]) == len(OFFERINGS) + 1,
        found=filed["items"],
    )
    again = other.post(f"/tickets/{draft['id']}/filing", headers={**match(draft), **key(story.key)})
    teller.tell(
        "网络不好，用同一个幂等键再提交一次：还是这个联办件。",
        "The network falters and the same key is sent again: it is the same ticket.",
        true=again["number"] == number,
        found=again["number"],
    )
    anew = story.talent.ask("POST", "/tickets", json=story.body, headers=key(uuid4().hex))
    teller.tell(
        "重新提交一份则被拒绝，并告知未办结的子办件编号。",
        "Filing it anew is refused, with the numbers of the items that are open.",
        true=anew.status_code == httpx.codes.CONFLICT and number in anew.json()["detail"],
        found=anew.text,
    )
    waiting = {one["offering"] for one in filed["items"] if one["phase"] == "waiting"}
    teller.tell(
        "医疗保障要等人才认定，尚未开始；其余各部门同时收到。",
        "Medical services wait for the recognition and have not begun; all others have begun.",
        true=waiting == {"medical"},
        found=waiting,
    )
    _side_by_side(story)


def _side_by_side(story: Story) -> None:
    teller = story.teller
    where = {
        offering: open_departments(story.item(offering))
        for offering in ("settlement", "housing_rent")
    }
    teller.tell(
        "落户在公安分局，租房补贴在建设局，同时办理。",
        "Settlement lies with public security and the rent subsidy with construction, at the same"
        " time.",
        true=where == {"settlement": ["public_security"], "housing_rent": ["construction"]},
        found=where,
    )
    schooling = story.items("schooling")
    teller.tell(
        "两个孩子的入学也已开始，只是要等认定和落户有了结果才能决定。",
        "The schooling of both children has begun, too; only to be decided it waits for recognition"
        " and settlement.",
        true=all(
            one["phase"] == "acceptance"
            and set(one["waiting_for"]) == {"recognition", "settlement"}
            for one in schooling
        ),
        found=schooling,
    )


def walls(story: Story) -> None:
    teller, departments = story.teller, story.departments
    teller.chapter("各看各的", "Everybody sees their own part")
    child = story.items("schooling")[0]
    task = departments.task(child, "acceptance", "development_support")
    seen = departments.look(task)["subject"]
    teller.tell(
        f"发展保障局的经办人知道是哪个孩子：{seen['name']}，{seen['birth_date']} 出生。",
        f"A clerk of development support sees which child it is: {seen['name']}, born on"
        f" {seen['birth_date']}.",
        true=seen["name"] == story.family.children[0]["name"] and "*" in seen["id_number"],
        found=seen,
    )
    foreign = departments.staff("clerk", "construction").ask("GET", f"/desk/tasks/{task['id']}")
    teller.tell(
        "建设局的经办人去看孩子的入学待办：404，如同不存在。",
        "A clerk of construction asks for a child's task: 404, as if there were none.",
        true=foreign.status_code == httpx.codes.NOT_FOUND,
        found=foreign.text,
    )
    rent = departments.look(
        departments.task(story.item("housing_rent"), "acceptance", "construction")
    )
    text = json.dumps(rent, ensure_ascii=False)
    words = [one["name"] for one in story.family.children] + ["李芳", "入学", "schooling"]
    teller.tell(
        "建设局看到的租房申请里没有孩子、没有配偶、没有银行账号。",
        "What construction sees of the rent subsidy has no child, no wife, no bank account.",
        true=not any(word in text for word in (*words, "account_number")),
        found=text,
    )
    teller.tell(
        "姓名之外，证件号码只显示首尾。",
        "Beside the name, of the id number only the ends are shown.",
        true="*" in rent["applicant"]["id_number"],
        found=rent["applicant"],
    )
    lights = [one["light"] for one in request_seen(story)["items"]]
    teller.tell(
        f"用人单位专员看到 {len(lights)} 盏灯，家属的事项合为一盏，此外一无所知。",
        f"The employer's agent sees {len(lights)} lights, one for all the children, and nothing"
        " behind them.",
        true=lights == ["green"] * len(OFFERINGS),
        found=lights,
    )
