"""Who takes part in the story, what has come of it so far, and what they often do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

import httpx

from service.kernel import clock
from service.local.demonstration import AGENT
from service.local.story.dates import renewed
from service.local.story.desk import Departments
from service.local.story.notices import Notices
from service.local.story.papers import upload
from service.local.story.people import Caller, Family
from service.local.story.telling import Teller

OFFERINGS: Final = ("recognition", "settlement", "housing_rent", "schooling", "spouse", "medical")
RENT_FEN: Final = 200_000
SCHOOLS: Final = ("东湾高新区实验小学", "东湾高新区第二实验小学")


@dataclass
class Story:
    """Who takes part, and what has come of it so far."""

    teller: Teller
    http: httpx.Client
    family: Family
    departments: Departments
    notices: Notices
    password: str
    form: dict[str, Any] = field(default_factory=dict)
    papers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    key: str = field(default_factory=lambda: uuid4().hex)
    ticket_id: str = ""

    @property
    def talent(self) -> Caller:
        return self.family.talent

    @property
    def tongue(self) -> str:
        return self.teller.language

    def ticket(self) -> dict[str, Any]:
        """The ticket as it stands."""
        told: dict[str, Any] = self.talent.get(f"/tickets/{self.ticket_id}")
        return told

    def items(self, offering: str) -> list[dict[str, Any]]:
        """The items of an offering, as they stand."""
        return [one for one in self.ticket()["items"] if one["offering"] == offering]

    def item(self, offering: str) -> dict[str, Any]:
        (one,) = self.items(offering)
        return one


def filled(story: Story, *offerings: str) -> dict[str, Any]:
    """The body of a filing: the pack's own examples as answers, one schooling item per child."""
    form = story.form
    wanted = offerings or OFFERINGS
    items = []
    for offering in form["offerings"]:
        if offering["code"] not in wanted:
            continue
        one = {
            "offering": offering["code"],
            "sections": _answers(form, offering["code"], "item"),
            "materials": _handed(story, offering["code"], "item"),
        }
        for subject in _subjects(story, offering["subject"]):
            items.append(one | ({"subject": subject} if subject else {}))  # noqa: PERF401
    return {
        "bundle": "arrival",
        "items": items,
        "sections": _answers(form, None, "ticket"),
        "materials": _handed(story, None, "ticket"),
        "consents": [one["ref"] for one in form["consents"]],
    }


def _subjects(story: Story, about: str) -> list[str | None]:
    if about == "child":
        return [one["id"] for one in story.family.children]
    return [story.family.wife["id"]] if about == "spouse" else [None]


def _answers(form: Mapping[str, Any], offering: str | None, scope: str) -> dict[str, Any]:
    today = clock.now().date()
    return {
        one["code"]: {**renewed(one["schema"]["examples"][0], today), **one["prefilled"]}
        for one in form["sections"]
        if one["scope"] == scope and (offering is None or offering in one["asked_by"])
    }


def _handed(story: Story, offering: str | None, scope: str) -> list[dict[str, str]]:
    return [
        {"code": one["code"], "material": story.papers[one["code"]]}
        for one in story.form["materials"]
        if one["scope"] == scope
        and (offering is None or offering in {asked["offering"] for asked in one["asked_by"]})
    ]


def asks_for(story: Story, offering: str) -> httpx.Response:
    """Zhang Wei files another offering, with what he has handed in before."""
    story.form = story.talent.get(f"/bundles/arrival/form?offerings={offering}")
    fresh = {one["code"] for one in story.form["materials"]} - set(story.papers)
    story.papers |= upload(story.talent, sorted(fresh))
    body = filled(story, offering)
    return story.talent.ask("POST", "/tickets", json=body, headers=key(uuid4().hex))


def files_for(story: Story, authority: str, offering: str) -> httpx.Response:
    """The agent files an offering for Zhang Wei, and hands in what he has not handed in before."""
    story.form = story.talent.get(f"/bundles/arrival/form?offerings={offering}")
    fresh = {one["code"] for one in story.form["materials"]} - set(story.papers)
    story.papers |= upload(agent(story), sorted(fresh), to=f"{authority}/materials")
    body = {name: part for name, part in filled(story, offering).items() if name != "consents"}
    path = f"{authority}/tickets"
    return agent(story).ask("POST", path, json=body, headers=key(uuid4().hex))


def open_departments(item: Mapping[str, Any]) -> list[str]:
    return sorted(
        department
        for stage in item["stages"]
        if stage["state"] == "open"
        for department in stage["departments"]
    )


def pass_until(story: Story, item: Mapping[str, Any], stage: str | None) -> None:
    """Pass whatever is open of an item, until a stage is open, or nothing is."""
    while True:
        (now,) = [one for one in story.ticket()["items"] if one["id"] == item["id"]]
        ready = [one for one in now["stages"] if one["state"] == "open"]
        if not ready or any(one["key"] == stage for one in ready):
            return
        for one in ready:
            for department in one["departments"]:
                story.departments.pass_on(now, (one["key"], department))


def agent(story: Story) -> Caller:
    """The agent of Zhang Wei's employer."""
    caller = Caller(story.http, story.tongue, AGENT)
    return caller.sign_in("password", username=AGENT, password=story.password)


def request_seen(story: Story) -> dict[str, Any]:
    """The ticket as his employer sees it."""
    told: dict[str, Any] = agent(story).get(f"/enterprise/requests/{story.ticket_id}")
    return told


def match(thing: Mapping[str, Any]) -> dict[str, str]:
    return {"If-Match": thing["etag"]}


def key(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}
