"""The story of Zhang Wei's arrival, from signing in to the last item's result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx

from service.kernel.messages import Language
from service.local.environment import read_environment
from service.local.story import beginning, others, working
from service.local.story.desk import Departments
from service.local.story.notices import Notices
from service.local.story.people import Caller, new_family
from service.local.story.stage import (
    OFFERINGS,
    SCHOOLS,
    Story,
    agent,
    files_for,
    request_seen,
)
from service.local.story.telling import StoryBroken, Teller, expect

_DISTRICT: Final = "demo"


def tell(var: Path, *, language: Language, say: Callable[[str], Any]) -> int:
    """Tell the whole story against the service that runs in a folder; returns its sentences.

    Raises `StoryBroken` where something does not come as it should.
    """
    up = var / "up.json"
    expect(up.exists(), f"no service runs in {var}: start it with `make up`")
    expect(
        "TALENT_DEMO_PACK" not in read_environment(var),
        "the story is of the demonstration's district, and another one is shown here: start it with"
        " `make up`, without PACK",
    )
    notice = json.loads(up.read_text("utf-8"))
    password = Path(notice["password_file"]).read_text("utf-8").strip()
    notices = Notices(var, _DISTRICT)
    try:
        with httpx.Client(base_url=notice["base_url"], timeout=30) as http:
            story = Story(
                Teller(language, say),
                http,
                new_family(http, language),
                Departments(http, language, password),
                notices,
                password,
            )
            for chapter in CHAPTERS:
                chapter(story)
            return story.teller.sentences
    except httpx.TransportError as error:
        raise StoryBroken(f"the service does not answer: {error}") from error
    finally:
        notices.close()


def employer(story: Story) -> None:
    teller = story.teller
    teller.chapter("用人单位看到什么", "What the employer sees")
    request = request_seen(story)
    text = json.dumps(request, ensure_ascii=False)
    hidden = ["李芳", *(one["name"] for one in story.family.children), *SCHOOLS, "望海路"]
    teller.tell(
        f"东湾海芯科技的专员看到 {len(request['items'])} 个事项的状态和时限，"
        "没有表单、材料、家属和结果，也看不出有几个孩子。",
        f"The agent of Dongwan Haixin sees how {len(request['items'])} services stand and when they"
        " are due: no form, no document, no family, no result, not even how many children.",
        true=len(request["items"]) == len(OFFERINGS) and not any(word in text for word in hidden),
        found=text,
    )
    story.talent.post("/me/consents", json={"consent": "enterprise@2", "given": False})
    after = agent(story).ask("GET", f"/enterprise/requests/{story.ticket_id}")
    teller.tell(
        "张伟撤回同意，专员下一次就看不到了。",
        "Zhang Wei withdraws his consent, and with the next request the agent sees nothing.",
        true=after.status_code == httpx.codes.NOT_FOUND,
        found=after.text,
    )


def colleague(story: Story) -> None:
    teller = story.teller
    teller.chapter("专员代为提交", "The agent files for him")
    code = story.body["sections"]["employment"]["employer_code"]
    given = story.talent.post("/me/authorities", json={"credit_code": code})
    listed = agent(story).get("/enterprise/authorities")["items"]
    teller.tell(
        f"张伟在手机上授权{given['enterprise']}的专员代他申请。",
        "On his phone Zhang Wei lets the agents of Dongwan Haixin file for him.",
        true=given["id"] in [one["id"] for one in listed],
        found=listed,
    )
    path = f"/enterprise/authorities/{given['id']}"
    filed = files_for(story, path, "purchase_discount").json()
    expect("id" in filed, f"the agent cannot file: {filed}")
    timeline = story.talent.get(f"/tickets/{filed['id']}/timeline")["items"]
    teller.tell(
        "专员为他提交了购房优惠，联办件归他所有，时间线写明是谁提交的。",
        "The agent files for the purchase discount; the ticket is his, and its timeline says who"
        " filed it.",
        true="agent" in timeline[0]["text"]["en"],
        found=[filed, timeline],
    )
    story.talent.post(f"/me/authorities/{given['id']}/revocation")
    after = files_for(story, path, "purchase_discount")
    teller.tell(
        "张伟撤回授权，专员下一次就不能再提交。",
        "He revokes it, and with the next request the agent cannot file.",
        true=after.status_code == httpx.codes.NOT_FOUND,
        found=after.text,
    )


def ending(story: Story) -> None:
    teller = story.teller
    teller.chapter("全部办结", "All is done")
    ticket = story.ticket()
    approved = [one["outcome"] for one in ticket["items"]]
    teller.tell(
        f"联办件 {ticket['number']} 办结，七个事项全部获批，各有结果。",
        f"The ticket {ticket['number']} is completed: all seven items are approved, each with a"
        " result.",
        true=ticket["status"] == "completed"
        and set(approved) == {"approved"}
        and all(one["result"] for one in ticket["items"]),
        found=ticket,
    )
    told = story.talent.get(f"/tickets/{story.ticket_id}/timeline")["items"]
    teller.tell(
        f"整个过程在时间线里共 {len(told)} 条，中英文各一遍。最后几条：",
        f"The timeline tells all of it in {len(told)} lines, in Chinese and English. The last"
        " ones:",
        true=all(one["text"]["zh"] and one["text"]["en"] for one in told),
        found=told,
    )
    for one in told[-4:]:
        teller.quote(one["text"][story.tongue])
    teller.tell(
        f"用 demo:{story.family.code} 登录，就能看到他的联办件。",
        f"Whoever signs in with demo:{story.family.code} sees his tickets.",
        true=_listed_on_another_phone(story) >= {story.ticket_id},
    )


def _listed_on_another_phone(story: Story) -> set[str]:
    phone = Caller(story.http, story.tongue, story.talent.name)
    phone.sign_in("wechat", code=f"demo:{story.family.code}")
    return {one["id"] for one in phone.get("/tickets")["items"]}


CHAPTERS: Final = (
    beginning.arrival,
    beginning.one_form,
    beginning.draft_and_filing,
    beginning.walls,
    working.housing,
    working.recognition,
    working.rent_decided,
    working.children,
    working.wife,
    working.health,
    colleague,
    employer,
    ending,
    others.elsewhere,
)
