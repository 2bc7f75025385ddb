"""Whole families on the demonstration's own flows, with whatever verdicts and delays: all ends.

Of the state machine this has the breadth, and no model: what must come of it say the invariants.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from random import Random

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from service.applicants.actions import choose, correct, withdraw
from service.kernel.db import Scope
from service.routing.bundle import UNSETTLED, EdgeStatus
from service.routing.flow import PASSING, Verdict
from service.tickets.queries.corrections import points_of
from service.tickets.rules.corrections import Point
from tests.tickets import invariants
from tests.tickets.acting import TIMERS, outcome
from tests.tickets.walking import A_SECOND

MOST_STEPS = 300
TOO_LATE = {"acceptance_deemed", "notice_running", "returned_already"}


class Wandering:
    """A ticket of many items, and a will of its own."""

    def __init__(self, seed, world, walk, acting):
        self.random = Random(seed)
        self.talent = world.talent()
        self.applicant = acting(self.talent)
        self.walk = walk(*self._wanted(world), talent=self.talent, **self._answers())

    def _chance(self, share):
        return self.random.random() < share

    def _wanted(self, world):
        self.recognised = self._chance(0.8)
        single = ["settlement", self.random.choice(["housing_rent", "housing_purchase"])]
        if self.recognised:
            single += ["medical", "purchase_discount"]
        wanted = [one for one in single if self._chance(0.6)]
        children = range(self.random.randint(0, 2))
        wanted += [("schooling", world.child(self.talent, age=11)) for _ in children]
        wanted += [("spouse", world.spouse(self.talent))] if self._chance(0.5) else []
        wanted += ["recognition"] if self.recognised or not wanted else []
        self.random.shuffle(wanted)
        return wanted

    def _answers(self):
        degrees = ["master", "college"] if self.recognised else ["master"]
        return {
            "applicant": {"degree": self.random.choice(degrees)},
            "recognition_basis": {"applied_class": self.random.choice("ABCDE")},
            "spouse": {"last_post": self.random.choice(["institution", "private"])},
            "schooling": {"stage": self.random.choice(["primary", "primary", "junior"])},
            "medical": {"covered_children": self.random.randint(0, 1), "covers_spouse": False},
            "discount": {"agreed_price_fen": self.random.choice([240000000, 204000000])},
        }

    def to_its_end(self):
        for _ in range(MOST_STEPS):
            todo, story = self.walk.todo(), self.walk.story
            waiting = [edge for edge in story.edges if edge.status in UNSETTLED]
            held = [item for item in story.items if item.hold]
            if not (todo or waiting or held):
                return
            asked = [edge for edge in waiting if edge.status is EdgeStatus.ASKED]
            if held and (self._chance(0.3) or not (todo or waiting)):
                self._correct(story, self.random.choice(held))
            elif asked and self._chance(0.3):
                self._choose(story, self.random.choice(asked))
            elif self._chance(0.02):
                self._withdraw(self.random.choice(story.items))
            elif todo and not self._chance(0.15):
                self._decide(self.random.choice(todo))
            else:
                self._time_passes([edge.next_at for edge in waiting if edge.next_at])
        raise AssertionError("it does not end")

    def _act(self, action, item, **arguments):
        about = {"item_id": item.id, "version": item.version, "at": self.walk.at}
        return outcome(lambda: self.applicant(action, **about, **arguments))

    def _choose(self, story, edge):
        item = next(item for item in story.items if item.id == edge.item_id)
        code = self._act(choose.choose_item, item, proceed=self._chance(0.5))
        assert code == ("nothing_to_choose" if self.walk.at > edge.next_at else "done")

    def _correct(self, story, item):
        """The same answers once more, which were right all the time."""
        corrections = story.of(item, story.corrections)
        asked = [one for one in corrections if not (one.answered_at or one.dropped_at)]
        with self.walk.database.transaction(Scope.system("demo")) as session:
            points = [point for one in asked for point in points_of(session, one)]
        codes = {point["section"] for point in points}
        body = self.walk.body
        given = body["sections"] | body["items"][item.ordinal - 1]["sections"]
        sections = {code: given[code] for code in codes}
        assert self._act(correct.correct_item, item, sections=sections) == "done"

    def _withdraw(self, item):
        code = self._act(withdraw.withdraw_item, item)
        assert code == ("done" if item.outcome is None else "item_decided")

    def _decide(self, todo):
        others = sorted(todo.stage.may - {PASSING[todo.stage.kind]})
        verdict = self.random.choice(others) if others and self._chance(0.15) else None
        result, points = None, ()
        if verdict is None:
            verdict, result = PASSING[todo.stage.kind], todo.example
        if verdict is Verdict.RETURN:
            sections = sorted(todo.stage.sees.sections)
            points = (Point("请核对后重新填写", section=self.random.choice(sections)),)
        if result and "class" in result:
            result = result | {"class": self.random.choice("ABCDE")}
        who, at = self.walk.somebody(f"{todo.task.role}.{todo.task.department}"), self.walk.at
        version = who.claim(todo.task.id, at=at).version
        code = outcome(
            lambda: who.decide(todo.task.id, version, verdict, result, points=points, at=at)
        )
        assert code == "done" or code in TOO_LATE
        if code != "done":
            who.release(todo.task.id, at=at)

    def _time_passes(self, waited_for):
        jump = self.walk.at + timedelta(days=self.random.randint(1, 9))
        if waited_for and self._chance(0.3):
            jump = max(jump, min(waited_for) + A_SECOND)
        self.walk.at = jump
        for name in self.random.sample(sorted(TIMERS), len(TIMERS)):
            self.walk.run(name)


@pytest.mark.slow
def test_all_of_it_ends(world, walk, acting, database):
    made = count()

    @settings(
        max_examples=8,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(seed=st.integers(0, 2**32))
    def wander(seed):
        note(f"{seed=}")
        wandering = Wandering(seed, world, walk, acting)
        wandering.to_its_end()
        assert invariants.check(database, [wandering.walk.ticket]) == 1
        assert wandering.walk.story.ticket.status in {"completed", "closed", "withdrawn"}
        next(made)

    wander()
    assert next(made) >= 8
