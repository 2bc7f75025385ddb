"""The reasons that an applicant is shown, as they are kept."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.catalogue.rules.definitions import OfferingDefinition
from service.kernel.sealed import load_keys, opened_json
from service.routing.flow import StageKind, Verdict
from service.routing.states import StageStatus
from service.tickets.models.stages import ItemStage, Task
from service.tickets.rules.reasons import REFUSALS, Reason, ToldReason, told, told_of_check

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class RefusalView:
    """Why a stage refused, as its applicant is shown it; a check has no department."""

    stage: str
    stage_title: Texts
    department: str | None
    department_name: Texts | None
    verdict: Verdict
    at: datetime | None
    reason: ToldReason


def reason_of(
    session: Session, task: Task | None, definition: OfferingDefinition
) -> ToldReason | None:
    """The reason kept with a task; None where there is none, and where it was erased."""
    if task is None or task.verdict is None:
        return None
    kept = opened_json(session, Task.reason, task, otherwise=None)
    return None if kept is None else told(definition, task.verdict, Reason(**kept))


def refusals(
    session: Session,
    stages: Iterable[ItemStage],
    tasks: Sequence[Task],
    definition: OfferingDefinition,
) -> list[RefusalView]:
    """Why an item's stages refused, in the order in which they were opened; no statement is sent.

    A vote against that did not decide its stage, or has not yet, is no refusal. `tasks`: those of
    the item that have a reason.
    """
    found = []
    for stage in stages:
        if stage.status is StageStatus.OPEN or stage.verdict not in REFUSALS:
            continue
        if definition.flow.by_key[stage.key].kind is StageKind.CHECK:
            found.append(_of_check(stage, definition))
            continue
        found += _of_tasks(session, stage, tasks, definition)
    return found


def _of_check(stage: ItemStage, definition: OfferingDefinition) -> RefusalView:
    declared = definition.flow.by_key[stage.key]
    return RefusalView(
        stage=stage.key,
        stage_title=declared.title,
        department=None,
        department_name=None,
        verdict=Verdict.REJECT,
        at=stage.closed_at,
        reason=told_of_check(definition, declared),
    )


def _of_tasks(
    session: Session, stage: ItemStage, tasks: Sequence[Task], definition: OfferingDefinition
) -> Iterable[RefusalView]:
    for task in tasks:
        if task.stage_id != stage.id or task.verdict not in REFUSALS:
            continue
        reason = reason_of(session, task, definition)
        if reason is not None:
            yield RefusalView(
                stage=stage.key,
                stage_title=definition.flow.by_key[stage.key].title,
                department=task.department,
                department_name=definition.department_name(task.department),
                verdict=task.verdict,
                at=task.closed_at,
                reason=reason,
            )


def reasoned_tasks(session: Session, district: str, ids: Collection[UUID]) -> dict[UUID, Task]:
    """Of these tasks, by id, those whose reason the applicant is shown by now.

    That of a refusal once its stage is over by it, that of a return at once. One statement, none
    for none, and one for keys not at hand.
    """
    if not ids:
        return {}
    rows = session.execute(
        select(Task, ItemStage.verdict)
        .join(
            ItemStage,
            (ItemStage.district_id == Task.district_id) & (ItemStage.id == Task.stage_id),
        )
        .where(Task.district_id == district, Task.id.in_(ids), Task.reason.is_not(None))
    ).all()
    shown = {
        row.Task.id: row.Task
        for row in rows
        if row.Task.verdict not in REFUSALS or row.verdict in REFUSALS
    }
    load_keys(session, (task.reason for task in shown.values()))
    return shown
