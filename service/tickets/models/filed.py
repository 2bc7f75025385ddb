"""What is filed: the ticket, its answers and documents; and the draft that it may come of."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Sequence, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.kernel.db import Base, DistrictScoped, EnumText, one_of, owned_by
from service.kernel.sealed import Owner, sealed_column
from service.tickets.models.applicants import OfApplicant
from service.tickets.rules.applicant import ApplicantKind, Authority
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import TicketStatus

ONE_APPLICANT: Final = (
    "CASE applicant_kind WHEN 'person' THEN person_id IS NOT NULL AND enterprise_id IS NULL"
    " ELSE person_id IS NULL AND enterprise_id IS NOT NULL END"
)
"""Exactly the id that the kind of the applicant calls for."""

NO_CALENDAR: Final = UUID(int=0)
"""Older than every version of a calendar."""

TICKET_NUMBERS: Final = Sequence("ticket_numbers", metadata=Base.metadata)


class Ticket(DistrictScoped, Base):
    """One filing of a bundle by one applicant: a person or an enterprise.

    `account_id` acted: the applicant or, where `authority_id` says by which right, an agent of
    their employer. `employer_id` is the enterprise that the talent named and let follow as they
    filed it, or whose agent filed it.
    `release_number` is the release that was in force: with it, the form that was filled in is known
    (None: filed before there were releases).
    `last_seq` rises under the row's lock: it numbers the ticket's events without a gap.
    `due_at` is what was promised last, also once it has ended.
    `calendar_id` is the version of the calendar by which its due dates were last computed as a
    whole; `NO_CALENDAR` where that is not known.
    `filing_key` makes one filing one ticket permanently, whatever is retried.
    `filed_applicant` is who the talent was when they filed, sealed; null in tickets of before this
    was kept.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        owned_by("bundle_versions", "bundle_version_id"),
        owned_by("pack_releases", "release_number", "number"),
        UniqueConstraint("district_id", "number"),
        UniqueConstraint("district_id", "account_id", "filing_key"),
        owned_by("enterprises", "employer_id"),
        owned_by("enterprises", "enterprise_id"),
        owned_by("authorities", "authority_id"),
        Index("ix_tickets_person", "district_id", "person_id", "filed_at", "id"),
        Index(
            "ix_tickets_enterprise",
            "district_id",
            "enterprise_id",
            "filed_at",
            "id",
            postgresql_where=text("enterprise_id IS NOT NULL"),
        ),
        Index(
            "ix_tickets_employer",
            "district_id",
            "employer_id",
            "filed_at",
            "id",
            postgresql_where=text("employer_id IS NOT NULL"),
        ),
        Index(
            "ix_tickets_calendar",
            "district_id",
            "calendar_id",
            "id",
            postgresql_where=text("status IN ('in_progress', 'awaiting_applicant')"),
        ),
        one_of("status", TicketStatus),
        one_of("due_basis", DueBasis),
        one_of("applicant_kind", ApplicantKind),
        one_of("authority", Authority),
        CheckConstraint(ONE_APPLICANT, name="one_applicant"),
        CheckConstraint(
            "(status IN ('in_progress', 'awaiting_applicant')) = (ended_at IS NULL)", name="ended"
        ),
        CheckConstraint(
            "(authority = 'agent') = (authority_id IS NOT NULL)", name="authority_is_recorded"
        ),
    )

    number: Mapped[str]
    version: Mapped[int]
    bundle_code: Mapped[str]
    bundle_version_id: Mapped[UUID]
    release_number: Mapped[int | None]
    applicant_kind: Mapped[ApplicantKind] = mapped_column(
        EnumText(ApplicantKind), server_default=text("'person'")
    )
    person_id: Mapped[UUID | None]
    enterprise_id: Mapped[UUID | None]
    authority: Mapped[Authority] = mapped_column(EnumText(Authority), server_default=text("'own'"))
    authority_id: Mapped[UUID | None]
    account_id: Mapped[UUID]
    employer_id: Mapped[UUID | None]
    status: Mapped[TicketStatus] = mapped_column(EnumText(TicketStatus))
    filed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    due_at: Mapped[datetime]
    due_basis: Mapped[DueBasis] = mapped_column(EnumText(DueBasis))
    provisional: Mapped[bool]
    calendar_id: Mapped[UUID] = mapped_column(server_default=text(f"'{NO_CALENDAR}'"))
    last_seq: Mapped[int]
    filing_key: Mapped[str]
    filing_digest: Mapped[bytes]
    filed_applicant: Mapped[bytes | None] = sealed_column(of=Owner("person_id"))


class TicketSection(OfApplicant, DistrictScoped, Base):
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
    content: Mapped[bytes] = sealed_column(of=Owner("ticket_id", "tickets"))


class TicketMaterial(OfApplicant, DistrictScoped, Base):
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
        Index("ix_drafts_person", "district_id", "person_id", "created_at", "id"),
        CheckConstraint("version > 0", name="version"),
    )

    person_id: Mapped[UUID]
    bundle_code: Mapped[str]
    version: Mapped[int]
    content: Mapped[bytes] = sealed_column(of=Owner("person_id"))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
