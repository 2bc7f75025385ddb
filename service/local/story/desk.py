"""The departments' clerks: they claim, look, and decide, as people at their desks do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.kernel import clock
from service.local.story.dates import renewed
from service.local.story.people import Caller
from service.local.story.telling import StoryBroken

Results = Callable[[Mapping[str, Any]], dict[str, Any]]
"""What is recorded with a passing verdict, given the task."""


@dataclass
class Departments:
    """Everybody who works for the district, signed in when first needed."""

    http: httpx.Client
    language: str
    password: str
    _staff: dict[str, Caller] = field(default_factory=dict)

    def staff(self, role: str, department: str) -> Caller:
        """Somebody with this role in this department."""
        username = f"{role}.{department}"
        if username not in self._staff:
            caller = Caller(self.http, self.language, username)
            credentials = {"username": username, "password": self.password}
            self._staff[username] = caller.sign_in("password", **credentials)
        return self._staff[username]

    def task(self, item: Mapping[str, Any], stage: str, department: str) -> dict[str, Any]:
        """The open task that a stage of an item gives a department."""
        caller = self.staff("clerk", department)
        after = None
        while True:
            query = {"limit": "100", "offering": item["offering"]} | (
                {"after": after} if after else {}
            )
            page = caller.get("/desk/tasks", params=query)
            for row in page["items"]:
                if row["item"] == item["id"] and row["department"] == department:
                    task = dict(row)
                    if self.look(task, caller)["stage"] == stage:
                        return task
            after = page["next"]
            if after is None:
                raise StoryBroken(f"no task of {item['number']} for {department}: {stage}")

    def look(self, task: Mapping[str, Any], caller: Caller | None = None) -> dict[str, Any]:
        """A task as its stage may see it."""
        who = caller or self.staff(task["role"], task["department"])
        told: dict[str, Any] = who.get(f"/desk/tasks/{task['id']}")
        return told

    def decide(
        self, task: Mapping[str, Any], verdict: str | None = None, **more: Any
    ) -> dict[str, Any]:
        """Claim a task and decide it; without a verdict, with the one that passes it on.

        What the stage records comes from `more["result"]`, else from the example that the stage
        itself gives.
        """
        who = self.staff(task["role"], task["department"])
        who.post(f"/desk/tasks/{task['id']}/claim")
        seen = self.look(task, who)
        body = {"verdict": verdict or seen["passing"], "opinion": "同意", **more}
        passes = body["verdict"] == seen["passing"]
        if passes and seen["records"] and "result" not in body:
            body["result"] = renewed(seen["records"]["examples"][0], clock.now().date())
        told: dict[str, Any] = who.post(
            f"/desk/tasks/{task['id']}/decision",
            json=body,
            headers={"If-Match": seen["etag"]},
        )
        return told

    def pass_on(self, item: Mapping[str, Any], *stages: tuple[str, str], **more: Any) -> None:
        """Pass these stages of an item, each by its department."""
        for stage, department in stages:
            self.decide(self.task(item, stage, department), **more)
