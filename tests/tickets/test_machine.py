"""Talents, clerks and the timer do whatever they like; a small model says what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from service.routing.flow import PASSING, StageKind, Verdict
from tests.factories import RESULTS
from tests.tickets import invariants
from tests.tickets.acting import Acting, active_tasks, outcome, task_by_id

pytestmark = pytest.mark.usefixtures("plain_flows")

DEPARTMENTS = {"settlement": "public_security", "housing_rent": "construction"}
ROLES = {StageKind.ACCEPTANCE: "clerk", StageKind.DECISION: "reviewer"}
BEGINNING = datetime(2026, 3, 2, 1, tzinfo=UTC)
WHICH = st.integers(0, 50)
WHO = st.sampled_from(["clerk", "reviewer", "both"])
NEAR = st.sampled_from([True, True, True, False])
keys = count()


@dataclass
class Case:
    """What the model knows of an item: where it stands, and its latest task."""

    ticket: UUID
    item: UUID
    offering: str
    kind: StageKind
    task: UUID
    version: int
    due_at: datetime
    holder: str | None = None
    closed: bool = False
    ended: bool = False

    @property
    def department(self) -> str:
        return DEPARTMENTS[self.offering]


class Tickets(RuleBasedStateMachine):
    """Every act is tried by anybody, whether it makes sense or not."""

    cast: dict[str, Any]
    database: Any
    body: Any
    timer: Acting
    talents: list[Acting]

    def __init__(self) -> None:
        super().__init__()
        self.at = BEGINNING
        self.cases: list[Case] = []
        self.owned: dict[int, list[Case]] = {index: [] for index in range(len(self.talents))}

    @initialize()
    def begin(self):
        self.file(talent=0, offerings=tuple(DEPARTMENTS))

    @rule(
        talent=st.integers(0, 1),
        offerings=st.sampled_from([("settlement",), ("housing_rent",), tuple(DEPARTMENTS)]),
    )
    def file(self, talent, offerings):
        mine = self.owned[talent]
        in_the_way = {case.offering for case in mine if not case.ended} & set(offerings)
        rows = []
        code = outcome(
            lambda: rows.append(
                self.talents[talent].file(
                    self.body(*offerings), key=f"key-{next(keys)}", at=self.at
                )
            )
        )
        if in_the_way:
            assert code == "item_already_open"
            return
        assert code == "done"
        tasks = {task.item_id: task for task in active_tasks(self.database, rows[0].ticket.id)}
        for item in rows[0].items:
            task = tasks[item.id]
            case = Case(
                rows[0].ticket.id,
                item.id,
                item.offering_code,
                StageKind.ACCEPTANCE,
                task.id,
                task.version,
                task.due_at,
            )
            self.cases.append(case)
            mine.append(case)

    @precondition(lambda self: self.cases)
    @rule(which=WHICH, who=WHO, near=NEAR)
    def claim(self, which: int, who: str, near: bool):
        case, name = self._pick(which, who, near)
        code = outcome(lambda: self.cast[name].claim(case.task, at=self.at))
        assert code == self._expected(case, name, "claim")
        if code == "done" and case.holder is None:
            case.holder, case.version = name, case.version + 1

    @precondition(lambda self: self.cases)
    @rule(which=WHICH, who=WHO, near=NEAR)
    def release(self, which: int, who: str, near: bool):
        case, name = self._pick(which, who, near)
        code = outcome(lambda: self.cast[name].release(case.task, at=self.at))
        assert code == self._expected(case, name, "release")
        if code == "done":
            case.holder, case.version = None, case.version + 1

    @precondition(lambda self: self.cases)
    @rule(
        which=WHICH,
        verdict=st.sampled_from(Verdict),
        fresh=st.sampled_from([True, True, True, False]),
        holder=st.sampled_from([True, True, False]),
        who=WHO,
    )
    def decide(self, which: int, verdict: Verdict, fresh: bool, holder: bool, who: str):
        case, name = self._pick(which, who, near=True)
        name = case.holder if holder and case.holder else name
        passing = verdict is PASSING[case.kind]
        result = RESULTS[case.offering] if verdict is Verdict.APPROVE else None
        version = case.version if fresh else case.version - 1
        code = outcome(
            lambda: self.cast[name].decide(case.task, version, verdict, result, at=self.at)
        )
        expected = self._expected(case, name, "decide")
        if expected == "done" and not fresh:
            expected = "stale_version"
        allowed = {PASSING[case.kind]} | (
            {Verdict.NOT_ACCEPT} if case.kind is StageKind.ACCEPTANCE else {Verdict.REJECT}
        )
        if expected == "done" and verdict not in allowed:
            expected = "invalid"
        if expected == "done" and verdict is Verdict.NOT_ACCEPT and self.at > case.due_at:
            expected = "acceptance_deemed"
        assert code == expected
        if code != "done":
            return
        case.closed, case.version = True, case.version + 1
        if passing and case.kind is StageKind.ACCEPTANCE:
            self._goes_on(case)
        else:
            case.ended = True

    @rule(days=st.sampled_from([1, 3, 9]))
    def time_passes(self, days):
        self.at += timedelta(days=days)

    @rule()
    def deem(self):
        overdue = [
            case
            for case in self.cases
            if case.kind is StageKind.ACCEPTANCE and not case.closed and case.due_at < self.at
        ]
        assert self.timer.deem(at=self.at) == len(overdue)
        for case in overdue:
            task = task_by_id(self.database, case.task)
            assert (task.deemed, task.verdict) == (True, Verdict.ACCEPT)
            self._goes_on(case)

    @invariant()
    def every_ticket_is_sound(self):
        tickets = {case.ticket for case in self.cases}
        assert invariants.check(self.database, tickets) == len(tickets)

    @invariant()
    def every_task_is_where_the_model_has_it(self):
        for case in self.cases:
            task = task_by_id(self.database, case.task)
            assert task.version == case.version
            if not case.closed:
                holder = None if case.holder is None else self.cast[case.holder].actor.account
                assert task.assignee == holder

    def teardown(self):
        """End what is open: the timer of the next run sees the whole district."""
        for case in self.cases:
            while not case.ended:
                name = f"{ROLES[case.kind]}.{case.department}"
                if case.holder is None:
                    self.cast[name].claim(case.task)
                    case.holder, case.version = name, case.version + 1
                accepting = case.kind is StageKind.ACCEPTANCE
                verdict = Verdict.ACCEPT if accepting else Verdict.REJECT
                self.cast[case.holder].decide(case.task, case.version, verdict)
                if accepting:
                    self._goes_on(case)
                else:
                    case.ended = True

    def _pick(self, which: int, who: str, near: bool) -> tuple[Case, str]:
        """A case, and somebody of its department or, when not `near`, of the other one."""
        case = self.cases[which % len(self.cases)]
        home = case.department
        other = next(one for one in DEPARTMENTS.values() if one != home)
        return case, f"{who}.{home if near else other}"

    def _expected(self, case: Case, name: str, act: str) -> str:
        who, _, department = name.partition(".")
        if department != case.department:
            return "not_found"
        if act == "claim" and who not in {ROLES[case.kind], "both"}:
            return "role_missing"
        if case.closed:
            return "task_closed"
        if act == "claim":
            return "done" if case.holder in {None, name} else "task_already_claimed"
        if case.holder is None:
            return "task_not_claimed"
        return "done" if case.holder == name else "task_not_mine"

    def _goes_on(self, case: Case) -> None:
        """The acceptance is over: the decision has a task, which nobody holds."""
        (task,) = [
            one for one in active_tasks(self.database, case.ticket) if one.item_id == case.item
        ]
        case.kind, case.task, case.version = StageKind.DECISION, task.id, task.version
        case.due_at, case.holder, case.closed = task.due_at, None, False


@pytest.mark.slow
def test_whatever_they_do(world, acting, hire, timer, database):
    cast = {}
    for department in DEPARTMENTS.values():
        for role in ("clerk", "reviewer"):
            cast[f"{role}.{department}"] = acting(world.staff(f"{role}.{department}"))
        cast[f"both.{department}"] = acting(hire((department, "clerk"), (department, "reviewer")))

    class Here(Tickets):
        def __init__(self):
            type(self).talents = [acting(world.talent()) for _ in range(2)]
            super().__init__()

    Here.cast, Here.database, Here.body, Here.timer = cast, database, world.filing, timer
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            database=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert invariants.check(database) >= 15
