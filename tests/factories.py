"""People and tickets for tests, made the way real ones are: over HTTP."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from flask import Flask

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_numbers = itertools.count(1)

RESULTS: dict[str, dict[str, Any]] = {
    "settlement": {"permit_number": "QY-2026-000123", "valid_until": "2026-12-31"},
    "housing_rent": {"monthly_fen": 100000, "months": 36, "first_month": "2026-12"},
}


def citizen_id(number: int | None = None) -> str:
    """A fictional number with a right check digit; another one at every call."""
    number = next(_numbers) if number is None else number
    year, rest = divmod(number, 900)
    body = f"110105{1970 + year % 30}0315{rest + 1:03d}"
    remainder = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True)) % 11
    return body + "10X98765432"[remainder]


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

    def filing(self, *offerings: str) -> dict[str, Any]:
        """The body of a filing, its answers taken from the pack's own examples."""
        bundle = self.client.get("/v1/bundles/arrival").json
        sections = {section["code"]: section for section in bundle["sections"]}

        def examples(codes: list[str], scope: str) -> dict[str, Any]:
            return {
                code: sections[code]["schema"]["examples"][0]
                for code in codes
                if sections[code]["scope"] == scope
            }

        wanted = [one for one in bundle["offerings"] if not offerings or one["code"] in offerings]
        return {
            "bundle": "arrival",
            "items": [
                {"offering": one["code"], "sections": examples(one["sections"], "item")}
                for one in wanted
            ],
            "sections": examples([code for one in wanted for code in one["sections"]], "ticket"),
            "consents": [consent["ref"] for consent in bundle["consents"]],
        }

    def ticket(self, talent: Signed | None = None, *offerings: str) -> dict[str, Any]:
        """A filed ticket."""
        talent = talent or self.talent()
        answer = talent.post(
            "/v1/tickets",
            json=self.filing(*offerings),
            headers={"Idempotency-Key": uuid4().hex},
        )
        assert answer.status_code == 201, answer.json
        return answer.json

    def open_task(self, staff: Signed, item_number: str) -> dict[str, Any]:
        """The task of an item that a department still has to do."""
        after: str | None = None
        while True:
            query = {"limit": "100"} | ({"after": after} if after else {})
            page = staff.get("/v1/desk/tasks", query_string=query).json
            for task in page["items"]:
                if task["item_number"] == item_number:
                    return task
            after = page["next"]
            assert after is not None, f"no open task of {item_number}"

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
            json={"verdict": verdict, "opinion": "同意"} | ({"result": result} if result else {}),
            headers={"If-Match": f'"{task["version"]}"'},
        )
        assert answer.status_code == 200, answer.json
        return answer.json

    def through(self, item: dict[str, Any]) -> None:
        """Take an item from acceptance to its approval."""
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
