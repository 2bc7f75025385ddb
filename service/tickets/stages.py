"""The rows of stages and tasks that are entered and left in one act."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Integer, Text, Update, Uuid, bindparam, text, update
from sqlalchemy.orm import Session

from service.calendars.rules import WorkingCalendar
from service.catalogue.rules.definitions import OfferingDefinition
from service.kernel.db import insert_last, prepared
from service.kernel.ids import new_id
from service.routing.flow import Flow, Stage, StageKind, Verdict
from service.routing.states import (
    CancelTask,
    CheckStage,
    CloseStage,
    OpenStage,
    Phase,
    SkipStage,
    StageStatus,
    SupersedeStage,
)
from service.tickets.models.items import Item
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.cases import StageRow
from service.tickets.rows import Row, Rows
from service.tickets.rules.clock import due_within
from service.tickets.rules.states import ACTIVE, TaskStatus, TicketEvent

Left = CancelTask | CloseStage | SupersedeStage

ALARMED: Final = frozenset({StageKind.ACCEPTANCE, StageKind.PUBLICITY})
"""The kinds of stages that time itself ends: silence accepts, a notice period is over."""


@dataclass(slots=True)
class StageRows:
    """Stages and tasks of one ticket: those entered are inserted together, then others are left.

    `before` returns the stages of an item as they were when the act began; `record` emits an event
    that no replay needs: by these, time in stages and the work of departments are counted.
    `entered` are the rows of the stages, in the order of entering.
    """

    calendar: WorkingCalendar
    at: datetime
    before: Callable[[Item], Sequence[StageRow]]
    record: Callable[..., object]
    entered: Rows = field(default_factory=list)
    tasks: Rows = field(default_factory=list)
    _left: list[tuple[Item, Left]] = field(default_factory=list)
    _gathering: list[tuple[Item, str, int]] = field(default_factory=list)

    def enter(self, opened: OpenStage, item: Item, definition: OfferingDefinition) -> None:
        """A stage opens, its clock started, with a task for each department.

        The time for acceptance counts from the moment at which the acceptance opens.
        """
        stage = definition.flow.by_key[opened.stage]
        if item.phase is Phase.ACCEPTANCE:
            item.received_at = self.at
        barred = self._barred(item, definition.flow, stage)
        limit, calendar = stage.limit, self.calendar
        due = due_within(calendar, self.at, limit)
        clock = {
            "opened_at": self.at,
            "due_at": due.at,
            "warn_at": calendar.warn_at(self.at, due.at, limit.working_days, limit.working_hours),
            "closed_at": None,
        }
        row = self._stage(item, opened, StageStatus.OPEN, list(opened.departments), clock)
        tasks = [
            {
                "district_id": item.district_id,
                "id": new_id(),
                "ticket_id": item.ticket_id,
                "item_id": item.id,
                "person_id": item.person_id,
                "stage_id": row["id"],
                "stage_key": stage.key,
                "kind": stage.kind,
                "offering_code": definition.code,
                "department": department,
                "role": opened.role,
                "status": TaskStatus.OPEN,
                "version": 1,
                "deemed": False,
                "barred": barred,
                "next_alarm_at": due.at if stage.kind in ALARMED else None,
                **clock,
            }
            for department in opened.departments
        ]
        self.tasks += tasks
        about = _about(item, opened) | {"role": opened.role}
        self.record(TicketEvent.STAGE_OPENED, about, item_id=item.id)
        for task in tasks:
            of_task = {
                "department": task["department"],
                "kind": task["kind"],
                "due_at": due.at.isoformat(),
            }
            self.record(
                TicketEvent.TASK_OPENED, about | of_task, item_id=item.id, task_id=task["id"]
            )

    def pass_by(self, entered: SkipStage | CheckStage, item: Item) -> None:
        """A stage that is over as it is entered: nobody has a task of it."""
        now = {"opened_at": self.at, "due_at": self.at, "warn_at": self.at, "closed_at": self.at}
        checked = isinstance(entered, CheckStage)
        status = StageStatus.CLOSED if checked else StageStatus.SKIPPED
        row = self._stage(item, entered, status, [], now)
        row["verdict"] = entered.verdict if isinstance(entered, CheckStage) else None
        self._closed(item, entered, row["verdict"])

    def leave(self, item: Item, effect: Left) -> None:
        """Something is taken from an item: a stage with the tasks left of it, or one task."""
        self._left.append((item, effect))
        if isinstance(effect, CancelTask):
            self._cancelled(item, effect, {effect.department})
        elif isinstance(effect, CloseStage):
            if effect.verdict is None:
                self._cancelled(item, effect)
            self._closed(item, effect, effect.verdict)

    def gather(self, item: Item, key: str, round_: int) -> None:
        """Returns are gathered in a stage until its limit: time has to do with it from now on."""
        self._gathering.append((item, key, round_))

    def write(self, session: Session) -> None:
        """Insert what was entered, at most two statements; then leave, one or two for each.

        One for each stage in which returns are gathered from now on.
        """
        insert_last(session, ItemStage, self.entered)
        insert_last(session, Task, self.tasks)
        self.write_left(session)

    def write_left(self, session: Session) -> None:
        """What was left, and the stages in which returns are gathered."""
        for item, effect in self._left:
            _leave(session, item, effect, self.at)
        for item, key, round_ in self._gathering:
            alarm = {"next_alarm_at": Task.due_at}
            session.execute(_active_tasks(item, key, round_).values(**alarm))

    def verdicts(self) -> list[tuple[Item, CloseStage]] | None:
        """The stages that were closed with a verdict; None where anything else was left too."""
        verdicts = [
            (item, effect)
            for item, effect in self._left
            if isinstance(effect, CloseStage) and effect.verdict is not None
        ]
        return None if self._gathering or len(verdicts) < len(self._left) else verdicts

    def _barred(self, item: Item, flow: Flow, stage: Stage) -> list[UUID]:
        """Who may not take a task where four eyes are asked for: who did a stage before it.

        A task that was cancelled, or that time closed, was done by nobody.
        """
        if not stage.four_eyes:
            return []
        return sorted(
            {
                row.assignee
                for row in self.before(item)
                if row.key in flow.upstream[stage.key]
                and row.assignee is not None
                and row.task_status is not TaskStatus.CANCELLED
                and not row.deemed
            }
        )

    def _closed(
        self, item: Item, effect: SkipStage | CheckStage | CloseStage, verdict: Verdict | None
    ) -> None:
        about = _about(item, effect) | {"verdict": verdict}
        self.record(TicketEvent.STAGE_CLOSED, about, item_id=item.id)

    def _cancelled(
        self,
        item: Item,
        effect: CancelTask | CloseStage,
        departments: Collection[str] | None = None,
    ) -> None:
        """Tasks that the stage had when the act began, and that are open still."""
        for row in self.before(item):
            if (
                (row.key, row.round) == (effect.stage, effect.round)
                and row.task_status in ACTIVE
                and (departments is None or row.department in departments)
            ):
                self.record(
                    TicketEvent.TASK_CANCELLED,
                    _about(item, effect) | {"department": row.department},
                    item_id=item.id,
                    task_id=row.task_id,
                )

    def _stage(
        self,
        item: Item,
        entered: OpenStage | SkipStage | CheckStage,
        status: StageStatus,
        departments: list[str],
        clock: Mapping[str, Any],
    ) -> Row:
        row = {
            "district_id": item.district_id,
            "id": new_id(),
            "item_id": item.id,
            "person_id": item.person_id,
            "key": entered.stage,
            "round": entered.round,
            "status": status,
            "departments": departments,
            "verdict": None,
            **clock,
        }
        self.entered.append(row)
        return row


def write_stages(session: Session, tickets: Sequence[StageRows]) -> None:
    """`StageRows.write` for several tickets: two statements for what was entered, and one for the
    stages that were closed with a verdict, where a ticket left nothing else.
    """
    insert_last(session, ItemStage, [row for one in tickets for row in one.entered])
    insert_last(session, Task, [row for one in tickets for row in one.tasks])
    closed: list[tuple[Item, CloseStage, datetime]] = []
    for one in tickets:
        verdicts = one.verdicts()
        if verdicts is None:
            one.write_left(session)
        else:
            closed += ((item, effect, one.at) for item, effect in verdicts)
    if closed:
        _CLOSE.run(session, **_closings(closed))


# Values as arrays: one text, however many stages there are.
_CLOSE: Final = prepared(
    text("""
UPDATE stages SET status = 'closed', verdict = left_.verdict, closed_at = left_.at
FROM unnest(CAST(:items AS uuid[]), CAST(:keys AS text[]), CAST(:rounds AS int[]),
    CAST(:verdicts AS text[]), CAST(:at AS timestamptz[])) AS left_ (item, key, round, verdict, at)
WHERE stages.district_id = :district AND stages.item_id = left_.item
    AND stages.key = left_.key AND stages.round = left_.round
""").bindparams(
        bindparam("district", type_=Text()),
        bindparam("items", type_=ARRAY(Uuid())),
        bindparam("keys", type_=ARRAY(Text())),
        bindparam("rounds", type_=ARRAY(Integer())),
        bindparam("verdicts", type_=ARRAY(Text())),
        bindparam("at", type_=ARRAY(DateTime(timezone=True))),
    ),
    tuple,
)


def _closings(closed: Sequence[tuple[Item, CloseStage, datetime]]) -> dict[str, Any]:
    return {
        "district": closed[0][0].district_id,
        "items": [item.id for item, _, _ in closed],
        "keys": [effect.stage for _, effect, _ in closed],
        "rounds": [effect.round for _, effect, _ in closed],
        "verdicts": [str(effect.verdict) for _, effect, _ in closed],
        "at": [at for _, _, at in closed],
    }


def _about(
    item: Item, effect: OpenStage | SkipStage | CheckStage | CloseStage | CancelTask
) -> dict[str, Any]:
    return {"offering": item.offering_code, "stage": effect.stage, "round": effect.round}


def _leave(session: Session, item: Item, effect: Left, at: datetime) -> None:
    if isinstance(effect, CancelTask):
        _cancel_tasks(session, item, effect, at, department=effect.department)
        return
    values: dict[str, Any] = {"status": StageStatus.SUPERSEDED}
    if isinstance(effect, CloseStage):
        status = StageStatus.CANCELLED if effect.verdict is None else StageStatus.CLOSED
        values = {"status": status, "verdict": effect.verdict, "closed_at": at}
    session.execute(
        update(ItemStage)
        .where(
            ItemStage.district_id == item.district_id,
            ItemStage.item_id == item.id,
            ItemStage.key == effect.stage,
            ItemStage.round == effect.round,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if isinstance(effect, CloseStage) and effect.verdict is None:
        _cancel_tasks(session, item, effect, at)


def _cancel_tasks(
    session: Session,
    item: Item,
    effect: CancelTask | CloseStage,
    at: datetime,
    department: str | None = None,
) -> None:
    query = _active_tasks(item, effect.stage, effect.round)
    if department is not None:
        query = query.where(Task.department == department)
    values = {
        "status": TaskStatus.CANCELLED,
        "closed_at": at,
        "next_alarm_at": None,
        "version": Task.version + 1,
    }
    session.execute(query.values(**values))


def _active_tasks(item: Item, key: str, round_: int) -> Update:
    """Changes the tasks of a round of a stage that are still to be done."""
    return (
        update(Task)
        .where(
            Task.district_id == item.district_id,
            Task.item_id == item.id,
            ItemStage.district_id == Task.district_id,
            ItemStage.id == Task.stage_id,
            ItemStage.key == key,
            ItemStage.round == round_,
            Task.status.in_(ACTIVE),
        )
        .execution_options(synchronize_session=False)
    )
