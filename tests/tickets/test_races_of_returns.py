"""One department of a joint stage returns it to the applicant while the other one decides."""

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

ROUNDS = 120
PARALLEL = 8
OFTEN = 100
BUILDERS, PEOPLE = "construction", "human_resources"
PASS, REJECT = Verdict.PASS, Verdict.REJECT
GATHERED = (("done", "done"), ("vote_given", "vote_told", "item_returned"))
PASSED = (("task_closed", "done"), ("stage_passed",))
REJECTED = (("task_closed", "done"), ("stage_rejected",))
LEGAL = {
    ("all", PASS): {GATHERED},
    ("all", REJECT): {GATHERED, REJECTED},
    ("any", PASS): {GATHERED, PASSED},
    ("any", REJECT): {GATHERED},
}
"""What the two are told, and what happens: both speak, then the applicant is asked; once a stage
is over, nobody returns it any more.
"""
POINTS = """
SELECT count(*) AS asked, count(DISTINCT sent_at) AS at_once FROM corrections WHERE item_id = %s
"""


@pytest.mark.parametrize("join", ["all", "any"])
def test_a_return_and_the_other_department(join, filed, held, left, rows, raced, wide):
    """Whoever comes first, it is returned when both have spoken, or over and not returned."""
    names = [f"review_{number}" for number in range(PARALLEL)]
    flow = reviews(names, [BUILDERS, PEOPLE], rounds=OFTEN, join=join)
    publish(wide, with_flow(plain_pack(), "housing_rent", flow))
    filer, tickets, told = filed("housing_rent"), [], Counter()
    ways = cycle(product((PASS, REJECT), (1, -1)))
    while told.total() < ROUNDS:
        tickets.append(ticket := filer())
        held(left(ticket)[0])(Verdict.ACCEPT)
        while len(todo := left(ticket)) > 1:
            one, other = todo[:2]
            assert one.key == other.key
            verdict, way = next(ways)
            calls = [
                partial(held(one), Verdict.RETURN, points=ASKED),
                partial(held(other), verdict),
            ]
            codes, happened = raced(ticket, *calls[::way])
            told[verdict, tuple(codes[::way]), tuple(happened)] += 1
        (item,) = rows(ITEMS, ticket)
        if item.hold:  # all that was returned is done once more
            filer.answers(item, SHARED)()
        filer.withdraws_all(ticket)()
    for verdict in (PASS, REJECT):
        assert {tuple(come) for said, *come in told if said is verdict} == LEGAL[join, verdict]
    assert invariants.check(wide, tickets) == len(tickets)


def test_two_returns(filed, held, left, rows, raced, wide):
    """No department's points are lost, and the applicant is asked once for those of both."""
    flow = reviews(["review"], [BUILDERS, PEOPLE], rounds=OFTEN)
    publish(wide, with_flow(plain_pack(), "housing_rent", flow))
    filer, tickets = filed("housing_rent"), []
    for _ in range(PARALLEL):
        tickets.append(ticket := filer())
        held(left(ticket)[0])(Verdict.ACCEPT)
        calls = [partial(held(task), Verdict.RETURN, points=ASKED) for task in left(ticket)]
        assert raced(ticket, *calls) == (["done"] * 2, list(GATHERED[1]))
        (item,) = rows(ITEMS, ticket)
        assert rows(POINTS, item.id) == [(2, 1)]
        filer.answers(item, SHARED)()
        filer.withdraws_all(ticket)()
    assert invariants.check(wide, tickets) == len(tickets)
