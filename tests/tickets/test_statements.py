"""How many SQL statements each hot path sends: BEGIN and COMMIT do not count.

Budgets: filing 20 and a ticket 9, whatever the number of items; deciding 17, claiming 5. Keys of
persons are read anew in each (`sql_count`): a process that has them at hand sends one less.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest

from service.kernel import clock
from service.kernel.etags import etag
from tests.materials.handing_in import upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents
from tests.tickets.asking import claim, decide, release

pytestmark = pytest.mark.dated

POLICE, BUILDERS, PEOPLE = "public_security", "construction", "human_resources"
CLASS = {"class": "D", "level": "district"}
SEVEN = ("recognition", "settlement", "housing_rent", "medical")


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def warm(world):
    """A process that has answered each of these before: what it compiles once is compiled."""
    talent = world.talent()
    world.through(world.ticket(talent)["items"][0])
    world.ticket(world.talent(), "recognition", "housing_purchase", "purchase_discount", "medical")
    family = ("schooling", world.child(talent)), ("spouse", world.spouse(talent))
    world.ticket(talent, *family)
    return talent


@pytest.fixture
def long_ago():
    """Long enough for every notice period to be over, and every date that was projected."""
    return clock.now() - timedelta(days=120)


def count(sql_count, call):
    with sql_count() as sent:
        answer = call()
    assert answer.status_code in {200, 201}, answer.json
    return sent.total


class TestFiling:
    def filing(self, world, talent, *wanted):
        body, key = world.filing(*wanted), {"Idempotency-Key": uuid4().hex}
        return lambda: talent.post("/v1/tickets", json=body, headers=key)

    def everything(self, world, talent):
        """Seven items with family and edges, as many as are asked for together."""
        children = [("schooling", world.child(talent)) for _ in range(2)]
        return (*SEVEN, *children, ("spouse", world.spouse(talent)))

    def test_costs_the_same_whatever_is_filed(self, warm, world, sql_count):
        costs = [
            count(sql_count, self.filing(world, world.talent(), *wanted))
            for wanted in (("settlement",), ("settlement", "housing_rent"))
        ]
        assert costs == [16, 16]

    def test_letting_the_employer_follow_costs_one_of_them(self, warm, world, sql_count):
        talent, body = world.talent(), world.filing("settlement")
        body["consents"] = ["processing@1", "sensitive@1"]
        key = {"Idempotency-Key": "one"}
        call = lambda: talent.post("/v1/tickets", json=body, headers=key)  # noqa: E731
        assert count(sql_count, call) == 15

    def test_documents_cost_two_more(self, warm, world, database, establish, sql_count):
        """With edges, and with facts that are relied on, it is the whole budget."""
        publish(database, whole_pack())
        plain, full, known = world.talent(), world.talent(), world.talent()
        plain.get("/v1/bundles/arrival")  # compiled again, since it is another release
        establish(known, "recognition", CLASS)
        wanted = [
            (plain, ("settlement",)),
            (full, self.everything(world, full)),
            (known, self.everything(world, known)),
        ]
        bodies = [(who, self.with_own(who, world.filing(*what))) for who, what in wanted]
        key = {"Idempotency-Key": "one"}
        costs = [
            count(sql_count, partial(who.post, "/v1/tickets", json=body, headers=key))
            for who, body in bodies
        ]
        publish(database, demo_pack())
        assert costs == [18, 19, 20]

    def with_own(self, talent, body):
        return with_documents(body, lambda code: upload(talent, code=code)["id"])

    def test_edges_cost_one_statement_however_many(self, warm, world, sql_count):
        two, seven = world.talent(), world.talent()
        wanted = self.everything(world, seven)
        assert count(sql_count, self.filing(world, two, "recognition", "housing_rent")) == 17
        assert count(sql_count, self.filing(world, seven, *wanted)) == 17

    def test_facts_that_are_relied_on_cost_one_more(self, warm, world, establish, sql_count):
        talent = world.talent()
        establish(talent, "recognition", CLASS)
        establish(talent, "household", {"region": "350100", "into": "collective"}, issuer=POLICE)
        wanted = self.everything(world, talent)
        assert count(sql_count, self.filing(world, talent, *wanted)) == 18

    def test_again_with_the_key(self, warm, world, talent, sql_count):
        call = self.filing(world, talent, "settlement", "housing_rent")
        call()
        assert count(sql_count, call) == 8

    def test_a_refusal_writes_nothing(self, warm, world, talent, sql_count):
        body = world.filing("medical")
        with sql_count() as sent:
            answer = talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": "one"})
        assert answer.status_code == 422
        assert sent.total == 7


class TestDeciding:
    """`cost` claims the task of a stage and counts the statements of its decision.

    One of them reads the keys under which the opinion and facts are sealed.
    """

    @pytest.fixture
    def cost(self, warm, world, sql_count):
        def of(walk, stage, verdict=None, department=None, **which):
            todo = walk.one(stage, department, **which)
            who = world.staff(f"{todo.task.role}.{todo.task.department}")
            claimed = claim(who, {"id": todo.task.id}).json
            passing = who.get(f"/v1/desk/tasks/{todo.task.id}").json["passing"]
            result = {"result": todo.example} if todo.example and verdict is None else {}
            return count(sql_count, lambda: decide(who, claimed, verdict or passing, **result))

        return of

    def test_settlement(self, walk, cost):
        """Accepting opens the decision; approving gives a fact, ends item and ticket."""
        settlement = walk("settlement", at=clock.now())
        assert cost(settlement, "acceptance") == 16
        assert cost(settlement, "decision") == 16

    def test_a_rejection(self, walk, cost):
        settlement = walk("settlement", at=clock.now())
        assert cost(settlement, "acceptance", "not_accept") == 14

    def test_of_two_departments(self, walk, cost):
        """The first of them closes nothing; the second opens what follows."""
        rent = walk("housing_rent", at=clock.now())
        assert cost(rent, "acceptance") == 16
        assert cost(rent, "review", department=BUILDERS) == 10
        assert cost(rent, "review", department=PEOPLE) == 13

    def test_one_that_takes_the_task_of_another_away(self, walk, cost):
        rent = walk("housing_rent", at=clock.now())
        rent.until("review")
        assert cost(rent, "review", "reject", department=PEOPLE) == 15

    def test_where_conditions_are_asked(self, walk, cost):
        """Facts, answers and what is open: asked once, for the two stages that are skipped."""
        recognition = walk("recognition", at=clock.now())
        recognition.until("qualification")
        assert cost(recognition, "qualification") == 16

    def test_where_a_fact_is_relied_on(self, walk, cost, establish, talent, long_ago):
        """The class chooses the department of what follows; answers and facts are read for it."""
        establish(talent, "recognition", CLASS)
        medical = walk("medical", talent=talent, at=long_ago)
        medical.until("decision")
        assert cost(medical, "decision") == 22

    def test_a_check(self, walk, cost, long_ago):
        """The third department's task goes, the check looks, the notice opens."""
        purchase = walk("housing_purchase", at=long_ago)
        purchase.until("joint_review")
        assert cost(purchase, "joint_review", department=BUILDERS) == 10
        assert cost(purchase, "joint_review", department=PEOPLE) == 17

    def test_another_round(self, world, walk, cost, talent):
        spouse = walk(("spouse", world.spouse(talent)), talent=talent, at=clock.now())
        spouse.until("consent")
        assert cost(spouse, "consent", "reject") == 18

    @pytest.mark.parametrize(("successors", "expected"), [(1, 21), (2, 22), (3, 25)])
    def test_an_approval_that_others_waited_for(self, walk, cost, long_ago, successors, expected):
        """Each of them is looked at and begun, three statements more at most; those of which the
        same changes are written together."""
        others = ("medical", "purchase_discount", "housing_rent")[:successors]
        recognition = walk("recognition", *others, at=long_ago)
        recognition.until("decision", offering="recognition")
        assert cost(recognition, "decision", offering="recognition") == expected


class TestTheRest:
    @pytest.fixture
    def number(self, world):
        return world.ticket(None, "settlement")["items"][0]["number"]

    def test_claiming_and_releasing(self, warm, world, number, sql_count):
        clerk = world.staff(f"clerk.{POLICE}")
        task = world.open_task(clerk, number)
        assert count(sql_count, lambda: claim(clerk, task)) == 5
        assert count(sql_count, lambda: release(clerk, task)) == 6

    @pytest.mark.parametrize("posts", [1, 2])
    def test_the_desks_list(self, warm, world, hire, sql_count, posts):
        """Whatever the number of rows and of departments; the names of who holds them cost one, and
        the keys of the names of whom they are for.
        """
        somebody = hire(*((POLICE, "clerk"), (BUILDERS, "clerk"))[:posts])
        world.ticket()
        for query in ("", "?assignee=me", "?state=closed&offering=settlement"):
            call = lambda query=query: somebody.get(f"/v1/desk/tasks{query}")  # noqa: E731
            listed = call().json["items"]
            held = any(task["assignee"] for task in listed)
            assert count(sql_count, call) == 3 + bool(listed) + held

    def test_a_task(self, warm, world, walk, number, sql_count):
        """Facts cost two, documents up to two, the names of colleagues one."""
        clerk = world.staff(f"clerk.{POLICE}")
        path = f"/v1/desk/tasks/{world.open_task(clerk, number)['id']}"
        documents = bool(clerk.get(path).json["materials"])
        assert count(sql_count, lambda: clerk.get(path)) == 9 + documents
        rent = walk("housing_rent")
        rent.until("publicity")
        builder = world.staff(f"clerk.{BUILDERS}")
        path = f"/v1/desk/tasks/{rent.one('publicity').task.id}"
        assert count(sql_count, lambda: builder.get(path)) == 8

    def test_a_ticket(self, warm, world, talent, sql_count):
        """Whatever the number of items and edges; a result costs one more, and one for its key."""
        settlement = world.ticket(talent, "settlement")
        everything = (*SEVEN[:1], *SEVEN[2:], ("schooling", world.child(talent)))
        others = world.ticket(talent, *everything)
        for ticket in (settlement, others):
            assert count(sql_count, lambda: talent.get(f"/v1/tickets/{ticket['id']}")) == 6  # noqa: B023
        world.through(settlement["items"][0])
        assert count(sql_count, lambda: talent.get(f"/v1/tickets/{settlement['id']}")) == 8

    def test_ones_tickets_and_their_timeline(self, warm, world, talent, sql_count):
        ticket = world.ticket(talent)
        assert count(sql_count, lambda: talent.get("/v1/tickets")) == 5
        path = f"/v1/tickets/{ticket['id']}/timeline"
        assert count(sql_count, lambda: talent.get(path)) == 6

    def test_a_choice(self, warm, walk, talent, sql_count):
        asked = walk("recognition", "housing_purchase", talent=talent, at=clock.now())
        asked.say("acceptance", "not_accept", offering="recognition")
        item = asked.story.item("housing_purchase")
        path = f"/v1/items/{item.id}/choice"
        version = {"If-Match": etag("item", item.id, item.version)}
        choice = {"choice": "proceed"}
        call = lambda: talent.post(path, json=choice, headers=version)  # noqa: E731
        assert count(sql_count, call) == 17
