"""The whole service as it is started by hand: the main job to its end, and what survives a kill."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.factories import RESULTS, reason_for
from tests.local.conftest import eventually

pytestmark = pytest.mark.slow

FILERS, AT_ONCE = 24, 6
# A worker counts as dead thirty seconds after its last sign; what it had begun is then begun anew.


def notices(talent):
    return talent.get("/notices", params={"limit": 100})["items"]


def pass_on(somebody, number, verdict=None):
    """Find the task of an item, claim it, decide it: pass it on, where nothing else is said.

    What the stage records is what the pack shows as an example.
    """
    listed = somebody.get("/desk/tasks", params={"limit": 100})["items"]
    task = next(one for one in listed if one["item_number"] == number)
    detail = somebody.get(f"/desk/tasks/{task['id']}")
    claimed = somebody.post(f"/desk/tasks/{task['id']}/claim")
    body = {"verdict": verdict or detail["passing"], "opinion": "符合条件"}
    body |= reason_for(body["verdict"])
    if verdict is None and detail["records"]:
        body["result"] = detail["records"]["examples"][0]
    version = {"If-Match": claimed["etag"]}
    return somebody.post(f"/desk/tasks/{task['id']}/decision", json=body, headers=version)


def notified(talent, expected):
    """Whether a talent has been told of this, so often, and of nothing else."""
    assert eventually(lambda: len(notices(talent)) >= expected.total())
    assert Counter(notice["kind"] for notice in notices(talent)) == expected


# Who works on a place at school until it waits for the household, and who afterwards.
BEFORE = [
    "clerk.development_support", "clerk.public_security", "clerk.health", "clerk.construction",
    "clerk.education", "reviewer.education",
]  # fmt: skip
AFTERWARDS = ["head.development_support", "clerk.education"]


def test_a_joint_ticket_travels_to_its_end(town):
    """A household and a child's place at school, which is decided once the household is here."""
    talent = town.talent()
    wanted = town.filing("settlement", ("schooling", town.child(talent)))
    body = talent.with_documents(wanted)
    ticket = talent.file(body, "my-first-ticket")
    assert talent.file(body, "my-first-ticket") == ticket
    assert [one["id"] for one in talent.get("/tickets")["items"]] == [ticket["id"]]
    settlement, school = ticket["items"]

    builders, police = town.staff("clerk.construction"), town.staff("clerk.public_security")
    listed = police.get("/desk/tasks", params={"limit": 100})["items"]
    task = next(one for one in listed if one["item_number"] == settlement["number"])
    for path in ("", "/claim"):
        send = builders.client.post if path else builders.client.get
        assert send(f"/desk/tasks/{task['id']}{path}").status_code == 404

    for username in BEFORE:
        pass_on(town.staff(username), school["number"])
    waiting = talent.get(f"/tickets/{ticket['id']}")["items"][1]
    assert (waiting["phase"], waiting["waiting_for"]) == ("processing", ["settlement"])

    pass_on(police, settlement["number"])
    ended = pass_on(town.staff("reviewer.public_security"), settlement["number"])
    assert (ended["phase"], ended["outcome"]) == ("ended", "approved")
    (fact,) = talent.get("/me/facts")["items"]
    assert (fact["kind"], fact["state"]) == ("household", "in_force")

    for username in AFTERWARDS:
        ended = pass_on(town.staff(username), school["number"])
    assert (ended["phase"], ended["outcome"]) == ("ended", "approved")

    told = talent.get(f"/tickets/{ticket['id']}")
    assert told["status"] == "completed"
    assert told["items"][0]["result"] == RESULTS["settlement"]
    assert told["items"][1]["result"] == {"school": "东湾高新区实验小学", "grade": 1}
    timeline = talent.get(f"/tickets/{ticket['id']}/timeline")["items"]
    assert [line["seq"] for line in timeline] == list(range(1, len(timeline) + 1))
    texts = [line["text"]["en"] for line in timeline]
    assert texts[3].endswith("accepted by Development-support Bureau.")
    freed = (
        "Schooling for talents' children: no longer waits for other services; it can be decided."
    )
    assert freed in texts
    assert timeline[-1]["text"]["zh"] == "联办件全部办结。"
    notified(
        talent,
        Counter(ticket_filed=1, item_accepted=2, item_approved=2, ticket_completed=1),
    )


def test_who_is_asked_whether_to_go_on_answers(town):
    """The recognition is turned down; the talent takes what the degree alone gives."""
    talent = town.talent()
    body = talent.with_documents(town.filing("recognition", "housing_purchase"))
    ticket = talent.file(body, "with-a-choice")
    recognition, purchase = ticket["items"]
    pass_on(town.staff("clerk.human_resources"), recognition["number"], "not_accept")
    notified(talent, Counter(ticket_filed=1, item_not_accepted=1, choice_asked=1))
    asked = talent.get(f"/tickets/{ticket['id']}")
    assert (asked["edges"][0]["state"], asked["edges"][0]["default"]) == ("asked", "close")
    version = {"If-Match": asked["items"][1]["etag"]}
    path = f"/items/{purchase['id']}/choice"
    answered = talent.post(path, json={"choice": "proceed"}, headers=version)
    assert answered["items"][1]["waiting_for"] == []


def test_what_is_wrong_is_said_in_both_languages(town):
    talent, body = town.talent(), town.filing("settlement")
    body["items"][0]["offering"] = "pension"
    for tongue, message in (
        ("zh-CN", "该事项不在此“一件事”中。"),
        ("en", "This offering is not part of the bundle."),
    ):
        headers = {"Idempotency-Key": "one", "Accept-Language": tongue}
        answer = talent.client.post("/tickets", json=body, headers=headers)
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["errors"][0]["message"] == message
    assert talent.get("/tickets")["items"] == []


def test_filing_while_everything_is_killed(up, town):
    """Web and worker die while people file, the worker once more while it catches up.

    People try again with their keys: one ticket each. Whoever comes next does the rest: each is
    told once.
    """
    wanted = town.filing("settlement", "housing_rent")
    first, *talents = (town.talent() for _ in range(1 + FILERS))
    bodies = [talent.with_documents(wanted) for talent in talents]
    first.file(first.with_documents(wanted), "before")
    killed = []

    def file(place):
        victim = {4: "web", 8: "worker", 14: "a process of web"}.get(place)
        if victim:
            killed.append(victim)
            if victim == "a process of web":
                web = up.pids["web"]
                children = Path(f"/proc/{web}/task/{web}/children").read_text().split()
                os.kill(int(children[0]), signal.SIGKILL)
            else:
                up.kill(victim)
        return talents[place].file(bodies[place], f"key-{place}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        tickets = list(pool.map(file, range(FILERS)))
    assert len(killed) == 3
    assert len({ticket["id"] for ticket in tickets}) == FILERS
    for place, (talent, ticket) in enumerate(zip(talents, tickets, strict=True)):
        assert [one["id"] for one in talent.get("/tickets")["items"]] == [ticket["id"]]
        assert talent.file(bodies[place], f"key-{place}")["id"] == ticket["id"]

    before = up.pids["worker"]
    up.kill("worker")
    assert eventually(lambda: up.pids.get("worker", before) != before)

    def everybody_knows():
        return all(notices(talent) for talent in talents)

    assert eventually(everybody_knows)
    time.sleep(1)
    for talent, ticket in zip(talents, tickets, strict=True):
        told = [(notice["kind"], notice["ticket"]) for notice in notices(talent)]
        assert told == [("ticket_filed", ticket["id"])]


def test_ctrl_c_leaves_nothing(up, leaves_nothing):
    """The last one here: it ends what the others used."""
    with leaves_nothing(up.everyone):
        assert up.interrupt() == 0
    assert not (up.var / "up.json").exists()
    assert "Everything is stopped" in up.said
