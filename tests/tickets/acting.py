"""People who call the use cases themselves, at any moment, in transactions that commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import select

from service.desk.actions import claim, decide
from service.filing.actions import file
from service.filing.schemas import FilingIn
from service.kernel import clock
from service.kernel.actor import Actor
from service.kernel.db import Database, Scope, scope_of
from service.kernel.errors import Problem
from service.routing.flow import PASSING, StageKind, Verdict
from service.tickets import timers
from service.tickets.models.stages import Task
from service.tickets.rules.applicant import Applicant
from service.tickets.rules.corrections import Point
from service.tickets.rules.reasons import REASONED, Reason
from service.tickets.rules.states import ACTIVE
from service.worker import run_timer
from tests.factories import RESULTS

DISTRICT = "demo"
CROWD = 50
OVERDUE = datetime(2026, 9, 16, 1, tzinfo=UTC)
"""When what was received on the eighth of that month has not been accepted in time."""
WHY = Reason("提供的材料与申请不符。", code="rules")
TIMERS = {timer.name: timer for timer in timers.TIMERS}


@dataclass(frozen=True)
class Acting:
    """An actor with a database to act on."""

    database: Database
    actor: Actor

    def __call__(self, action: Callable[..., Any], **arguments: Any) -> Any:
        """Do it, and commit; what it raises is raised and leaves nothing."""
        with self.database.transaction(scope_of(self.actor)) as session:
            return action(session, self.actor, **arguments)

    def file(self, body: dict[str, Any], *, key: str, at: datetime | None = None) -> Any:
        """File a body as the route would; gives the rows."""
        return self(
            file.file_ticket,
            applicant=Applicant.themselves(self.actor.person),
            filing=FilingIn().load(body),
            key=key,
            digest=orjson.dumps(body),
            at=at or clock.now(),
        )

    def claim(self, task_id: UUID, *, at: datetime | None = None) -> Any:
        return self(claim.claim_task, task_id=task_id, at=at or clock.now())

    def release(self, task_id: UUID, *, at: datetime | None = None) -> Any:
        return self(claim.release_task, task_id=task_id, at=at or clock.now())

    def decide(
        self,
        task_id: UUID,
        version: int,
        verdict: Verdict,
        result: dict[str, Any] | None = None,
        *,
        points: Sequence[Point] = (),
        at: datetime | None = None,
    ) -> Any:
        return self(
            decide.decide_task,
            task_id=task_id,
            version=version,
            verdict=verdict,
            opinion="同意",
            result=result,
            reason=WHY if verdict in REASONED else None,
            points=points,
            at=at or clock.now(),
        )

    def pass_on(self, task: Task, version: int, *, at: datetime | None = None) -> Any:
        """The verdict with which the flow goes on, with the result that it must bring."""
        result = RESULTS[task.offering_code] if task.kind is StageKind.DECISION else None
        return self.decide(task.id, version, PASSING[task.kind], result, at=at)

    def deem(self, *, at: datetime) -> int:
        """One round of the timer of silence."""
        return self.run("alarms", at=at)

    def run(self, timer: str, *, at: datetime) -> int:
        """One round of a timer; gives how many items moved."""
        return run_timer(self.database, TIMERS[timer], self.actor.district, now=lambda: at)


def outcome(call: Callable[[], Any]) -> str:
    """`done`, or the code of the problem; whatever else goes wrong is raised."""
    try:
        call()
    except Problem as problem:
        return problem.code
    return "done"


def active_tasks(database: Database, ticket_id: UUID | str) -> Sequence[Task]:
    """What is still to be done on a ticket, in the order of its items' departments."""
    with database.transaction(Scope.system(DISTRICT)) as session:
        return session.scalars(
            select(Task)
            .where(Task.ticket_id == UUID(str(ticket_id)), Task.status.in_(ACTIVE))
            .order_by(Task.department, Task.id)
        ).all()


def task_by_id(database: Database, task_id: UUID) -> Task:
    with database.transaction(Scope.system(DISTRICT)) as session:
        return session.scalars(select(Task).where(Task.id == task_id)).one()
