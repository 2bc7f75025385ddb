"""Nobody works on an item of their own or of their family."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.acting import bearer
from tests.factories import Signed, World, citizen_id
from tests.tickets.asking import claim, decide, refused, release
from tests.tickets.desking import assign, take_next

POLICE = "public_security"


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


SCHOOLS = "development_support"


@pytest.fixture
def people(app):
    def person_of(talent):
        token = talent.headers["Authorization"].removeprefix("Bearer ")
        return bearer(app.extensions["talent"], token).person_id

    return person_of


@pytest.fixture
def open_task(world, clerk):
    def of(talent):
        ticket = world.ticket(talent, "settlement")
        return world.open_task(clerk, ticket["items"][0]["number"])

    return of


def test_of_their_own(world, hire, people, open_task, footprint):
    talent = world.talent()
    somebody, task = hire((POLICE, "clerk"), person_id=people(talent)), open_task(talent)
    before = footprint()
    refused(claim(somebody, task), 403, "own_case")
    assert footprint() == before
    assert somebody.get(f"/v1/desk/tasks/{task['id']}").status_code == 200


def test_of_others_is_theirs_to_do(world, hire, people, open_task):
    somebody = hire((POLICE, "clerk"), person_id=people(world.talent()))
    assert claim(somebody, open_task(world.talent())).status_code == 200


@pytest.mark.parametrize("kinship", ["spouse", "child"])
def test_of_those_they_named_as_family(world, hire, people, open_task, kinship):
    talent, member = world.talent(), world.stranger()
    number = citizen_id(age=20)
    document = {"name": "李娜", "id_type": "citizen_id", "id_number": number}
    assert member.patch("/v1/me", json=document).status_code == 200
    assert talent.post("/v1/me/family", json=document | {"kinship": kinship}).status_code == 201
    somebody = hire((POLICE, "clerk"), person_id=people(talent))
    refused(claim(somebody, open_task(member)), 403, "own_case")


def test_of_those_who_named_them_as_family(world, hire, people, open_task):
    member = world.stranger()
    number = citizen_id()
    document = {"name": "李娜", "id_type": "citizen_id", "id_number": number}
    assert member.patch("/v1/me", json=document).status_code == 200
    talent = world.talent()
    talent.post("/v1/me/family", json=document | {"kinship": "spouse"})
    somebody = hire((POLICE, "clerk"), person_id=people(member))
    refused(claim(somebody, open_task(talent)), 403, "own_case")


def test_becoming_family_after_the_claim(world, hire, people, open_task, footprint):
    member, talent = world.stranger(), world.talent()
    document = {"name": "李娜", "id_type": "citizen_id", "id_number": citizen_id()}
    assert member.patch("/v1/me", json=document).status_code == 200
    somebody = hire((POLICE, "clerk"), person_id=people(member))
    claimed = claim(somebody, open_task(talent)).json
    talent.post("/v1/me/family", json=document | {"kinship": "spouse"})
    before = footprint()
    refused(decide(somebody, claimed), 403, "own_case")
    assert footprint() == before
    assert release(somebody, claimed).status_code == 200


def named(number: str | None = None, kinship: str = "child", **changes) -> dict:
    number = number or citizen_id(age=7)
    member = {"name": "李小明", "kinship": kinship, "id_type": "citizen_id", "id_number": number}
    return member | changes


@dataclass
class Relations:
    """A clerk S who is a talent too, an applicant M, and a child N of one document."""

    world: World
    s: Signed
    m: Signed
    number: str
    subject: str

    def filed(self) -> dict:
        """M's item about N."""
        key = {"Idempotency-Key": uuid4().hex}
        body = self.world.filing(("schooling", self.subject))
        answer = self.m.post("/v1/tickets", json=body, headers=key)
        assert answer.status_code == 201, answer.json
        return answer.json["items"][0]


@pytest.fixture
def relations(world):
    s, m, number = world.talent(), world.talent(), citizen_id(age=7)
    subject = m.post("/v1/me/family", json=named(number)).json["id"]
    return Relations(world, s, m, number, subject)


def names_the_child(of):
    """S names N too."""
    assert of.s.post("/v1/me/family", json=named(of.number)).status_code == 201


def is_the_child(of):
    """S is N, with an account and a post."""
    of.s = of.world.stranger()
    own = {"name": "李小明", "id_type": "citizen_id", "id_number": of.number}
    assert of.s.patch("/v1/me", json=own).status_code == 200


def is_married_to_who_names_the_child(of):
    """S's husband names N too, and S as his wife."""
    husband = of.world.talent()
    wife = of.world.stranger()
    number = citizen_id()
    own = {"name": "王芳", "id_type": "citizen_id", "id_number": number}
    assert wife.patch("/v1/me", json=own).status_code == 200
    for member in (named(number, "spouse"), named(of.number)):
        assert husband.post("/v1/me/family", json=member).status_code == 201
    of.s = wife


def named_the_child_until_now(of):
    """S's link to N has ended."""
    names_the_child(of)
    [link] = of.s.get("/v1/me/family").json["items"]
    assert of.s.delete(f"/v1/me/family/{link['id']}").status_code == 204


RELATED = [names_the_child, is_the_child, is_married_to_who_names_the_child]


@pytest.fixture
def colleague(hire, people):
    def of(talent):
        return hire((SCHOOLS, "clerk"), person_id=people(talent))

    return of


@pytest.mark.parametrize("relate", RELATED)
def test_everybody_whom_a_case_names_counts(world, relations, colleague, relate, footprint):
    relate(relations)
    item = relations.filed()
    clerk, head = colleague(relations.s), world.staff(f"head.{SCHOOLS}")
    task = world.open_task(world.staff(f"clerk.{SCHOOLS}"), item["number"])
    before = footprint()
    refused(claim(clerk, task), 403, "own_case")
    given = assign(head, task, clerk.account["id"])
    refused(given, 422, "invalid")
    assert given.json["errors"][0]["code"] == "assignee_excluded"
    assert footprint() == before


@pytest.mark.parametrize("relate", RELATED)
def test_what_is_due_next_passes_over_it(world, relations, colleague, relate):
    relate(relations)
    item, clerk = relations.filed(), colleague(relations.s)
    taken = []
    while (answer := take_next(clerk)).status_code == 200:
        taken.append(answer.json["item_number"])
    assert answer.json["code"] == "no_task_left"
    assert item["number"] not in taken


def test_becoming_related_after_the_claim(world, relations, colleague):
    item, clerk = relations.filed(), colleague(relations.s)
    task = world.open_task(world.staff(f"clerk.{SCHOOLS}"), item["number"])
    claimed = claim(clerk, task).json
    names_the_child(relations)
    refused(decide(clerk, claimed), 403, "own_case")
    assert release(clerk, claimed).status_code == 200


def test_an_item_of_ones_co_parent_about_themselves(relations, hire, people, open_task):
    names_the_child(relations)
    clerk = hire((POLICE, "clerk"), person_id=people(relations.s))
    refused(claim(clerk, open_task(relations.m)), 403, "own_case")


def test_a_link_that_has_ended_makes_nobody_family(world, relations, colleague):
    named_the_child_until_now(relations)
    item = relations.filed()
    task = world.open_task(world.staff(f"clerk.{SCHOOLS}"), item["number"])
    assert claim(colleague(relations.s), task).status_code == 200


def test_one_who_shares_nothing(world, relations, colleague):
    relations.s.post("/v1/me/family", json=named())
    item = relations.filed()
    task = world.open_task(world.staff(f"clerk.{SCHOOLS}"), item["number"])
    assert claim(colleague(relations.s), task).status_code == 200
