"""An applicant answers a correction at the very moment at which the item ends."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from itertools import chain, cycle, product, repeat

import pytest

from service.routing.flow import Verdict
from tests.packs import plain_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.racing import ASKED, ITEMS, SHARED, reviews

pytestmark = pytest.mark.slow

ROUNDS = 600
ORDERS = list(product((1, -1), repeat=3))
"""Whether the answer comes first, in each of the three races of a ticket."""
BUILDERS = "construction"
ANSWER_FIRST, END_FIRST = ("done", "done"), ("stale_version", "done")
ANSWERED, TOLD = ("item_corrected",), ("section_corrected",)
WITHDRAWN, CLOSED = ("item_withdrawn", "item_ended"), ("ticket_closed",)
REJECTED = ("stage_rejected", "item_rejected", "item_ended")
LEGAL = {
    "rejected": {(ANSWER_FIRST, ANSWERED + TOLD * 2 + REJECTED), (END_FIRST, REJECTED)},
    "taken back": {(("done", "stale_version"), ANSWERED + TOLD), (END_FIRST, WITHDRAWN)},
    "all taken back": {
        (ANSWER_FIRST, ANSWERED + TOLD + WITHDRAWN * 2 + CLOSED),
        (ANSWER_FIRST, ANSWERED + WITHDRAWN + CLOSED),
        (END_FIRST, WITHDRAWN * 2 + CLOSED),
        (END_FIRST, WITHDRAWN + CLOSED),
    },
}
"""What the two are told, and what happens: an answer is told to every other open item."""


class Family:
    """Three places at school in one ticket, of each of which the applicant is asked something.

    The first is reviewed by two, one of whom has asked; the others are not accepted yet.
    """

    def __init__(self, filer, held, left, rows, raced):
        self.filer, self.held, self.rows, self.raced = filer, held, rows, raced
        self.ticket = filer()
        accepted, *others = left(self.ticket)
        held(accepted)(Verdict.ACCEPT)
        returned, self.reviewed = (task for task in left(self.ticket) if task.kind == "review")
        for task in (returned, *others):
            held(task)(Verdict.RETURN, points=ASKED)

    def race(self, place, ends, way, *, apart):
        """The answer for an item against what ends it: what both are told, and what happens."""
        item = self.rows(ITEMS, self.ticket)[place]
        calls = [self.filer.answers(item, SHARED), ends(item)]
        told, happened = self.raced(self.ticket, *calls[::way], apart=apart)
        return tuple(told[::way]), tuple(happened)

    def rejects(self, _item):
        return partial(self.held(self.reviewed), Verdict.REJECT)

    def withdraws_all(self, _item):
        return self.filer.withdraws_all(self.ticket)


@pytest.fixture(scope="module")
def two_reviews(wide):
    """In this module a place at school has two reviews, each of which may end it."""
    flow = reviews(["one", "other"], [BUILDERS], offering="schooling")
    publish(wide, with_flow(plain_pack(), "schooling", flow))


def test_an_answer_and_an_end(two_reviews, filed, held, left, rows, raced, wide):
    """The other reviewer rejects, or the applicant takes the item back, or all: whatever has ended
    is not answered any more, and hears of no answer.
    """
    filer, tickets, seen = filed(children=3), [], defaultdict(set)
    for ways, apart in chain(zip(ORDERS, repeat(True)), zip(cycle(ORDERS), repeat(False))):
        if len(tickets) * len(LEGAL) >= ROUNDS:
            break
        family = Family(filer, held, left, rows, raced)
        tickets.append(family.ticket)
        ends = (family.rejects, filer.withdraws, family.withdraws_all)
        for place, (name, end, way) in enumerate(zip(LEGAL, ends, ways, strict=True)):
            seen[name].add(family.race(place, end, way, apart=apart))
    assert seen == LEGAL
    assert invariants.check(wide, tickets) == len(tickets)
