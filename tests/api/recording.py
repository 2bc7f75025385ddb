"""The requests and answers that the documents show, made by the application itself.

A family of the demonstration files, departments work, the employer looks. The clock stands still;
identifiers, which are random, are numbered in the order in which they appear: recording twice gives
the same bytes. Everybody in it is fictional.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from service.local.demonstration import AGENT
from service.local.story.papers import pdf
from tests.factories import Signed, World, checked, filing_of
from tests.materials.handing_in import upload
from tests.papers import with_documents
from tests.wall_clock import WALL_CLOCK

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_PROFILE = {
    "name": "张伟",
    "phone": "13800138000",
    "id_type": "citizen_id",
    "id_number": checked("11010519900312002"),
}
_CHILD = {
    "name": "张晓雨",
    "kinship": "child",
    "id_type": "citizen_id",
    "id_number": checked("11010520190512016"),
}
_POINT = {"what": "出生医学证明缺第二页，请补齐。", "material": "birth_certificate"}
_REASON = {
    "text": "出生医学证明不完整，无法核对监护关系。",
    "citation": {"code": "rules", "article": "第六条"},
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def move(self, minutes: int) -> None:
        """Later by so much, on the wall as well: by that one tokens are judged."""
        self.at += timedelta(minutes=minutes)
        WALL_CLOCK.set(self.at)


class Recording:
    """People who ask the application, and what is kept of it by name."""

    def __init__(self, app: Flask, password: str, clock: Clock) -> None:
        self.world, self.clock = World(app, password), clock
        self.world.client = FlaskClient(app, app.response_class)
        self.kept: dict[str, Any] = {}

    def keep(self, name: str, answer: Any) -> Any:
        """Keep an answer that succeeded."""
        assert answer.status_code < 300, answer.get_data(as_text=True)
        self.kept[name] = answer.json
        return answer.json

    def staff(self, username: str) -> Signed:
        """Signed in for this recording, not before."""
        sent = {"username": username, "password": self.world.password}
        return self.world._signed(self.world.client.post("/v1/auth/password", json=sent))


def record(app: Flask, password: str, clock: Clock) -> dict[str, str]:
    """By name, what the documents show, as text."""
    recording = Recording(app, password, clock)
    talent = recording.world.stranger()
    assert talent.patch("/v1/me", json=_PROFILE).status_code == 200
    _settle(recording, talent)
    _school(recording, talent)
    return _numbered(recording.kept)


def _settle(recording: Recording, talent: Signed) -> None:
    """He drafts and files; public security accepts; his employer looks."""
    keep, clock = recording.keep, recording.clock
    filing = _filing(recording, talent, "settlement")
    draft = talent.post(
        "/v1/tickets", json={**filing, "file": False}, headers={"Idempotency-Key": "example-0"}
    )
    path, seen = f"/v1/tickets/{draft.json['id']}", {"If-Match": draft.json["etag"]}
    consents = {"consents": filing["consents"]}
    keep("draft", talent.patch(path, json=consents, headers=seen))
    recording.kept["filing"] = filing
    ticket = keep(
        "ticket",
        talent.post("/v1/tickets", json=filing, headers={"Idempotency-Key": "example-1"}),
    )
    keep("ticket_page", talent.get("/v1/tickets"))
    item = ticket["items"][0]
    keep("consequences", talent.get(f"/v1/items/{item['id']}/withdrawal"))
    clock.move(2)
    clerk = recording.staff("clerk.public_security")
    found = keep("task_page", clerk.get("/v1/desk/tasks"))["items"]
    task = keep("task", clerk.post(f"/v1/desk/tasks/{found[0]['id']}/claim"))
    keep("task_counts", clerk.get("/v1/desk/counts"))
    recording.kept["decision"] = {"verdict": "accept", "opinion": "材料齐全，予以受理。"}
    keep("decided", _decided(clerk, task, recording.kept["decision"]))
    keep("item_timeline", clerk.get(f"/v1/desk/items/{item['id']}/timeline"))
    keep("timeline", talent.get(f"/v1/tickets/{ticket['id']}/timeline"))
    keep("due_changes", talent.get(f"/v1/items/{item['id']}/due-changes"))
    keep("team", recording.staff("head.public_security").get("/v1/desk/colleagues"))
    reviewer = recording.staff("reviewer.public_security")
    recording.kept["assignment"] = {"account": reviewer.account["id"]}
    agent = recording.staff(AGENT)
    keep("request_page", agent.get("/v1/enterprise/requests"))
    keep("request", agent.get(f"/v1/enterprise/requests/{ticket['id']}"))


def _school(recording: Recording, talent: Signed) -> None:
    """A child's place at school: a document is incomplete, and handed in once more."""
    keep, clock = recording.keep, recording.clock
    child = talent.post("/v1/me/family", json=_CHILD).json["id"]
    filing = _filing(recording, talent, ("schooling", child))
    answer = talent.post("/v1/tickets", json=filing, headers={"Idempotency-Key": "example-2"})
    item = answer.json["items"][0]
    clerk = recording.staff("clerk.development_support")
    clock.move(2)
    task = recording.world.claimed(clerk, item["number"])
    verdict = {
        "verdict": "return",
        "opinion": "出生医学证明只有第一页。",
        "reason": _REASON,
        "corrections": [_POINT],
    }
    assert _decided(clerk, task, verdict).status_code == 200
    keep("task_form", clerk.get(f"/v1/desk/tasks/{task['id']}/form"))
    keep("item_form", talent.get(f"/v1/items/{item['id']}/form"))
    item = keep("item", talent.get(f"/v1/items/{item['id']}"))
    file = pdf("birth_certificate", pages=2)
    fresh = upload(talent, code="birth_certificate", name="出生医学证明.pdf", file=file)
    materials = [{"code": "birth_certificate", "material": fresh["id"]}]
    recording.kept["correction"] = {"materials": materials}
    clock.move(2)
    corrected = talent.post(
        f"/v1/items/{item['id']}/correction",
        json=recording.kept["correction"],
        headers={"If-Match": item["etag"]},
    )
    assert corrected.status_code == 200, corrected.json
    task = recording.world.claimed(clerk, item["number"])
    keep("task_detail", clerk.get(f"/v1/desk/tasks/{task['id']}"))


def _filing(recording: Recording, talent: Signed, wanted: Any) -> dict[str, Any]:
    bundle = recording.world.client.get("/v1/bundles/arrival").json
    body = filing_of(bundle, wanted, at=recording.clock.now())
    body["consents"] = [*body["consents"], "enterprise@2"]

    def hand_in(code: str) -> str:
        sent: str = upload(talent, code=code, name=f"{code}.pdf", file=pdf(code))["id"]
        return sent

    return with_documents(body, hand_in)


def _decided(clerk: Signed, task: dict[str, Any], verdict: dict[str, Any]) -> Any:
    headers = {"If-Match": task["etag"]}
    return clerk.post(f"/v1/desk/tasks/{task['id']}/decision", json=verdict, headers=headers)


def _numbered(kept: dict[str, Any]) -> dict[str, str]:
    """As text, with identifiers numbered in the order in which they appear."""
    known: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return known.setdefault(found[0], f"0199d3c2-7a51-7000-8000-{len(known) + 1:012x}")

    return {
        name: _ID.sub(number, json.dumps(value, ensure_ascii=False, indent=1)) + "\n"
        for name, value in kept.items()
    }
