"""What a desk sends, and what it is told when it may not."""

from __future__ import annotations


def claim(who, task):
    return who.post(f"/v1/desk/tasks/{task['id']}/claim")


def release(who, task):
    return who.post(f"/v1/desk/tasks/{task['id']}/release")


def decide(who, task, verdict="accept", *, version=None, **more):
    return who.post(
        f"/v1/desk/tasks/{task['id']}/decision",
        json={"verdict": verdict, "opinion": "材料齐全"} | more,
        headers={"If-Match": f'"{task["version"] if version is None else version}"'},
    )


def refused(answer, status, code):
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
