"""Published versions of offerings and bundles, and the releases that put them in force.

A version never changes; at most it is retired. A release never changes.

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
    """One version of an offering, its sections embedded: it is complete and permanent."""

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


class PackRelease(DistrictScoped, Base):
    """What one publication of a pack put in force in its district. Never changes.

    Numbers count from 1 in each district; the release with the highest number is in force.
    `manifest` is what `rules.releases.manifest_of` returns, `content_hash` its hash: both are over
    contents alone and therefore the same wherever the same pack is published. `versions` has the
    identities that these contents have in this district: `{"offerings": {code: id}, "bundles":
    {code: id}}`, of `offering_versions` and `bundle_versions`.
    """

    __tablename__ = "pack_releases"
    __table_args__ = (
        rooted(),
        UniqueConstraint("district_id", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("content_hash ~ '^[0-9a-f]{64}$'", name="content_hash"),
    )

    number: Mapped[int]
    manifest: Mapped[dict[str, Any]]
    content_hash: Mapped[str]
    versions: Mapped[dict[str, Any]]
    published_at: Mapped[datetime]
