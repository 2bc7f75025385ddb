"""A rejection that leads back: another round of an earlier stage, so often and no more."""

from __future__ import annotations

import psycopg
import pytest

from tests.tickets import invariants
from tests.tickets.asking import claim, refused

PEOPLE = "human_resources"
_AGAIN = """
INSERT INTO stages (district_id, id, item_id, key, round, status, departments, opened_at, due_at,
    warn_at)
SELECT district_id, gen_random_uuid(), item_id, key, round, 'open', departments, opened_at, due_at,
    warn_at
FROM stages WHERE id = %s
"""


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def placement(world, walk, talent):
    """A spouse with a public post, for whom a unit is asked whether it agrees."""
    placement = walk(("spouse", world.spouse(talent)), talent=talent)
    placement.until("consent")
    return placement


def rounds(walk):
    (item,) = walk.story.items
    return [
        (stage.key, stage.round, stage.status.value)
        for stage in walk.story.of(item, walk.story.stages)
        if stage.key in {"matching", "consent", "recommendation"}
    ]


def test_a_unit_that_declines_leads_back_to_another_match(placement):
    placement.say("consent", "reject")
    assert rounds(placement) == [
        ("matching", 1, "superseded"),
        ("recommendation", 1, "skipped"),
        ("consent", 1, "superseded"),
        ("matching", 2, "open"),
    ]
    (item,) = placement.story.items
    assert (item.phase, item.outcome) == ("processing", None)
    assert placement.story.kinds()[-1] == "stage_rejected"


def test_a_second_round_goes_on_as_the_first(placement):
    placement.say("consent", "reject")
    placement.say("matching")
    assert rounds(placement)[-1] == ("consent", 2, "open")
    placement.say("consent")
    placement.through()
    (item,) = placement.story.items
    assert (item.phase, item.outcome) == ("ended", "approved")
    assert placement.story.kinds().count("stage_rejected") == 1
    assert placement.story.kinds().count("item_rejected") == 0


def test_after_the_last_round_there_is_none(placement):
    placement.say("consent", "reject")
    placement.say("matching")
    placement.say("consent", "reject")
    assert placement.todo() == []
    (item,) = placement.story.items
    assert (item.phase, item.outcome) == ("ended", "rejected")
    assert rounds(placement)[-2:] == [("matching", 2, "closed"), ("consent", 2, "closed")]
    assert placement.story.kinds()[-4:] == [
        "stage_rejected", "item_rejected", "item_ended", "ticket_closed",
    ]  # fmt: skip


def test_a_rejection_of_a_stage_without_a_way_back_ends_the_item(placement):
    placement.say("consent", "reject")
    placement.say("matching", "reject")
    assert placement.story.items[0].outcome == "rejected"


def test_a_round_has_tasks_and_clocks_of_its_own(world, placement):
    first = placement.one("consent").task
    placement.at = first.due_at
    placement.say("consent", "reject")
    second = placement.one("matching").task
    assert second.opened_at == placement.at
    assert second.due_at > placement.at
    clerk = world.staff(f"clerk.{PEOPLE}")
    refused(claim(clerk, {"id": first.id}), 409, "task_closed")
    own = [stage for stage in placement.story.stages if stage.key == "matching"]
    tasks = [[t.id for t in placement.story.tasks if t.stage_id == stage.id] for stage in own]
    assert [len(one) for one in tasks] == [1, 1]
    assert second.id in tasks[1]


def test_what_was_recorded_in_the_first_round_stays(world, placement):
    placement.say("consent", "reject")
    placement.say("matching", result={"unit": "东湾高新区第三小学", "post": "数学教师"})
    results = [
        world.staff(f"reviewer.{PEOPLE}").get(f"/v1/desk/tasks/{task.id}").json["result"]["unit"]
        for task in placement.story.tasks
        if task.kind == "review" and task.result
    ]
    assert results == ["东湾高新区第二实验小学", "东湾高新区第三小学"]


def test_the_applicant_sees_both_rounds(placement, talent):
    placement.say("consent", "reject")
    item = talent.get(f"/v1/tickets/{placement.ticket}").json["items"][0]
    shown = [(one["key"], one["round"], one["state"], one["verdict"]) for one in item["stages"]]
    assert shown[2:] == [
        ("matching", 1, "superseded", "pass"),
        ("recommendation", 1, "skipped", None),
        ("consent", 1, "superseded", "reject"),
        ("matching", 2, "open", None),
    ]


def test_a_round_of_a_stage_exists_once(placement, superuser):
    placement.say("consent", "reject")
    for stage in placement.story.stages:
        with pytest.raises(psycopg.errors.UniqueViolation):
            superuser.execute(_AGAIN, (stage.id,))


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 5
