"""What people do, one request each, against whatever answers requests."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from service.local.story.papers import pdf
from tests.factories import citizen_id, filing_of
from tests.papers import with_documents

FIVE = ("recognition", "settlement", "housing_rent", "purchase_discount", "medical")
DEPARTMENT = "construction"
TO_ACCEPT = "/desk/tasks?state=open&stage=acceptance&limit=1"
Headers = dict[str, str]
Ask = Callable[..., Any]
"""Sends `(method, path, json=, headers=)`; gives the body of an answer that must be a success."""


@dataclass(frozen=True)
class Talent:
    """Somebody who is signed in and has their papers together."""

    token: Headers
    body: dict[str, Any]


@dataclass
class Everybody:
    """Signs people in over HTTP, and fills in what they will file."""

    client: httpx.Client
    password: str
    filing: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.filing = filing_of(self.client.get("/bundles/arrival").json(), *FIVE)

    def talent(self, code: str | None = None) -> Talent:
        """`code`: with which they can sign in again."""
        token = self._token("wechat", {"code": code or f"demo:{uuid4().hex[:12]}"})
        profile = {"name": "张伟", "id_type": "citizen_id", "id_number": citizen_id()}
        self.client.patch("/me", json=profile, headers=token).raise_for_status()
        return Talent(token, with_documents(self.filing, lambda code: self._hand_in(token, code)))

    def staff(self, username: str) -> Headers:
        return self._token("password", {"username": username, "password": self.password})

    def _hand_in(self, token: Headers, code: str) -> str:
        file = {"file": (f"{code}.pdf", pdf(code), "application/pdf")}
        answer = self.client.post("/materials", data={"code": code}, files=file, headers=token)
        return str(answer.raise_for_status().json()["id"])

    def _token(self, provider: str, sent: dict[str, str]) -> Headers:
        answer = self.client.post(f"/auth/{provider}", json=sent).raise_for_status()
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}


class Operations:
    """Does what people do, and keeps how long each took in milliseconds.

    `key` is the one of the last filing.
    """

    def __init__(self, ask: Ask) -> None:
        self.ask = ask
        self.times: dict[str, list[float]] = defaultdict(list)
        self.key = ""

    def file(self, talent: Talent) -> Any:
        self.key = uuid4().hex
        headers = {**talent.token, "Idempotency-Key": self.key}
        return self._timed("file five items", "POST", "/tickets", json=talent.body, headers=headers)

    def follow(self, talent: Talent, ticket: str) -> None:
        headers = talent.token
        self._timed("ticket", "GET", f"/tickets/{ticket}", headers=headers)
        self._timed("my tickets", "GET", "/tickets", headers=headers)
        self._timed("timeline", "GET", f"/tickets/{ticket}/timeline", headers=headers)
        asked = {"sections": {"applicant": talent.body["sections"]["applicant"]}}
        self._timed("eligibility", "POST", "/eligibility", json=asked, headers=headers)

    def look(self, staff: Headers) -> None:
        page = self._timed("desk list, 25 rows", "GET", "/desk/tasks", headers=staff)
        self._timed("desk counts", "GET", "/desk/counts", headers=staff)
        self._timed("task", "GET", f"/desk/tasks/{page['items'][0]['id']}", headers=staff)

    def work(self, staff: Headers) -> None:
        """Accept what is due first: the flow goes on, and the next task opens."""
        tasks = self.ask("GET", TO_ACCEPT, headers=staff)["items"]
        path = f"/desk/tasks/{tasks[0]['id']}"
        claimed = self._timed("claim", "POST", f"{path}/claim", headers=staff)
        decision = {"verdict": "accept", "opinion": "同意"}
        headers = {**staff, "If-Match": claimed["etag"]}
        self._timed("decide", "POST", f"{path}/decision", json=decision, headers=headers)

    def take_next(self, staff: Headers) -> None:
        """And give it back: what follows finds the desk as it was."""
        taken = self._timed("next", "POST", "/desk/tasks/next", json={}, headers=staff)
        self.ask("POST", f"/desk/tasks/{taken['id']}/release", headers=staff)

    def look_after_employees(self, agent: Headers) -> None:
        page = self._timed("employees' requests", "GET", "/enterprise/requests", headers=agent)
        path = f"/enterprise/requests/{page['items'][0]['id']}"
        self._timed("an employee's request", "GET", path, headers=agent)

    def _timed(self, name: str, method: str, path: str, **options: Any) -> Any:
        started = time.perf_counter()
        told = self.ask(method, path, **options)
        self.times[name].append((time.perf_counter() - started) * 1000)
        return told
