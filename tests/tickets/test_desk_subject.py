"""What a task tells of the member of the family that its item is about."""

from __future__ import annotations

from uuid import UUID

import pytest

from service.filing.actions import build
from service.identity.people.queries import kept_of_member, people_of_case
from service.kernel.db import Scope
from tests.tickets.acting import DISTRICT

DOCUMENT = {"id_type", "id_number", "id_country"}
WHOLE = {"name", *DOCUMENT, "birth_date", "kinship"}
# What the pack lets each stage read; a home is looked at without a word of the children.
SCHOOLING = {
    "acceptance": WHOLE,
    "guardianship": WHOLE,
    "vaccination": {"name", "birth_date"},
    "home": None,
    "area": {"name"},
    "placement": {"name", "birth_date"},
    "decision": {"name", "birth_date"},
    "registration": {"name", *DOCUMENT, "birth_date"},
}
SPOUSE = {
    "acceptance": {"name", *DOCUMENT},
    "verification": {"name", *DOCUMENT},
    "matching": {"name"},
    "consent": {"name"},
    "decision": {"name", *DOCUMENT},
    "start": {"name"},
}


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def family(talent):
    """By person, what the talent themselves is shown of the family."""
    return lambda: {one["id"]: one for one in talent.get("/v1/me/family").json["items"]}


@pytest.fixture
def seen(world):
    """What whoever may claim a task is told of it."""

    def look(todo, department=None):
        who = world.staff(f"{todo.task.role}.{department or todo.task.department}")
        answer = who.get(f"/v1/desk/tasks/{todo.task.id}")
        assert answer.status_code == 200, answer.json
        return answer

    return look


def by_stage(walk, seen, offering):
    """By stage, everything that its tasks were told of the subject, to the end of the item."""
    told = {}
    while todo := walk.todo(offering):
        told.setdefault(todo[0].stage.key, seen(todo[0]).json["subject"])
        walk.pass_on(todo[0])
    return told


@pytest.mark.parametrize(
    ("offering", "kinship", "named"),
    [("schooling", "child", SCHOOLING), ("spouse", "spouse", SPOUSE)],
)
def test_what_each_stage_names_and_nothing_else(
    world, walk, talent, family, seen, offering, kinship, named
):
    subject = getattr(world, kinship)(talent)
    known = family()[subject]
    told = by_stage(walk((offering, subject), talent=talent), seen, offering)
    assert told == {
        stage: members and {name: known[name] for name in members}
        for stage, members in named.items()
    }


def test_two_children_are_told_apart(world, walk, talent, seen):
    children = [world.child(talent, name=name) for name in ("张晓雨", "张晓阳")]
    both = walk(*(("schooling", child) for child in children), talent=talent)
    for child, name in zip(children, ("张晓雨", "张晓阳"), strict=True):
        item = both.story.item("schooling", child)
        told = seen(both.one("acceptance", item=item.id)).json["subject"]
        assert (told["name"], told["kinship"]) == (name, "child")


def test_an_id_number_is_masked(world, walk, talent, seen):
    schooling = walk(("schooling", world.child(talent)), talent=talent)
    told = seen(schooling.one("acceptance")).json["subject"]
    assert told["id_type"] == "citizen_id"
    assert set(told["id_number"][3:-4]) == {"*"}
    assert len(told["id_number"]) == 18


def test_no_word_of_the_child_where_none_is_named(world, walk, talent, family, seen):
    child = world.child(talent, name="张晓雨")
    schooling = walk(("schooling", child), talent=talent)
    schooling.until("home")
    text = seen(schooling.one("home")).get_data(as_text=True)
    known = family()[child]
    words = (known["name"], known["id_number"], known["birth_date"], child)
    assert not [word for word in words if word in text]


def test_where_there_is_nobody_but_the_applicant(walk, seen):
    assert seen(walk("settlement").one("acceptance")).json["subject"] is None


def test_what_is_not_known_of_somebody_is_null(world, walk, talent, seen, monkeypatch):
    """It is named all the same: a passport says nothing of when its holder was born."""
    child = world.child(talent)

    def kept(member):
        return kept_of_member(member) | ({"birth_date": None} if str(member.id) == child else {})

    monkeypatch.setattr(build, "kept_of_member", kept)
    schooling = walk(("schooling", world.child(talent)), ("schooling", child), talent=talent)
    item = schooling.story.item("schooling", child)
    assert seen(schooling.one("acceptance", item=item.id)).json["subject"]["birth_date"] is None


def people(database, district, person, member):
    with database.transaction(Scope.system(district)) as session:
        return people_of_case(session, person, member)


def test_only_a_member_of_the_applicants_family(world, database, acting, talent):
    """Another one's child is nobody's here, even to staff who could see them."""
    mine, person = UUID(world.child(talent)), acting(talent).actor.person
    other = world.talent()
    theirs = UUID(world.child(other))
    world.ticket(talent, "settlement")
    world.ticket(other, "settlement")
    assert people(database, DISTRICT, person, mine)[1].id == mine
    for stranger in (theirs, acting(other).actor.person):
        applicant, member = people(database, DISTRICT, person, stranger)
        assert (applicant.person_id, member) == (person, None)


def test_it_costs_no_statement(world, walk, talent, seen, sql_count):
    """The member comes with the applicant; a home, of which none is named, costs what it did.

    Facts cost one, which nobody reads for a vaccination.
    """
    schooling = walk(("schooling", world.child(talent)), talent=talent)
    schooling.until("home")
    costs = {}
    for todo in schooling.todo():
        seen(todo)
        with sql_count() as sent:
            seen(todo)
        costs[todo.stage.key] = sent.total
    assert costs == {"guardianship": 9, "vaccination": 8, "home": 9}
