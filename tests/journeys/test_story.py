"""The whole service as it is started by hand: the main job to its end, and what survives a kill."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.factories import RESULTS
from tests.local.conftest import eventually

pytestmark = pytest.mark.slow

FILERS, AT_ONCE = 24, 6
# A worker counts as dead thirty seconds after its last sign; what it had begun is then begun anew.
PATIENCE = 75


def notices(talent):
    return talent.get("/notices", params={"limit": 100})["items"]


def pass_on(somebody, number, verdict, result=None):
    """Find the task of an item, claim it, decide it."""
    listed = somebody.get("/desk/tasks", params={"limit": 100})["items"]
    task = next(one for one in listed if one["item_number"] == number)
    claimed = somebody.post(f"/desk/tasks/{task['id']}/claim")
    body = {"verdict": verdict, "opinion": "符合条件"} | ({"result": result} if result else {})
    version = {"If-Match": f'"{claimed["version"]}"'}
    return somebody.post(f"/desk/tasks/{task['id']}/decision", json=body, headers=version)


def test_a_joint_ticket_travels_to_its_end(town):
    talent, body = town.talent(), town.filing()
    ticket = talent.file(body, "my-first-ticket")
    assert talent.file(body, "my-first-ticket") == ticket
    assert [one["id"] for one in talent.get("/tickets")["items"]] == [ticket["id"]]

    builders = town.staff("clerk.construction")
    settlement, subsidy = ticket["items"]
    police = town.staff("clerk.public_security")
    listed = police.get("/desk/tasks", params={"limit": 100})["items"]
    task = next(one for one in listed if one["item_number"] == settlement["number"])
    for path in ("", "/claim"):
        send = builders.client.post if path else builders.client.get
        assert send(f"/desk/tasks/{task['id']}{path}").status_code == 404

    for item, department in ((settlement, "public_security"), (subsidy, "construction")):
        clerk = town.staff(f"clerk.{department}")
        reviewer = town.staff(f"reviewer.{department}")
        assert pass_on(clerk, item["number"], "accept")["phase"] == "processing"
        result = RESULTS[item["offering"]]
        ended = pass_on(reviewer, item["number"], "approve", result)
        assert (ended["phase"], ended["outcome"]) == ("ended", "approved")

    told = talent.get(f"/tickets/{ticket['id']}")
    assert told["status"] == "completed"
    assert [item["result"] for item in told["items"]] == [
        RESULTS["settlement"],
        RESULTS["housing_rent"],
    ]
    timeline = talent.get(f"/tickets/{ticket['id']}/timeline")["items"]
    assert [line["seq"] for line in timeline] == list(range(1, 11))
    assert timeline[3]["text"] == {
        "zh": "人才落户：公安分局已受理。",
        "en": "Household registration for talents: accepted by Public Security Branch.",
    }
    assert timeline[-1]["text"]["zh"] == "联办件全部办结。"

    expected = Counter(
        {
            "ticket_filed": 1,
            "item_accepted": 2,
            "item_approved": 2,
            "ticket_completed": 1,
        }
    )
    assert eventually(lambda: len(notices(talent)) == expected.total(), 15)
    assert Counter(notice["kind"] for notice in notices(talent)) == expected


def test_what_is_wrong_is_said_in_both_languages(town):
    talent, body = town.talent(), town.filing()
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
    body = town.filing()
    talents = [town.talent() for _ in range(FILERS)]
    first = town.talent()
    first.file(body, "before")
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
        return talents[place].file(body, f"key-{place}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        tickets = list(pool.map(file, range(FILERS)))
    assert len(killed) == 3
    assert len({ticket["id"] for ticket in tickets}) == FILERS
    for place, (talent, ticket) in enumerate(zip(talents, tickets, strict=True)):
        assert [one["id"] for one in talent.get("/tickets")["items"]] == [ticket["id"]]
        assert talent.file(body, f"key-{place}")["id"] == ticket["id"]

    before = up.pids["worker"]
    up.kill("worker")
    assert eventually(lambda: up.pids.get("worker", before) != before, 15)

    def everybody_knows():
        return all(notices(talent) for talent in talents)

    assert eventually(everybody_knows, PATIENCE)
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
