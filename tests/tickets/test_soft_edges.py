"""An item that goes on while it waits, up to its decision."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.tickets.rules.states import Reliance
from tests.tickets import invariants
from tests.tickets.walking import A_SECOND, MONDAY

SHANGHAI = ZoneInfo("Asia/Shanghai")
TIMER = "alarms"
COLLEGE = {"degree": "college"}
CLASS = {"class": "D", "level": "district"}


def local(moment):
    return f"{moment.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def schooling(world, walk, talent):
    """A place at school, whose decision waits for the registration of the household."""
    return walk("settlement", ("schooling", world.child(talent)), talent=talent)


@pytest.fixture
def rent(walk, talent):
    """A rent subsidy, whose decision waits some time for the class."""
    return walk("recognition", "housing_rent", talent=talent)


def edge(walk, item, predecessor="recognition"):
    story = walk.story
    return next(
        one for one in story.of(story.item(item), story.edges) if one.predecessor == predecessor
    )


class TestWaiting:
    def test_everything_but_the_decision_is_done(self, schooling):
        schooling.through("schooling")
        item = schooling.story.item("schooling")
        assert (item.phase, item.decision_waits, item.outcome) == ("processing", True, None)
        assert schooling.stages("schooling") == []
        assert schooling.story.came_to(item)["placement"] == "pass"
        assert "decision" not in schooling.story.came_to(item)

    def test_the_applicant_sees_what_is_waited_for(self, talent, schooling):
        schooling.through("schooling")
        ticket = talent.get(f"/v1/tickets/{schooling.ticket}").json
        item = ticket["items"][1]
        assert (item["phase"], item["waiting_for"]) == ("processing", ["settlement"])
        assert [(one["from"], one["kind"], one["state"]) for one in ticket["edges"]] == [
            ("settlement", "soft", "waiting")
        ]

    def test_its_decision_opens_with_the_approval(self, schooling):
        schooling.through("schooling")
        schooling.through("settlement")
        (todo,) = schooling.todo()
        assert (todo.offering, todo.stage.key) == ("schooling", "decision")
        item = schooling.story.item("schooling")
        assert schooling.story.kinds(item)[-2:] == ["edge_settled", "item_freed"]
        assert todo.task.opened_at == schooling.at == schooling.story.items[0].decided_at

    def test_where_the_approval_comes_first_the_decision_never_waits(self, schooling):
        schooling.through("settlement")
        item = schooling.story.item("schooling")
        assert (item.phase, item.decision_waits) == ("acceptance", False)
        schooling.until("decision", offering="schooling")
        schooling.through()
        assert schooling.story.ticket.status == "completed"


class TestDueDates:
    def test_as_late_as_the_decision_after_what_it_waits_for(self, walk):
        """Settled within five days, medical within seven: the subsidy's own time is longer."""
        story = walk("recognition", "housing_rent").story
        recognition, rent = story.items
        own = story.calendar.due_at(story.of(rent, story.stages)[0].due_at, working_days=20).at
        after = story.calendar.due_at(recognition.due_at, working_days=5).at
        assert (rent.due_at, rent.due_at > own) == (after, True)

    def test_accepted_it_is_still_not_promised_before_that(self, rent):
        projected = rent.story.item("housing_rent").due_at
        rent.say("acceptance", offering="housing_rent")
        item = rent.story.item("housing_rent")
        assert (item.due_at, item.due_basis) == (projected, "promised")
        assert rent.story.of(item, rent.story.due_changes) == []

    def test_freed_early_it_is_due_when_it_was_promised_by_itself(self, rent):
        rent.say("acceptance", offering="housing_rent")
        accepted = rent.at
        rent.through("recognition")
        item, calendar = rent.story.item("housing_rent"), rent.story.calendar
        assert item.due_at == calendar.due_at(accepted, working_days=20).at
        followed, freed = rent.story.of(item, rent.story.due_changes)
        assert (followed.cause, freed.cause, freed.after) == (
            "followed",
            "predecessor",
            item.due_at,
        )
        assert followed.before > followed.after > freed.after

    def test_freed_late_the_decision_has_its_own_time_at_least(self, rent):
        rent.say("acceptance", offering="housing_rent")
        rent.until("decision", offering="recognition")
        rent.at = rent.story.calendar.due_at(rent.at, working_days=30).at
        rent.say("decision", offering="recognition")
        item, calendar = rent.story.item("housing_rent"), rent.story.calendar
        assert item.due_at == calendar.due_at(rent.at, working_days=5).at

    def test_freed_before_acceptance_it_is_promised_as_if_it_had_never_waited(self, schooling):
        schooling.through("settlement")
        schooling.at += timedelta(days=1)
        schooling.say("acceptance", offering="schooling")
        item, calendar = schooling.story.item("schooling"), schooling.story.calendar
        assert item.due_at == calendar.due_at(schooling.at, working_days=25).at


class TestIf:
    def test_there_is_no_edge_where_it_does_not_apply(self, walk):
        assert walk("recognition", "settlement").story.edges == []

    def test_there_is_one_where_it_does(self, walk):
        settlement = walk("recognition", "settlement", applicant=COLLEGE)
        assert edge(settlement, "settlement").status == "waiting"
        settlement.through("settlement")
        assert settlement.stages("settlement") == []
        settlement.through()
        assert settlement.story.ticket.status == "completed"

    def test_where_it_cannot_be_met_the_item_is_closed_though_it_was_processed(self, walk):
        settlement = walk("recognition", "settlement", applicant=COLLEGE)
        settlement.say("acceptance", offering="settlement")
        settlement.say("acceptance", "not_accept", offering="recognition")
        item = settlement.story.item("settlement")
        assert (item.phase, item.outcome, item.decision_waits) == ("ended", "cancelled", False)


class TestGoingOn:
    def test_without_what_was_not_approved(self, rent):
        rent.until("qualification", offering="recognition")
        rent.through("housing_rent")
        rent.say("qualification", "reject", offering="recognition")
        assert edge(rent, "housing_rent").status == "waived"
        assert rent.stages() == ["decision"]

    def test_with_what_has_ended_whatever_it_came_to(self, world, walk, talent):
        """The placement waits for the end of the recognition, not for an approval."""
        spouse = walk("recognition", ("spouse", world.spouse(talent)), talent=talent)
        spouse.say("acceptance", "not_accept", offering="recognition")
        assert edge(spouse, "spouse").status == "met"
        spouse.through()
        assert spouse.story.item("spouse").outcome == "approved"

    def test_an_item_that_comes_to_something_waits_for_nothing(self, talent, rent):
        rent.until("review", offering="housing_rent")
        rent.say("review", "reject", department="construction")
        assert (edge(rent, "housing_rent").status, edge(rent, "housing_rent").next_at) == (
            "waived", None,
        )  # fmt: skip
        rent.through("recognition")
        assert rent.story.item("housing_rent").outcome == "rejected"


class TestTime:
    def test_it_waits_so_many_working_days_and_no_longer(self, rent):
        rent.through("housing_rent")
        # 40 from 2 March: 6 April is free, and so are 1 to 5 May
        until = edge(rent, "housing_rent").next_at
        assert local(until) == "2026-04-28 18:00"
        assert rent.run(TIMER, at=until) == 0
        assert rent.run(TIMER, at=until + A_SECOND) == 1
        assert edge(rent, "housing_rent").status == "waived"
        assert rent.stages("housing_rent") == ["decision"]
        assert rent.run(TIMER, at=until + A_SECOND) == 0

    @pytest.mark.parametrize(
        ("filed", "recognised_by", "settled_by"),
        [
            (MONDAY, "2026-08-10 18:00", "2026-08-20 18:00"),
            (datetime(2026, 8, 10, 2, tzinfo=UTC), "2026-08-10 18:00", "2026-08-20 18:00"),
            (datetime(2026, 8, 11, 2, tzinfo=UTC), "2027-08-10 18:00", "2026-08-20 18:00"),
            # The 20th is a Friday in 2027; the 10th of August is a Tuesday.
            (datetime(2026, 8, 21, 2, tzinfo=UTC), "2027-08-10 18:00", "2027-08-20 18:00"),
        ],
    )
    def test_it_waits_until_a_day_of_the_year(
        self, world, walk, talent, filed, recognised_by, settled_by
    ):
        child = world.child(talent)
        wanted = ("recognition", "settlement", ("schooling", child))
        schooling = walk(*wanted, talent=talent, at=filed)
        assert local(edge(schooling, "schooling").next_at) == recognised_by
        assert local(edge(schooling, "schooling", "settlement").next_at) == settled_by

    def test_one_of_two_that_are_waited_for_is_not_enough(self, world, walk, talent):
        child = world.child(talent)
        schooling = walk("recognition", "settlement", ("schooling", child), talent=talent)
        schooling.through("schooling")
        schooling.through("settlement")
        assert schooling.story.waits_for(schooling.story.item("schooling")) == {
            "recognition": "waiting",
            "settlement": "met",
        }
        assert schooling.stages("schooling") == []
        late = edge(schooling, "schooling").next_at + A_SECOND
        schooling.at = late
        assert schooling.run(TIMER) == 2  # nobody has accepted the recognition in time either
        assert schooling.stages("schooling") == ["decision"]

    def test_the_timer_finds_what_has_waited_long_enough(self, rent, timer):
        until = edge(rent, "housing_rent").next_at
        while timer.run(TIMER, at=until + A_SECOND):
            pass
        assert edge(rent, "housing_rent").status == "waived"
        assert rent.story.item("housing_rent").decision_waits is False

    def test_what_comes_too_late_changes_nothing(self, rent):
        rent.run(TIMER, at=edge(rent, "housing_rent").next_at + A_SECOND)
        rent.through("recognition")
        assert edge(rent, "housing_rent").status == "waived"


class TestFacts:
    """What is established already need not be waited for."""

    def test_a_fact_that_holds_meets_an_edge_at_filing(self, establish, walk, talent):
        fact = establish(talent, "recognition", CLASS)
        again = walk("recognition", "medical", "housing_rent", talent=talent)
        story = again.story
        assert {one.status for one in story.edges} == {"met"}
        assert {one.settled_at for one in story.edges} == {story.ticket.filed_at}
        assert {item.phase for item in story.items} == {"acceptance"}
        assert not any(item.decision_waits for item in story.items)
        medical = story.item("medical")
        assert (fact, Reliance.EDGE) in {
            (one.fact_id, one.reliance) for one in story.of(medical, story.relied)
        }

    def test_one_given_by_an_earlier_ticket_does_so_too(self, world, walk, talent):
        walk("settlement", talent=talent).through()
        again = walk("settlement", ("schooling", world.child(talent)), talent=talent)
        assert edge(again, "schooling", "settlement").status == "met"
        (relied,) = again.story.of(again.story.item("schooling"), again.story.relied)
        assert relied.reliance is Reliance.EDGE

    @pytest.mark.parametrize(
        "dates",
        [
            {"valid_from": MONDAY.date() + timedelta(days=1)},
            {"valid_to": MONDAY.date() - timedelta(days=1)},
        ],
        ids=["not yet", "no longer"],
    )
    def test_one_that_does_not_hold_that_day_does_not(self, establish, walk, talent, dates):
        establish(talent, "recognition", CLASS, **dates)
        again = walk("recognition", "medical", talent=talent)
        assert edge(again, "medical").status == "waiting"

    def test_one_that_ends_before_the_successor_is_due_does_not(self, establish, walk, talent):
        """Three days to accept medical services, seven are promised: until 16 March."""
        establish(talent, "recognition", CLASS, valid_to=date(2026, 3, 15))
        again = walk("recognition", "medical", talent=talent)
        assert edge(again, "medical").status == "waiting"
        assert [one.reliance for one in again.story.relied] == [Reliance.CRITERION]

    def test_one_that_holds_until_the_day_on_which_it_is_due_does(self, establish, walk, talent):
        establish(talent, "recognition", CLASS, valid_to=date(2026, 3, 16))
        again = walk("recognition", "medical", talent=talent)
        assert edge(again, "medical").status == "met"

    @pytest.mark.parametrize(
        "household",
        [
            {"region": "350200", "into": "collective"},
            {"region": "350100", "into": "own_home"},
        ],
        ids=["elsewhere", "otherwise than asked for"],
    )
    def test_nor_does_one_that_says_something_else(self, establish, world, walk, talent, household):
        establish(talent, "household", household, issuer="public_security")
        again = walk("settlement", ("schooling", world.child(talent)), talent=talent)
        assert edge(again, "schooling", "settlement").status == "waiting"
        assert again.story.of(again.story.item("schooling"), again.story.relied) == []

    def test_nor_does_that_of_somebody_else(self, establish, world, walk, talent):
        establish(world.talent(), "recognition", CLASS)
        again = walk("recognition", "medical", talent=talent)
        assert edge(again, "medical").status == "waiting"


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 15
