"""What waits is due behind what it waits for, wherever that moves: at once, and with the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.applicants.actions.correct import correct_item
from service.routing.flow import Verdict
from service.tickets.rules.corrections import Point
from tests.packs import demo_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.walking import A_SECOND

TIMER = "alarms"
COLLEGE = {"degree": "college"}
POINT = Point("请核对", section="applicant")


@pytest.fixture
def talent(world):
    return world.talent()


def changes(walk, offering):
    """What moved the due date of an item, in order."""
    story = walk.story
    return [one.cause for one in story.of(story.item(offering), story.due_changes)]


def due(walk, offering):
    return walk.story.item(offering).due_at


def days(walk, start, count):
    return walk.story.calendar.due_at(start, working_days=count).at


def send_back(walk, stage, **which):
    todo = walk.one(stage, **which)
    clerk = walk.somebody(f"{todo.task.role}.{todo.task.department}")
    version = clerk.claim(todo.task.id, at=walk.at).version
    clerk.decide(todo.task.id, version, Verdict.RETURN, points=[POINT], at=walk.at)


@pytest.fixture
def correct(acting, talent):
    def answer(walk, offering):
        item = walk.story.item(offering)
        sections = {"applicant": walk.body["sections"]["applicant"]}
        acting(talent)(
            correct_item,
            item_id=item.id,
            version=item.version,
            sections=sections,
            at=walk.at,
        )

    return answer


class TestAccepted:
    def test_a_hard_successor_begins_no_later_than_what_comes_first_is_due(self, walk):
        """Three days to accept medical services, seven are promised."""
        both = walk("recognition", "medical")
        before = due(both, "medical")
        both.say("acceptance", offering="recognition")
        begins = due(both, "recognition")
        assert due(both, "medical") == days(both, days(both, begins, 3), 7)
        assert due(both, "medical") < before
        assert changes(both, "medical") == ["followed"]

    def test_the_ticket_follows_and_the_event_is_the_acceptance(self, walk):
        both = walk("recognition", "medical")
        both.say("acceptance", offering="recognition")
        story = both.story
        assert story.ticket.due_at == due(both, "medical")
        (accepted,) = [event for event in story.events if event.kind == "item_accepted"]
        assert {change.event_id for change in story.due_changes} == {accepted.id}
        assert [change.cause for change in story.due_changes] == ["accepted", "followed", "items"]

    def test_a_soft_successor_is_decided_behind_it(self, walk):
        """A decision on the subsidy has five days."""
        both = walk("recognition", "housing_rent")
        both.say("acceptance", offering="housing_rent")
        both.at += timedelta(days=2)
        both.say("acceptance", offering="recognition")
        assert due(both, "housing_rent") == days(both, due(both, "recognition"), 5)
        assert changes(both, "housing_rent") == ["followed"]

    def test_by_silence_alike(self, walk):
        both = walk("recognition", "medical")
        task = both.one("acceptance", offering="recognition").task
        assert both.run("alarms", at=task.due_at + A_SECOND) == 1
        begins = due(both, "recognition")
        assert due(both, "medical") == days(both, days(both, begins, 3), 7)

    def test_through_what_lies_between(self, world, walk, talent):
        """Schooling waits for settling, which waits for the recognition."""
        child = world.child(talent)
        wanted = ("schooling", child), "settlement", "recognition"
        three = walk(*wanted, talent=talent, applicant=COLLEGE)
        for offering in ("schooling", "settlement"):
            three.say("acceptance", offering=offering)
        three.at += timedelta(days=1)
        three.say("acceptance", offering="recognition")
        assert due(three, "settlement") == days(three, due(three, "recognition"), 4)
        limit = three.story.flow(three.story.item("schooling")).decision.limit.working_days
        assert due(three, "schooling") == days(three, due(three, "settlement"), limit)
        assert [changes(three, one)[-1] for one in ("settlement", "schooling")] == ["followed"] * 2
        assert changes(three, "schooling").count("followed") == 1


class TestAsked:
    def test_who_is_asked_has_their_time_and_the_department_its_own_behind_it(self, walk):
        """Ten working days to answer, the acceptance and the promise anew: 15, 22, 29 December."""
        filed = datetime(2026, 11, 30, 2, tzinfo=UTC)
        case = walk("settlement", at=filed)
        case.at = datetime(2026, 12, 1, 3, tzinfo=UTC)
        send_back(case, "acceptance")
        (item,) = case.story.items
        assert item.hold_until == datetime(2026, 12, 15, 10, tzinfo=UTC)
        assert due(case, "settlement") == datetime(2026, 12, 29, 10, tzinfo=UTC)
        assert case.story.ticket.due_at == due(case, "settlement")
        assert changes(case, "settlement") == ["asked"]

    def test_what_waits_is_due_behind_the_latest_answer(self, walk):
        """Or behind the forty days that the subsidy waits for the class at all."""
        both = walk("recognition", "medical", "housing_rent")
        send_back(both, "acceptance", offering="recognition")
        begins = due(both, "recognition")
        assert due(both, "medical") == days(both, days(both, begins, 3), 7)
        story = both.story
        (edge,) = story.of(story.item("housing_rent"), story.edges)
        assert due(both, "housing_rent") == days(both, min(begins, edge.next_at), 5)
        assert both.story.ticket.due_at == due(both, "medical")
        assert changes(both, "medical") == ["followed"]


class TestCorrected:
    @pytest.fixture
    def returned(self, walk, talent):
        both = walk("recognition", "medical", "housing_rent", talent=talent)
        send_back(both, "acceptance", offering="recognition")
        return both

    def test_the_time_to_accept_anew_moves_all_that_waits(self, returned, correct):
        """Earlier than when it was returned: then an answer on the last day was supposed."""
        before = due(returned, "medical"), due(returned, "housing_rent")
        returned.at += timedelta(days=3)
        correct(returned, "recognition")
        begins = due(returned, "recognition")
        assert due(returned, "medical") == days(returned, days(returned, begins, 3), 7)
        assert due(returned, "housing_rent") == days(returned, begins, 5)
        assert before > (due(returned, "medical"), due(returned, "housing_rent"))
        assert returned.story.ticket.due_at == due(returned, "medical")
        assert changes(returned, "recognition") == ["asked", "corrected"]
        assert changes(returned, "housing_rent") == ["followed"] * 2

    def test_no_longer_than_it_waits_at_all(self, returned, correct):
        """The subsidy waits forty days for the class."""
        story = returned.story
        (edge,) = story.of(story.item("housing_rent"), story.edges)
        returned.at = edge.next_at - timedelta(days=3)
        correct(returned, "recognition")
        assert due(returned, "recognition") > edge.next_at
        assert due(returned, "housing_rent") == days(returned, edge.next_at, 5)

    def test_who_has_read_what_waits_may_still_act_on_it(self, returned, correct):
        before = returned.story.item("medical").version
        returned.at += timedelta(days=9)
        correct(returned, "recognition")
        assert returned.story.item("medical").version == before

    def test_a_return_of_a_review_moves_nothing(self, walk, talent, correct):
        """The promise goes on while the applicant corrects, and counts what is done again."""
        both = walk("recognition", "medical", talent=talent)
        both.until("qualification", offering="recognition")
        before = due(both, "recognition"), due(both, "medical")
        send_back(both, "qualification", offering="recognition")
        both.at += timedelta(days=3)
        correct(both, "recognition")
        assert (due(both, "recognition"), due(both, "medical")) == before


class TestAnotherRound:
    def test_it_moves_nothing(self, database, walk):
        """A promise counts every round that a rejection brings: it stands, and so does the rest."""
        pack = demo_pack()
        flow = pack.offerings["recognition"].flow
        again = {"on_reject": {"to": "qualification", "rounds": 2}}
        stages = [one | again if one["key"] == "qualification" else one for one in flow["stages"]]
        publish(database, with_flow(pack, "recognition", {**flow, "stages": stages}))
        both = walk("recognition", "medical")
        publish(database, pack)
        both.until("qualification", offering="recognition")
        before = due(both, "recognition"), due(both, "medical")
        both.at += timedelta(days=3)
        both.say("qualification", "reject", offering="recognition")
        assert both.one("qualification").round == 2
        assert (due(both, "recognition"), due(both, "medical")) == before


class TestSettled:
    def test_asked_the_applicant_has_some_time(self, walk):
        """Ten days to answer whether to go on with the purchase; its decision has five."""
        both = walk("recognition", "housing_purchase")
        both.say("acceptance", offering="housing_purchase")
        both.say("acceptance", "not_accept", offering="recognition")
        story = both.story
        (edge,) = story.edges
        assert edge.status == "asked"
        item = story.item("housing_purchase")
        limit = story.flow(item).decision.limit.working_days
        promise = story.flow(item).promise_working_days
        expected = max(days(both, edge.next_at, limit), days(both, item.accepted_at, promise))
        assert item.due_at == expected

    def test_of_two_the_one_that_is_left_counts(self, world, walk, talent):
        child = world.child(talent)
        both = walk("recognition", "settlement", ("schooling", child), talent=talent)
        story = both.story
        edges = {edge.predecessor: edge for edge in story.of(story.item("schooling"), story.edges)}
        send_back(both, "acceptance", offering="recognition")
        both.through("schooling")
        both.at = edges["recognition"].next_at + A_SECOND
        assert both.run(TIMER) == 2  # nobody has accepted the settlement in time either
        item = both.story.item("schooling")
        assert item.decision_waits
        own = days(both, item.accepted_at, 25)
        waited = [due(both, "settlement"), both.at]  # what is left, and what was given up now
        assert item.due_at == max(own, *(days(both, until, 5) for until in waited))

    def test_freed_before_it_is_accepted_it_is_due_by_itself(self, walk):
        """What is projected is projected without what it need not wait for."""
        both = walk("recognition", "housing_rent")
        both.say("acceptance", "not_accept", offering="recognition")
        item = both.story.item("housing_rent")
        assert (item.phase, item.decision_waits) == ("acceptance", False)
        accepted_by = both.one("acceptance").task.due_at
        assert item.due_at == days(both, accepted_by, 20)
        assert changes(both, "housing_rent") == ["followed"]


class TestCost:
    @pytest.fixture
    def cost(self, walk, sql_count):
        def of(*offerings):
            walking = walk(*offerings)
            walking.say("acceptance", offering="recognition")
            walking = walk(*offerings)
            with sql_count() as sent:
                walking.say("acceptance", offering="recognition")
            return sent.total

        return of

    def test_two_statements_whatever_waits_and_none_where_nothing_does(self, cost):
        """One reads the edges, one writes the dates."""
        alone = cost("recognition")
        assert cost("recognition", "settlement") == alone
        assert cost("recognition", "medical") == alone + 2
        everything = ("medical", "purchase_discount", "housing_rent")
        assert cost("recognition", *everything) == alone + 2


def test_of_two_children_each_follows_what_it_waits_for_itself(
    world, walk, talent, correct, superuser
):
    children = [world.child(talent), world.child(talent, name="张小红")]
    seats = [("schooling", child) for child in children]
    both = walk("recognition", "settlement", *seats, talent=talent)
    first, second = (item for item in both.story.items if item.offering_code == "schooling")
    superuser.execute(
        "DELETE FROM edges WHERE item_id = %s AND predecessor = 'settlement'", (second.id,)
    )
    send_back(both, "acceptance", offering="settlement")
    both.at += timedelta(days=60)
    correct(both, "settlement")
    moved = {item.id for item in both.story.items if item.due_at > due_before(both, item)}
    assert moved == {both.story.item("settlement").id, first.id}
    assert second.due_at == due_before(both, second)


def due_before(walk, item):
    """When an item was due before anything moved."""
    found = [one.before for one in walk.story.of(item, walk.story.due_changes)]
    return found[0] if found else item.due_at


def test_the_applicant_is_told_why(world, walk, talent):
    both = walk("recognition", "medical", talent=talent)
    both.say("acceptance", offering="recognition")
    item = both.story.item("medical")
    (change,) = talent.get(f"/v1/items/{item.id}/due-changes").json["items"]
    assert change["cause"] == "followed"
    assert change["text"]["en"].startswith("The date of what it waits for has moved")


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 15
