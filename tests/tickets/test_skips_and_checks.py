"""What the system decides on the way: stages it skips, checks it makes, departments it chooses."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.routing.context import decode_context
from service.routing.engine import replay
from service.routing.events import decode_event
from service.tickets.rules.states import Reliance
from tests.tickets import invariants

CLASS = {"basis": "programme", "talent_programme": "某国家级青年人才计划（2023 年）"}
D = {"class": "D", "level": "district"}
RENT = {"kind": "rent", "contract_number": "ZL-2025-001873", "amount_fen": 100000}


def answers(event):
    """What was looked up when an event happened, as it is kept."""
    return event.data["context"]


def last(walk, kind):
    return next(event for event in reversed(walk.story.events) if event.kind == kind)


def came_to(walk, offering):
    return walk.story.came_to(walk.story.item(offering))


class TestSkipped:
    def test_a_stage_whose_condition_is_not_met(self, world, walk):
        talent = world.talent()
        recognition = walk("recognition", talent=talent)
        recognition.until("publicity")
        assert came_to(recognition, "recognition") == {
            "acceptance": "accept",
            "qualification": "pass",
            "experts": "skipped",
            "deliberation": "skipped",
            "publicity": "open",
        }
        item = talent.get(f"/v1/tickets/{recognition.ticket}").json["items"][0]
        shown = {stage["key"]: stage for stage in item["stages"]}
        for key in ("experts", "deliberation"):
            assert (shown[key]["state"], shown[key]["verdict"]) == ("skipped", None)
            assert (shown[key]["department"], shown[key]["departments"]) == (None, [])
            assert shown[key]["light"] is None

    def test_not_one_whose_condition_is_met(self, walk):
        recognition = walk("recognition", recognition_basis=CLASS | {"applied_class": "B"})
        recognition.until("experts")
        recognition.say("experts", result={"present": 7, "votes_for": 6})
        (todo,) = recognition.todo()
        assert (todo.stage.key, todo.task.department) == ("deliberation", "office")
        recognition.say("deliberation")
        assert recognition.stages() == ["publicity"]

    def test_on_both_sides_of_a_join(self, walk):
        """Nobody of the family is covered: the hospital alone is waited for."""
        one = {"covers_spouse": False, "covered_children": 0}
        medical = walk("recognition", "medical", medical=one)
        medical.through("recognition")
        medical.until("hospital", offering="medical")
        assert came_to(medical, "medical")["family"] == "skipped"
        medical.say("hospital", offering="medical")
        assert medical.stages("medical") == ["decision"]

    def test_what_the_conditions_came_to_is_kept(self, walk):
        recognition = walk("recognition")
        recognition.until("publicity")
        assert answers(last(recognition, "stage_passed")) == {
            "opened": {"experts.1": False, "deliberation.1": False}
        }
        assert answers(last(recognition, "item_filed")) == {}


class TestChecks:
    @pytest.fixture
    def purchase(self, world, walk):
        talent = world.talent()
        purchase = walk("housing_purchase", talent=talent)
        purchase.until("joint_review")
        return talent, purchase

    def test_a_check_that_passes_is_passed_at_once(self, purchase):
        talent, walk = purchase
        walk.until("publicity")
        assert came_to(walk, "housing_purchase")["double_benefit"] == "pass"
        assert answers(last(walk, "stage_passed")) == {"passed": {"double_benefit.1": True}}
        item = talent.get(f"/v1/tickets/{walk.ticket}").json["items"][0]
        (check,) = [stage for stage in item["stages"] if stage["key"] == "double_benefit"]
        assert (check["state"], check["verdict"], check["departments"]) == ("closed", "pass", [])

    def test_a_check_that_fails_rejects_the_item(self, establish, purchase, told):
        """The rent subsidy was granted after the purchase subsidy had been asked for."""
        talent, walk = purchase
        fact = establish(talent, "housing_benefit", RENT, issuer="construction")
        walk.say("joint_review", department="construction")
        walk.say("joint_review", department="finance")
        story = walk.story
        (item,) = story.items
        assert (item.phase, item.outcome) == ("ended", "rejected")
        assert came_to(walk, "housing_purchase")["double_benefit"] == "reject"
        assert story.kinds()[-4:] == [
            "stage_passed", "item_rejected", "item_ended", "ticket_closed",
        ]  # fmt: skip
        assert told(talent, walk.ticket).count("item_rejected") == 1
        assert [(one.fact_id, one.reliance) for one in story.relied] == [(fact, Reliance.FLOW)]

    def test_the_timeline_of_a_failed_check_is_a_sentence(self, establish, purchase):
        talent, walk = purchase
        establish(talent, "housing_benefit", RENT, issuer="construction")
        walk.say("joint_review", department="construction")
        walk.say("joint_review", department="finance")
        lines = talent.get(f"/v1/tickets/{walk.ticket}/timeline").json["items"]
        (text,) = [line["text"]["en"] for line in lines if line["kind"] == "item_rejected"]
        assert text.endswith(": not passed.")

    @pytest.mark.parametrize(
        ("rank", "percent", "passes"),
        [("D", 95, True), ("D", 92, False), ("C", 92, True), ("E", 100, False)],
    )
    def test_the_rate_of_a_class(self, walk, rank, percent, passes):
        """The class was not known when it was filed, and is when the check looks."""
        price = {"list_price_fen": 240000000, "agreed_price_fen": 2400000 * percent}
        walked = walk("recognition", "purchase_discount", discount=price)
        walked.until("decision", offering="recognition")
        result = {"class": rank, "certificate_number": "RC-2026-000318"}
        walked.say("decision", result=result, offering="recognition")
        walked.say("acceptance", offering="purchase_discount")
        assert came_to(walked, "purchase_discount")["rate"] == ("pass" if passes else "reject")
        if passes:
            assert walked.stages() == ["home", "unit"]
            return
        # Both reviews had been opened beside the check, and nobody has to do them any more.
        assert walked.todo() == []
        states = came_to(walked, "purchase_discount")
        assert (states["unit"], states["home"]) == ("cancelled", "cancelled")
        assert walked.story.item("purchase_discount").outcome == "rejected"


class TestChosen:
    @pytest.mark.parametrize(
        ("stage", "age", "department"),
        [
            ("kindergarten", 4, "development_support"),
            ("primary", 7, "education"),
            ("junior", 12, "education"),
        ],
    )
    def test_by_an_answer(self, world, walk, stage, age, department):
        talent = world.talent()
        child = world.child(talent, age=age)
        schooling = walk(("schooling", child), talent=talent, schooling={"stage": stage})
        schooling.until("placement")
        (todo,) = schooling.todo()
        assert todo.task.department == department
        assert answers(last(schooling, "stage_passed"))["chosen"] == {"placement.1": [department]}

    @pytest.mark.parametrize(("rank", "department"), [("A", "health"), ("D", "hospital_alliance")])
    def test_by_a_fact(self, establish, world, walk, rank, department):
        talent = world.talent()
        establish(talent, "recognition", D | {"class": rank})
        medical = walk("medical", talent=talent)
        medical.until("opening")
        (todo,) = medical.todo()
        assert todo.task.department == department
        # Fifteen office hours are two days of them.
        opened = medical.at
        assert todo.task.due_at == opened + timedelta(days=2)

    def test_what_was_looked_at_is_remembered(self, establish, world, walk):
        talent = world.talent()
        recognised = establish(talent, "recognition", D)
        establish(talent, "degree", {"degree": "master", "school": "东湾理工大学",
                                     "graduated_on": "2025-06-30"})  # fmt: skip
        medical = walk("medical", talent=talent)
        medical.until("opening")
        relied = {(one.fact_id, one.reliance) for one in medical.story.relied}
        assert relied == {(recognised, Reliance.CRITERION), (recognised, Reliance.FLOW)}


def test_a_replay_asks_nobody_again(establish, world, walk):
    """By now the talent is of class A, and was never of class D."""
    talent = world.talent()
    fact = establish(talent, "recognition", D)
    medical = walk("medical", talent=talent)
    medical.until("opening")
    revoked = world.staff("head.human_resources").post(
        f"/v1/desk/facts/{fact}/revocation", json={"reason": "核查不实"}
    )
    assert revoked.status_code == 200
    establish(talent, "recognition", D | {"class": "A"})
    story = medical.story
    (item,) = story.items
    history = [
        (decode_event(event.data["event"]), decode_context(event.data["context"]))
        for event in story.events
        if "event" in event.data
    ]
    replayed = replay(story.flow(item), history)
    assert replayed == story.state(item)
    assert replayed.stages[-1].department == "hospital_alliance"
    medical.say("opening")
    assert medical.story.items[0].phase == "ended"


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 15
