"""What an applicant is asked where an item cannot have what it waited for, and what counts."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from service.applicants.actions.choose import choose_item
from service.kernel import clock
from service.kernel.etags import etag
from tests.tickets import invariants
from tests.tickets.acting import outcome
from tests.tickets.asking import refused
from tests.tickets.walking import A_SECOND

pytestmark = pytest.mark.dated

TIMER = "alarms"
SOLE = "housing_purchase"


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def asked(walk, talent):
    """A purchase subsidy whose recognition was turned down: is the degree's share enough?"""
    asked = walk("recognition", SOLE, talent=talent, at=clock.now())
    asked.say("acceptance", "not_accept", offering="recognition")
    return asked


def edge(walk):
    (one,) = walk.story.edges
    return one


def purchase(walk):
    return walk.story.item(SOLE)


def choose(who, walk, choice="proceed", *, version=None, **options):
    item = purchase(walk)
    stated = item.version if version is None else version
    headers = {"If-Match": etag("item", item.id, stated)} | options.pop("headers", {})
    body = options.pop("json", {"choice": choice})
    return who.post(f"/v1/items/{item.id}/choice", json=body, headers=headers, **options)


class TestAsked:
    def test_the_applicant_has_some_time_and_is_told_what_counts_otherwise(self, talent, asked):
        ticket = talent.get(f"/v1/tickets/{asked.ticket}").json
        (shown,) = ticket["edges"]
        until = asked.story.calendar.due_at(asked.at, working_days=10).at
        assert (shown["state"], shown["default"]) == ("asked", "close")
        assert edge(asked).next_at == until
        assert ticket["items"][1]["waiting_for"] == ["recognition"]

    def test_before_that_nothing_is_said_of_a_default(self, walk, talent):
        waiting = walk("recognition", SOLE, talent=talent)
        (shown,) = talent.get(f"/v1/tickets/{waiting.ticket}").json["edges"]
        assert (shown["state"], shown["default"], shown["next_at"]) == ("waiting", None, None)

    def test_it_is_told_once(self, talent, asked, told):
        assert told(talent, asked.ticket) == [
            "ticket_filed", "item_not_accepted", "choice_asked",
        ]  # fmt: skip
        lines = talent.get(f"/v1/tickets/{asked.ticket}/timeline").json["items"]
        assert lines[-1]["text"] == {
            "zh": "人才购房补贴：“人才分类认定”未能如期获批，请选择是否继续办理。",
            "en": (
                "Purchase subsidy for talents: Recognition as a talent was not approved in time;"
                " please choose whether to go on."
            ),
        }

    def test_the_work_goes_on_meanwhile(self, asked):
        asked.until("publicity")
        asked.say("publicity", "reject")
        assert purchase(asked).outcome == "rejected"
        assert edge(asked).status == "waived"


class TestChosen:
    def test_to_go_on(self, talent, asked):
        answer = choose(talent, asked)
        assert answer.status_code == 200
        item = answer.json["items"][1]
        assert (item["phase"], item["waiting_for"]) == ("acceptance", [])
        assert answer.json["edges"][0]["state"] == "waived"
        assert answer.json == talent.get(f"/v1/tickets/{asked.ticket}").json
        kinds = asked.story.kinds(purchase(asked))
        assert kinds[-3:] == ["choice_made", "edge_settled", "item_freed"]
        asked.through()
        assert purchase(asked).outcome == "approved"

    def test_not_to(self, talent, asked, told):
        answer = choose(talent, asked, "close")
        assert answer.json["status"] == "closed"
        item = answer.json["items"][1]
        assert (item["phase"], item["outcome"]) == ("ended", "cancelled")
        assert asked.todo() == []
        assert told(talent, asked.ticket)[-2:] == ["item_cancelled", "ticket_closed"]

    def test_opens_a_decision_that_had_waited_for_nothing_else(self, walk, talent):
        late = walk("recognition", SOLE, talent=talent, at=clock.now() - timedelta(days=30))
        late.until("qualification")
        late.until("publicity", offering=SOLE)
        late.through(SOLE)
        late.at = clock.now()
        late.say("qualification", "reject")
        assert late.stages() == []
        assert choose(talent, late).status_code == 200
        assert late.stages() == ["decision"]

    def test_the_choice_is_told_in_the_applicants_name(self, talent, asked):
        choose(talent, asked)
        event = next(one for one in asked.story.events if one.kind == "choice_made")
        assert (event.actor_kind, str(event.actor_id)) == ("talent", talent.account["id"])
        assert event.data["proceed"] is True

    @pytest.mark.parametrize("choice", ["proceed", "close"])
    def test_it_is_made_once(self, talent, asked, choice, footprint):
        choose(talent, asked, choice)
        before = footprint()
        refused(choose(talent, asked), 409, "nothing_to_choose")
        assert footprint() == before

    def test_the_same_key_makes_it_once(self, talent, asked, footprint):
        version, key = purchase(asked).version, {"Idempotency-Key": "choice"}
        first = choose(talent, asked, version=version, headers=key)
        before = footprint()
        again = choose(talent, asked, version=version, headers=key)
        assert (again.status_code, again.json) == (200, first.json)
        assert footprint() == before


class TestRefused:
    def test_on_an_old_version(self, talent, asked, footprint):
        old = purchase(asked).version
        asked.say("acceptance")
        before = footprint()
        refused(choose(talent, asked, version=old), 412, "stale_version")
        assert footprint() == before

    @pytest.mark.parametrize(
        ("headers", "status", "code"),
        [({}, 428, "if_match_required"), ({"If-Match": "*"}, 400, "if_match_malformed")],
    )
    def test_without_a_version(self, talent, asked, headers, status, code):
        path = f"/v1/items/{purchase(asked).id}/choice"
        refused(talent.post(path, json={"choice": "proceed"}, headers=headers), status, code)

    def test_where_nothing_is_asked(self, walk, talent, footprint):
        waiting = walk("recognition", SOLE, talent=talent)
        before = footprint()
        refused(choose(talent, waiting), 409, "nothing_to_choose")
        assert footprint() == before

    @pytest.mark.parametrize(
        ("body", "path", "code"),
        [
            ({}, "choice", "required"),
            ({"choice": "ask"}, "choice", "not_one_of"),
            ({"choice": None}, "choice", "null_not_allowed"),
            ({"choice": "close", "why": "x"}, "why", "unknown_field"),
        ],
    )
    def test_what_is_no_choice(self, talent, asked, body, path, code):
        answer = choose(talent, asked, json=body)
        assert answer.status_code == 422
        assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [(path, code)]

    def test_to_anybody_else(self, client, world, asked, footprint):
        before = footprint()
        refused(choose(world.talent(), asked), 404, "not_found")
        assert choose(world.staff("clerk.construction"), asked).status_code == 403
        assert choose(client, asked).status_code == 401
        assert footprint() == before


class TestUnanswered:
    def test_the_default_counts_after_the_time(self, talent, asked, told):
        until = edge(asked).next_at
        asked.run(TIMER, at=until)
        assert edge(asked).status == "asked"
        assert asked.run(TIMER, at=until + A_SECOND) == 1
        assert (edge(asked).status, edge(asked).next_at) == ("failed", None)
        assert purchase(asked).outcome == "cancelled"
        assert told(talent, asked.ticket)[-2:] == ["item_cancelled", "ticket_closed"]
        assert asked.run(TIMER, at=until + A_SECOND) == 0

    def test_an_answer_that_comes_too_late_is_none(self, acting, talent, asked):
        """The timer has not come by yet."""
        until, item = edge(asked).next_at, purchase(asked)
        answer = partial(
            acting(talent), choose_item, item_id=item.id, version=item.version, proceed=True
        )
        assert outcome(partial(answer, at=until + A_SECOND)) == "nothing_to_choose"
        assert outcome(partial(answer, at=until)) == "done"

    def test_an_answer_in_time_leaves_nothing_to_the_timer(self, talent, asked):
        until = edge(asked).next_at
        choose(talent, asked)
        asked.run(TIMER, at=until + A_SECOND)
        assert edge(asked).status == "waived"


def test_every_ticket_made_here_is_sound(database):
    assert invariants.check(database) > 15
