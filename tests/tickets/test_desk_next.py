"""Being handed what is due first: the right one, to one clerk each."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import count
from uuid import UUID, uuid4

import pytest

from service.desk.actions import take
from service.kernel import clock
from tests.acting import bearer
from tests.tickets.acting import CROWD, Acting, outcome
from tests.tickets.asking import claim, decide, refused, release
from tests.tickets.desking import BUILDERS, HOUR, POLICE, Desk, take_next

keys = count()
MANY = 300


@pytest.fixture
def desk(world, superuser):
    desk = Desk(world, superuser)
    desk.clear()
    return desk


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


def test_what_is_due_first_comes_first(desk, clerk):
    later, overdue, soon = (desk.task(due=HOUR * n) for n in (5, -5, 1))
    for task in (overdue, soon, later):
        answer = take_next(clerk)
        assert answer.status_code == 200
        assert answer.json["id"] == task["id"]
        assert (answer.json["state"], answer.json["mine"]) == ("claimed", True)
        assert answer.json["assignee"] == clerk.account["id"]
        assert answer.json["version"] == task["version"] + 1
        assert answer.headers["ETag"] == f'"task.{task["id"]}.{task["version"] + 1}"'
    refused(take_next(clerk), 404, "no_task_left")


def test_is_a_claim_like_any_other(desk, clerk, superuser):
    desk.task()
    taken = take_next(clerk).json
    kinds = "SELECT kind, seq, public, actor_id::text FROM events WHERE task_id = %s"
    kinds += " AND kind <> 'task_opened'"
    assert superuser.execute(kinds, (taken["id"],)).fetchall() == [
        ("task_claimed", None, False, clerk.account["id"])
    ]
    assert release(clerk, taken).json["assignee_name"] is None
    again = take_next(clerk).json
    assert again["id"] == taken["id"]
    assert decide(clerk, again).status_code == 200


def test_nothing_need_be_said(desk, clerk):
    desk.task()
    answer = clerk.client.post("/v1/desk/tasks/next", headers=clerk.headers)
    assert (answer.status_code, answer.json["state"]) == (200, "claimed")


def test_of_one_offering(desk, clerk, world):
    task = desk.task()
    refused(take_next(clerk, offering="housing_rent"), 404, "no_task_left")
    assert take_next(clerk, offering="settlement").json["id"] == task["id"]
    desk.task()
    assert take_next(clerk, offering=None).status_code == 200


def test_only_what_is_for_ones_role(desk, world, clerk, hire):
    desk.task()
    for other in (
        world.staff(f"reviewer.{POLICE}"),
        world.staff(f"head.{POLICE}"),
        world.staff(f"clerk.{BUILDERS}"),
        hire((POLICE, "reviewer"), (BUILDERS, "clerk")),
    ):
        refused(take_next(other), 404, "no_task_left")
    assert take_next(clerk).status_code == 200


def test_of_several_roles_what_is_due_first(desk, hire):
    """Clerk and reviewer in one: the pools are looked at together."""
    both = hire((POLICE, "clerk"), (POLICE, "reviewer"), (BUILDERS, "clerk"))
    tasks = [desk.task(due=HOUR * n) for n in range(1, 5)]
    for task in tasks[1::2]:
        desk.superuser.execute("UPDATE tasks SET role = 'reviewer' WHERE id = %s", (task["id"],))
    assert [take_next(both).json["id"] for _ in tasks] == [task["id"] for task in tasks]
    refused(take_next(both), 404, "no_task_left")


def test_four_eyes_are_two_people(desk, clerk, hire):
    barred = desk.task(due=HOUR, barred=[UUID(clerk.account["id"])])
    free = desk.task(due=HOUR * 2)
    assert take_next(clerk).json["id"] == free["id"]
    refused(take_next(clerk), 404, "no_task_left")
    assert take_next(hire((POLICE, "clerk"))).json["id"] == barred["id"]


def test_a_case_of_ones_own_is_passed_over(app, world, desk, hire):
    talent = world.talent()
    token = talent.headers["Authorization"].removeprefix("Bearer ")
    person = bearer(app.extensions["talent"], token).person_id
    somebody = hire((POLICE, "clerk"), person_id=person)
    own = world.ticket(talent, "settlement")["items"][0]
    assert desk.row("item_id = %s", own["id"])["status"] == "open"
    refused(take_next(somebody), 404, "no_task_left")
    other = desk.task()
    assert take_next(somebody).json["id"] == other["id"]


def test_a_running_notice_is_left_alone(desk, clerk):
    desk.task(due=HOUR, kind="publicity")
    refused(take_next(clerk), 404, "no_task_left")


def test_a_key_answers_again(desk, clerk):
    desk.task(), desk.task()
    key = {"Idempotency-Key": uuid4().hex}
    answers = [clerk.post("/v1/desk/tasks/next", json={}, headers=key) for _ in range(2)]
    assert answers[0].json == answers[1].json


@pytest.mark.parametrize("username", ["coordinator", "sysadmin", "secadmin", "auditor"])
def test_is_not_for_those_who_steer(world, desk, username):
    refused(take_next(world.staff(username)), 403, "forbidden")


@pytest.mark.parametrize("posts", [1, 2])
def test_statements(desk, hire, sql_count, posts):
    """Budget: 6. Several pools cost one more to compare; one reads the keys of whom it is for."""
    somebody = hire(*((POLICE, "clerk"), (POLICE, "reviewer"))[:posts])
    desk.task(), desk.task()
    take_next(somebody)
    with sql_count() as sent:
        assert take_next(somebody).status_code == 200
    assert sent.total == 4 + posts


@pytest.fixture
def crowd(hire, acting, wide):
    """Fifty clerks; every fifth is a reviewer too, and has two pools."""
    posts = ((POLICE, "clerk"), (POLICE, "reviewer"))
    return [
        Acting(wide, acting(hire(*posts[: 2 if number % 5 == 0 else 1])).actor)
        for number in range(CROWD)
    ]


@pytest.mark.slow
def test_fifty_clerks_and_all_that_there_is(desk, world, acting, crowd, threads, superuser):
    """Each task goes to exactly one; nobody is turned away while there is one left."""
    body, at = world.filing("settlement"), clock.now()
    for _ in range(MANY):
        acting(world.talent()).file(body, key=f"key-{next(keys)}", at=at)

    def work(clerk):
        taken = []
        while True:
            done = outcome(lambda: taken.append(clerk(take.take_next_task, at=clock.now()).id))
            if done != "done":
                return done, taken

    told = list(threads.map(work, crowd))
    assert {code for code, _ in told} == {"no_task_left"}
    taken = Counter(task for _, tasks in told for task in tasks)
    assert len(taken) == MANY
    assert set(taken.values()) == {1}
    holders = dict(superuser.execute("SELECT id, assignee FROM tasks WHERE status = 'claimed'"))
    assert holders == {
        task: clerk.actor.account
        for clerk, (_, tasks) in zip(crowd, told, strict=True)
        for task in tasks
    }
    claims = "SELECT count(*) FROM events WHERE kind = 'task_claimed' AND task_id = ANY(%s)"
    assert superuser.execute(claims, (list(taken),)).fetchone() == (MANY,)


def test_next_and_claim_at_once(desk, crowd, at_once):
    """Whoever names the task and whoever is handed it: one has it, the others are told so."""
    for _ in range(5):
        task = desk.task()
        calls = [partial(one.claim, UUID(task["id"])) for one in crowd[:8]]
        calls += [partial(one, take.take_next_task, at=clock.now()) for one in crowd[8:16]]
        told = Counter(at_once(*calls))
        assert told.pop("done") == 1
        assert set(told) <= {"task_already_claimed", "no_task_left"}
        assert desk.row("id = %s", task["id"])["version"] == task["version"] + 1


def test_what_is_given_back_is_handed_out_again(desk, clerk):
    task = desk.task()
    claim(clerk, task)
    refused(take_next(clerk), 404, "no_task_left")
    release(clerk, task)
    assert take_next(clerk).json["id"] == task["id"]
