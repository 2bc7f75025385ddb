"""A child's place at school is asked for once, whichever of the parents asks."""

from __future__ import annotations

from functools import partial
from itertools import count

import pytest

from tests.factories import citizen_id
from tests.tickets.acting import Acting
from tests.tickets.asking import refused

keys = count()


@pytest.fixture
def parents(world):
    """Two talents who both name the same child, and by talent the person that the child is."""
    number = citizen_id(age=7)
    both = world.talent("王芳"), world.talent("张伟")
    return both, [world.child(one, number=number) for one in both]


def file(talent, body):
    return talent.post("/v1/tickets", json=body, headers={"Idempotency-Key": f"child-{next(keys)}"})


def test_the_second_of_two_parents_hears_that_it_is_open(world, parents):
    (mother, father), (hers, his) = parents
    ticket = world.ticket(mother, ("schooling", hers))
    answer = file(father, world.filing(("schooling", his)))
    refused(answer, 409, "subject_item_open")
    assert ticket["number"] not in answer.text
    again = file(mother, world.filing(("schooling", hers)))
    refused(again, 409, "item_already_open")
    assert again.json["params"]["number"].startswith(ticket["number"])


def test_another_child_is_another_matter(world, parents):
    (mother, father), (hers, _) = parents
    world.ticket(mother, ("schooling", hers))
    assert file(father, world.filing(("schooling", world.child(father)))).status_code == 201


def test_what_is_taken_back_is_free_for_the_other(world, parents):
    (mother, father), (hers, his) = parents
    ticket = world.ticket(mother, ("schooling", hers))
    taken = mother.post(
        f"/v1/tickets/{ticket['id']}/withdrawal", headers={"If-Match": ticket["etag"]}
    )
    assert taken.status_code == 200, taken.json
    assert file(father, world.filing(("schooling", his))).status_code == 201
    refused(file(mother, world.filing(("schooling", hers))), 409, "subject_item_open")


def test_both_at_the_same_moment(world, acting, wide, at_once):
    """With two children, named in both orders: one parent has both, nobody waits forever."""
    for _ in range(20):
        numbers = [citizen_id(age=7), citizen_id(age=7)]
        bodies, filers = [], []
        for order in (1, -1):
            parent = world.talent()
            children = [world.child(parent, number=number) for number in numbers][::order]
            bodies.append(world.filing(*(("schooling", child) for child in children)))
            filers.append(Acting(wide, acting(parent).actor))
        told = at_once(
            *(
                partial(filer.file, body, key=f"key-{next(keys)}")
                for filer, body in zip(filers, bodies, strict=True)
            )
        )
        assert sorted(told) == ["done", "subject_item_open"]
