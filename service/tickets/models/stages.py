"""The work on an item: rounds of its stages, and a task for each of their departments."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by
from service.kernel.sealed import Owner, sealed_column
from service.routing.flow import StageKind, Verdict
from service.routing.states import StageStatus
from service.tickets.models.applicants import OfApplicant
from service.tickets.models.items import of_item
from service.tickets.rules.states import TaskStatus

_ACTIVE: Final = text("status IN ('open', 'claimed')")


class ItemStage(OfApplicant, DistrictScoped, Base):
    """One round of a stage of an item's flow.

    `departments` have a task each; nobody has one where the stage was skipped or checked by the
    system.
    """

    __tablename__ = "stages"
    __table_args__ = (
        owned_by("items", "item_id"),
        UniqueConstraint("district_id", "item_id", "key", "round"),
        one_of("status", StageStatus),
        one_of("verdict", Verdict),
        CheckConstraint("(status = 'open') = (closed_at IS NULL)", name="closed"),
    )

    item_id: Mapped[UUID]
    key: Mapped[str]
    round: Mapped[int]
    status: Mapped[StageStatus] = mapped_column(EnumText(StageStatus))
    departments: Mapped[list[str]] = mapped_column(ARRAY(Text()))
    verdict: Mapped[Verdict | None] = mapped_column(EnumText(Verdict))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]


class Task(OfApplicant, DistrictScoped, Base):
    """A stage's work for one department: who holds it, by when, and what was said.

    `deemed`: time decided, not a person. `next_alarm_at`: when time has something to do with it.
    `barred` are the accounts that may not take it, because four eyes are asked for. The opinion,
    which is for departments, the reason, which is for the applicant (`rules.reasons`), and the
    result are sealed. Columns behind the id in the desk's indexes narrow a walk by due time
    without a look at the table.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        of_item(),
        owned_by("stages", "stage_id"),
        owned_by("departments", "department", "code"),
        UniqueConstraint("district_id", "stage_id", "department"),
        Index(
            "ix_tasks_active",
            "district_id",
            "department",
            "due_at",
            "id",
            "warn_at",
            postgresql_include=["person_id"],
            postgresql_where=_ACTIVE,
        ),
        Index(
            "ix_tasks_offering",
            "district_id",
            "department",
            "offering_code",
            "due_at",
            "id",
            "stage_key",
            postgresql_include=["person_id"],
            postgresql_where=_ACTIVE,
        ),
        Index(
            "ix_tasks_stage",
            "district_id",
            "department",
            "stage_key",
            "due_at",
            "id",
            postgresql_where=_ACTIVE,
        ),
        Index(
            "ix_tasks_past",
            "district_id",
            "department",
            "due_at",
            "id",
            postgresql_where=text("status IN ('closed', 'cancelled')"),
        ),
        Index(
            "ix_tasks_claimed",
            "district_id",
            "department",
            "due_at",
            "id",
            "assignee",
            postgresql_include=["person_id"],
            postgresql_where=text("status = 'claimed'"),
        ),
        Index(
            "ix_tasks_next",
            "district_id",
            "department",
            "role",
            "due_at",
            "id",
            "offering_code",
            postgresql_include=["person_id"],
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_tasks_alarm",
            "district_id",
            "next_alarm_at",
            "id",
            postgresql_where=text("next_alarm_at IS NOT NULL"),
        ),
        Index("ix_tasks_item", "district_id", "item_id"),
        one_of("status", TaskStatus),
        one_of("kind", StageKind),
        one_of("verdict", Verdict),
        CheckConstraint(
            "(status = 'open' AND assignee IS NULL OR status <> 'open')"
            " AND (status <> 'claimed' OR assignee IS NOT NULL)"
            " AND ((status IN ('open', 'claimed')) = (closed_at IS NULL))"
            " AND ((status = 'closed') = (verdict IS NOT NULL))",
            name="claim",
        ),
        CheckConstraint(
            "reason IS NULL OR verdict IN ('not_accept', 'reject', 'return')", name="reason"
        ),
        CheckConstraint(
            "status IN ('open', 'claimed') OR next_alarm_at IS NULL", name="closed_alarms_nobody"
        ),
    )

    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID]
    stage_id: Mapped[UUID]
    stage_key: Mapped[str]
    kind: Mapped[StageKind] = mapped_column(EnumText(StageKind))
    offering_code: Mapped[str]
    department: Mapped[str]
    role: Mapped[str]
    status: Mapped[TaskStatus] = mapped_column(EnumText(TaskStatus))
    version: Mapped[int] = mapped_column(default=1)
    assignee: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    verdict: Mapped[Verdict | None] = mapped_column(EnumText(Verdict))
    deemed: Mapped[bool]
    next_alarm_at: Mapped[datetime | None]
    barred: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    opinion: Mapped[bytes | None] = sealed_column(of=Owner("ticket_id", "tickets"))
    result: Mapped[bytes | None] = sealed_column(of=Owner("ticket_id", "tickets"))
    reason: Mapped[bytes | None] = sealed_column(of=Owner("ticket_id", "tickets"))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as the mapper wants it
