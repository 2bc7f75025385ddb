"""What people do in a day, step by step, whoever sends it and however it is measured."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final
from unittest import mock
from uuid import uuid4

from flask.testing import FlaskClient

from service.local.story.papers import pdf
from tests.factories import citizen_id, filing_of
from tests.papers import with_documents
from tests.performance.wire import Request

FIVE: Final = ("recognition", "settlement", "housing_rent", "purchase_discount", "medical")
DEPARTMENT: Final = "construction"
AT_ONCE: Final = 8
FILING: Final = "file five items"
_PAGE: Final = 100
Headers = dict[str, str]


@dataclass(frozen=True, slots=True)
class Talent:
    """Somebody who is signed in and has their papers together."""

    token: Headers
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Requests of one kind, to be sent one after the other; by several clients at once too.

    What has no `name` prepares for what follows, and is not measured. The requests of a step that
    `writes` can be sent once each.
    """

    name: str
    requests: Sequence[Request]
    clients: int = 1
    writes: bool = False


Day = Generator[Step, list[Any], None]
"""Steps; each is sent the bodies of the answers to the former one."""


class Everybody:
    """Signs people in and fills in what they will file, within this process."""

    def __init__(self, client: FlaskClient, password: str) -> None:
        self.client, self.password = client, password
        self.filing = filing_of(client.get("/v1/bundles/arrival").json, *FIVE)

    def talents(self, number: int) -> list[Talent]:
        """People whose documents are stored without being read: that is measured elsewhere."""
        with unread():
            return [self._talent() for _ in range(number)]

    def staff(self, username: str) -> Headers:
        return self._token("password", {"username": username, "password": self.password})

    def _talent(self) -> Talent:
        token = self._token("wechat", {"code": f"demo:{uuid4().hex[:12]}"})
        profile = {"name": "张伟", "id_type": "citizen_id", "id_number": citizen_id()}
        self._asked("patch", "/me", json=profile, headers=token)
        return Talent(token, with_documents(self.filing, lambda code: self._hand_in(token, code)))

    def _hand_in(self, token: Headers, code: str) -> str:
        form = {"code": code, "file": (BytesIO(pdf(code)), f"{code}.pdf")}
        return str(self._asked("post", "/materials", data=form, headers=token)["id"])

    def _token(self, provider: str, sent: dict[str, str]) -> Headers:
        answer = self._asked("post", f"/auth/{provider}", json=sent)
        return {"Authorization": f"Bearer {answer['access_token']}"}

    def _asked(self, method: str, path: str, **options: Any) -> Any:
        answer = self.client.open(f"/v1{path}", method=method.upper(), **options)
        if not answer.status_code < 400:
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json


def a_day(everybody: Everybody, number: int, *, clients: bool = True) -> Day:
    """The main job: filing, following, deciding; `number` requests of each kind.

    `clients`: what can be, is sent by `AT_ONCE` clients too.
    """
    talents = everybody.talents(number)
    filed = yield Step(FILING, [_file_ticket(one) for one in talents], writes=True)
    if clients:
        more = everybody.talents(number * 2)
        yield Step(FILING, [_file_ticket(one) for one in more], AT_ONCE, writes=True)
    tickets = [one["id"] for one in filed]
    yield from _followed(talents, tickets, clients=clients)
    yield from _worked_on(everybody.staff(f"clerk.{DEPARTMENT}"), number, clients=clients)
    agent = everybody.staff("agent.1")
    requests = Request("GET", "/enterprise/requests", agent)
    (page, *_) = yield from _read("employees' requests", [requests] * number, clients=clients)
    paths = [f"/enterprise/requests/{one['id']}" for one in _in_turn(page["items"], number)]
    one = [Request("GET", path, agent) for path in paths]
    yield from _read("an employee's request", one, clients=clients)


def _followed(talents: Sequence[Talent], tickets: Sequence[str], *, clients: bool) -> Day:
    whose = list(zip(talents, tickets, strict=True))
    ticket = [Request("GET", f"/tickets/{id_}", talent.token) for talent, id_ in whose]
    yield from _read("ticket", ticket, clients=clients)
    own = [Request("GET", "/tickets", talent.token) for talent in talents]
    yield from _read("my tickets", own, clients=clients)
    timeline = [Request("GET", f"/tickets/{id_}/timeline", one.token) for one, id_ in whose]
    yield from _read("timeline", timeline, clients=clients)
    asked = {"sections": {"applicant": talents[0].body["sections"]["applicant"]}}
    eligible = [Request("POST", "/eligibility", talent.token, asked) for talent in talents]
    yield from _read("eligibility", eligible, clients=clients)


def _worked_on(clerk: Headers, number: int, *, clients: bool) -> Day:
    list_, counts = Request("GET", "/desk/tasks", clerk), Request("GET", "/desk/counts", clerk)
    (page, *_) = yield from _read("desk list, 25 rows", [list_] * number, clients=clients)
    yield from _read("desk counts", [counts] * number, clients=clients)
    paths = [f"/desk/tasks/{one['id']}" for one in _in_turn(page["items"], number)]
    yield from _read("task", [Request("GET", path, clerk) for path in paths], clients=clients)
    next_ = Request("POST", "/desk/tasks/next", clerk, {})
    taken = yield Step("next", [next_] * number, writes=True)
    back = [Request("POST", f"/desk/tasks/{one['id']}/release", clerk) for one in taken]
    yield Step("", back)
    paths = [f"/desk/tasks/{id_}" for id_ in (yield from _to_accept(clerk, number))]
    claims = [Request("POST", f"{path}/claim", clerk) for path in paths]
    claimed = yield Step("claim", claims, writes=True)
    decision = {"verdict": "accept", "opinion": "同意"}
    decisions = [
        Request("POST", f"{path}/decision", {**clerk, "If-Match": one["etag"]}, decision)
        for path, one in zip(paths, claimed, strict=True)
    ]
    yield Step("decide", decisions, writes=True)


def _to_accept(clerk: Headers, number: int) -> Generator[Step, list[Any], list[str]]:
    """Acceptances that nobody has claimed, what is due first first."""
    first = path = f"/desk/tasks?state=open&stage=acceptance&limit={_PAGE}"
    found: list[str] = []
    while len(found) < number:
        (page,) = yield Step("", [Request("GET", path, clerk)])
        found += [one["id"] for one in page["items"]]
        if page["next"] is None and len(found) < number:
            raise SystemExit(f"there are only {len(found)} acceptances to decide")
        path = f"{first}&after={page['next']}"
    return found[:number]


def _read(
    name: str, requests: Sequence[Request], *, clients: bool
) -> Generator[Step, list[Any], list[Any]]:
    answers = yield Step(name, requests)
    if clients:
        yield Step(name, requests, AT_ONCE)
    return answers


def _file_ticket(talent: Talent) -> Request:
    headers = {**talent.token, "Idempotency-Key": uuid4().hex}
    return Request("POST", "/tickets", headers, talent.body)


@contextmanager
def unread() -> Iterator[None]:
    """Within the block no process is started to read a document: they are known to be right."""
    with mock.patch("service.materials.rules.pdf.answer_of", return_value="1"):
        yield


def _in_turn(rows: Sequence[Any], number: int) -> list[Any]:
    return [rows[place % len(rows)] for place in range(number)]
