"""What was to be corrected and matters no longer: the flow went back, or the item ended."""

from __future__ import annotations

import psycopg
import pytest

from service.applicants.actions.correct import correct_item
from service.applicants.actions.withdraw import withdraw_item
from service.kernel.errors import Conflict
from service.kernel.etags import etag
from service.routing.flow import Verdict
from service.tickets.rules.corrections import Point
from tests.packs import demo_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.asking import refused
from tests.tickets.walking import A_SECOND

POLICE = "public_security"
POINT = Point("请核对住址", section="residence")


@pytest.fixture(scope="module", autouse=True)
def forked(database):
    """Two reviews side by side and a third beside both; one of the two sends back before them."""
    pack = demo_pack()
    flow = pack.offerings["settlement"].flow
    acceptance, decision = flow["stages"]

    def review(key, *after, **more):
        limit = {"working_days": 1}
        title, sees = {"zh": key, "en": key}, acceptance["sees"]
        named = {"key": key, "title": title, "department": POLICE, "role": "clerk"}
        return {
            **named,
            "kind": "review",
            "after": list(after),
            "limit": limit,
            "sees": sees,
        } | more

    stages = [
        acceptance,
        review("first", "acceptance"),
        review("papers", "first"),
        review("home", "first", on_reject={"to": "first", "rounds": 2}),
        review("beside", "acceptance"),
        decision | {"after": ["papers", "home", "beside"]},
    ]
    promise = {"working_days": 20}
    publish(database, with_flow(pack, "settlement", {**flow, "promise": promise, "stages": stages}))
    yield
    publish(database, pack)


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def forking(walk, talent):
    walking = walk("settlement", talent=talent)
    walking.until("papers")
    return walking


def send_back(walk, stage):
    todo = walk.one(stage)
    clerk = walk.somebody(f"clerk.{POLICE}")
    version = clerk.claim(todo.task.id, at=walk.at).version
    clerk.decide(todo.task.id, version, Verdict.RETURN, points=[POINT], at=walk.at)


def asked(walk):
    """By stage that asked: whether it still does, or why it no longer does."""
    stages = {task.id: task.stage_key for task in walk.story.tasks}
    return {
        stages[one.task_id]: one.dropped_because or ("answered" if one.answered_at else "asked")
        for one in walk.story.corrections
    }


def correct(walk, talent, acting):
    (item,) = walk.story.items
    sections = {"residence": walk.body["sections"]["residence"]}
    return acting(talent)(
        correct_item, item_id=item.id, version=item.version, sections=sections, at=walk.at
    )


class TestSentBack:
    @pytest.fixture
    def gone_back(self, forking):
        send_back(forking, "papers")
        assert forking.story.ticket.status == "awaiting_applicant"
        forking.at += A_SECOND
        forking.say("home", "reject")
        return forking

    def test_nothing_is_asked_any_more(self, gone_back):
        assert asked(gone_back) == {"papers": "sent_back"}
        (item,) = gone_back.story.items
        assert (item.hold, item.hold_until) == (None, None)
        assert gone_back.story.ticket.status == "in_progress"
        (one,) = gone_back.story.corrections
        assert (one.dropped_at, one.answered_at) == (gone_back.at, None)

    def test_nor_can_it_be_answered(self, gone_back, talent, acting):
        with pytest.raises(Conflict) as problem:
            correct(gone_back, talent, acting)
        assert problem.value.code == "nothing_to_correct"

    def test_the_applicant_is_told(self, gone_back, talent, told):
        assert gone_back.story.kinds()[-2:] == ["stage_rejected", "correction_dropped"]
        assert told(talent, gone_back.ticket)[-2:] == ["item_returned", "correction_dropped"]
        lines = talent.get(f"/v1/tickets/{gone_back.ticket}/timeline").json["items"]
        assert lines[-1]["text"]["en"].endswith(
            "what you were asked to correct is not asked any more."
        )

    def test_the_applicant_and_the_desk_see_that_it_is_not_asked(self, gone_back, world, talent):
        (item,) = gone_back.story.items
        (shown,) = talent.get(f"/v1/items/{item.id}").json["corrections"]
        assert shown["answered_at"] is None
        assert (shown["dropped_at"][:19], shown["dropped_because"]) == (
            gone_back.at.isoformat()[:19], "sent_back",
        )  # fmt: skip
        clerk = world.staff(f"clerk.{POLICE}")
        task = gone_back.one("first").task
        (seen,) = clerk.get(f"/v1/desk/tasks/{task.id}").json["corrections"]
        assert seen["dropped_because"] == "sent_back"

    def test_a_later_return_asks_for_what_it_names_alone(self, gone_back, talent, acting):
        """What was dropped is not asked for with it, and answering it does not answer that."""
        gone_back.say("first")
        send_back(gone_back, "home")
        assert asked(gone_back) == {"papers": "sent_back", "home": "asked"}
        correct(gone_back, talent, acting)
        assert asked(gone_back) == {"papers": "sent_back", "home": "answered"}
        gone_back.through()
        assert gone_back.story.ticket.status == "completed"

    def test_what_lies_beside_is_still_asked_by_its_own_date(self, forking, talent, acting):
        send_back(forking, "beside")
        due_at = forking.story.corrections[0].due_at
        forking.at = due_at
        send_back(forking, "papers")
        (item,) = forking.story.items
        assert item.hold_until > due_at
        forking.say("home", "reject")
        assert asked(forking) == {"beside": "asked", "papers": "sent_back"}
        (item,) = forking.story.items
        assert (item.hold, item.hold_until) == ("correction", due_at)
        assert forking.story.ticket.status == "awaiting_applicant"
        correct(forking, talent, acting)
        assert asked(forking) == {"beside": "answered", "papers": "sent_back"}


class TestEnded:
    def test_by_a_rejection_beside(self, forking):
        send_back(forking, "papers")
        forking.say("beside", "reject")
        assert asked(forking) == {"papers": "ended"}
        (item,) = forking.story.items
        assert (item.phase, item.hold, forking.story.ticket.status) == ("ended", None, "closed")
        assert "correction_dropped" not in forking.story.kinds()

    def test_by_withdrawal(self, forking, talent, acting):
        send_back(forking, "papers")
        (item,) = forking.story.items
        acting(talent)(withdraw_item, item_id=item.id, version=item.version, at=forking.at)
        assert asked(forking) == {"papers": "ended"}
        assert forking.story.ticket.status == "withdrawn"

    def test_by_what_it_waited_for(self, walk):
        """Settling without a degree rests on the recognition."""
        both = walk("recognition", "settlement", applicant={"degree": "college"})
        both.until("papers", offering="settlement")
        send_back(both, "papers")
        both.say("acceptance", "not_accept", offering="recognition")
        assert asked(both) == {"papers": "ended"}
        item = both.story.item("settlement")
        assert (item.outcome, item.hold, both.story.ticket.status) == ("cancelled", None, "closed")

    def test_over_http_there_is_nothing_to_correct(self, forking, talent):
        send_back(forking, "papers")
        forking.say("beside", "reject")
        (item,) = forking.story.items
        answer = talent.post(
            f"/v1/items/{item.id}/correction",
            json={"sections": {}},
            headers={"If-Match": etag("item", item.id, item.version)},
        )
        refused(answer, 409, "nothing_to_correct")


def test_it_is_answered_or_dropped_and_never_both(superuser, forking):
    send_back(forking, "papers")
    (one,) = forking.story.corrections
    for wrong in (
        "dropped_at = asked_at",
        "dropped_because = 'ended'",
        "dropped_at = asked_at, dropped_because = 'ended', answered_at = asked_at",
        "dropped_at = asked_at, dropped_because = 'forgotten'",
    ):
        with pytest.raises(psycopg.errors.CheckViolation):
            superuser.execute(f"UPDATE corrections SET {wrong} WHERE id = %s", (one.id,))


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 8
