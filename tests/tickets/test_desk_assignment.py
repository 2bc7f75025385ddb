"""Who heads a department gives a task to a colleague."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from service.desk.actions.assign import assign_task
from service.kernel import clock
from tests.acting import bearer
from tests.tickets.acting import Acting
from tests.tickets.asking import claim, decide, refused, release
from tests.tickets.desking import BUILDERS, POLICE, Desk, absent, assign

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def desk(world, superuser):
    return Desk(world, superuser)


@pytest.fixture
def head(world):
    return world.staff(f"head.{POLICE}")


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


@pytest.fixture
def colleague(hire):
    return hire((POLICE, "clerk"))


@pytest.fixture
def own(app, world):
    """A talent, and the person they are."""
    talent = world.talent()
    token = talent.headers["Authorization"].removeprefix("Bearer ")
    return talent, bearer(app.extensions["talent"], token).person_id


@pytest.fixture
def task(desk):
    return desk.task()


def unfit(answer, code="assignee_unfit"):
    assert answer.status_code == 422, answer.json
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [("account", code)]


def test_from_the_pool(head, colleague, clerk, task, superuser):
    answer = assign(head, task, colleague.account["id"])
    assert answer.status_code == 200
    told = answer.json
    assert (told["state"], told["assignee"]) == ("claimed", colleague.account["id"])
    assert (told["assignee_name"], told["mine"]) == ("王芳", False)
    assert told["version"] == task["version"] + 1
    assert answer.headers["ETag"] == told["etag"]
    refused(claim(clerk, task), 409, "task_already_claimed")
    refused(decide(clerk, told), 409, "task_not_mine")
    assert decide(colleague, told).status_code == 200
    events = "SELECT actor_id::text, seq, public, data FROM events WHERE kind = %s AND task_id = %s"
    assert superuser.execute(events, ("task_assigned", task["id"])).fetchall() == [
        (
            head.account["id"],
            None,
            False,
            {"department": POLICE, "account": colleague.account["id"]},
        )
    ]


def test_from_whoever_holds_it(head, clerk, colleague, task):
    claimed = claim(clerk, task).json
    told = assign(head, claimed, colleague.account["id"]).json
    assert told["assignee"] == colleague.account["id"]
    refused(decide(clerk, told), 409, "task_not_mine")
    refused(release(clerk, told), 409, "task_not_mine")
    back = assign(head, told, clerk.account["id"]).json
    assert back["assignee"] == clerk.account["id"]
    assert release(clerk, back).json["state"] == "open"


def test_to_oneself(hire, task):
    both = hire((POLICE, "head"), (POLICE, "clerk"))
    told = assign(both, task, both.account["id"]).json
    assert told["mine"] is True
    assert decide(both, told).status_code == 200


def test_to_who_holds_it_already(head, colleague, task, footprint):
    told, before = assign(head, task, colleague.account["id"]).json, footprint()
    before = footprint()
    refused(assign(head, told, colleague.account["id"]), 409, "already_assigned")
    assert footprint() == before


def test_of_what_is_closed(head, clerk, colleague, task):
    decide(clerk, claim(clerk, task).json)
    refused(assign(head, task, colleague.account["id"]), 409, "task_closed")


def test_on_an_old_version(head, clerk, colleague, task, footprint):
    claim(clerk, task)
    before = footprint()
    refused(assign(head, task, colleague.account["id"]), 412, "stale_version")
    path = f"/v1/desk/tasks/{task['id']}/assignment"
    body = {"account": colleague.account["id"]}
    refused(head.post(path, json=body), 428, "if_match_required")
    refused(head.post(path, json=body, headers={"If-Match": "*"}), 400, "if_match_malformed")
    assert footprint() == before


class TestToWhom:
    def test_somebody_with_the_role_there(self, world, hire, head, task, footprint):
        before = footprint()
        for account in (
            world.staff(f"reviewer.{POLICE}").account["id"],
            world.staff(f"clerk.{BUILDERS}").account["id"],
            hire((POLICE, "reviewer"), (BUILDERS, "clerk")).account["id"],
            world.talent().account["id"],
            absent(),
        ):
            unfit(assign(head, task, account))
        assert footprint() == before

    @pytest.mark.parametrize(("begins", "ends", "fits"), [
        (-9, None, True), (-9, 0, True), (0, None, True), (-9, -1, False), (1, None, False),
    ])  # fmt: skip
    def test_today(self, head, hire, task, superuser, begins, ends, fits):
        somebody, today = hire((POLICE, "clerk")), clock.now().astimezone(SHANGHAI).date()
        days = [None if one is None else today + timedelta(days=one) for one in (begins, ends)]
        superuser.execute(
            "UPDATE posts SET valid_from = %s, valid_to = %s WHERE account_id = %s",
            (*days, somebody.account["id"]),
        )
        answer = assign(head, task, somebody.account["id"])
        if fits:
            assert answer.status_code == 200
        else:
            unfit(answer)

    def test_not_to_an_account_that_is_disabled(self, head, colleague, task, superuser):
        account = colleague.account["id"]
        superuser.execute("UPDATE accounts SET disabled_at = now() WHERE id = %s", (account,))
        unfit(assign(head, task, account))

    def test_not_to_who_did_the_stage_before(self, desk, head, colleague):
        task = desk.task(barred=[UUID(colleague.account["id"])])
        unfit(assign(head, task, colleague.account["id"]), "assignee_excluded")

    def test_not_to_the_applicant(self, own, world, desk, hire, head):
        talent, person = own
        somebody = hire((POLICE, "clerk"), person_id=person)
        item = world.ticket(talent, "settlement")["items"][0]
        task = desk.row("item_id = %s", item["id"])
        unfit(assign(head, task, somebody.account["id"]), "assignee_excluded")
        assert assign(head, desk.task(), somebody.account["id"]).status_code == 200
        claimed = claim(somebody, desk.task())
        assert claimed.status_code == 200

    def test_the_head_of_a_case_of_their_own_does_not_choose(
        self, own, world, desk, hire, colleague
    ):
        talent, person = own
        head = hire((POLICE, "head"), person_id=person)
        item = world.ticket(talent, "settlement")["items"][0]
        task = desk.row("item_id = %s", item["id"])
        refused(assign(head, task, colleague.account["id"]), 403, "own_case")


class TestByWhom:
    def test_only_who_heads_a_department(self, world, clerk, colleague, task):
        for role in ("clerk", "reviewer"):
            somebody = world.staff(f"{role}.{POLICE}")
            refused(assign(somebody, task, colleague.account["id"]), 403, "forbidden")
        for username in ("coordinator", "sysadmin", "secadmin", "auditor"):
            refused(assign(world.staff(username), task, absent()), 403, "forbidden")

    def test_only_in_the_department_they_head(self, hire, colleague, task, footprint):
        somebody, before = hire((BUILDERS, "head"), (POLICE, "clerk")), footprint()
        answer = assign(somebody, task, colleague.account["id"])
        refused(answer, 403, "role_missing")
        assert answer.json["params"] == {"role": "head", "title": "负责人"}
        assert footprint() == before

    def test_what_is_not_theirs_does_not_exist(self, world, colleague, task):
        stranger = world.staff(f"head.{BUILDERS}")
        told = [
            assign(stranger, {"id": one, "version": 1}, colleague.account["id"])
            for one in (task["id"], absent())
        ]
        assert {answer.status_code for answer in told} == {404}
        assert told[0].json["code"] == told[1].json["code"] == "not_found"

    def test_not_talents_nor_strangers(self, world, client, task):
        refused(assign(world.talent(), task, absent()), 403, "forbidden")
        path = f"/v1/desk/tasks/{task['id']}/assignment"
        assert client.post(path, json={"account": absent()}).status_code == 401


def test_at_once_with_a_claim(desk, head, hire, acting, wide, at_once):
    """One of the two changes the version that the other has seen."""
    somebody, given = (hire((POLICE, "clerk")) for _ in range(2))
    chief, clerk = (Acting(wide, acting(one).actor) for one in (head, somebody))
    for _ in range(10):
        task = desk.task()
        giving = partial(
            chief,
            assign_task,
            task_id=UUID(task["id"]),
            version=task["version"],
            account=UUID(given.account["id"]),
            at=clock.now(),
        )
        told = at_once(giving, partial(clerk.claim, UUID(task["id"])))
        assert told in (["done", "task_already_claimed"], ["stale_version", "done"])
        after = desk.row("id = %s", task["id"])
        assert after["version"] == task["version"] + 1


def test_statements(head, clerk, colleague, desk, sql_count):
    assign(head, desk.task(), colleague.account["id"])
    task = desk.task()
    with sql_count() as sent:
        assert assign(head, task, colleague.account["id"]).status_code == 200
    assert sent.total == 8  # one for the keys of the names in the line


def test_whom_a_head_may_choose_from(head, clerk, colleague, hire, desk):
    """Everybody with a post there today, of the departments that are headed; no others."""
    hire((BUILDERS, "clerk"))
    found = head.get("/v1/desk/colleagues").json["items"]
    assert {one["department"] for one in found} == {POLICE}
    roles = {one["account"]: one["roles"] for one in found}
    assert roles[colleague.account["id"]] == ["clerk"]
    assert roles[head.account["id"]] == ["head"]
    assert [one["name"] for one in found] == sorted(one["name"] for one in found)
    for one in found:
        if "clerk" in one["roles"]:
            assert assign(head, desk.task(), one["account"]).status_code == 200
    refused(clerk.get("/v1/desk/colleagues"), 403, "forbidden")


def test_who_has_left_is_no_choice(head, colleague, superuser):
    today = clock.now().astimezone(SHANGHAI).date()
    ended = "UPDATE posts SET valid_from = %s, valid_to = %s WHERE account_id = %s"
    days = (today - timedelta(days=9), today - timedelta(days=1))
    superuser.execute(ended, (*days, colleague.account["id"]))
    found = head.get("/v1/desk/colleagues").json["items"]
    assert colleague.account["id"] not in {one["account"] for one in found}


def test_statements_of_the_team(head, sql_count):
    head.get("/v1/desk/colleagues")
    with sql_count() as sent:
        head.get("/v1/desk/colleagues")
    assert sent.total == 4
