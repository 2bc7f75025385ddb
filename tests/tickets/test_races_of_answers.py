"""An applicant answers a correction while the departments of the ticket go on deciding."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import cycle, product

import pytest

from service.routing.flow import Verdict
from tests.packs import plain_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.racing import ASKED, ITEMS, SHARED, reviews

pytestmark = pytest.mark.slow

ROUNDS = 420
RACES = 6
PARALLEL = 5
OFTEN = 50
BUILDERS = "construction"
PASS, REJECT = Verdict.PASS, Verdict.REJECT
ANSWERED = ["item_corrected", "section_corrected"]
"""What an answer to a shared section comes to in a ticket of two open items."""
TOLD = {PASS: ["stage_passed"], REJECT: ["stage_rejected"]}
_REVISIONS = """
SELECT revision FROM ticket_sections WHERE ticket_id = %s AND section = %s ORDER BY revision
"""


class Family:
    """Two children's places at school in one ticket, each in the hands of many reviewers."""

    def __init__(self, filer, held, left, rows, raced):
        self.filer, self.held, self.left, self.rows, self.raced = filer, held, left, rows, raced
        self.ticket = filer()
        self.returned, self.answers = set(), 0
        for acceptance in left(self.ticket):
            held(acceptance)(Verdict.ACCEPT)

    def todo(self):
        """The tasks of the two items, those of the one with more to return first."""
        first, second = (
            [task for task in self.left(self.ticket) if task.item_id == item.id]
            for item in self.rows(ITEMS, self.ticket)
        )
        return sorted([first, second], key=lambda tasks: -len(self._fresh(tasks)))

    def _fresh(self, tasks):
        return [one for one in tasks if (one.item_id, one.key) not in self.returned]

    def asked(self, tasks):
        """A reviewer returns a stage that was not returned before; gives that task."""
        task = self._fresh(tasks)[0]
        self.returned.add((task.item_id, task.key))
        self.held(task)(Verdict.RETURN, points=ASKED)
        return task

    def answer(self, task):
        (item,) = [one for one in self.rows(ITEMS, self.ticket) if one.id == task.item_id]
        self.answers += 1
        return self.filer.answers(item, SHARED)

    def against_a_verdict(self, whose, verdict, way, *, apart):
        """Both are done, in either order; gives whether the answer came first."""
        todo = self.todo()
        task = self.asked(todo[0])
        other = next(one for one in reversed(todo[whose]) if one.id != task.id)
        calls = [self.answer(task), partial(self.held(other), verdict)]
        told, happened = self.raced(self.ticket, *calls[::way], apart=apart)
        assert told == ["done", "done"]
        assert happened in (ANSWERED + TOLD[verdict], TOLD[verdict] + ANSWERED)
        return happened[0] == ANSWERED[0]

    def against_itself(self, way, *, apart):
        """One item from two phones; returns whether the first was taken."""
        answer = self.answer(self.asked(self.todo()[0]))
        told, happened = self.raced(self.ticket, answer, answer, apart=apart)
        assert sorted(told) == ["done", "stale_version"]
        assert happened == ANSWERED
        return told[::way][0] == "done"

    def against_another(self):
        """Both children's, of one section: both are taken, one after the other."""
        answers = [self.answer(self.asked(tasks)) for tasks in self.todo()]
        told, happened = self.raced(self.ticket, *answers)
        assert told == ["done", "done"]
        assert happened == ANSWERED * 2

    def close(self):
        """Every answer is a revision, none is missing; then the next ticket may be filed."""
        revisions = [one.revision for one in self.rows(_REVISIONS, self.ticket, SHARED)]
        assert revisions == list(range(1, self.answers + 2))
        assert {one.hold for one in self.rows(ITEMS, self.ticket)} == {None}
        self.filer.withdraws_all(self.ticket)()


@pytest.fixture(scope="module")
def many_reviews(wide):
    """In this module places at school have many reviews at once."""
    names = [f"review_{number}" for number in range(PARALLEL)]
    flow = reviews(names, [BUILDERS], offering="schooling", rounds=OFTEN)
    publish(wide, with_flow(plain_pack(), "schooling", flow))


def test_an_answer_and_whatever_else(many_reviews, filed, held, left, rows, raced, wide):
    """Reviewers of the same item and of the other one, another phone, another answer."""
    filer, tickets, told = filed(children=2), [], Counter()
    rounds, ways = 0, cycle((1, -1, -1, 1, -1, 1, 1, -1))
    while rounds < ROUNDS:
        family = Family(filer, held, left, rows, raced)
        tickets.append(family.ticket)
        for whose, verdict in product((0, 1), (PASS, REJECT)):
            way = next(ways)
            apart = (whose, verdict, way == 1) not in told
            first = family.against_a_verdict(whose, verdict, way, apart=apart)
            told[whose, verdict, first] += 1
        way = next(ways)
        apart = ("phones", way == 1) not in told
        told["phones", family.against_itself(way, apart=apart)] += 1
        family.against_another()
        family.close()
        rounds += RACES
    assert len(told) == 10
    assert invariants.check(wide, tickets) == len(tickets)
