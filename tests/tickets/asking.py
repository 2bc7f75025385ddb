"""What a desk sends, and what it is told when it may not."""

from __future__ import annotations

from service.kernel.etags import etag
from tests.factories import reason_for


def seen(kind, thing, version=None):
    """If-Match as it was given with an answer; made here of a row, and where another is meant."""
    if version is None and "etag" in thing:
        return {"If-Match": thing["etag"]}
    return {"If-Match": etag(kind, thing["id"], thing["version"] if version is None else version)}


def claim(who, task):
    return who.post(f"/v1/desk/tasks/{task['id']}/claim")


def release(who, task):
    return who.post(f"/v1/desk/tasks/{task['id']}/release")


def decide(who, task, verdict="accept", *, version=None, **more):
    return who.post(
        f"/v1/desk/tasks/{task['id']}/decision",
        json={"verdict": verdict, "opinion": "材料齐全"} | reason_for(verdict) | more,
        headers=seen("task", task, version),
    )


def refused(answer, status, code):
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
