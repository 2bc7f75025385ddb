"""What staff are told of what happened to an item: what its applicant is told, and no more."""

from __future__ import annotations

import orjson
import pytest

from service.kernel import crypto
from service.kernel.ids import new_id
from tests.factories import RESULTS
from tests.packs import demo_pack, publish, with_flow
from tests.tickets.asking import claim, decide, refused
from tests.tickets.desking import BUILDERS, POLICE, Desk, absent, statements

VERDICT = {
    "stage", "stage_title", "round", "department", "department_name", "role", "role_title",
    "verdict", "deemed", "decided_at", "decided_by", "opinion", "reason", "result",
    "result_shown",
}  # fmt: skip
ASKED = {
    "department", "department_name", "asked_at", "due_at", "answered_at", "dropped_at",
    "dropped_because", "points", "reason",
}  # fmt: skip


@pytest.fixture
def desk(world, superuser):
    return Desk(world, superuser)


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


@pytest.fixture
def reviewer(world):
    return world.staff(f"reviewer.{POLICE}")


@pytest.fixture
def accepted(desk, clerk):
    """An acceptance that has been given, and the decision that follows."""
    task = desk.task()
    answer = decide(clerk, claim(clerk, task).json, opinion="金丝雀意见")
    assert answer.status_code == 200
    return task, desk.row("item_id = %s AND status = 'open'", task["item_id"])


def told_of(correction):
    """The points of a correction as they were asked, without the titles that are added."""
    return [
        {name: value for name, value in one.items() if name != "title"}
        for one in correction["points"]
    ]


def detail(who, task):
    answer = who.get(f"/v1/desk/tasks/{task['id']}")
    assert answer.status_code == 200, answer.json
    return answer.json


def test_nothing_has_happened_yet(desk, clerk):
    told = detail(clerk, desk.task())
    assert (told["history"], told["corrections"]) == ([], [])


def test_the_verdict_of_the_stage_before(accepted, clerk, reviewer):
    _, second = accepted
    told = reviewer.get(f"/v1/desk/tasks/{second['id']}")
    (verdict,) = told.json["history"]
    assert set(verdict) == VERDICT
    assert verdict.pop("decided_at").endswith("+00:00")
    assert verdict == {
        "stage": "acceptance",
        "stage_title": {"zh": "受理", "en": "Acceptance"},
        "round": 1,
        "department": POLICE,
        "department_name": {"zh": "公安分局", "en": "Public Security Branch"},
        "role": "clerk",
        "role_title": {"zh": "经办", "en": "Clerk"},
        "verdict": "accept",
        "deemed": False,
        "decided_by": clerk.get("/v1/me").json["display_name"],
        "opinion": "金丝雀意见",
        "reason": None,
        "result": None,
        "result_shown": None,
    }


def test_opinion_and_result_stay_where_they_were_given(accepted, clerk, reviewer):
    first, second = accepted
    canary = RESULTS["settlement"] | {"permit_number": "CANARY-20260101"}
    decide(reviewer, claim(reviewer, second).json, "approve", opinion="金丝雀批语", result=canary)
    told = clerk.get(f"/v1/desk/tasks/{first['id']}")
    assert (told.json["state"], told.json["opinion"]) == ("closed", "金丝雀意见")
    (verdict,) = told.json["history"]
    assert (verdict["stage"], verdict["verdict"]) == ("decision", "approve")
    assert told.json["result"] is None
    assert "金丝雀批语" not in told.get_data(as_text=True)
    assert "CANARY" not in str(told.json["history"])


def test_a_name_is_for_colleagues(accepted, hire, superuser):
    """The same verdict, had it been another department's: who gave it is not told."""
    first, second = accepted
    reviewer = hire((POLICE, "reviewer"))
    superuser.execute("UPDATE tasks SET department = %s WHERE id = %s", (BUILDERS, first["id"]))
    (verdict,) = detail(reviewer, second)["history"]
    assert (verdict["department"], verdict["decided_by"]) == (BUILDERS, None)
    both = hire((POLICE, "reviewer"), (BUILDERS, "clerk"))
    assert detail(both, second)["history"][0]["decided_by"] is None
    superuser.execute("UPDATE tasks SET department = %s WHERE id = %s", (POLICE, first["id"]))
    assert detail(both, second)["history"][0]["decided_by"] is not None


def test_what_time_decided_is_nobodys(accepted, reviewer, superuser):
    first, second = accepted
    superuser.execute("UPDATE tasks SET deemed = true WHERE id = %s", (first["id"],))
    (verdict,) = detail(reviewer, second)["history"]
    assert (verdict["deemed"], verdict["decided_by"]) == (True, None)


class TestCorrections:
    def ask(self, superuser, task, points, *, answered=False):
        """A correction's row, as a return writes it."""
        row = new_id()
        sealed = crypto.seal(
            orjson.dumps(points).decode(), table="corrections", column="points", row=row
        )
        superuser.execute(
            "INSERT INTO corrections (district_id, person_id, id, ticket_id, item_id, task_id,"
            " points, asked_at, sent_at, due_at, answered_at) VALUES ('demo',"
            " (SELECT person_id FROM tasks WHERE id = %s), %s, %s, %s, %s, %s, now(), now(),"
            " now() + interval '10 days',"
            " CASE WHEN %s THEN now() END)",
            (task["id"], row, task["ticket_id"], task["item_id"], task["id"], sealed, answered),
        )

    def test_are_told_with_their_answer(self, accepted, reviewer, superuser):
        first, second = accepted
        point = {"what": "门牌号不一致", "section": "residence", "field": "address"}
        self.ask(superuser, first, [point], answered=True)
        self.ask(superuser, first, [{"what": "请补全", "section": "household"}])
        told = detail(reviewer, second)["corrections"]
        assert [set(one) for one in told] == [ASKED] * 2
        assert [one["answered_at"] is not None for one in told] == [True, False]
        assert [one["department"] for one in told] == [POLICE] * 2
        title = {"zh": "详细地址", "en": "Address"}
        assert told[0]["points"] == [point | {"material": None, "title": title}]

    def test_show_no_more_than_the_stage_sees(self, accepted, reviewer, superuser):
        """The decision reads neither the mobile number nor a section that it does not name."""
        first, second = accepted
        points = [
            {"what": "金丝雀一", "section": "applicant", "field": "mobile"},
            {"what": "金丝雀二", "section": "medical"},
            {"what": "可见的", "section": "applicant", "field": "degree"},
            {"what": "也可见", "material": "id_card"},
        ]
        self.ask(superuser, first, points)
        (told,) = detail(reviewer, second)["corrections"]
        assert [one["what"] for one in told["points"]] == ["可见的", "也可见"]

    def test_show_a_stage_all_that_it_asked_itself(self, world):
        """Of the bank account it sees nothing. It can ask, and reads its words, not the answer."""
        talent, clerk = world.talent(), world.staff(f"clerk.{BUILDERS}")
        body = world.filing("housing_rent")
        item = talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": "one"}).json[
            "items"
        ][0]
        points = [
            {"what": f"请核对：{field}", "section": "lease", "field": field, "material": None}
            for field in ("account_number", "landlord", "address")
        ]
        first = world.claimed(clerk, item["number"])
        assert decide(clerk, first, "return", corrections=points).status_code == 200
        lease = body["items"][0]["sections"]["lease"] | {"account_number": "6200000000000000026"}
        self.answer(talent, item, lease=lease)
        second = world.claimed(clerk, item["number"])
        for task in (first, second):
            told = detail(clerk, task)
            assert [told_of(one) for one in told["corrections"]] == [points]
            assert "account_number" not in told["sections"]["lease"]
            assert lease["account_number"] not in str(told)
        decide(clerk, second)
        reviewer = world.staff("reviewer.human_resources")
        review = world.open_task(reviewer, item["number"])
        asked = detail(reviewer, review)["corrections"]
        assert [told_of(one) for one in asked] == [points[2:]]

    def answer(self, talent, item, **sections):
        seen = talent.get(f"/v1/items/{item['id']}").headers["ETag"]
        answer = talent.post(
            f"/v1/items/{item['id']}/correction",
            json={"sections": sections},
            headers={"If-Match": seen},
        )
        assert answer.status_code == 200, answer.json

    def test_show_a_colleague_of_the_stage_what_it_asked(self, accepted, hire, clerk, superuser):
        """Whoever goes on with it knows why it was returned."""
        first, _ = accepted
        self.ask(superuser, first, [{"what": "请核对", "section": "medical"}])
        (asked,) = detail(hire((POLICE, "clerk")), first)["corrections"]
        assert [one["what"] for one in asked["points"]] == ["请核对"]
        assert [asked] == detail(clerk, first)["corrections"]


class TestTimeline:
    def path(self, task):
        return f"/v1/desk/items/{task['item_id']}/timeline"

    def test_is_the_applicants_own(self, world, clerk, superuser):
        talent = world.talent()
        ticket = world.ticket(talent, "settlement", "housing_rent")
        item = next(one for one in ticket["items"] if one["offering"] == "settlement")
        decide(clerk, world.claimed(clerk, item["number"]))
        told = clerk.get(f"/v1/desk/items/{item['id']}/timeline").json["items"]
        theirs = talent.get(f"/v1/tickets/{ticket['id']}/timeline").json["items"]
        assert told == [one for one in theirs if one["item"] == item["id"]]
        assert [one["kind"] for one in told][-1] == "item_accepted"
        assert set(told[0]["text"]) == {"zh", "en"}
        assert "task_claimed" not in {one["kind"] for one in told}

    def test_for_who_has_or_had_a_task_of_it(self, world, hire, accepted, clerk, reviewer):
        task, _ = accepted
        decide(reviewer, claim(reviewer, accepted[1]).json, "reject")
        for who in (clerk, world.staff(f"head.{POLICE}"), hire((POLICE, "clerk"))):
            assert who.get(self.path(task)).status_code == 200

    def test_for_nobody_else(self, world, client, accepted):
        task, _ = accepted
        stranger = world.staff(f"clerk.{BUILDERS}")
        told = [stranger.get(self.path({"item_id": one})) for one in (task["item_id"], absent())]
        assert {answer.status_code for answer in told} == {404}
        assert told[0].json["detail"] == told[1].json["detail"]
        for username in ("coordinator", "auditor"):
            refused(world.staff(username).get(self.path(task)), 403, "forbidden")
        refused(world.talent().get(self.path(task)), 403, "forbidden")
        assert client.get(self.path(task)).status_code == 401

    def test_another_departments_item_of_the_same_ticket(self, world, clerk):
        ticket = world.ticket(world.talent(), "settlement", "housing_rent")
        other = next(one for one in ticket["items"] if one["offering"] == "housing_rent")
        assert clerk.get(f"/v1/desk/items/{other['id']}/timeline").status_code == 404

    def test_statements(self, accepted, clerk, sql_count):
        path = self.path(accepted[0])
        assert statements(sql_count, lambda: clerk.get(path)) == 6


def test_statements(accepted, reviewer, desk, clerk, sql_count):
    """Facts cost two, names one; documents one, two where there are some."""
    assert statements(sql_count, lambda: clerk.get(f"/v1/desk/tasks/{desk.task()['id']}")) > 0
    first, second = accepted
    for who, task in ((clerk, first), (reviewer, second)):
        path = f"/v1/desk/tasks/{task['id']}"
        documents = bool(who.get(path).json["materials"])
        sent = statements(sql_count, lambda who=who, path=path: who.get(path))
        assert sent == 10 + documents


class TestOpinions:
    """What earlier stages said is read by whoever decides, by their own department, and where the
    pack names it; by nobody who works beside or before.
    """

    @pytest.fixture
    def rent(self, walk):
        rent = walk("housing_rent")
        rent.until("review")
        return rent

    def said(self, world, todo):
        who = world.staff(f"{todo.task.role}.{todo.task.department}")
        told = detail(who, {"id": todo.task.id})["history"]
        return {(one["stage"], one["department"]): one["opinion"] for one in told}

    def test_the_own_department_reads_its_own(self, world, rent):
        told = self.said(world, rent.one("review", BUILDERS))
        assert told == {("acceptance", BUILDERS): "同意"}

    def test_another_department_reads_what_was_decided_not_what_was_said(self, world, rent):
        told = self.said(world, rent.one("review", "human_resources"))
        assert told == {("acceptance", BUILDERS): None}

    def test_who_works_beside_judges_alone(self, world, rent):
        rent.say("review", department="human_resources")
        told = self.said(world, rent.one("review", BUILDERS))
        assert told[("review", "human_resources")] is None

    def test_who_decides_reads_all(self, world, rent):
        rent.until("decision")
        told = self.said(world, rent.one("decision"))
        assert told[("acceptance", BUILDERS)] == "同意"
        assert told[("review", BUILDERS)] == told[("review", "human_resources")] == "同意"

    def test_with_the_reason_and_the_result(self, world, walk):
        """Experts record their votes; the head who decides reads them in words."""
        basis = {"basis": "programme", "talent_programme": "某计划", "applied_class": "B"}
        recognition = walk("recognition", recognition_basis=basis)
        recognition.until("experts")
        recognition.say("experts", result={"present": 7, "votes_for": 6})
        recognition.until("decision")
        todo = recognition.one("decision")
        who = world.staff(f"{todo.task.role}.{todo.task.department}")
        told = {one["stage"]: one for one in detail(who, {"id": todo.task.id})["history"]}
        assert told["experts"]["result"] == {"present": 7, "votes_for": 6}
        shown = {one["code"]: one["text"]["en"] for one in told["experts"]["result_shown"]}
        assert shown == {"present": "7", "votes_for": "6"}

    def test_where_the_pack_names_it(self, world, database, walk):
        """Human resources is let read what construction said when it accepted."""
        pack = demo_pack()
        flow = pack.offerings["housing_rent"].flow
        stages = [
            {**one, "sees": {**one["sees"], "opinions": ["acceptance"]}}
            if one["key"] == "review"
            else one
            for one in flow["stages"]
        ]
        publish(database, with_flow(pack, "housing_rent", {**flow, "stages": stages}))
        try:
            rent = walk("housing_rent")
            rent.until("review")
            told = self.said(world, rent.one("review", "human_resources"))
        finally:
            publish(database, pack)
        assert told == {("acceptance", BUILDERS): "同意"}
