"""What a talent sees of their tickets."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.factories import RESULTS
from tests.tickets import invariants

pytestmark = pytest.mark.usefixtures("plain_flows")

POLICE, BUILDERS = "public_security", "construction"

SUMMARY = {
    "id", "number", "version", "etag", "bundle", "bundle_title", "status", "filed_at", "due_on",
    "due_at", "due_basis", "provisional",
}  # fmt: skip
LISTED = SUMMARY | {
    "light", "progress", "offerings", "items", "next_steps", "updated_at",
}  # fmt: skip
ITEM = {
    "id", "number", "version", "etag", "offering", "title", "subject", "phase", "outcome", "due_on",
    "due_at", "due_basis", "provisional", "light", "result", "waiting_for", "stages", "hold",
    "hold_until", "deliveries", "result_shown", "refusals", "waiting_for_titles",
}  # fmt: skip
STAGE = {
    "key", "round", "title", "department", "department_name", "departments", "department_names",
    "state", "verdict", "due_at", "light",
}  # fmt: skip


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def ticket(world, talent):
    return world.ticket(talent)


def shown(talent, ticket):
    return talent.get(f"/v1/tickets/{ticket['id']}").json


def timeline(talent, ticket):
    return talent.get(f"/v1/tickets/{ticket['id']}/timeline").json["items"]


def say(world, item, role, verdict, result=None):
    somebody = world.staff(f"{role}.{item['stages'][0]['department']}")
    return world.decide(somebody, world.claimed(somebody, item["number"]), verdict, result)


@pytest.mark.parametrize("tail", ["", "/timeline"])
def test_anybody_elses_is_as_if_there_were_none(world, talent, ticket, tail):
    other = world.talent()
    told = []
    for ticket_id in (ticket["id"], uuid4()):
        answer = other.get(f"/v1/tickets/{ticket_id}{tail}")
        assert answer.status_code == 404
        told.append({k: v for k, v in answer.json.items() if k != "request_id"})
    assert told[0] == told[1]
    assert other.get("/v1/tickets").json == {"items": [], "next": None}


@pytest.mark.parametrize("tail", ["", "/timeline"])
def test_staff_and_strangers_do_not_come_this_way(client, world, ticket, tail):
    path = f"/v1/tickets/{ticket['id']}{tail}"
    assert world.staff(f"clerk.{POLICE}").get(path).status_code == 403
    assert client.get(path).status_code == 401


def test_exactly_what_there_is_to_tell(talent, ticket):
    answer = talent.get(f"/v1/tickets/{ticket['id']}")
    assert answer.headers["ETag"] == answer.json["etag"] == ticket["etag"]
    assert set(answer.json) == SUMMARY | {"items", "edges", "next_steps", "draft"}
    for item in answer.json["items"]:
        assert set(item) == ITEM
        assert all(set(stage) == STAGE for stage in item["stages"])
        assert set(item["title"]) == {"zh", "en"}


def test_pages_of_ones_tickets_the_newest_first(world, talent):
    numbers = []
    for _ in range(5):
        ticket = world.ticket(talent, "settlement")
        numbers.append(ticket["number"])
        say(world, ticket["items"][0], "clerk", "not_accept")
    for limit in (1, 2, 5, 100):
        seen, after = [], None
        while True:
            query = {"limit": str(limit)} | ({"after": after} if after else {})
            page = talent.get("/v1/tickets", query_string=query).json
            assert len(page["items"]) <= limit
            assert all(set(one) == LISTED for one in page["items"])
            seen += [one["number"] for one in page["items"]]
            after = page["next"]
            if after is None:
                break
        assert seen == numbers[::-1]
    cursor = talent.get("/v1/tickets?limit=1").json["next"]
    for stranger, status in ((talent, 200), (world.talent(), 422)):
        assert stranger.get(f"/v1/tickets?after={cursor}").status_code == status


@pytest.mark.parametrize("limit", ["0", "101", "x"])
def test_the_bounds_of_a_page(talent, limit):
    assert talent.get(f"/v1/tickets?limit={limit}").status_code == 422


def test_a_timeline_tells_all_in_both_languages(world, talent, ticket):
    settlement, subsidy = ticket["items"]
    say(world, settlement, "clerk", "accept")
    say(world, subsidy, "clerk", "not_accept")
    say(world, settlement, "reviewer", "approve", RESULTS["settlement"])
    told = timeline(talent, ticket)
    assert [line["seq"] for line in told] == list(range(1, len(told) + 1))
    assert [(line["text"]["zh"], line["text"]["en"]) for line in told] == [
        ("您提交了联办申请。", "You filed the joint application."),
        (
            "人才落户：已收到，等待受理。",
            "Household registration for talents: received, waiting for acceptance.",
        ),
        (
            "人才租房补贴：已收到，等待受理。",
            "Rent subsidy for talents: received, waiting for acceptance.",
        ),
        (
            "人才落户：公安分局已受理。",
            "Household registration for talents: accepted by Public Security Branch.",
        ),
        (
            "人才租房补贴：建设局不予受理。",
            "Rent subsidy for talents: not accepted by Construction Bureau.",
        ),
        ("人才租房补贴：办结。", "Rent subsidy for talents: finished."),
        (
            "人才落户：公安分局已批准。",
            "Household registration for talents: approved by Public Security Branch.",
        ),
        ("人才落户：办结。", "Household registration for talents: finished."),
        (
            "联办件全部办结。",
            "Every item has ended; the joint application is completed.",
        ),
    ]
    items = [None, *(settlement["id"], subsidy["id"], settlement["id"], subsidy["id"]),
             subsidy["id"], settlement["id"], settlement["id"], None]  # fmt: skip
    assert [line["item"] for line in told] == items
    assert [line["at"] for line in told] == sorted(line["at"] for line in told)


def test_who_works_on_it_is_the_departments_own_affair(world, talent, ticket):
    before = timeline(talent, ticket)
    clerk = world.staff(f"clerk.{POLICE}")
    task = world.claimed(clerk, ticket["items"][0]["number"])
    clerk.post(f"/v1/desk/tasks/{task['id']}/release")
    assert timeline(talent, ticket) == before
    assert shown(talent, ticket) == ticket


def test_a_result_is_shown_once_it_is_there(world, talent, ticket):
    settlement = ticket["items"][0]
    say(world, settlement, "clerk", "accept")
    assert [item["result"] for item in shown(talent, ticket)["items"]] == [None, None]
    say(world, settlement, "reviewer", "approve", RESULTS["settlement"])
    told = shown(talent, ticket)["items"][0]
    assert told["result"] == RESULTS["settlement"]
    assert (told["phase"], told["outcome"], told["light"]) == ("ended", "approved", None)
    assert [(stage["state"], stage["verdict"]) for stage in told["stages"]] == [
        ("closed", "accept"),
        ("closed", "approve"),
    ]


def test_an_opinion_is_not_shown(world, talent, ticket):
    say(world, ticket["items"][0], "clerk", "accept")
    assert "同意" not in talent.get(f"/v1/tickets/{ticket['id']}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("settlement", "subsidy", "status"),
    [
        ("approve", "approve", "completed"),
        ("approve", "not_accept", "completed"),
        ("reject", "approve", "completed"),
        ("reject", "not_accept", "closed"),
        ("not_accept", "not_accept", "closed"),
        ("reject", "reject", "closed"),
    ],
)
def test_a_ticket_ends_with_its_last_item(world, talent, ticket, settlement, subsidy, status):
    outcomes = {"approve": "approved", "reject": "rejected", "not_accept": "not_accepted"}
    verdicts = (settlement, subsidy)
    for item, verdict in zip(ticket["items"], verdicts, strict=True):
        assert shown(talent, ticket)["status"] == "in_progress"
        if verdict == "not_accept":
            say(world, item, "clerk", verdict)
            continue
        say(world, item, "clerk", "accept")
        assert shown(talent, ticket)["status"] == "in_progress"
        result = RESULTS[item["offering"]] if verdict == "approve" else None
        say(world, item, "reviewer", verdict, result)
    told = shown(talent, ticket)
    assert told["status"] == status
    assert [item["outcome"] for item in told["items"]] == [outcomes[one] for one in verdicts]
    assert {item["phase"] for item in told["items"]} == {"ended"}
    assert {item["light"] for item in told["items"]} == {None}
    assert timeline(talent, ticket)[-1]["kind"] == f"ticket_{status}"


def test_a_decision_on_one_item_leaves_the_other_alone(world, talent, ticket):
    say(world, ticket["items"][0], "clerk", "not_accept")
    before, after = ticket["items"][1], shown(talent, ticket)["items"][1]
    assert after == before


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 15
