"""Every offering of the demonstration goes to its end, and no stage sees more than it names."""

from __future__ import annotations

from functools import partial

import pytest

from service.routing.flow import ALL
from tests.packs import demo_pack
from tests.tickets import invariants
from tests.tickets.walking import MONDAY

pytestmark = pytest.mark.dated

PACK = demo_pack()
PUBLIC_POST, NO_POST = {}, {"last_post": "none", "last_employer": None}
KNOWN = {
    "recognition": {"class": "B", "level": "district"},
    "marriage": {"married_on": "2016-10-18", "certificate_number": "J330106-2016-004217"},
    "degree": {"degree": "master", "school": "东湾理工大学", "graduated_on": "2025-06-30"},
    "residence": {"basis": "rented_home", "address": "东湾高新区望海路 18 号 3 幢 702 室"},
    "household": {"region": "350100", "into": "collective"},
}
WAYS = [
    ("settlement", {}),
    ("housing_rent", {}),
    ("housing_purchase", {}),
    ("purchase_discount", {}),
    ("medical", {}),
    ("recognition", {}),
    ("recognition", {"recognition_basis": {"applied_class": "B"}}),
    ("schooling", {}),
    ("schooling", {"schooling": {"stage": "junior", "proof": "workplace"}}),
    ("spouse", {"spouse": PUBLIC_POST}),
    ("spouse", {"spouse": NO_POST}),
]


def subject(world, talent, offering):
    if offering == "schooling":
        return world.child(talent, age=11, at=MONDAY)
    return world.spouse(talent) if offering == "spouse" else None


def visible(sees, given):
    """What the stage names of what was given; a section of which it sees nothing is not there."""
    shown = {}
    for section, fields in sees.sections.items():
        answers = given.get(section, {})
        seen = {k: v for k, v in answers.items() if fields == ALL or k in fields}
        if seen:
            shown[section] = seen
    return shown


@pytest.mark.parametrize(("offering", "answers"), WAYS)
def test_to_its_end_and_no_stage_sees_more_than_it_names(world, walk, establish, offering, answers):
    talent = world.talent()
    for kind, value in KNOWN.items():
        establish(talent, kind, value)
    member = subject(world, talent, offering)
    wanted = (offering, member) if member else offering
    way = walk(wanted, talent=talent, **answers)
    given = way.body["sections"] | way.body["items"][0]["sections"]
    looked_at = set()

    def look(decide, todo, *arguments):
        """Before it is decided, in the eyes of who decides."""
        clerk = world.staff(f"{todo.task.role}.{todo.task.department}")
        detail = clerk.get(f"/v1/desk/tasks/{todo.task.id}").json
        sees = todo.stage.sees
        assert detail["sections"] == visible(sees, given)
        kinds = {fact["kind"] for fact in detail["facts"]}
        assert {kind for kind in KNOWN if sees.shows_fact(kind)} <= kinds
        assert all(sees.shows_fact(kind) for kind in kinds)
        looked_at.add(todo.stage.key)
        decide(todo, *arguments)

    way.decide = partial(look, way.decide)
    way.through()
    (item,) = way.story.items
    assert (item.phase, item.outcome) == ("ended", "approved")
    assert way.story.ticket.status == "completed"
    worked_on = {stage.key for stage in way.story.stages if stage.departments}
    assert looked_at == worked_on - {"publicity"}


def test_no_offering_is_left_out():
    assert {offering for offering, _ in WAYS} == set(PACK.offerings)


def test_every_stage_is_come_by(database):
    """Of all those that somebody works on, whichever way they lie on."""
    come_by = {
        (item.offering_code, stage.key)
        for story in invariants.stories(database)
        for item in story.items
        for stage in story.of(item, story.stages)
        if stage.status != "skipped"
    }
    declared = {
        (code, stage["key"])
        for code, offering in PACK.offerings.items()
        for stage in offering.flow["stages"]
    }
    assert come_by == declared


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) == len(WAYS)
