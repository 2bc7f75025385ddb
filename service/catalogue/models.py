"""Published versions of offerings and bundles. A version never changes; at most it is retired.

Their contents are `json` and not `jsonb`, which would forget the order of keys: the fields of a
form are shown in the order in which the pack has them.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from service.kernel.db import Base, DistrictScoped, rooted


def _constraints(table: str) -> tuple[SchemaItem, ...]:
    """Versions count from 1, and of each code at most one is in force."""
    return (
        rooted(),
        UniqueConstraint("district_id", "code", "version"),
        CheckConstraint("version > 0", name="version"),
        CheckConstraint("retired_at >= published_at", name="retired_after_published"),
        Index(
            f"uq_{table}_in_force",
            "district_id",
            "code",
            unique=True,
            postgresql_where=text("retired_at IS NULL"),
        ),
    )


class OfferingVersion(DistrictScoped, Base):
    """One version of an offering, its sections embedded: it stands by itself for ever."""

    __tablename__ = "offering_versions"
    __table_args__ = _constraints("offering_versions")

    code: Mapped[str]
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON())
    content_hash: Mapped[str]
    published_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]


class BundleVersion(DistrictScoped, Base):
    """One version of a bundle; it names its offerings by code and means those in force."""

    __tablename__ = "bundle_versions"
    __table_args__ = _constraints("bundle_versions")

    code: Mapped[str]
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON())
    content_hash: Mapped[str]
    published_at: Mapped[datetime]
    retired_at: Mapped[datetime | None]
