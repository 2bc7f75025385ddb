"""A filed ticket in the hands of everybody who works on it, at moments of the test's choosing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.catalogue.queries.definitions import offering_definition
from service.kernel.actor import system
from service.kernel.db import Database, Scope
from service.routing.flow import PASSING, Flow, Stage, StageKind, Verdict
from service.tickets.models.items import Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.rules.states import ACTIVE
from tests.tickets.acting import DISTRICT, TIMERS, Acting
from tests.tickets.stories import Story, stories

MONDAY = datetime(2026, 3, 2, 2, tzinfo=UTC)
"""Ten o'clock in the district; the next holiday is on 6 April."""
A_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Todo:
    """Something that a department has to do on a ticket."""

    task: Task
    stage: Stage
    round: int

    @property
    def offering(self) -> str:
        return self.task.offering_code

    @property
    def example(self) -> dict[str, Any] | None:
        """What the stage records, as the pack shows it."""
        return None if self.stage.records is None else self.stage.records["examples"][0]

    def is_of(self, offering: str | None, item: UUID | None) -> bool:
        return offering in {None, self.offering} and item in {None, self.task.item_id}


class Walk:
    """Everybody at their desks, and the clock on the wall: `at` moves on only when told."""

    def __init__(
        self,
        database: Database,
        somebody: Callable[[str], Acting],
        ticket: UUID,
        at: datetime,
        body: dict[str, Any],
    ) -> None:
        self.database, self.somebody, self.ticket, self.at = database, somebody, ticket, at
        self.body = body
        self.timer = Acting(database, system(DISTRICT))

    @property
    def story(self) -> Story:
        (story,) = stories(self.database, [self.ticket])
        return story

    def todo(self, offering: str | None = None, item: UUID | None = None) -> list[Todo]:
        """What is still to be done, in the order of opening."""
        query = (
            select(Task, ItemStage.key, ItemStage.round, Item.offering_version_id)
            .join(ItemStage, ItemStage.id == Task.stage_id)
            .join(Item, Item.id == Task.item_id)
            .where(Task.ticket_id == self.ticket, Task.status.in_(ACTIVE))
            .order_by(Task.id)
        )
        with self.database.transaction(Scope.system(DISTRICT)) as session:
            found = [
                Todo(task, _flow(session, version).by_key[key], round_)
                for task, key, round_, version in session.execute(query)
            ]
        return [one for one in found if one.is_of(offering, item)]

    def stages(self, offering: str | None = None, item: UUID | None = None) -> list[str]:
        """The stages that are open, one for each department that has to do something."""
        return sorted(one.stage.key for one in self.todo(offering, item))

    def one(self, stage: str, department: str | None = None, **which: Any) -> Todo:
        """The one task of that stage which is still to be done."""
        (found,) = [
            one
            for one in self.todo(**which)
            if one.stage.key == stage and department in {None, one.task.department}
        ]
        return found

    def say(
        self,
        stage: str,
        verdict: Verdict | str | None = None,
        *,
        department: str | None = None,
        result: dict[str, Any] | None = None,
        by: Acting | None = None,
        **which: Any,
    ) -> None:
        """Claim the task of a stage and decide it: pass it on, where nothing else is said."""
        self.decide(self.one(stage, department, **which), verdict, result, by)

    def decide(
        self,
        todo: Todo,
        verdict: Verdict | str | None = None,
        result: dict[str, Any] | None = None,
        by: Acting | None = None,
    ) -> None:
        task, passing = todo.task, PASSING[todo.stage.kind]
        verdict = passing if verdict is None else Verdict(verdict)
        if verdict is passing and result is None:
            result = todo.example
        by = by or self.somebody(f"{task.role}.{task.department}")
        version = by.claim(task.id, at=self.at).version
        by.decide(task.id, version, verdict, result, at=self.at)

    def pass_on(self, todo: Todo, verdict: Verdict | str | None = None) -> None:
        """Decide it or, where nothing but time passes it on, let the time be over."""
        if todo.stage.kind is StageKind.PUBLICITY:
            self.at = max(self.at, todo.task.due_at + A_SECOND)
            assert self.run("alarms") > 0
        else:
            self.decide(todo, verdict)

    def until(self, stage: str, **which: Any) -> None:
        """Pass on everything until the stage is open."""
        while stage not in self.stages(**which):
            self.pass_on(self.todo(**which)[0])

    def through(self, *offerings: str) -> None:
        """Pass on everything of these offerings, or of all, until nothing is to be done."""
        while todo := [one for one in self.todo() if not offerings or one.offering in offerings]:
            self.pass_on(todo[0])

    def run(self, timer: str, *, at: datetime | None = None) -> int:
        """A timer deals with this ticket, and no other."""
        return self.timer(TIMERS[timer].act, ticket_id=self.ticket, at=at or self.at)


def _flow(session: Session, version: UUID) -> Flow:
    return offering_definition(session, DISTRICT, version).flow
