"""Nobody works on an item of their own or of their family."""

from __future__ import annotations

import pytest

from tests.factories import citizen_id
from tests.tickets.asking import claim, decide, refused, release

POLICE = "public_security"


@pytest.fixture
def clerk(world):
    return world.staff(f"clerk.{POLICE}")


@pytest.fixture
def people(app):
    def person_of(talent):
        token = talent.headers["Authorization"].removeprefix("Bearer ")
        return app.extensions["talent"].authenticate(token).person_id

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
