"""An item that begins only when what it depends on has been approved."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.tickets import invariants
from tests.tickets.asking import refused

HEALTH = "health"


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def waiting(walk, talent):
    """Medical services, which wait for the recognition that is asked for with them."""
    return walk("recognition", "medical", talent=talent)


def medical(walk):
    return walk.story.item("medical")


def shown(talent, walk, offering="medical"):
    ticket = talent.get(f"/v1/tickets/{walk.ticket}").json
    (item,) = [item for item in ticket["items"] if item["offering"] == offering]
    return ticket, item


class TestWaiting:
    def test_nobody_has_anything_to_do(self, waiting):
        story = waiting.story
        item = medical(waiting)
        assert (item.phase, item.outcome, item.accepted_at) == ("waiting", None, None)
        assert story.of(item, story.stages) == []
        assert story.of(item, story.tasks) == []
        assert story.kinds(item) == ["item_waiting"]
        assert story.waits_for(item) == {"recognition": "waiting"}

    def test_the_applicant_is_told_what_it_waits_for(self, talent, waiting):
        ticket, item = shown(talent, waiting)
        assert (item["phase"], item["stages"], item["waiting_for"]) == (
            "waiting", [], ["recognition"],
        )  # fmt: skip
        assert ticket["edges"] == [
            {
                "from": "recognition",
                "from_title": {"zh": "人才分类认定", "en": "Recognition as a talent"},
                "item": item["id"],
                "kind": "hard",
                "on": "approved",
                "state": "waiting",
                "next_at": None,
                "default": None,
            }
        ]
        lines = talent.get(f"/v1/tickets/{waiting.ticket}/timeline").json["items"]
        assert lines[-1]["text"]["en"].endswith("it begins when what it depends on is finished.")

    def test_it_is_due_after_what_it_waits_for(self, waiting):
        """Recognised by then; three days to accept it, and seven are promised."""
        story = waiting.story
        recognition, item = story.items
        accepted = story.calendar.due_at(recognition.due_at, working_days=3).at
        assert item.due_at == story.calendar.due_at(accepted, working_days=7).at
        assert story.ticket.due_at == item.due_at
        assert item.due_basis == "projected"

    def test_its_acceptance_is_not_overdue(self, waiting):
        """However long: it has not been received yet."""
        late = waiting.at + timedelta(days=30)
        assert waiting.run("alarms", at=late) == 1
        assert medical(waiting).phase == "waiting"

    def test_it_is_in_the_way_of_another_like_it(self, world, talent, waiting):
        body, key = world.filing("recognition", "medical"), {"Idempotency-Key": "two"}
        answer = talent.post("/v1/tickets", json=body, headers=key)
        refused(answer, 409, "item_already_open")
        assert answer.json["params"]["number"].count("-0") == 2


class TestBegun:
    @pytest.fixture
    def begun(self, waiting):
        waiting.through("recognition")
        return waiting

    def test_its_tasks_open_with_the_approval(self, begun):
        (todo,) = begun.todo()
        assert (todo.stage.key, todo.task.department) == ("acceptance", HEALTH)
        item = medical(begun)
        assert (item.phase, item.received_at) == ("acceptance", begun.at)
        assert begun.story.waits_for(item) == {"recognition": "met"}
        assert begun.story.kinds(item) == ["item_waiting", "edge_settled", "item_begun"]

    def test_the_approval_and_what_follows_are_one_act(self, begun):
        told = begun.story.events[-4:]
        assert [event.kind for event in told] == [
            "item_approved", "item_ended", "edge_settled", "item_begun",
        ]  # fmt: skip
        assert {event.at for event in told} == {begun.at}

    def test_its_due_date_moves_to_what_is_known_now(self, begun):
        story, item = begun.story, medical(begun)
        accepted = story.calendar.due_at(begun.at, working_days=3).at
        assert item.due_at == story.calendar.due_at(accepted, working_days=7).at
        changes = [(one.cause, one.basis, one.after) for one in story.of(item, story.due_changes)]
        assert changes[1:] == [("begun", "projected", item.due_at)]
        assert changes[0][0] == "followed"
        assert story.due_changes[-1].after == story.ticket.due_at == item.due_at

    def test_the_applicant_is_told(self, talent, begun, told):
        assert told(talent, begun.ticket) == [
            "ticket_filed", "item_accepted", "item_approved", "item_begun",
        ]  # fmt: skip
        _, item = shown(talent, begun)
        assert (item["phase"], item["waiting_for"]) == ("acceptance", [])

    def test_silence_counts_from_its_beginning(self, begun):
        task = begun.one("acceptance").task
        assert task.due_at == begun.story.calendar.due_at(begun.at, working_days=3).at
        assert begun.run("alarms", at=task.due_at) == 0
        assert begun.run("alarms", at=task.due_at + timedelta(seconds=1)) == 1
        assert medical(begun).accepted_at == begun.at

    def test_it_goes_to_its_end(self, talent, begun):
        begun.through()
        assert shown(talent, begun)[0]["status"] == "completed"
        assert medical(begun).outcome == "approved"


class TestClosed:
    @pytest.mark.parametrize("stage", ["decision", "qualification", "publicity"])
    def test_a_rejection_closes_it(self, walk, stage):
        waiting = walk("recognition", "medical")
        waiting.until(stage)
        waiting.say(stage, "reject")
        item = medical(waiting)
        assert (item.phase, item.outcome) == ("ended", "cancelled")
        assert (item.decided_at, item.ended_at) == (waiting.at, waiting.at)
        assert waiting.story.waits_for(item) == {"recognition": "failed"}
        assert waiting.story.kinds(item) == [
            "item_waiting", "edge_settled", "item_cancelled", "item_ended",
        ]  # fmt: skip
        assert waiting.story.ticket.status == "closed"
        assert waiting.todo() == []

    def test_so_does_its_not_being_accepted(self, talent, waiting, told):
        waiting.say("acceptance", "not_accept")
        assert medical(waiting).outcome == "cancelled"
        assert told(talent, waiting.ticket) == [
            "ticket_filed", "item_not_accepted", "item_cancelled", "ticket_closed",
        ]  # fmt: skip
        _, item = shown(talent, waiting)
        assert (item["phase"], item["outcome"], item["stages"]) == ("ended", "cancelled", [])
        lines = talent.get(f"/v1/tickets/{waiting.ticket}/timeline").json["items"]
        assert {
            "zh": "人才医疗保障：因前置事项未获通过或您选择不再继续，已终止。",
            "en": (
                "Medical services for talents: closed, because what it depended on failed"
                " or you chose not to go on."
            ),
        } in [line["text"] for line in lines]

    def test_it_may_be_asked_for_again(self, world, walk, talent, waiting):
        waiting.say("acceptance", "not_accept")
        again = walk("recognition", "medical", talent=talent)
        assert medical(again).phase == "waiting"


def test_all_that_wait_begin_together(walk):
    waiting = walk("recognition", "purchase_discount", "medical")
    waiting.through("recognition")
    begun = {(todo.offering, todo.stage.key) for todo in waiting.todo()}
    assert begun == {("purchase_discount", "acceptance"), ("medical", "acceptance")}
    assert {item.received_at for item in waiting.story.items[1:]} == {waiting.at}


def test_the_order_in_which_they_were_asked_does_not_matter(walk):
    waiting = walk("medical", "purchase_discount", "recognition")
    assert [item.phase for item in waiting.story.items] == ["waiting", "waiting", "acceptance"]
    waiting.through()
    assert {item.outcome for item in waiting.story.items} == {"approved"}


def test_alone_it_waits_for_nothing(establish, walk, talent):
    establish(talent, "recognition", {"class": "D", "level": "district"})
    alone = walk("medical", talent=talent)
    assert alone.story.edges == []
    assert alone.stages() == ["acceptance"]


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 15
