"""People and tickets for tests, made the way real ones are: over HTTP."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

from flask import Flask

from service.kernel import clock

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_numbers = itertools.count(1)
_PLAIN = ("settlement", "housing_rent")
_A_YEAR = 365
_BIRTHDAY = "0315"
_LATELY = timedelta(days=287)
_TWO_YEARS = timedelta(days=2 * _A_YEAR)

Wanted = str | tuple[str, str]
"""An offering or, where it is about a member of the family, the offering and the person."""

RESULTS: dict[str, dict[str, Any]] = {
    "settlement": {"permit_number": "QY-2026-000123", "valid_until": "2026-12-31"},
    "housing_rent": {"monthly_fen": 100000, "months": 36, "first_month": "2026-12"},
}


def citizen_id(
    number: int | None = None, *, age: int | None = None, at: datetime | None = None
) -> str:
    """A fictional number with a right check digit; another one at every call.

    Without an age, that of an adult; the age is that at `at`, else now.
    """
    number = next(_numbers) if number is None else number
    turn, rest = divmod(number, 900)
    born = f"{1970 + turn % 30}{_BIRTHDAY}" if age is None else _born(age, turn, at or clock.now())
    return checked(f"110105{born}{rest + 1:03d}")


def checked(body: str) -> str:
    """The seventeen digits of a citizen's number with their check digit."""
    remainder = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11
    return body + "10X98765432"[remainder]


def _born(age: int, turn: int, at: datetime) -> str:
    """A date on which somebody of that age was born, who still was of it some months ago."""
    return f"{at - timedelta(days=_A_YEAR * (age + 1) - 5 - turn % 60):%Y%m%d}"


@dataclass
class Signed:
    """Somebody who is signed in."""

    client: Any
    headers: dict[str, str]
    account: dict[str, Any]
    refresh_token: str
    extra: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **options: Any) -> Any:
        return self._send("get", path, options)

    def post(self, path: str, **options: Any) -> Any:
        return self._send("post", path, options)

    def patch(self, path: str, **options: Any) -> Any:
        return self._send("patch", path, options)

    def put(self, path: str, **options: Any) -> Any:
        return self._send("put", path, options)

    def delete(self, path: str, **options: Any) -> Any:
        return self._send("delete", path, options)

    def _send(self, method: str, path: str, options: dict[str, Any]) -> Any:
        headers = {**self.headers, **options.pop("headers", {})}
        return getattr(self.client, method)(path, headers=headers, **options)


class World:
    """Makes talents, staff, filings, and walks tickets through their stages."""

    def __init__(self, app: Flask, password: str) -> None:
        self.app = app
        self.client = app.test_client()
        self.password = password
        self._staff: dict[str, Signed] = app.extensions.setdefault("signed_staff", {})

    def stranger(self) -> Signed:
        """A talent who has just signed in for the first time."""
        answer = self.client.post("/v1/auth/wechat", json={"code": f"demo:{uuid4().hex[:12]}"})
        return self._signed(answer)

    def talent(self, name: str = "张伟") -> Signed:
        """A talent with a complete profile."""
        talent = self.stranger()
        profile = {"name": name, "id_type": "citizen_id", "id_number": citizen_id()}
        answer = talent.patch("/v1/me", json=profile)
        assert answer.status_code == 200, answer.json
        return talent

    def staff(self, username: str) -> Signed:
        """A demonstration account, signed in once per module."""
        if username not in self._staff:
            sent = {"username": username, "password": self.password}
            self._staff[username] = self._signed(self.client.post("/v1/auth/password", json=sent))
        return self._staff[username]

    def child(
        self,
        talent: Signed,
        *,
        age: int = 7,
        name: str = "张小明",
        at: datetime | None = None,
        number: str | None = None,
        born: date | None = None,
    ) -> str:
        """A child of the talent's, of that age at `at`, else now; returns their person.

        Seven years is the age for a school. `number`: of a child whom another has named before.
        `born` says the age to the day instead.
        """
        number = number or citizen_id(age=age, at=at)
        if born is not None:
            number = checked(f"{number[:6]}{born:%Y%m%d}{number[14:17]}")
        return self._member(talent, name, "child", number)

    def spouse(self, talent: Signed, name: str = "李娜", *, number: str | None = None) -> str:
        """The talent's spouse; gives their person."""
        return self._member(talent, name, "spouse", number or citizen_id())

    def _member(self, talent: Signed, name: str, kinship: str, number: str) -> str:
        member = {
            "name": name,
            "kinship": kinship,
            "id_type": "citizen_id",
            "id_number": number,
        }
        answer = talent.post("/v1/me/family", json=member)
        assert answer.status_code == 201, answer.json
        return answer.json["id"]

    def filing(
        self, *wanted: Wanted, at: datetime | None = None, **changes: dict[str, Any]
    ) -> dict[str, Any]:
        """`filing_of` the bundle; what is plain where nothing is wanted in particular."""
        return filing_of(self._bundle(), *(wanted or _PLAIN), at=at, **changes)

    def _bundle(self) -> dict[str, Any]:
        """What may be asked for; looked up once per module, its forms do not change there."""
        extensions = self.app.extensions
        if "arrival" not in extensions:
            extensions["arrival"] = self.client.get("/v1/bundles/arrival").json
        return extensions["arrival"]

    def ticket(
        self, talent: Signed | None = None, *wanted: Wanted, **changes: dict[str, Any]
    ) -> dict[str, Any]:
        """A filed ticket."""
        talent = talent or self.talent()
        answer = talent.post(
            "/v1/tickets",
            json=self.filing(*wanted, **changes),
            headers={"Idempotency-Key": uuid4().hex},
        )
        assert answer.status_code == 201, answer.json
        return answer.json

    def open_task(self, staff: Signed, item_number: str) -> dict[str, Any]:
        """The task of an item that a department still has to do."""
        found = staff.get("/v1/desk/tasks", query_string={"q": item_number}).json["items"]
        task = next((task for task in found if task["item_number"] == item_number), None)
        assert task is not None, f"no open task of {item_number}"
        return task

    def claimed(self, staff: Signed, item_number: str) -> dict[str, Any]:
        """The same task, claimed."""
        task = self.open_task(staff, item_number)
        answer = staff.post(f"/v1/desk/tasks/{task['id']}/claim")
        assert answer.status_code == 200, answer.json
        return answer.json

    def decide(
        self, staff: Signed, task: dict[str, Any], verdict: str, result: Any = None
    ) -> dict[str, Any]:
        """A decision on a claimed task."""
        answer = staff.post(
            f"/v1/desk/tasks/{task['id']}/decision",
            json={"verdict": verdict, "opinion": "同意"}
            | ({"result": result} if result else {})
            | reason_for(verdict),
            headers={"If-Match": task["etag"]},
        )
        assert answer.status_code == 200, answer.json
        return answer.json

    def through(self, item: dict[str, Any]) -> None:
        """Take an item whose flow is acceptance and decision to its approval."""
        department = item["stages"][0]["department"]
        clerk, reviewer = (
            self.staff(f"clerk.{department}"),
            self.staff(f"reviewer.{department}"),
        )
        self.decide(clerk, self.claimed(clerk, item["number"]), "accept")
        result = RESULTS[item["offering"]]
        self.decide(reviewer, self.claimed(reviewer, item["number"]), "approve", result)

    def _signed(self, answer: Any) -> Signed:
        assert answer.status_code == 200, answer.json
        told = answer.json
        headers = {"Authorization": f"Bearer {told['access_token']}"}
        return Signed(self.client, headers, told["account"], told["refresh_token"])


REASON = {"text": "提供的材料与申请不符。", "citation": {"code": "rules"}}
"""Why, as an applicant is told it; every offering of the demonstration has `rules`."""


def reason_for(verdict: str) -> dict[str, Any]:
    """What a decision has besides where it refuses or returns."""
    return {"reason": REASON} if verdict in {"not_accept", "reject", "return"} else {}


def filing_of(
    bundle: dict[str, Any],
    *wanted: Wanted,
    at: datetime | None = None,
    **changes: dict[str, Any],
) -> dict[str, Any]:
    """The body of a filing, its answers taken from the pack's own examples.

    It is to be filed at `at`, else now: a home that was bought more than two years before is, in
    the answers, bought later, and the school year is that of the day.
    `changes`: by section, answers that are others than in the example, in every item that has the
    section. An answer that is None is left out. Every consent is given, optional ones too.
    """
    sections = {section["code"]: section for section in bundle["sections"]}
    asked = {one["code"]: one["sections"] for one in bundle["offerings"]}
    requested_items = [(one, None) if isinstance(one, str) else one for one in wanted]

    def example(code: str) -> dict[str, Any]:
        return _recent(sections[code]["schema"]["examples"][0], (at or clock.now()).date())

    def answers(codes: Iterable[str], scope: str) -> dict[str, Any]:
        return {
            code: _changed(example(code), changes.get(code, {}))
            for code in codes
            if sections[code]["scope"] == scope
        }

    return {
        "bundle": bundle["code"],
        "items": [
            {"offering": offering, "sections": answers(asked[offering], "item")}
            | ({"subject": subject} if subject else {})
            for offering, subject in requested_items
        ],
        "sections": answers((code for one, _ in requested_items for code in asked[one]), "ticket"),
        "consents": [one["ref"] for one in bundle["consents"]],
    }


def _recent(answers: dict[str, Any], today: date) -> dict[str, Any]:
    """What is applied for lies near: two years of a purchase, a place at school of these years."""
    if "school_year" in answers:
        answers = answers | {"school_year": str(today.year)}
    bought = answers.get("signed_on")
    if bought is None or date.fromisoformat(bought) > today - _TWO_YEARS:
        return answers
    return answers | {"signed_on": (today - _LATELY).isoformat()}


def _changed(answers: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (answers | changes).items() if value is not None}
