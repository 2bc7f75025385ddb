"""One approval or rejection, and everything that follows from it along the edges of a ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from service.applicants.actions import choose
from tests.packs import demo_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.walking import A_SECOND

COLLEGE = {"degree": "college"}


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def children(world, talent):
    return [world.child(talent, name=name) for name in ("张小明", "张小红")]


def outcomes(walk):
    return {item.offering_code: item.outcome for item in walk.story.items}


def test_a_rejection_runs_along_every_edge(world, walk, talent, children):
    """Without a class: no discount, no medical services, no registration; school goes on."""
    wanted = [
        "recognition", "settlement", "housing_rent", "purchase_discount", "medical",
        ("spouse", world.spouse(talent)), *(("schooling", child) for child in children),
    ]  # fmt: skip
    everything = walk(*wanted, talent=talent, applicant=COLLEGE)
    everything.until("qualification")
    everything.say("qualification", "reject", offering="recognition")
    assert outcomes(everything) == {
        "recognition": "rejected",
        "settlement": "cancelled",
        "housing_rent": None,
        "purchase_discount": "cancelled",
        "medical": "cancelled",
        "spouse": None,
        "schooling": None,
    }
    story = everything.story
    for child in children:
        waits = story.waits_for(story.item("schooling", child))
        assert waits == {"recognition": "waived", "settlement": "waived"}
    assert story.waits_for(story.item("spouse")) == {"recognition": "met"}
    assert not any(item.decision_waits for item in story.items)
    everything.through()
    assert everything.story.ticket.status == "completed"


def test_all_of_it_is_one_act(walk):
    settled = walk("recognition", "settlement", "medical", applicant=COLLEGE)
    before = settled.story.ticket.last_seq
    settled.say("acceptance", "not_accept", offering="recognition")
    told = [event for event in settled.story.events if (event.seq or 0) > before]
    assert [event.kind for event in told] == [
        "item_not_accepted", "item_ended",
        "edge_settled", "edge_settled",
        "item_cancelled", "item_ended",
        "item_cancelled", "item_ended",
        "ticket_closed",
    ]  # fmt: skip
    assert len({event.at for event in told}) == 1


def test_an_approval_frees_every_item_that_waited(walk, talent, children):
    settled = walk("settlement", *(("schooling", child) for child in children), talent=talent)
    for child in children:
        item = settled.story.item("schooling", child)
        settled.until("placement", item=item.id)
        settled.say("placement", item=item.id)
    assert settled.stages("schooling") == []
    settled.through("settlement")
    assert settled.stages() == ["decision", "decision"]
    freed = [event.item_id for event in settled.story.events if event.kind == "item_freed"]
    assert freed == [item.id for item in settled.story.items[1:]]


def test_each_child_is_an_item_of_its_own(walk, talent, children):
    both = walk(*(("schooling", child) for child in children), talent=talent)
    first, second = (both.story.item("schooling", child) for child in children)
    both.say("acceptance", "not_accept", item=first.id)
    both.until("decision", item=second.id)
    both.through()
    assert [item.outcome for item in both.story.items] == ["not_accepted", "approved"]


def test_a_due_date_of_the_ticket_moves_with_those_of_its_items(walk):
    settled = walk("recognition", "medical")
    settled.through("recognition")
    story = settled.story
    recognition, medical = (item.id for item in story.items)
    assert [(change.cause, change.item_id) for change in story.due_changes] == [
        ("accepted", recognition), ("followed", medical), ("items", None),
        ("begun", medical), ("items", None),
    ]  # fmt: skip
    assert story.due_changes[-1].after == story.item("medical").due_at


@pytest.fixture
def other_edges(database):
    """Publishes the bundle with these edges instead of its own, for the length of a test."""

    def put(*edges):
        pack = demo_pack()
        bundle = replace(pack.bundles["arrival"], edges=edges)
        publish(database, replace(pack, bundles={"arrival": bundle}))

    yield put
    publish(database, demo_pack())


def rule(predecessor, successor, kind="hard", on="approved", otherwise="close", **more):
    return {"from": predecessor, "to": successor, "kind": kind, "on": on, "otherwise": otherwise,
            **more}  # fmt: skip


class TestOtherEdges:
    def test_of_several_items_all_must_come_first(self, other_edges, walk, talent, children):
        other_edges(rule("schooling", "settlement"))
        family = walk("settlement", *(("schooling", one) for one in children), talent=talent)
        first, second = (family.story.item("schooling", child) for child in children)
        family.until("registration", item=first.id)
        assert family.story.item("settlement").phase == "waiting"
        family.until("registration", item=second.id)
        assert family.story.item("settlement").phase == "acceptance"

    def test_one_that_fails_of_several_fails_the_edge(self, other_edges, walk, talent, children):
        other_edges(rule("schooling", "settlement"))
        family = walk("settlement", *(("schooling", one) for one in children), talent=talent)
        first = family.story.item("schooling", children[0])
        family.say("acceptance", "not_accept", item=first.id)
        assert family.story.item("settlement").outcome == "cancelled"

    def test_the_end_is_later_than_the_approval(self, other_edges, walk, talent, children):
        """A seat is approved, and then delivered."""
        other_edges(rule("schooling", "settlement", on="ended"))
        family = walk("settlement", ("schooling", children[0]), talent=talent)
        family.until("registration")
        assert family.story.item("settlement").phase == "waiting"
        family.say("registration", result={"notice_number": "RX-2026-000219"})
        assert family.story.item("settlement").phase == "acceptance"

    def test_a_chain_closes_from_its_first_link(self, other_edges, walk):
        other_edges(rule("recognition", "settlement"), rule("settlement", "medical"))
        chain = walk("medical", "settlement", "recognition")
        assert [item.phase for item in chain.story.items] == ["waiting", "waiting", "acceptance"]
        chain.say("acceptance", "not_accept")
        assert outcomes(chain) == {
            "medical": "cancelled", "settlement": "cancelled", "recognition": "not_accepted",
        }  # fmt: skip

    def test_a_chain_begins_link_by_link(self, other_edges, walk):
        other_edges(rule("recognition", "settlement"), rule("settlement", "medical"))
        chain = walk("medical", "settlement", "recognition")
        chain.through("recognition")
        assert chain.stages() == ["acceptance"]
        chain.through("settlement")
        assert [todo.offering for todo in chain.todo()] == ["medical"]
        due = {item.offering_code: item.due_at for item in chain.story.items}
        assert due["medical"] == chain.story.ticket.due_at

    def test_hard_and_soft_together(self, other_edges, walk):
        """It begins with the one, and is decided with the other."""
        other_edges(rule("recognition", "medical"), rule("settlement", "medical", kind="soft"))
        both = walk("recognition", "settlement", "medical")
        medical = both.story.item("medical")
        assert (medical.phase, medical.decision_waits) == ("waiting", True)
        both.through("recognition")
        both.through("medical")
        medical = both.story.item("medical")
        assert (medical.phase, medical.decision_waits) == ("processing", True)
        both.through("settlement")
        assert both.stages() == ["decision"]

    def test_freed_while_it_still_waits_it_has_not_begun(self, other_edges, walk):
        """What moves its due date then is another item; that it began is said once."""
        other_edges(rule("recognition", "medical", kind="soft"), rule("settlement", "medical"))
        both = walk("recognition", "settlement", "medical")
        both.at += timedelta(days=45)  # past what was projected, so that the date moves
        both.through("recognition")
        both.through("settlement")
        story = both.story
        changes = story.of(story.item("medical"), story.due_changes)
        assert [change.cause for change in changes].count("begun") == 1

    def test_a_hard_one_that_asks(self, other_edges, walk):
        """Time to answer begins when it is asked; the default may be to go on."""
        ask = {"ask": {"working_days": 3, "default": "proceed"}}
        other_edges(rule("recognition", "settlement", otherwise=ask))
        asked = walk("recognition", "settlement")
        asked.say("acceptance", "not_accept")
        (edge,) = asked.story.edges
        assert edge.status == "asked"
        assert asked.story.item("settlement").phase == "waiting"
        asked.at = edge.next_at + A_SECOND
        assert asked.run("alarms") == 1
        assert asked.stages() == ["acceptance"]

    def test_one_that_has_waited_asks_and_then_waits_for_the_answer(self, other_edges, walk):
        ask = {"ask": {"working_days": 2, "default": "close"}}
        wait = {"wait_until": {"working_days": 2}}
        other_edges(rule("recognition", "settlement", kind="soft", otherwise=ask, **wait))
        asked = walk("recognition", "settlement")
        for status in ("asked", "failed"):
            (edge,) = asked.story.edges
            asked.at = edge.next_at + A_SECOND
            assert asked.run("alarms") == 1
            assert asked.story.edges[0].status == status
        assert outcomes(asked) == {"recognition": None, "settlement": "cancelled"}

    @pytest.fixture
    def asked_twice(self, other_edges, walk, talent):
        """Medical services that were to come after two others, neither of which comes."""
        ask = {"ask": {"working_days": 3, "default": "close"}}
        other_edges(*(rule(one, "medical", otherwise=ask) for one in ("recognition", "settlement")))
        asked = walk("recognition", "settlement", "medical", talent=talent)
        for offering in ("recognition", "settlement"):
            asked.say("acceptance", "not_accept", offering=offering)
        assert {edge.status for edge in asked.story.edges} == {"asked"}
        return asked

    @pytest.mark.parametrize(
        ("proceed", "statuses"), [(True, {"waived"}), (False, {"failed", "waived"})]
    )
    def test_one_answer_is_for_all_that_is_asked(
        self, acting, asked_twice, talent, proceed, statuses
    ):
        item = asked_twice.story.item("medical")
        about = {"item_id": item.id, "version": item.version, "at": asked_twice.at}
        acting(talent)(choose.choose_item, proceed=proceed, **about)
        assert {edge.status for edge in asked_twice.story.edges} == statuses
        assert asked_twice.stages() == (["acceptance"] if proceed else [])
        assert asked_twice.story.kinds().count("item_cancelled") == (not proceed)

    def test_so_is_the_end_of_the_time_to_answer(self, asked_twice):
        asked_twice.at = max(edge.next_at for edge in asked_twice.story.edges) + A_SECOND
        assert asked_twice.run("alarms") == 2
        assert outcomes(asked_twice)["medical"] == "cancelled"

    def test_what_is_asked_of_several_is_asked_once(self, other_edges, walk, talent, children):
        ask = {"ask": {"working_days": 3, "default": "close"}}
        other_edges(rule("schooling", "settlement", otherwise=ask))
        family = walk("settlement", *(("schooling", one) for one in children), talent=talent)
        for child in children:
            item = family.story.item("schooling", child)
            family.say("acceptance", "not_accept", item=item.id)
        assert family.story.kinds().count("choice_asked") == 1

    def test_what_is_asked_may_be_met_after_all(self, other_edges, walk):
        """The recognition comes while the applicant still thinks about it."""
        ask = {"ask": {"working_days": 30, "default": "close"}}
        wait = {"wait_until": {"working_days": 2}}
        other_edges(rule("recognition", "settlement", kind="soft", otherwise=ask, **wait))
        asked = walk("recognition", "settlement")
        asked.through("settlement")
        asked.at = asked.story.edges[0].next_at.replace(hour=12)
        assert asked.run("alarms") == 1
        asked.through("recognition")
        (edge,) = asked.story.edges
        assert (edge.status, edge.next_at) == ("met", None)
        assert asked.stages() == ["decision"]


@pytest.fixture
def hourly(database):
    """Acceptance and decision of the medical services are limited in office hours."""
    pack, hours = demo_pack(), {"working_hours": 15}
    flow = pack.offerings["medical"].flow
    stages = [
        stage | {"limit": hours} if stage["key"] in {"acceptance", "decision"} else stage
        for stage in flow["stages"]
    ]
    publish(database, with_flow(pack, "medical", {**flow, "stages": stages}))
    yield
    publish(database, pack)


def test_limits_in_office_hours_count_towards_a_due_date_too(hourly, walk):
    """Fifteen hours are two days: two to accept, and seven are promised."""
    begun = walk("recognition", "medical")
    begun.through("recognition")
    item, calendar = begun.story.item("medical"), begun.story.calendar
    accepted = calendar.due_after_hours(begun.at, working_hours=15).at
    assert item.due_at == calendar.due_at(accepted, working_days=7).at


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 10
