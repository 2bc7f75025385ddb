"""A thousand rounds of people in each other's way, on connections of their own."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count

import pytest
from psycopg.rows import namedtuple_row

from service.routing.flow import Verdict
from tests.factories import RESULTS
from tests.tickets import invariants
from tests.tickets.acting import OVERDUE

pytestmark = pytest.mark.usefixtures("plain_flows")

POLICE, BUILDERS = "public_security", "construction"
RECEIVED = datetime(2026, 9, 8, 2, tzinfo=UTC)
keys = count()
ROUNDS = 1000
_ACTIVE = """
SELECT id, version, kind, offering_code FROM tasks
WHERE ticket_id = %s AND department = %s AND status IN ('open', 'claimed')
"""


class Contest:
    """A ticket of two items, walked to its end; at every step somebody is in the way."""

    def __init__(self, ticket, somebody, both, timer, at_once, superuser):
        self.ticket, self.somebody, self.both = ticket, somebody, both
        self.timer, self.at_once, self.superuser = timer, at_once, superuser
        self.rounds, self.verdict = 0, Verdict.APPROVE
        self.apart = ""
        """Who is first where the timer meets a decision, if that is not left to the scheduler."""

    def run(self) -> None:
        self._claim_against_decision(POLICE, "clerk")
        self._timer_against_decision(BUILDERS)
        self._release_against_decision(POLICE)
        self._release_against_decision(BUILDERS)
        self._all_at_once(POLICE)
        self._all_at_once(BUILDERS)

    def task(self, department):
        """What a department has to do, read past everything that the service does to read it."""
        with self.superuser.cursor(row_factory=namedtuple_row) as cursor:
            return cursor.execute(_ACTIVE, (self.ticket, department)).fetchone()

    def race(self, *calls, apart=False):
        self.rounds += 1
        return self.at_once(*calls, apart=apart)

    def held(self, department, role):
        task = self.task(department)
        holder = self.somebody(f"{role}.{department}")
        return task, holder, holder.claim(task.id, at=RECEIVED).version

    def _claim_against_decision(self, department, role):
        """Also of the other item of the same ticket, whose claim takes no lock of the ticket."""
        task, holder, version = self.held(department, role)
        other = self.task(BUILDERS)
        neighbour = self.somebody(f"clerk.{BUILDERS}")
        told = self.race(
            lambda: holder.pass_on(task, version, at=RECEIVED),
            lambda: self.both.claim(task.id, at=RECEIVED),
            lambda: neighbour.claim(other.id, at=RECEIVED),
        )
        assert told[0] == told[2] == "done"
        assert told[1] in {"task_already_claimed", "task_closed"}

    def _timer_against_decision(self, department):
        task = self.task(department)
        holder = self.somebody(f"clerk.{department}")
        deemed = []
        calls = [
            lambda: holder.decide(task.id, task.version, Verdict.ACCEPT, at=RECEIVED),
            lambda: deemed.append(self.timer.deem(at=OVERDUE)),
        ]
        way = -1 if self.apart == "timer" else 1
        told = self.race(*calls[::way], apart=bool(self.apart))[::way]
        assert told[1] == "done"
        won = told[0] == "done"
        assert deemed == [0 if won else 1]
        assert won or told[0] == "task_closed"
        deemed = "SELECT deemed FROM tasks WHERE id = %s"
        assert self.superuser.execute(deemed, (task.id,)).fetchone() == (not won,)

    def _release_against_decision(self, department):
        """Two windows of one reviewer, while a third person waits for the task."""
        task, holder, version = self.held(department, "reviewer")
        result = RESULTS[task.offering_code] if self.verdict is Verdict.APPROVE else None
        told = self.race(
            lambda: holder.decide(task.id, version, self.verdict, result, at=RECEIVED),
            lambda: holder.release(task.id, at=RECEIVED),
        )
        assert sorted(told) in (["done", "task_closed"], ["done", "task_not_claimed"])
        assert (told[0] == "done") == (told[1] == "task_closed")

    def _all_at_once(self, department):
        """Where the task went back: the reviewer decides, two others want it."""
        if self.task(department) is None:
            return
        task, holder, version = self.held(department, "reviewer")
        colleague = self.both if department == POLICE else self.somebody(f"head.{department}")
        told = self.race(
            lambda: holder.decide(task.id, version, Verdict.REJECT, at=RECEIVED),
            lambda: colleague.claim(task.id, at=RECEIVED),
            lambda: self.timer.deem(at=OVERDUE),
        )
        assert (told[0], told[2]) == ("done", "done")
        assert told[1] in {"task_already_claimed", "task_closed", "role_missing"}


@pytest.mark.slow
def test_a_thousand_rounds(world, acting, somebody, both, alarm, at_once, wide, superuser):
    """Claims, releases, decisions and the timer in each other's way: no deadlock, no lost step."""
    filer, body = acting(world.talent()), world.filing()
    rounds, tickets = 0, []
    while rounds < ROUNDS:
        filed = filer.file(body, key=f"key-{next(keys)}", at=RECEIVED)
        tickets.append(filed.ticket.id)
        contest = Contest(filed.ticket.id, somebody, both, alarm, at_once, superuser)
        contest.verdict = (Verdict.APPROVE, Verdict.REJECT)[len(tickets) % 2]
        contest.apart = {1: "decision", 2: "timer"}.get(len(tickets), "")
        contest.run()
        rounds += contest.rounds
    assert invariants.check(wide, tickets) == len(tickets)
    told = invariants.stories(wide, tickets)
    assert {one.ticket.status for one in told} == {"completed", "closed"}
    outcomes = [task.deemed for one in told for task in one.tasks if task.kind == "acceptance"]
    assert set(outcomes) == {True, False}
    assert {item.phase for one in told for item in one.items} == {"ended"}
