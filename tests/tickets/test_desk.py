"""What staff do with a task: claim, release, decide, and what is refused."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from service.identity.staff.models import StaffPost
from service.kernel.db import Scope
from tests.factories import RESULTS
from tests.tickets import invariants
from tests.tickets.asking import claim, decide, refused, release

POLICE, BUILDERS = "public_security", "construction"


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


@pytest.fixture
def colleague(hire):
    return hire((POLICE, "clerk"), (POLICE, "reviewer"))


@pytest.fixture
def reviewer(world):
    return world.staff(f"reviewer.{POLICE}")


@pytest.fixture
def ticket(world):
    return world.ticket(None, "settlement")


@pytest.fixture
def task(world, clerk, ticket):
    """An acceptance that nobody has claimed."""
    return world.open_task(clerk, ticket["items"][0]["number"])


@pytest.fixture
def decision(world, clerk, reviewer, ticket):
    """A decision that the reviewer has claimed."""
    number = ticket["items"][0]["number"]
    world.decide(clerk, world.claimed(clerk, number), "accept")
    return world.claimed(reviewer, number)


class TestClaim:
    def test_makes_it_mine(self, clerk, task):
        claimed = claim(clerk, task)
        assert claimed.status_code == 200
        assert claimed.json == task | {
            "state": "claimed",
            "assignee": clerk.account["id"],
            "assignee_name": clerk.account["display_name"],
            "mine": True,
            "version": task["version"] + 1,
            "etag": f'"task.{task["id"]}.{task["version"] + 1}"',
        }
        assert claimed.headers["ETag"] == claimed.json["etag"]

    def test_of_what_is_claimed(self, clerk, colleague, task, footprint):
        claim(clerk, task)
        before = footprint()
        refused(claim(colleague, task), 409, "task_already_claimed")
        assert footprint() == before

    def test_of_what_one_holds_already(self, clerk, task, footprint):
        """As it is: the same version, and nothing happened."""
        first = claim(clerk, task)
        before = footprint()
        again = claim(clerk, task)
        assert (again.status_code, again.json) == (200, first.json)
        assert again.headers["ETag"] == first.headers["ETag"]
        assert footprint() == before

    def test_of_what_is_closed(self, clerk, colleague, task):
        decide(clerk, claim(clerk, task).json)
        refused(claim(colleague, task), 409, "task_closed")

    @pytest.mark.parametrize("role", ["reviewer", "head"])
    def test_needs_the_role(self, world, task, footprint, role):
        somebody, before = world.staff(f"{role}.{POLICE}"), footprint()
        answer = claim(somebody, task)
        refused(answer, 403, "role_missing")
        assert answer.json["params"] == {"role": "clerk", "title": "经办"}
        assert "clerk" not in answer.json["detail"]
        assert footprint() == before

    def test_a_role_in_another_department_does_not_count(self, hire, task, footprint):
        somebody, before = hire((POLICE, "reviewer"), (BUILDERS, "clerk")), footprint()
        refused(claim(somebody, task), 403, "role_missing")
        assert footprint() == before


class TestRelease:
    def test_puts_it_back(self, clerk, colleague, task):
        claimed = claim(clerk, task).json
        back = release(clerk, task).json
        version = claimed["version"] + 1
        tag = f'"task.{task["id"]}.{version}"'
        assert back == task | {"version": version, "etag": tag}
        assert claim(colleague, task).json["assignee"] == colleague.account["id"]

    def test_of_what_nobody_has(self, clerk, task):
        refused(release(clerk, task), 409, "task_not_claimed")

    def test_of_what_somebody_else_has(self, clerk, colleague, task, footprint):
        claim(clerk, task)
        before = footprint()
        refused(release(colleague, task), 409, "task_not_mine")
        assert footprint() == before

    def test_of_what_is_closed(self, clerk, task):
        decide(clerk, claim(clerk, task).json)
        refused(release(clerk, task), 409, "task_closed")


class TestDecision:
    def test_closes_the_task_and_opens_the_next(self, world, clerk, reviewer, ticket, task):
        answer = decide(clerk, claim(clerk, task).json)
        item = ticket["items"][0]
        assert answer.json == {
            "id": task["id"],
            "version": task["version"] + 2,
            "etag": f'"task.{task["id"]}.{task["version"] + 2}"',
            "state": "closed",
            "verdict": "accept",
            "item": item["id"],
            "item_number": item["number"],
            "phase": "processing",
            "outcome": None,
        }
        following = world.open_task(reviewer, item["number"])
        assert (following["kind"], following["role"]) == ("decision", "reviewer")
        assert following["state"] == "open"

    def test_an_approval_ends_the_item(self, reviewer, decision):
        answer = decide(reviewer, decision, "approve", result=RESULTS["settlement"])
        assert (answer.json["phase"], answer.json["outcome"]) == ("ended", "approved")

    def test_a_rejection_ends_the_item(self, reviewer, decision):
        answer = decide(reviewer, decision, "reject")
        assert (answer.json["phase"], answer.json["outcome"]) == ("ended", "rejected")

    def test_non_acceptance_ends_the_item(self, clerk, task):
        answer = decide(clerk, claim(clerk, task).json, "not_accept")
        assert (answer.json["phase"], answer.json["outcome"]) == ("ended", "not_accepted")

    def test_of_what_nobody_has_claimed(self, clerk, task, footprint):
        before = footprint()
        refused(decide(clerk, task), 409, "task_not_claimed")
        assert footprint() == before

    def test_of_what_somebody_else_has(self, clerk, colleague, task, footprint):
        claimed, before = claim(clerk, task).json, footprint()
        before = footprint()
        refused(decide(colleague, claimed), 409, "task_not_mine")
        assert footprint() == before

    def test_twice(self, clerk, task, footprint):
        claimed = claim(clerk, task).json
        closed = decide(clerk, claimed).json
        before = footprint()
        refused(decide(clerk, claimed, "not_accept"), 409, "task_closed")
        refused(decide(clerk, closed, "not_accept"), 409, "task_closed")
        assert footprint() == before

    def test_on_an_old_version(self, clerk, task, footprint):
        old = claim(clerk, task).json
        release(clerk, task)
        claim(clerk, task)
        before = footprint()
        refused(decide(clerk, old), 412, "stale_version")
        refused(decide(clerk, old, version=99), 412, "stale_version")
        assert footprint() == before

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [
            ({}, 428, "if_match_required"),
            ({"If-Match": "*"}, 400, "if_match_malformed"),
            ({"If-Match": 'W/"2"'}, 400, "if_match_malformed"),
        ],
    )
    def test_without_a_version(self, clerk, task, headers, status, code):
        claim(clerk, task)
        body = {"verdict": "accept", "opinion": "同意"}
        path = f"/v1/desk/tasks/{task['id']}/decision"
        refused(clerk.post(path, json=body, headers=headers), status, code)

    @pytest.mark.parametrize("verdict", ["approve", "reject", "pass"])
    def test_a_verdict_of_another_stage(self, clerk, task, footprint, verdict):
        claimed = claim(clerk, task).json
        before = footprint()
        answer = decide(clerk, claimed, verdict)
        refused(answer, 422, "invalid")
        (error,) = answer.json["errors"]
        assert (error["path"], error["code"]) == ("verdict", "verdict_not_allowed")
        assert footprint() == before

    @pytest.mark.parametrize(
        ("verdict", "result", "path", "code"),
        [
            ("approve", None, "result", "result_missing"),
            ("reject", RESULTS["settlement"], "result", "result_not_expected"),
            ("approve", {}, "result.permit_number", "required"),
            (
                "approve",
                RESULTS["settlement"] | {"permit_number": "qy 1"},
                "result.permit_number",
                "wrong_pattern",
            ),
            (
                "approve",
                RESULTS["settlement"] | {"valid_until": "2026-13-01"},
                "result.valid_until",
                "wrong_pattern",
            ),
            ("approve", RESULTS["settlement"] | {"fee": 1}, "result.fee", "unknown_field"),
            ("approve", [], "result", "not_an_object"),
        ],
    )
    def test_a_result_that_does_not_fit(
        self, reviewer, decision, footprint, verdict, result, path, code
    ):
        before = footprint()
        answer = decide(reviewer, decision, verdict, result=result)
        refused(answer, 422, "invalid")
        assert (path, code) in {(error["path"], error["code"]) for error in answer.json["errors"]}
        assert footprint() == before

    def test_a_result_where_none_is_recorded(self, clerk, task, footprint):
        claimed = claim(clerk, task).json
        before = footprint()
        answer = decide(clerk, claimed, "accept", result=RESULTS["settlement"])
        assert answer.json["errors"][0]["code"] == "result_not_expected"
        assert footprint() == before

    @pytest.mark.parametrize(
        ("body", "path", "code"),
        [
            ({"verdict": "accept"}, "opinion", "required"),
            ({"verdict": "accept", "opinion": " "}, "opinion", "blank"),
            ({"verdict": "accept", "opinion": "x" * 2001}, "opinion", "length_out_of_bounds"),
            ({"verdict": "accept", "opinion": "a\x07"}, "opinion", "control_character"),
            ({"verdict": "perhaps", "opinion": "x"}, "verdict", "not_one_of"),
            ({"verdict": "accept", "opinion": "x", "by": "me"}, "by", "unknown_field"),
        ],
    )
    def test_a_malformed_one(self, clerk, task, footprint, body, path, code):
        claimed = claim(clerk, task).json
        before = footprint()
        answer = clerk.post(
            f"/v1/desk/tasks/{task['id']}/decision",
            json=body,
            headers={"If-Match": claimed["etag"]},
        )
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(path, code)]
        assert footprint() == before

    def test_with_the_same_key_is_one_decision(self, clerk, task, footprint):
        claimed = claim(clerk, task).json
        path = f"/v1/desk/tasks/{task['id']}/decision"
        asked = {
            "json": {"verdict": "accept", "opinion": "同意"},
            "headers": {"If-Match": claimed["etag"], "Idempotency-Key": uuid4().hex},
        }
        first, before = clerk.post(path, **asked), footprint()
        again = clerk.post(path, **asked)
        assert (again.status_code, again.json) == (200, first.json)
        assert footprint() == before

    def test_by_somebody_who_has_lost_the_post(self, hire, database, world, task):
        """The claim is theirs, the right to work on it no longer."""
        somebody = hire((POLICE, "clerk"), (POLICE, "reviewer"))
        claimed = claim(somebody, task).json
        with database.transaction(Scope.system("demo")) as session:
            session.execute(
                StaffPost.__table__.delete().where(
                    StaffPost.account_id == UUID(somebody.account["id"]), StaffPost.role == "clerk"
                )
            )
        refused(decide(somebody, claimed), 403, "role_missing")


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 30
