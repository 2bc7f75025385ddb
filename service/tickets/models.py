"""The tables of tickets. The row says what is; history stands beside it, in the events."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, Index, Sequence, Text, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by
from service.routing import (
    EdgeKind,
    EdgeOn,
    EdgeStatus,
    Hold,
    Otherwise,
    Outcome,
    Phase,
    StageKind,
    StageStatus,
    Verdict,
)
from service.tickets.rules import Dropped, DueBasis, Reliance, TaskStatus, TicketStatus

TICKET_NUMBERS: Final = Sequence("ticket_numbers", metadata=Base.metadata)

_ACTIVE: Final = text("status IN ('open', 'claimed')")


class Ticket(DistrictScoped, Base):
    """One filing of a bundle by one talent.

    `employer_id` is the enterprise that the talent named and let follow, as they filed it.
    `last_seq` rises under the row's lock: it numbers the ticket's events without a gap.
    `filing_key` makes one filing one ticket for ever, whatever is retried.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        owned_by("bundle_versions", "bundle_version_id"),
        UniqueConstraint("district_id", "number"),
        UniqueConstraint("district_id", "account_id", "filing_key"),
        owned_by("enterprises", "employer_id"),
        Index("ix_tickets_person", "district_id", "person_id", "id"),
        Index(
            "ix_tickets_employer",
            "district_id",
            "employer_id",
            "id",
            postgresql_where=text("employer_id IS NOT NULL"),
        ),
        one_of("status", TicketStatus),
        one_of("due_basis", DueBasis),
    )

    number: Mapped[str]
    version: Mapped[int]
    bundle_code: Mapped[str]
    bundle_version_id: Mapped[UUID]
    person_id: Mapped[UUID]
    account_id: Mapped[UUID]
    employer_id: Mapped[UUID | None]
    status: Mapped[TicketStatus] = mapped_column(EnumText(TicketStatus))
    filed_at: Mapped[datetime]
    due_at: Mapped[datetime]
    due_basis: Mapped[DueBasis] = mapped_column(EnumText(DueBasis))
    provisional: Mapped[bool]
    last_seq: Mapped[int]
    filing_key: Mapped[str]
    filing_digest: Mapped[bytes]


class Item(DistrictScoped, Base):
    """One offering, for one subject, inside a ticket.

    An open item of the same person, offering and subject exists once: the partial unique index
    holds it. `due_at` is projected until acceptance and promised from then on. `received_at` is
    when it was filed or, where it waited for another, begun. `decision_waits`: a soft edge is
    unmet. `hold_until`: by when whoever it waits for should act.
    """

    __tablename__ = "items"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("offering_versions", "offering_version_id"),
        UniqueConstraint("district_id", "number"),
        Index("ix_items_ticket", "district_id", "ticket_id"),
        Index(
            "uq_items_open",
            "district_id",
            "person_id",
            "offering_code",
            "subject_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("phase <> 'ended'"),
        ),
        one_of("phase", Phase),
        one_of("outcome", Outcome),
        one_of("hold", Hold),
        one_of("due_basis", DueBasis),
        CheckConstraint("(hold IS NULL) = (hold_until IS NULL)", name="hold_has_an_end"),
        CheckConstraint("hold IS NULL OR phase <> 'ended'", name="ended_holds_nothing"),
        CheckConstraint(
            "(phase = 'ended') = (ended_at IS NOT NULL)"
            " AND (phase NOT IN ('ended', 'fulfilment') OR outcome IS NOT NULL)",
            name="ended",
        ),
    )

    ticket_id: Mapped[UUID]
    number: Mapped[str]
    ordinal: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    offering_code: Mapped[str]
    offering_version_id: Mapped[UUID]
    person_id: Mapped[UUID]
    subject_id: Mapped[UUID | None]
    phase: Mapped[Phase] = mapped_column(EnumText(Phase))
    outcome: Mapped[Outcome | None] = mapped_column(EnumText(Outcome))
    decision_waits: Mapped[bool] = mapped_column(default=False)
    hold: Mapped[Hold | None] = mapped_column(EnumText(Hold))
    hold_until: Mapped[datetime | None]
    received_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    warn_at: Mapped[datetime]
    due_basis: Mapped[DueBasis] = mapped_column(EnumText(DueBasis))
    provisional: Mapped[bool]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as the mapper wants it


class TicketMaterial(DistrictScoped, Base):
    """A document that was handed in with a ticket; a correction adds a revision.

    Those of no item are shared by the ticket. All documents of one code and revision belong
    together: a later revision replaces them.
    """

    __tablename__ = "ticket_materials"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("items", "item_id"),
        owned_by("materials", "material_id"),
        UniqueConstraint(
            "district_id",
            "ticket_id",
            "item_id",
            "code",
            "revision",
            "material_id",
            name="uq_ticket_materials_once",
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_ticket_materials_material", "district_id", "material_id"),
    )

    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID | None]
    code: Mapped[str]
    revision: Mapped[int]
    material_id: Mapped[UUID]


class Draft(DistrictScoped, Base):
    """A ticket that is not filed yet; its id becomes that of the ticket. What it says is sealed."""

    __tablename__ = "drafts"
    __table_args__ = (
        Index("ix_drafts_person", "district_id", "person_id", "id"),
        CheckConstraint("version > 0", name="version"),
    )

    person_id: Mapped[UUID]
    bundle_code: Mapped[str]
    version: Mapped[int]
    content: Mapped[bytes]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Correction(DistrictScoped, Base):
    """What a department asked the applicant to mend, sealed: points with section, field, words.

    It is answered, or dropped when it no longer matters; while neither, the item is held for it.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("items", "item_id"),
        owned_by("tasks", "task_id"),
        Index("ix_corrections_item", "district_id", "item_id", "id"),
        CheckConstraint("answered_at >= asked_at", name="answered_after_asked"),
        one_of("dropped_because", Dropped),
        CheckConstraint(
            "(dropped_at IS NULL) = (dropped_because IS NULL)"
            " AND (dropped_at IS NULL OR answered_at IS NULL)",
            name="dropped",
        ),
    )

    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID]
    task_id: Mapped[UUID]
    points: Mapped[bytes]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    dropped_because: Mapped[Dropped | None] = mapped_column(EnumText(Dropped))


class Edge(DistrictScoped, Base):
    """One dependency of an item: it waits for all items of another offering in its ticket.

    `next_at` is when time settles it: it has waited long enough or, when the applicant is asked,
    their time to answer is over and `default` counts.
    """

    __tablename__ = "edges"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("items", "item_id"),
        UniqueConstraint("district_id", "item_id", "predecessor"),
        Index("ix_edges_ticket", "district_id", "ticket_id"),
        Index(
            "ix_edges_next",
            "district_id",
            "next_at",
            "id",
            postgresql_where=text("status IN ('waiting', 'asked') AND next_at IS NOT NULL"),
        ),
        one_of("kind", EdgeKind),
        one_of("on", EdgeOn),
        one_of("otherwise", Otherwise),
        one_of("default", Otherwise),
        one_of("status", EdgeStatus),
        CheckConstraint("(status IN ('waiting', 'asked')) = (settled_at IS NULL)", name="settled"),
        CheckConstraint(
            "(otherwise = 'ask') = (ask_days IS NOT NULL AND \"default\" IS NOT NULL)", name="ask"
        ),
    )

    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID]
    predecessor: Mapped[str]
    kind: Mapped[EdgeKind] = mapped_column(EnumText(EdgeKind))
    on: Mapped[EdgeOn] = mapped_column(EnumText(EdgeOn))
    otherwise: Mapped[Otherwise] = mapped_column(EnumText(Otherwise))
    ask_days: Mapped[int | None]
    default: Mapped[Otherwise | None] = mapped_column(EnumText(Otherwise))
    status: Mapped[EdgeStatus] = mapped_column(EnumText(EdgeStatus))
    next_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class ReliedFact(DistrictScoped, Base):
    """A fact that something about an item rested on; facts never change, so this is a snapshot."""

    __tablename__ = "relied_facts"
    __table_args__ = (
        owned_by("items", "item_id"),
        owned_by("facts", "fact_id"),
        UniqueConstraint("district_id", "item_id", "fact_id", "reliance"),
        Index("ix_relied_facts_fact", "district_id", "fact_id"),
        one_of("reliance", Reliance),
    )

    item_id: Mapped[UUID]
    fact_id: Mapped[UUID]
    reliance: Mapped[Reliance] = mapped_column(EnumText(Reliance))
    at: Mapped[datetime]


class TicketSection(DistrictScoped, Base):
    """The answers to one section, sealed; a correction adds a revision, nothing is overwritten."""

    __tablename__ = "ticket_sections"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("items", "item_id"),
        UniqueConstraint(
            "district_id",
            "ticket_id",
            "item_id",
            "section",
            "revision",
            postgresql_nulls_not_distinct=True,
        ),
    )

    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID | None]
    section: Mapped[str]
    revision: Mapped[int]
    content: Mapped[bytes]


class ItemStage(DistrictScoped, Base):
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


class Task(DistrictScoped, Base):
    """A stage's work for one department: who holds it, by when, and what was said.

    `deemed`: time decided, not a person. `barred` are the accounts that may not take it, because
    four eyes are asked for. The opinion and the result are sealed. Columns behind the id in the
    desk's indexes narrow a walk by due time without a look at the table.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("items", "item_id"),
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
            postgresql_where=text("status = 'open'"),
        ),
        Index(
            "ix_tasks_silence",
            "district_id",
            "due_at",
            "id",
            postgresql_where=text("status IN ('open', 'claimed') AND kind = 'acceptance'"),
        ),
        Index(
            "ix_tasks_notices",
            "district_id",
            "due_at",
            "id",
            postgresql_where=text("status = 'open' AND kind = 'publicity'"),
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
    barred: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid()))
    opinion: Mapped[bytes | None]
    result: Mapped[bytes | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as the mapper wants it


class DueChange(DistrictScoped, Base):
    """A due date that moved, and why: what answers "what moved my deadline"."""

    __tablename__ = "due_changes"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("items", "item_id"),
        Index("ix_due_changes_ticket", "district_id", "ticket_id"),
    )

    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID | None]
    before: Mapped[datetime]
    after: Mapped[datetime]
    basis: Mapped[DueBasis] = mapped_column(EnumText(DueBasis))
    cause: Mapped[str]
    event_id: Mapped[UUID]
    at: Mapped[datetime]
