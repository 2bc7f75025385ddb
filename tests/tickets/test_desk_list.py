"""The desk's list: filters, order, pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from service.desk.queries.listing import TaskFilter, tasks_for
from service.desk.queries.tasks import IN_LIST, TaskRow
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind
from tests.tickets.acting import active_tasks

pytestmark = pytest.mark.usefixtures("plain_flows")

POLICE, BUILDERS = "public_security", "construction"
MONDAY = datetime(2026, 9, 7, 2, tzinfo=UTC)


def test_a_row_has_what_the_statements_of_the_list_ask_for():
    assert tuple(column.key for column in IN_LIST) == TaskRow._fields


@pytest.fixture(scope="module")
def filled():
    return []


@pytest.fixture
def tickets(world, acting, database, filled):
    """Twelve tickets of both offerings over six days; some claimed, some decided; made once."""
    if not filled:
        clerk = acting(world.staff(f"clerk.{POLICE}"))
        for number in range(12):
            at = MONDAY + timedelta(days=number // 2, minutes=number)
            rows = acting(world.talent()).file(world.filing(), key="one", at=at)
            filled.append(rows.ticket.id)
            (task,) = [
                one for one in active_tasks(database, rows.ticket.id) if one.department == POLICE
            ]
            if number % 3 == 0:
                clerk.claim(task.id)
            if number % 3 == 1:
                clerk.pass_on(task, clerk.claim(task.id).version)
    return filled


@pytest.fixture
def both(hire):
    """Somebody with posts in two departments."""
    return hire((POLICE, "clerk"), (BUILDERS, "reviewer"))


def walk(who, limit, **filters):
    """Every page of a list, one after the other."""
    pages, after = [], None
    while True:
        query = {"limit": str(limit), **filters} | ({"after": after} if after else {})
        answer = who.get("/v1/desk/tasks", query_string=query)
        assert answer.status_code == 200, answer.json
        pages.append(answer.json["items"])
        after = answer.json["next"]
        if after is None:
            return pages


def listed(superuser, where, *values):
    """Ids as the database has them, by due time."""
    found = superuser.execute(f"SELECT id FROM tasks WHERE {where} ORDER BY due_at, id", values)
    return [str(one) for (one,) in found]


ACTIVE = "status IN ('open', 'claimed')"


@pytest.mark.parametrize("limit", [1, 4, 5, 100])
@pytest.mark.parametrize("who", ["one department", "two departments"])
def test_pages_cover_everything_once_in_due_order(world, both, tickets, superuser, who, limit):
    if who == "two departments":
        somebody, where = both, f"department IN ('{POLICE}', '{BUILDERS}')"
    else:
        somebody, where = world.staff(f"clerk.{POLICE}"), f"department = '{POLICE}'"
    pages = walk(somebody, limit)
    assert all(len(page) == limit for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= limit
    seen = [task["id"] for page in pages for task in page]
    assert seen == listed(superuser, f"{where} AND {ACTIVE}")
    assert len(seen) >= len(tickets)


def test_many_are_due_at_the_same_time(tickets, superuser):
    """The ground of the test above: pages break between tasks of one due time."""
    most = "SELECT count(*) FROM tasks GROUP BY due_at ORDER BY 1 DESC"
    assert superuser.execute(most).fetchone()[0] >= 4


def test_a_task_that_is_done_meanwhile_moves_no_other(world, acting, tickets, database):
    somebody = world.staff(f"clerk.{BUILDERS}")
    first = somebody.get("/v1/desk/tasks?limit=3").json
    everything = [task["id"] for page in walk(somebody, 100) for task in page]
    done = next(one for one in active_tasks(database, tickets[0]) if one.department == BUILDERS)
    assert str(done.id) == first["items"][0]["id"]
    clerk = acting(somebody)
    clerk.pass_on(done, clerk.claim(done.id).version)
    rest = somebody.get(f"/v1/desk/tasks?limit=100&after={first['next']}").json["items"]
    assert [task["id"] for task in rest][: len(everything) - 3] == everything[3:]


class TestFilters:
    @pytest.mark.parametrize("state", ["open", "claimed", "closed", "cancelled"])
    def test_by_state(self, both, tickets, superuser, state):
        (page,) = walk(both, 100, state=state)
        assert [task["id"] for task in page] == listed(superuser, "status = %s", state)
        assert {task["state"] for task in page} <= {state}
        assert bool(page) == (state != "cancelled")

    @pytest.mark.parametrize("offering", ["settlement", "housing_rent", "pension"])
    def test_by_offering(self, both, tickets, superuser, offering):
        (page,) = walk(both, 100, offering=offering)
        assert [task["id"] for task in page] == listed(
            superuser, f"{ACTIVE} AND offering_code = %s", offering
        )

    def test_by_me(self, world, tickets, superuser):
        clerk = world.staff(f"clerk.{POLICE}")
        (page,) = walk(clerk, 100, assignee="me")
        expected = listed(superuser, "status = 'claimed' AND assignee = %s", clerk.account["id"])
        assert [task["id"] for task in page] == expected
        assert len(page) >= 4
        assert all(task["mine"] for task in page)

    def test_by_somebody(self, world, both, tickets):
        clerk = world.staff(f"clerk.{POLICE}")
        mine = [task | {"mine": False} for task in walk(clerk, 100, assignee="me")[0]]
        assert walk(both, 100, assignee=clerk.account["id"]) == [mine]
        assert walk(both, 100, assignee=str(uuid4())) == [[]]

    def test_by_nobody(self, both, tickets, superuser):
        (page,) = walk(both, 100, assignee="none")
        assert [task["id"] for task in page] == listed(superuser, "status = 'open'")

    def test_what_somebody_has_done(self, world, tickets, superuser):
        clerk = world.staff(f"clerk.{POLICE}")
        (page,) = walk(clerk, 100, assignee="me", state="closed")
        expected = listed(superuser, "status = 'closed' AND assignee = %s", clerk.account["id"])
        assert [task["id"] for task in page] == expected
        assert len(page) == 4
        assert {task["verdict"] for task in page} == {"accept"}
        assert {task["light"] for task in page} == {None}

    def test_all_together(self, world, tickets, superuser):
        clerk = world.staff(f"clerk.{POLICE}")
        pages = walk(clerk, 1, state="claimed", offering="settlement", assignee="me")
        found = [task["id"] for page in pages for task in page]
        assert found == listed(superuser, "status = 'claimed' AND department = %s", POLICE)

    def test_open_ones_that_are_somebodys(self, world, tickets):
        assert walk(world.staff(f"clerk.{POLICE}"), 5, state="open", assignee="me") == [[]]

    @pytest.mark.parametrize(
        ("query", "path", "code"),
        [
            ("limit=0", "limit", "number_out_of_bounds"),
            ("limit=101", "limit", "number_out_of_bounds"),
            ("limit=ten", "limit", "not_an_integer"),
            ("limit=１", "limit", "not_an_integer"),
            ("limit=", "limit", "not_an_integer"),
            ("state=done", "state", "not_one_of"),
            ("assignee=you", "assignee", "wrong_pattern"),
            ("assignee=me%0a", "assignee", "control_character"),
            ("after=x", "after", "cursor_invalid"),
            ("sort=due_at", "sort", "unknown_field"),
        ],
    )
    def test_that_make_no_sense(self, world, query, path, code):
        answer = world.staff(f"clerk.{POLICE}").get(f"/v1/desk/tasks?{query}")
        assert answer.status_code == 422
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(path, code)]


@pytest.mark.parametrize("limit", [1, 100])
def test_the_bounds_of_a_page_are_within(world, tickets, limit):
    answer = world.staff(f"clerk.{POLICE}").get(f"/v1/desk/tasks?limit={limit}")
    assert answer.status_code == 200
    assert len(answer.json["items"]) <= limit


def test_a_page_holds_twenty_five(both, tickets, superuser):
    everything = listed(superuser, ACTIVE)
    page = both.get("/v1/desk/tasks").json
    assert [task["id"] for task in page["items"]] == everything[:25]


@pytest.mark.parametrize(
    "other", [{"offering": "settlement"}, {"state": "open"}, {"assignee": "me"}]
)
def test_a_cursor_is_of_no_use_with_other_filters(world, tickets, other):
    clerk = world.staff(f"clerk.{POLICE}")
    cursor = clerk.get("/v1/desk/tasks?limit=2").json["next"]
    again = clerk.get("/v1/desk/tasks", query_string={"limit": "2", "after": cursor})
    assert again.status_code == 200
    refused = clerk.get("/v1/desk/tasks", query_string={"limit": "2", "after": cursor, **other})
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "cursor_invalid")


def test_a_cursor_is_of_no_use_in_other_hands(world, tickets):
    cursor = world.staff(f"clerk.{POLICE}").get("/v1/desk/tasks?limit=2").json["next"]
    answer = world.staff(f"head.{POLICE}").get(f"/v1/desk/tasks?limit=2&after={cursor}")
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (422, "cursor_invalid")


def test_a_cursor_cannot_be_mended(world, tickets):
    clerk = world.staff(f"clerk.{POLICE}")
    cursor = clerk.get("/v1/desk/tasks?limit=2").json["next"]
    for place in (0, len(cursor) // 2, len(cursor) - 2):
        other = "A" if cursor[place] != "A" else "B"
        forged = cursor[:place] + other + cursor[place + 1 :]
        assert clerk.get(f"/v1/desk/tasks?after={forged}").status_code == 422


def test_without_a_post_there_is_nothing_to_ask(session, sql_count, tickets):
    nobody = Actor(ActorKind.STAFF, "demo", account_id=uuid4())
    with sql_count() as sent:
        assert tasks_for(session, nobody, TaskFilter(), behind=None, limit=25) == []
    assert sent.total == 0


def test_lights_follow_the_clock(world, acting, database):
    """Filed long ago, a task is overdue; filed just now, it is not."""
    ids = {}
    for light, at in (("red", MONDAY), ("green", clock.now())):
        rows = acting(world.talent()).file(world.filing("settlement"), key="one", at=at)
        ids[light] = str(active_tasks(database, rows.ticket.id)[0].id)
    clerk = world.staff(f"clerk.{POLICE}")
    for light, task_id in ids.items():
        assert clerk.get(f"/v1/desk/tasks/{task_id}").json["light"] == light
    assert UUID(ids["red"]) != UUID(ids["green"])


def test_a_page_links_to_the_next(world):
    staff = world.staff("clerk.public_security")
    for _ in range(2):
        world.ticket(None, "settlement")
    first = staff.get("/v1/desk/tasks?limit=1&offering=settlement")
    path, rel = first.headers["Link"].split("; ")
    assert rel == 'rel="next"'
    second = staff.get(path.strip("<>"))
    assert second.status_code == 200
    assert second.json["items"][0]["id"] != first.json["items"][0]["id"]
    assert "Link" not in staff.get("/v1/desk/tasks?limit=1&offering=nothing").headers
