"""The items of a ticket: how they stand, what they wait for, and what moved and held them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by
from service.kernel.sealed import Owner, sealed_column
from service.routing.bundle import EdgeKind, EdgeOn, EdgeStatus, Otherwise
from service.routing.states import Hold, Outcome, Phase
from service.tickets.models.applicants import OfApplicant, OfEmployer
from service.tickets.models.filed import ONE_APPLICANT
from service.tickets.rules.applicant import ApplicantKind
from service.tickets.rules.clock import SegmentEffect, SegmentKind
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import Dropped, Reliance


def of_item() -> ForeignKeyConstraint:
    """The foreign key of a row that names its item and the item's ticket.

    The item's own key holds that the ticket exists, so a key from here to the ticket would be
    checked for nothing; that the item is one of this ticket is held besides.
    """
    return ForeignKeyConstraint(
        ["district_id", "ticket_id", "item_id"],
        ["items.district_id", "items.ticket_id", "items.id"],
    )


class Item(OfEmployer, DistrictScoped, Base):
    """One offering, for one subject, inside a ticket.

    An open item of the same applicant, offering and subject exists once, and so does one about the
    same member of a family, whoever of it applied: partial unique indexes hold both. `subject_key`
    is the blind index of the subject's id number, which is the same whoever names them. `due_at` is
    projected until acceptance and promised from then on. `received_at` is when it was filed or,
    where it waited for another, begun. `decision_waits`: a soft edge is unmet. `hold_until`: by
    when whoever it waits for should act. `segments` counts its clock segments: where there is none,
    none is read. `next_alarm_at`: when time has something to do with what it waits for.
    `filed_subject` is who the member of the family was when it was filed, sealed. `left_out`: codes
    of what was sent and nobody asks for, in the plain form of `rules.left_out`; a document named
    there does not count for the item.
    """

    __tablename__ = "items"
    __table_args__ = (
        owned_by("tickets", "ticket_id"),
        owned_by("offering_versions", "offering_version_id"),
        UniqueConstraint("district_id", "number"),
        Index("uq_items_ticket", "district_id", "ticket_id", "id", unique=True),
        Index(
            "uq_items_open",
            "district_id",
            "person_id",
            "enterprise_id",
            "offering_code",
            "subject_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("phase <> 'ended'"),
        ),
        Index(
            "uq_items_open_subject",
            "district_id",
            "offering_code",
            "subject_key",
            unique=True,
            postgresql_where=text("phase <> 'ended' AND subject_key IS NOT NULL"),
        ),
        CheckConstraint("subject_key IS NULL OR subject_id IS NOT NULL", name="key_of_subject"),
        one_of("applicant_kind", ApplicantKind),
        CheckConstraint(ONE_APPLICANT, name="one_applicant"),
        owned_by("enterprises", "enterprise_id"),
        one_of("phase", Phase),
        one_of("outcome", Outcome),
        one_of("hold", Hold),
        one_of("due_basis", DueBasis),
        Index(
            "ix_items_alarm",
            "district_id",
            "next_alarm_at",
            "id",
            postgresql_where=text("next_alarm_at IS NOT NULL"),
        ),
        CheckConstraint("segments >= 0", name="segments"),
        CheckConstraint("jsonb_typeof(left_out) = 'array'", name="left_out"),
        CheckConstraint("phase <> 'ended' OR next_alarm_at IS NULL", name="ended_alarms_nobody"),
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
    applicant_kind: Mapped[ApplicantKind] = mapped_column(
        EnumText(ApplicantKind), server_default=text("'person'")
    )
    person_id: Mapped[UUID | None]
    enterprise_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    subject_key: Mapped[bytes | None]
    filed_subject: Mapped[bytes | None] = sealed_column(of=Owner("subject_id"))
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
    segments: Mapped[int] = mapped_column(server_default=text("0"))
    next_alarm_at: Mapped[datetime | None]
    left_out: Mapped[list[dict[str, str]]] = mapped_column(
        JSONB, default=list, server_default=text("'[]'")
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - as the mapper wants it


class Edge(OfEmployer, OfApplicant, DistrictScoped, Base):
    """One dependency of an item: it waits for all items of another offering in its ticket.

    `next_at` is when time settles it: it has waited long enough or, when the applicant is asked,
    their time to answer is over and `default` counts.
    """

    __tablename__ = "edges"
    __table_args__ = (
        of_item(),
        Index("uq_edges_ticket", "district_id", "ticket_id", "item_id", "predecessor", unique=True),
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


class Correction(OfApplicant, DistrictScoped, Base):
    """What a department asked the applicant to correct, sealed: points with section, field, words.

    The applicant is asked at `sent_at`: at once or, in a stage of several departments, when the
    stage ends, with the points of them all; until then `asked_at` is when it was returned. It is
    answered, or dropped when it no longer matters; while neither, the item is held for it.
    """

    __tablename__ = "corrections"
    __table_args__ = (
        of_item(),
        owned_by("tasks", "task_id"),
        Index("ix_corrections_item", "district_id", "item_id", "id"),
        CheckConstraint("answered_at >= asked_at", name="answered_after_asked"),
        CheckConstraint("answered_at IS NULL OR sent_at IS NOT NULL", name="answered_as_sent"),
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
    points: Mapped[bytes] = sealed_column(of=Owner("ticket_id", "tickets"))
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    dropped_at: Mapped[datetime | None]
    dropped_because: Mapped[Dropped | None] = mapped_column(EnumText(Dropped))


class ClockSegment(OfApplicant, DistrictScoped, Base):
    """A stretch of time in which an item's clocks stood still, or after which one began anew.

    Its end is open while it lasts. Due dates are computed from these, never patched.
    """

    __tablename__ = "clock_segments"
    __table_args__ = (
        of_item(),
        owned_by("tasks", "task_id"),
        Index("ix_clock_segments_item", "district_id", "item_id", "id"),
        one_of("kind", SegmentKind),
        one_of("effect", SegmentEffect),
        CheckConstraint("ended_at >= began_at", name="ended_after_begun"),
    )

    ticket_id: Mapped[UUID]
    item_id: Mapped[UUID]
    task_id: Mapped[UUID | None]
    kind: Mapped[SegmentKind] = mapped_column(EnumText(SegmentKind))
    effect: Mapped[SegmentEffect] = mapped_column(EnumText(SegmentEffect))
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ReliedFact(OfApplicant, DistrictScoped, Base):
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


class DueChange(OfApplicant, DistrictScoped, Base):
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
