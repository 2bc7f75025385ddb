"""What a list says of a ticket or of a task, so that nobody has to open each."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.tickets.asking import claim, decide

POLICE, BUILDERS = "public_security", "construction"


@pytest.fixture
def talent(world):
    return world.talent()


def only(talent):
    (line,) = talent.get("/v1/tickets").json["items"]
    return line


class TestOfATalent:
    def test_a_ticket_says_what_is_in_it_and_how_far_it_is(self, world, talent):
        ticket = world.ticket(talent, "settlement", "housing_rent")
        line = only(talent)
        assert line["bundle_title"]["zh"] == ticket["bundle_title"]["zh"] != ""
        assert line["offerings"] == ["settlement", "housing_rent"]
        assert (line["progress"], line["light"]) == ({"ended": 0, "items": 2}, "green")
        assert (line["next_steps"], line["updated_at"]) == ([], None)
        for told, item in zip(line["items"], ticket["items"], strict=True):
            assert told == {name: item[name] for name in told}
            assert set(told) >= {"id", "number", "title", "phase", "outcome", "light"}

    def test_the_most_urgent_light_counts_and_what_is_decided_has_none(
        self, world, talent, superuser
    ):
        ticket = world.ticket(talent, "settlement", "housing_rent")
        first, second = ticket["items"]
        superuser.execute(
            "UPDATE items SET due_at = now() - interval '400 days',"
            " warn_at = now() - interval '401 days' WHERE id = %s",
            (first["id"],),
        )
        assert only(talent)["light"] == "red"
        clerk = world.staff(f"clerk.{POLICE}")
        decide(clerk, world.claimed(clerk, first["number"]), "not_accept")
        line = only(talent)
        assert (line["light"], line["progress"]["ended"]) == ("green", 1)
        assert line["items"][0]["light"] is None
        assert line["items"][1]["number"] == second["number"]

    def test_it_says_what_waits_for_the_talent(self, world, talent):
        ticket = world.ticket(talent, "settlement")
        clerk = world.staff(f"clerk.{POLICE}")
        task = world.claimed(clerk, ticket["items"][0]["number"])
        decide(clerk, task, "return", corrections=[{"what": "请核对", "section": "household"}])
        line = only(talent)
        assert line["status"] == "awaiting_applicant"
        assert line["next_steps"] == talent.get(f"/v1/tickets/{ticket['id']}").json["next_steps"]
        assert [one["kind"] for one in line["next_steps"]] == ["correct"]

    def test_a_choice_waits_too(self, talent, walk):
        asked = walk("recognition", "housing_purchase", talent=talent)
        asked.say("acceptance", "not_accept", offering="recognition")
        assert [one["kind"] for one in only(talent)["next_steps"]] == ["choose"]

    def test_a_draft_says_what_is_asked_for_so_far(self, world, talent):
        body = world.filing("settlement", "housing_rent") | {"file": False}
        kept = talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": uuid4().hex}).json
        line = only(talent)
        assert line["offerings"] == ["settlement", "housing_rent"]
        assert line["updated_at"] == kept["draft"]["updated_at"]
        assert line["bundle_title"] == kept["bundle_title"]
        assert (line["items"], line["progress"], line["light"]) == ([], None, None)

    def test_costs_the_same_for_many_tickets(self, world, talent, sql_count):
        costs = []
        for _ in range(2):
            ticket = world.ticket(talent, "settlement")
            clerk = world.staff(f"clerk.{POLICE}")
            decide(clerk, world.claimed(clerk, ticket["items"][0]["number"]), "not_accept")
            talent.get("/v1/tickets")
            with sql_count() as sent:
                assert talent.get("/v1/tickets").status_code == 200
            costs.append(sent.total)
        assert costs[0] == costs[1]


class TestOfADesk:
    def lines(self, who, **query):
        return who.get("/v1/desk/tasks", query_string=query | {"limit": "100"}).json["items"]

    def test_a_line_says_whose_it_is_and_since_when(self, world, talent):
        ticket = world.ticket(talent, "settlement")
        clerk = world.staff(f"clerk.{POLICE}")
        task = world.open_task(clerk, ticket["items"][0]["number"])
        assert task["ticket_number"] == ticket["number"]
        assert task["filed_at"] == ticket["filed_at"]
        assert task["applicant_name"] == talent.get("/v1/me").json["name"]
        assert task["subject_name"] is None
        assert task["department_name"] == {"zh": "公安分局", "en": "Public Security Branch"}
        assert task["role_title"] == {"zh": "经办", "en": "Clerk"}
        taken = claim(clerk, task).json
        names = ("ticket_number", "filed_at", "applicant_name", "subject_name")
        assert [taken[one] for one in names] == [task[one] for one in names]

    def test_a_child_is_named_where_the_stage_may_read_its_name(self, world, talent):
        """Development support reads it as it accepts; construction, for the home, does not."""
        child = world.child(talent)
        ticket = world.ticket(talent, ("schooling", child))
        number = ticket["items"][0]["number"]
        clerk = world.staff("clerk.development_support")
        task = world.open_task(clerk, number)
        family = talent.get("/v1/me/family").json["items"]
        assert task["subject_name"] == family[0]["name"]
        decide(clerk, claim(clerk, task).json)
        home = world.open_task(world.staff(f"clerk.{BUILDERS}"), number)
        assert home["subject_name"] is None

    def test_what_my_roles_may_take(self, world, talent):
        """The reviewer's list holds the whole department's; of it, what `next` would hand out."""
        number = world.ticket(talent, "settlement")["items"][0]["number"]
        clerk, reviewer = (world.staff(f"{role}.{POLICE}") for role in ("clerk", "reviewer"))
        of = lambda who, **query: [one["item_number"] for one in self.lines(who, **query)]  # noqa: E731
        assert number in of(reviewer)
        assert number not in of(reviewer, takable="true")
        assert number in of(clerk, takable="true")
        task = world.open_task(clerk, number)
        claim(clerk, task)
        assert number not in of(clerk, takable="true")
        assert number in of(clerk, takable="false")

    def test_what_may_be_taken_is_what_is_handed_out(self, world, talent, hire):
        """In several departments and roles, until nothing is left of it."""
        world.ticket(talent, "settlement", "housing_rent")
        somebody = hire((POLICE, "clerk"), (POLICE, "reviewer"), (BUILDERS, "clerk"))
        listed = {one["id"] for one in self.lines(somebody, takable="true")}
        taken = set()
        while (answer := somebody.post("/v1/desk/tasks/next", json={})).status_code == 200:
            taken.add(answer.json["id"])
        assert taken == listed

    @pytest.mark.parametrize("value", ["yes", "1", "", "True"])
    def test_it_is_said_as_true_or_false(self, world, value):
        answer = world.staff(f"clerk.{POLICE}").get(f"/v1/desk/tasks?takable={value}")
        assert answer.status_code == 422
        assert [one["path"] for one in answer.json["errors"]] == ["takable"]
