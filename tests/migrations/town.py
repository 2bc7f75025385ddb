"""People who use the service over HTTP alone, on a day that is theirs.

Nothing here knows how the service is built: a request, an answer, and the ETag of what was seen.
So the same people can live in a database that an older version has written, and go on in it.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import time_machine
import uuid_utils.compat

from service.local.story.papers import pdf
from tests.factories import filing_of, reason_for

PASSWORD = "demonstration"
ENDED = {"completed", "closed", "withdrawn"}
A_MINUTE = timedelta(minutes=1)
_SIGNED_IN_FOR = timedelta(minutes=10)
_MOST_ROUNDS = 60


class Day:
    """The one clock of the process: it stands still unless it is moved on."""

    def __init__(self, at: datetime, traveller: Any) -> None:
        self.at, self._traveller = at, traveller

    def move_to(self, at: datetime) -> None:
        assert at >= self.at
        self.at = at
        self._traveller.move_to(at)

    def on(self, **by: float) -> None:
        self.move_to(self.at + timedelta(**by))


@contextmanager
def day(at: datetime) -> Iterator[Day]:
    """Within the block it is `at`, and identifiers are made of that time, too."""
    with time_machine.travel(at, tick=False) as traveller:
        today, numbers = Day(at, traveller), itertools.count(1)

        def rising(*_given: Any) -> UUID:
            """Version 7: milliseconds, then a number that counts on, then chance."""
            now = int(today.at.timestamp() * 1000)
            rest = next(numbers) << 32 | uuid4().int & 0xFFFFFFFF
            return UUID(int=now << 80 | 7 << 76 | 2 << 62 | rest)

        with patch.object(uuid_utils.compat, "uuid7", rising):
            yield today


class Caller:
    """Somebody who signs in again whenever the last time is long ago."""

    def __init__(self, client: Any, today: Day, path: str, sent: dict[str, str]) -> None:
        self._client, self._day, self._path, self._sent = client, today, path, sent
        self._until = datetime.min.replace(tzinfo=UTC)
        self._token = ""
        self.refresh_token = ""

    def get(self, path: str, **query: Any) -> Any:
        return self._checked(self.ask("GET", path, **({"query_string": query} if query else {})))

    def post(self, path: str, **options: Any) -> Any:
        return self._checked(self.ask("POST", path, **options))

    def patch(self, path: str, **options: Any) -> Any:
        return self._checked(self.ask("PATCH", path, **options))

    def as_seen(self, path: str) -> dict[str, str]:
        """If-Match for what is there now."""
        return {"If-Match": self.ask("GET", path).headers["ETag"]}

    def ask(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._signed_in()}"} | options.pop("headers", {})
        return self._client.open(path, method=method, headers=headers, **options)

    def hand_in(self, code: str) -> str:
        """A small document; returns its id."""
        file = (io.BytesIO(pdf(code)), f"{code}.pdf", "application/pdf")
        return str(self.post("/v1/materials", data={"code": code, "file": file})["id"])

    def _signed_in(self) -> str:
        if self._day.at >= self._until:
            answer = self._checked(self._client.post(self._path, json=self._sent))
            self._token, self.refresh_token = answer["access_token"], answer["refresh_token"]
            self._until = self._day.at + _SIGNED_IN_FOR
        return self._token

    @staticmethod
    def _checked(answer: Any) -> Any:
        assert answer.status_code < 400, (answer.request.path, answer.json)
        return answer.json


class Town:
    """Talents by the name they sign in with, staff by their user name."""

    def __init__(self, app: Any, today: Day, let_time_work: Callable[[], None]) -> None:
        """`let_time_work` runs the timers of the service once, at the present moment."""
        self.client, self.day, self.let_time_work = app.test_client(), today, let_time_work
        self._known: dict[str, Caller] = {}

    def talent(self, code: str) -> Caller:
        return self._known.setdefault(
            code, Caller(self.client, self.day, "/v1/auth/wechat", {"code": f"demo:{code}"})
        )

    def staff(self, username: str) -> Caller:
        sent = {"username": username, "password": PASSWORD}
        return self._known.setdefault(
            username, Caller(self.client, self.day, "/v1/auth/password", sent)
        )

    def body(self, *wanted: Any, **changes: Any) -> dict[str, Any]:
        """What is wanted, with the answers that the bundle shows as examples."""
        return filing_of(self.client.get("/v1/bundles/arrival").json, *wanted, **changes)

    def everything_seen(self) -> Iterator[tuple[str, str, Any]]:
        """What everybody sees who has been here: who, path, answer."""
        for name, who in list(self._known.items()):
            shown = _SHOWN[who.get("/v1/me")["kind"]]
            for path in ("/v1/me", *shown(who)):
                yield name, path, who.get(path)

    def item(self, who: Caller, ticket: dict[str, Any], offering: str) -> dict[str, Any]:
        """The first item of an offering, as it stands."""
        items = who.get(f"/v1/tickets/{ticket['id']}")["items"]
        return next(item for item in items if item["offering"] == offering)

    def tasks(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        """What departments still have to do on an item."""
        departments = {
            department
            for stage in item["stages"]
            if stage["state"] == "open"
            for department in stage["departments"]
        }
        return [
            task
            for department in sorted(departments)
            for task in self._listed(department, item["number"])
        ]

    def _listed(self, department: str, number: str) -> list[dict[str, Any]]:
        clerk = self.staff(f"clerk.{department}")
        found = clerk.get("/v1/desk/tasks", q=number, limit=100)["items"]
        return [task for task in found if task["department"] == department]

    def claim(self, task: dict[str, Any]) -> Caller:
        """Have the task in the hands of somebody who may decide it."""
        who = self.staff(f"{task['role']}.{task['department']}")
        if task["state"] == "open":
            who.post(f"/v1/desk/tasks/{task['id']}/claim")
        return who

    def decide(self, task: dict[str, Any], verdict: str | None = None, **more: Any) -> Any:
        """Claim and decide: pass it on, with the pack's example as the result, if nothing else."""
        who, path = self.claim(task), f"/v1/desk/tasks/{task['id']}"
        detail = who.get(path)
        said = {"verdict": verdict or detail["passing"], "opinion": "材料齐全"} | more
        said |= reason_for(said["verdict"])
        if verdict is None and detail["records"] and "result" not in more:
            said["result"] = detail["records"]["examples"][0]
        return who.post(f"{path}/decision", json=said, headers=who.as_seen(path))

    def say(
        self,
        who: Caller,
        ticket: dict[str, Any],
        offering: str,
        *verdicts: str | None,
        **more: Any,
    ) -> None:
        """One verdict after another on the first task of an item; None passes it on."""
        for verdict in verdicts:
            task = self.tasks(self.item(who, ticket, offering))[0]
            self.decide(task, verdict, **more)

    def correct(self, who: Caller, item_id: str) -> None:
        """Answer what was asked: the same answers again, and documents handed in anew."""
        path = f"/v1/items/{item_id}"
        item = who.get(path)
        points = [
            point
            for correction in item["corrections"]
            if correction["answered_at"] is None and correction["dropped_at"] is None
            for point in correction["points"]
        ]
        sections = {point["section"] for point in points if point["section"]}
        codes = {point["material"] for point in points if point["material"]}
        answer = {
            "sections": {code: item["sections"][code] for code in sorted(sections)},
            "materials": [{"code": code, "material": who.hand_in(code)} for code in sorted(codes)],
        }
        who.post(f"{path}/correction", json=answer, headers=who.as_seen(path))

    def choose(self, who: Caller, item_id: str, choice: str) -> None:
        path = f"/v1/items/{item_id}"
        who.post(f"{path}/choice", json={"choice": choice}, headers=who.as_seen(path))

    def to_its_end(self, who: Caller, ticket_id: str) -> dict[str, Any]:
        """Everybody does what there is to do, and time what it does; returns the ended ticket."""
        for _ in range(_MOST_ROUNDS):
            ticket: dict[str, Any] = who.get(f"/v1/tickets/{ticket_id}")
            if ticket["status"] in ENDED:
                return ticket
            if not self._one_round(who, ticket):
                self._wait_for(ticket)
        raise AssertionError(f"{ticket_id} does not end")

    def _one_round(self, who: Caller, ticket: dict[str, Any]) -> bool:
        moved = False
        for edge in ticket["edges"]:
            if edge["state"] == "asked":
                self.choose(who, edge["item"], "proceed")
                return True
        for item in ticket["items"]:
            if item["hold"]:
                self.correct(who, item["id"])
                return True
            if item["phase"] != "ended" and (ready := self._ready(item)):
                self.decide(ready[0])
                moved = True
        return moved

    def _ready(self, item: dict[str, Any]) -> list[dict[str, Any]]:
        """What can be done now: a notice period ends by itself, a decision waits for others."""
        return [task for task in self.tasks(item) if task["kind"] != "publicity"]

    def _wait_for(self, ticket: dict[str, Any]) -> None:
        """Let time pass until the next thing that time brings."""
        moments = [edge["next_at"] for edge in ticket["edges"] if edge["next_at"]]
        moments += [
            stage["due_at"]
            for item in ticket["items"]
            for stage in item["stages"]
            if stage["state"] == "open"
        ]
        self.day.move_to(max(self.day.at, datetime.fromisoformat(min(moments))) + A_MINUTE)
        self.let_time_work()


def _of_a_talent(who: Caller) -> Iterator[str]:
    yield from ("/v1/me/family", "/v1/me/consents", "/v1/me/facts")
    yield from ("/v1/materials?limit=100", "/v1/notices?limit=100")
    yield (listed := "/v1/tickets?limit=100")
    for ticket in who.get(listed)["items"]:
        path = f"/v1/tickets/{ticket['id']}"
        yield path
        for item in who.get(path)["items"]:
            yield f"/v1/items/{item['id']}"
            yield f"/v1/items/{item['id']}/due-changes"
        if ticket["status"] != "draft":
            yield f"{path}/timeline"


def _of_a_desk(who: Caller) -> Iterator[str]:
    yield "/v1/desk/counts"
    for state in ("open", "claimed", "closed", "cancelled"):
        yield (listed := f"/v1/desk/tasks?limit=100&state={state}")
        for task in who.get(listed)["items"]:
            yield f"/v1/desk/tasks/{task['id']}"


def _of_an_agent(who: Caller) -> Iterator[str]:
    yield from ("/v1/enterprise", "/v1/enterprise/employees?limit=100")
    yield (listed := "/v1/enterprise/requests?limit=100")
    for request in who.get(listed)["items"]:
        yield f"/v1/enterprise/requests/{request['id']}"


_SHOWN = {"talent": _of_a_talent, "staff": _of_a_desk, "agent": _of_an_agent}
