"""What the desk's list is narrowed to, and what its rows tell."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.tickets.asking import claim, decide
from tests.tickets.desking import BUILDERS, HOUR, POLICE, Desk, absent, listed, statements

LOCAL = ZoneInfo("Asia/Shanghai")


@pytest.fixture
def desk(world, superuser):
    desk = Desk(world, superuser)
    desk.clear()
    return desk


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


def number_of(who, task):
    return who.get(f"/v1/desk/tasks/{task['id']}").json["item_number"]


class TestLights:
    @pytest.fixture
    def tasks(self, desk):
        return {
            "red": [desk.task(due=-3 * HOUR), desk.task(due=-HOUR)],
            "yellow": [desk.task(due=HOUR, warned=True), desk.task(due=9 * HOUR, warned=True)],
            "green": [desk.task(due=2 * HOUR), desk.task(due=8 * HOUR)],
        }

    def test_are_those_that_the_rows_show(self, clerk, tasks):
        for light, those in tasks.items():
            answer = clerk.get(f"/v1/desk/tasks?light={light}").json["items"]
            assert [task["id"] for task in answer] == [task["id"] for task in those]
            assert {task["light"] for task in answer} == {light}

    def test_go_with_other_filters(self, clerk, tasks):
        claimed = claim(clerk, tasks["yellow"][1] | {"version": 1}).json
        assert listed(clerk, light="yellow", assignee="me") == [claimed["id"]]
        assert listed(clerk, light="yellow", state="open") == [tasks["yellow"][0]["id"]]
        assert listed(clerk, light="yellow", assignee="none") == [tasks["yellow"][0]["id"]]

    def test_what_is_over_has_none(self, clerk, tasks):
        decide(clerk, claim(clerk, tasks["red"][0]).json)
        for light in tasks:
            assert listed(clerk, light=light, state="closed") == []

    def test_page_by_page(self, clerk, tasks):
        first = clerk.get("/v1/desk/tasks?light=red&limit=1").json
        second = clerk.get(f"/v1/desk/tasks?light=red&limit=1&after={first['next']}").json
        shown = [page["items"][0]["id"] for page in (first, second)]
        assert shown == [task["id"] for task in tasks["red"]]
        assert second["next"] is None


class TestStage:
    def test_by_its_key(self, world, desk, clerk):
        waiting, passed = desk.task(), desk.task()
        decide(clerk, claim(clerk, passed).json)
        following = desk.row("item_id = %s AND status = 'open'", passed["item_id"])
        assert listed(clerk, stage="acceptance") == [waiting["id"]]
        assert listed(clerk, stage="decision") == [following["id"]]
        assert listed(clerk, stage="decision", offering="settlement") == [following["id"]]
        assert listed(clerk, stage="publicity") == []

    def test_is_told_in_both_languages(self, desk, clerk):
        desk.task()
        (row,) = clerk.get("/v1/desk/tasks").json["items"]
        assert row["stage"] == "acceptance"
        assert row["stage_title"] == {"zh": "受理", "en": "Acceptance"}


class TestDueBefore:
    def test_a_moment_is_not_included(self, desk, clerk):
        sooner, later = desk.task(due=HOUR), desk.task(due=2 * HOUR)
        for moment, found in (
            (later["due_at"], [sooner["id"]]),
            (later["due_at"] + timedelta(microseconds=1), [sooner["id"], later["id"]]),
            (sooner["due_at"], []),
        ):
            assert listed(clerk, due_before=moment.astimezone(LOCAL).isoformat()) == found
            zulu = moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
            assert listed(clerk, due_before=zulu) == found

    def test_a_date_begins_in_the_district(self, desk, clerk):
        midnight = datetime(2026, 12, 1, tzinfo=LOCAL)
        eve, day = desk.task(), desk.task()
        for task, due in ((eve, midnight - HOUR), (day, midnight)):
            desk.superuser.execute(
                "UPDATE tasks SET due_at = %s, warn_at = %s WHERE id = %s", (due, due, task["id"])
            )
        assert listed(clerk, due_before="2026-12-01") == [eve["id"]]
        assert listed(clerk, due_before="2026-12-02") == [eve["id"], day["id"]]

    @pytest.mark.parametrize(("day", "found"), [("0001-01-01", False), ("9999-12-31", True)])
    def test_a_date_beyond_the_calendar(self, desk, clerk, day, found):
        task = desk.task()
        assert listed(clerk, due_before=day) == ([task["id"]] if found else [])


class TestNumber:
    def test_whole_or_how_it_begins(self, desk, clerk):
        task, _other = desk.task(), desk.task()
        item = number_of(clerk, task)
        ticket = item.rpartition("-")[0]
        for sought in (item, item.lower(), ticket, ticket[:-1]):
            assert listed(clerk, q=sought) == [task["id"]], sought
        assert len(listed(clerk, q=item[:16])) == 2
        assert listed(clerk, q=item[:-1] + "9") == []
        assert listed(clerk, q="LB99") == []

    def test_wildcards_are_nothing_special(self, desk, clerk):
        desk.task()
        for sought in ("LB%", "LB__", "L*B1"):
            answer = clerk.get("/v1/desk/tasks", query_string={"q": sought})
            assert answer.status_code == 422

    def test_of_another_department_is_not_found(self, world, desk, clerk):
        number = number_of(clerk, desk.task())
        assert listed(world.staff(f"clerk.{BUILDERS}"), q=number) == []

    def test_that_too_many_have(self, desk, clerk, monkeypatch):
        monkeypatch.setattr("service.desk.queries.listing.MOST_SOUGHT", 1)
        number = number_of(clerk, desk.task())
        desk.task()
        assert len(listed(clerk, q=number)) == 1
        answer = clerk.get(f"/v1/desk/tasks?q={number[:8]}")
        assert answer.status_code == 422
        (error,) = answer.json["errors"]
        assert (error["path"], error["code"]) == ("q", "search_too_broad")
        assert error["params"] == {"most": 1} if "params" in error else True

    def test_of_what_is_done(self, desk, clerk):
        task = desk.task()
        number = number_of(clerk, task)
        decide(clerk, claim(clerk, task).json, "not_accept")
        assert listed(clerk, q=number) == []
        assert listed(clerk, q=number, state="closed") == [task["id"]]


class TestNames:
    def test_of_colleagues(self, hire, desk, clerk):
        colleague, task, _pool = hire((POLICE, "clerk")), desk.task(due=HOUR), desk.task(due=HOUR)
        claimed = claim(colleague, task).json
        assert (claimed["assignee_name"], claimed["mine"]) == ("王芳", True)
        first, second = clerk.get("/v1/desk/tasks").json["items"]
        assert (first["assignee_name"], first["mine"]) == ("王芳", False)
        assert (second["assignee"], second["assignee_name"]) == (None, None)
        assert clerk.get(f"/v1/desk/tasks/{task['id']}").json["assignee_name"] == "王芳"

    def test_of_somebody_who_never_belonged_here(self, hire, desk, clerk, superuser):
        stranger, task = hire((BUILDERS, "clerk")), desk.task()
        superuser.execute(
            "UPDATE tasks SET status = 'claimed', assignee = %s WHERE id = %s",
            (stranger.account["id"], task["id"]),
        )
        (row,) = clerk.get("/v1/desk/tasks").json["items"]
        assert (row["assignee"], row["assignee_name"]) == (stranger.account["id"], None)


@pytest.mark.parametrize(
    ("query", "path", "code"),
    [
        ("light=blue", "light", "not_one_of"),
        ("stage=", "stage", "length_out_of_bounds"),
        ("due_before=tomorrow", "due_before", "not_a_date_or_time"),
        ("due_before=2026-02-30", "due_before", "not_a_date_or_time"),
        ("due_before=2026-12-01T10:00:00", "due_before", "not_a_date_or_time"),
        ("due_before=2026-12-01T25:00:00Z", "due_before", "not_a_date_or_time"),
        ("due_before=20261201", "due_before", "not_a_date_or_time"),
        ("q=LB1", "q", "length_out_of_bounds"),
        ("q=%EF%BC%AC%EF%BC%A21234", "q", "wrong_pattern"),
    ],
)
def test_filters_that_make_no_sense(clerk, query, path, code):
    answer = clerk.get(f"/v1/desk/tasks?{query}")
    assert answer.status_code == 422
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(path, code)]


@pytest.mark.parametrize(
    "other",
    [{"light": "green"}, {"stage": "acceptance"}, {"due_before": "2030-01-01"}, {"q": "LB35"}],
)
def test_a_cursor_is_of_no_use_with_other_filters(desk, clerk, other):
    desk.task(), desk.task()
    cursor = clerk.get("/v1/desk/tasks?limit=1").json["next"]
    query = {"limit": "1", "after": cursor}
    assert clerk.get("/v1/desk/tasks", query_string=query).status_code == 200
    refused = clerk.get("/v1/desk/tasks", query_string=query | other)
    assert (refused.status_code, refused.json["errors"][0]["code"]) == (422, "cursor_invalid")
    bound = clerk.get("/v1/desk/tasks", query_string={"limit": "1", **other}).json["next"]
    again = clerk.get("/v1/desk/tasks", query_string={"limit": "1", "after": bound, **other})
    assert again.status_code == 200


@pytest.mark.parametrize("posts", [1, 2])
def test_statements(hire, desk, sql_count, posts):
    """Budget: 5; one more for a search, and for the keys of the names."""
    somebody = hire(*((POLICE, "clerk"), (BUILDERS, "clerk"))[:posts])
    task = desk.task()
    number = number_of(somebody, task)

    def sent(query=""):
        return statements(sql_count, lambda: somebody.get(f"/v1/desk/tasks{query}"))

    assert sent("?light=green&stage=acceptance&offering=settlement") == 4
    assert sent(f"?q={number}") == 5
    assert sent("?due_before=2030-01-01") == 4
    claim(somebody, task)
    assert sent() == 5
    assert sent("?assignee=me&light=green") == 5
    assert sent(f"?assignee={absent()}") == 3
    assert sent(f"?q={number}&due_before=2030-01-01") == 6
