"""Two windows, or two clerks, with one version of a task: one of them has it."""

from __future__ import annotations

from collections import Counter
from functools import partial
from itertools import cycle, product

import pytest

from service.desk.actions import assign
from service.kernel import clock
from service.routing.flow import Verdict
from tests.packs import plain_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.acting import Acting
from tests.tickets.racing import recorded, reviews
from tests.tickets.walking import MONDAY

pytestmark = pytest.mark.slow

ROUNDS = 1000
HANDED_OVER = 64
PARALLEL = 8
BUILDERS = "construction"
PASS, REJECT, APPROVE = Verdict.PASS, Verdict.REJECT, Verdict.APPROVE
OFTEN = 50
"""So often a review may be rejected and done once more; no one of them is unlucky that often."""
_COME_TO = "SELECT verdict, version, assignee FROM tasks WHERE id = %s"


@pytest.fixture(scope="module")
def many_reviews(wide):
    """In this module a rent subsidy has many reviews at once."""
    names = [f"review_{number}" for number in range(PARALLEL)]
    publish(wide, with_flow(plain_pack(), "housing_rent", reviews(names, [BUILDERS], rounds=OFTEN)))


@pytest.fixture
def begun(many_reviews, filed, held, left):
    """Rent subsidies, accepted."""

    def again():
        ticket = filed("housing_rent")()
        (acceptance,) = left(ticket)
        held(acceptance)(Verdict.ACCEPT)
        return ticket

    return again


def test_two_windows(begun, held, left, rows, wide, at_once):
    """One account, one version, the same verdict or another: said once, and the first counts."""
    pairs, tickets, told = cycle(product((PASS, REJECT), repeat=2)), [], Counter()
    while told.total() < ROUNDS:
        tickets.append(ticket := begun())
        while todo := left(ticket):
            said = [(one,) for one in next(pairs)]
            if todo[0].kind == "decision":
                said = [(REJECT,), (APPROVE, recorded(plain_pack(), "housing_rent"))]
            decides = held(todo[0])
            verdicts = tuple(verdict for verdict, *_ in said)
            ahead = [first for first in (0, 1) if (*verdicts, first) not in told]
            way = -1 if ahead == [1] else 1
            calls = [partial(decides, *one) for one in said]
            codes = at_once(*calls[::way], apart=bool(ahead))[::way]
            assert sorted(codes) == ["done", "task_closed"]
            first = codes.index("done")
            ((verdict, version, _),) = rows(_COME_TO, todo[0].id)
            assert verdict == said[first][0]
            assert version == decides.args[1] + 1
            told[*verdicts, first] += 1
    assert set(told) >= set(product((PASS, REJECT), (PASS, REJECT), (0, 1)))
    assert invariants.check(wide, tickets) == len(tickets)


def test_a_task_that_is_handed_over(begun, held, left, rows, somebody, hire, acting, wide, at_once):
    """Its holder decides while the head gives it to a colleague, who has what the holder saw."""
    head = somebody(f"head.{BUILDERS}")
    colleague = Acting(wide, acting(hire((BUILDERS, "clerk"))).actor)
    to, tickets, told = {"account": colleague.actor.account, "at": clock.now()}, [], Counter()
    while told.total() < HANDED_OVER:
        tickets.append(ticket := begun())
        for task in left(ticket):
            decides = held(task)
            version = decides.args[1]
            gives = partial(head, assign.assign_task, task_id=task.id, version=version, **to)
            calls = [
                partial(decides, PASS),
                gives,
                partial(colleague.decide, task.id, version, PASS),
            ]
            turned = told.total() == 1  # the first two go one after the other, in both orders
            calls[:2] = calls[:2][::-1] if turned else calls[:2]
            codes = at_once(*calls, apart=told.total() < 2)
            codes = (*(codes[:2][::-1] if turned else codes[:2]), codes[2])
            told[codes] += 1
            if codes[0] != "done":
                colleague.decide(task.id, version + 1, PASS, at=MONDAY)
            ((_, after, assignee),) = rows(_COME_TO, task.id)
            assert (assignee == colleague.actor.account) == (codes[1] == "done")
            assert after == version + 1 + (codes[1] == "done")
    holder_first = {("done", "task_closed", late) for late in ("task_not_mine", "task_closed")}
    head_first = {("task_not_mine", "done", late) for late in ("task_not_mine", "stale_version")}
    assert set(told) <= holder_first | head_first
    assert set(told) & holder_first
    assert set(told) & head_first
    assert invariants.check(wide, tickets) == len(tickets)
