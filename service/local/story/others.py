"""Other people, whose tickets stand wherever a ticket can stand: so that nobody's desk is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from service.local.story.papers import upload
from service.local.story.people import Family, lone_talent
from service.local.story.stage import Story, filled, key, match, pass_until

_ZHOU: Final = ("周婷", "Zhou Ting")
_WU: Final = ("吴昊", "Wu Hao")
_ZHENG: Final = ("郑洁", "Zheng Jie")
_HE: Final = ("何静", "He Jing")


@dataclass(frozen=True)
class _Someone:
    """Somebody with their way to sign in, and a stage of their own."""

    story: Story
    in_english: str

    @property
    def family(self) -> Family:
        return self.story.family

    def fills_in(self, *offerings: str) -> Story:
        """A form for these offerings, with its documents handed in; nothing is sent yet."""
        path = "/bundles/arrival/form?offerings=" + ",".join(offerings)
        own = replace(self.story, form=self.family.talent.get(path), ticket_id="")
        fresh = {one["code"] for one in own.form["materials"]} - set(self.story.papers)
        self.story.papers.update(upload(self.family.talent, sorted(fresh)))
        own.body = filled(own, *offerings)
        return own

    def files(self, *offerings: str) -> Story:
        """A ticket of these offerings."""
        own = self.fills_in(*offerings)
        filed = self.family.talent.post("/tickets", json=own.body, headers=key(uuid4().hex))
        own.ticket_id = filed["id"]
        return own


def elsewhere(story: Story) -> None:
    """One ticket at least in every state; each is told with the code of its applicant."""
    story.teller.chapter("别的人才，办到各处", "Other talents, wherever they stand")
    _early(_enters(story, *_ZHOU))
    _under_way(_enters(story, *_WU))
    _refused(_enters(story, *_ZHENG))
    _delivered(_enters(story, *_HE))


def _enters(story: Story, name: str, in_english: str) -> _Someone:
    code = in_english.lower().replace(" ", ".")
    family = lone_talent(story.http, story.tongue, name, code)
    return _Someone(replace(story, family=family, form={}, papers={}, body={}), in_english)


def _early(zhou: _Someone) -> None:
    """A draft, a withdrawal, an acceptance, a correction, and an item that waits for another."""
    talent = zhou.family.talent
    body = zhou.fills_in("settlement").body
    part = {name: body[name] for name in ("bundle", "items", "sections")} | {"file": False}
    draft = talent.post("/tickets", json=part, headers=key(uuid4().hex))
    gone = zhou.files("settlement")
    talent.post(f"/tickets/{gone.ticket_id}/withdrawal", headers=match(gone.ticket()))
    again = zhou.files("settlement")
    rent = zhou.files("housing_rent")
    _returns(rent)
    waiting = zhou.files("recognition", "medical")
    _told(
        zhou,
        "有一份草稿、一件已撤回、一件在受理、一件待补正、一件要等人才认定",
        "has a draft, and tickets that are withdrawn, in acceptance, returned for correction, and"
        " waiting for a recognition",
        {
            "draft": draft["status"],
            "withdrawn": gone.ticket()["status"],
            "acceptance": again.item("settlement")["phase"],
            "correction": rent.item("housing_rent")["hold"],
            "waiting": waiting.item("medical")["phase"],
        },
    )


def _returns(rent: Story) -> None:
    task = rent.departments.task(rent.item("housing_rent"), "acceptance", "construction")
    point = {"material": "no_home_certificate", "what": "证明已超过三十日，请重新开具。"}
    why = _reason(rent, "证明已过期。", "The certificate is too old.")
    rent.departments.decide(task, "return", corrections=[point], reason=why)


def _under_way(wu: _Someone) -> None:
    """Processing, and a notice period that runs."""
    settlement, rent = wu.files("settlement"), wu.files("housing_rent")
    pass_until(settlement, settlement.item("settlement"), "decision")
    pass_until(rent, rent.item("housing_rent"), "publicity")
    open_stages = [
        stage["key"] for stage in rent.item("housing_rent")["stages"] if stage["state"] == "open"
    ]
    _told(
        wu,
        "一件在办理，一件在公示",
        "has a ticket in processing, and one on public notice",
        {"processing": settlement.item("settlement")["phase"], "publicity": open_stages[0]},
    )


def _refused(zheng: _Someone) -> None:
    """A rejection, and the choice that one leads to."""
    settlement = zheng.files("settlement")
    pass_until(settlement, settlement.item("settlement"), "decision")
    _says_no(settlement, "settlement", ("decision", "public_security"), "reject")
    asked = zheng.files("recognition", "housing_purchase")
    _says_no(asked, "recognition", ("acceptance", "human_resources"), "not_accept")
    _told(
        zheng,
        "一件未获批准，一件因认定未受理而等她选择是否继续",
        "has a ticket that was rejected, and one that asks her whether to go on without the"
        " recognition, which was not accepted",
        {
            "rejected": settlement.item("settlement")["outcome"],
            "not_accepted": asked.item("recognition")["outcome"],
            "choose": asked.ticket()["next_steps"][0]["kind"],
        },
    )


def _says_no(story: Story, offering: str, where: tuple[str, str], verdict: str) -> None:
    task = story.departments.task(story.item(offering), *where)
    why = _reason(
        story, "材料与填写的内容不一致。", "What was handed in is not what the form says."
    )
    story.departments.decide(task, verdict, opinion="提交的材料与填写的内容不一致。", reason=why)


def _reason(story: Story, zh: str, en: str) -> dict[str, Any]:
    """What the applicant is told: why, and by which rule."""
    return {"text": zh if story.tongue == "zh" else en, "citation": {"code": "rules"}}


def _delivered(he: _Someone) -> None:
    """A decision that is still being delivered."""
    own = he.files("recognition", "medical")
    pass_until(own, own.item("recognition"), "publicity")
    own.notices.end(own.ticket_id)
    pass_until(own, own.item("recognition"), None)
    pass_until(own, own.item("medical"), "opening")
    _told(
        he,
        "医疗保障已批准，正在落实",
        "has medical services approved, and they are being delivered",
        {"approved": own.item("medical")["outcome"], "fulfilment": own.item("medical")["phase"]},
    )


def _told(who: _Someone, zh: str, en: str, stands: Mapping[str, Any]) -> None:
    """Say where somebody's tickets stand; each has to stand as its key says."""
    code = f"demo:{who.family.code}"
    who.story.teller.tell(
        f"{who.family.talent.name}（{code}）：{zh}。",
        f"{who.in_english} ({code}) {en}.",
        true=all(state == found for state, found in stands.items()),
        found=stands,
    )
