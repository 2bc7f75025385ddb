"""Consents: to which version of a text a person agreed in a district."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from service.identity.consents.rules import LegalBasis
from service.kernel.db import Base, DistrictScoped, EnumText, one_of


class Consent(DistrictScoped, Base):
    """A person's consent to one version of a text; in force until it is withdrawn."""

    __tablename__ = "consents"
    __table_args__ = (
        one_of("legal_basis", LegalBasis),
        CheckConstraint("version > 0", name="version"),
        Index(
            "uq_consents_in_force",
            "district_id",
            "person_id",
            "code",
            "version",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
    )

    person_id: Mapped[UUID]
    code: Mapped[str]
    version: Mapped[int]
    legal_basis: Mapped[LegalBasis] = mapped_column(EnumText(LegalBasis))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
