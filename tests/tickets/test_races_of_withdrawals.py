"""A department decides at the very moment at which the talent takes the item, or all, back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial, reduce
from itertools import cycle, pairwise

import pytest

from service.routing.flow import Verdict
from tests.packs import plain_pack, publish
from tests.tickets import invariants
from tests.tickets.racing import FORGET, ITEMS, OPEN, recorded, short

pytestmark = pytest.mark.slow

ROUNDS = 340
APPROVE, REJECT = Verdict.APPROVE, Verdict.REJECT
CHAIN = ("recognition", "settlement", "housing_rent")
"""Each waits for the one before it: along a hard edge, then a soft one."""
PACK = reduce(short, CHAIN, plain_pack())
WHOLE = (False, False, True, True, False, True)
"""Whether all is taken back, which ends a ticket: after two rounds, after none, after one."""
VERDICTS = (APPROVE, REJECT, APPROVE, APPROVE, REJECT)
OTHERWISE = {
    "proceed": "proceed",
    "close": "close",
    "ask": {"ask": {"working_days": 10, "default": "close"}},
}
"""What becomes of an item when the one before it is not approved."""
OUTCOMES = {APPROVE: "approved", REJECT: "rejected"}


def chained(otherwise):
    """The pack in which they wait for each other so."""
    rule = {"on": "approved", "otherwise": OTHERWISE[otherwise]}
    edges = tuple(
        {"from": one, "to": other, "kind": kind, **rule}
        for (one, other), kind in zip(pairwise(CHAIN), ("hard", "soft"), strict=True)
    )
    bundle = replace(PACK.bundles["arrival"], edges=edges)
    return replace(PACK, bundles={"arrival": bundle})


class Chain:
    """A ticket whose items come to their decisions one after the other."""

    def __init__(self, filer, otherwise, held, rows):
        self.filer, self.otherwise, self.held, self.rows = filer, otherwise, held, rows
        self.ticket = filer()

    def items(self):
        return {one.offering_code: one for one in self.rows(ITEMS, self.ticket)}

    def decision(self):
        """The next decision, if there is one; it and the one behind it are accepted."""
        items = self.items()
        near = [code for code in CHAIN if items[code].outcome is None][:2]
        todo = {task.offering_code: task for task in self.rows(OPEN, self.ticket)}
        for code in near:
            if code in todo and todo[code].kind == "acceptance":
                self.held(todo[code])(Verdict.ACCEPT)
        return next(
            (one for one in self.rows(OPEN, self.ticket) if one.kind == "decision"),
            None,
        )

    def race(self, task, verdict, at_once, *, whole, way, apart):
        """One verdict against one withdrawal; gives whether the verdict came first."""
        code = task.offering_code
        result = recorded(PACK, code) if verdict is APPROVE else None
        back = self.filer.withdraws_all(self.ticket)
        if not whole:
            back = self.filer.withdraws(self.items()[code])
        calls = [partial(self.held(task), verdict, result), back]
        decided, withdrawn = at_once(*calls[::way], apart=apart)[::way]
        won = decided == "done"
        assert won or decided == "task_closed"
        self._check(code, OUTCOMES[verdict] if won else "withdrawn", withdrawn, whole=whole)
        return won

    def _check(self, code, outcome, withdrawn, *, whole):
        """What they were told is what has come of the item, and of those behind it."""
        items = self.items()
        mine, *behind = [items[one] for one in CHAIN[CHAIN.index(code) :]]
        assert mine.outcome == outcome
        follows = "proceed" if outcome == "approved" else self.otherwise
        if outcome == "withdrawn":
            assert withdrawn == "done"
        elif whole:  # what is left is taken back
            left = behind and follows != "close"
            assert withdrawn == ("done" if left else "ticket_decided")
        else:
            assert withdrawn == "stale_version"
        if whole and withdrawn == "done":
            assert {one.outcome for one in behind} <= {"withdrawn"}
        elif follows == "close":
            assert {one.outcome for one in behind} <= {"cancelled"}
        else:
            if behind and follows == "proceed":
                _goes_on(behind.pop(0))
            assert all(one.phase == "waiting" or one.decision_waits for one in behind)


def _goes_on(following):
    """It has begun or, along the soft edge, its decision is open."""
    begun = following.offering_code == CHAIN[1]
    assert following.phase == ("acceptance" if begun else "processing")
    assert not following.decision_waits


@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_a_verdict_and_a_withdrawal(otherwise, filed, held, rows, superuser, wide, at_once):
    """Whoever comes first has it; the item comes to one thing, and what waits for it follows."""
    publish(wide, chained(otherwise))
    filer, tickets, told = filed(*CHAIN), [], Counter()
    ways = zip(cycle(WHOLE), cycle(VERDICTS), cycle((1, -1)), strict=False)
    while told.total() < ROUNDS:
        chain = Chain(filer, otherwise, held, rows)
        tickets.append(chain.ticket)
        while task := chain.decision():
            whole, verdict, way = next(ways)
            apart = (whole, way == 1) not in told
            won = chain.race(task, verdict, at_once, whole=whole, way=way, apart=apart)
            told[whole, won] += 1
        if any(item.outcome is None for item in chain.items().values()):
            filer.withdraws_all(chain.ticket)()  # nobody answers what is asked
        superuser.execute(FORGET)  # so that the next ticket has to wait again
    assert len(told) == 4
    assert invariants.check(wide, tickets) == len(tickets)
