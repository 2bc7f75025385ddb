"""The table of materials."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from service.kernel.db import Base, DistrictScoped, EnumText, one_of
from service.kernel.sealed import Owner, sealed_column
from service.materials.rules import MediaType

MATERIALS: Final = "materials"


class Material(DistrictScoped, Base):
    """A file that a person has handed in; its content lies in the storage (`rules.blob_of`).

    Nothing of it ever changes but that it is erased, once: then the row stays without a content.
    `code` is what it is, as the district's pack says; `name` is sealed; `size` and `sha256` are of
    the content as it is kept. `person_id` has no foreign key, because persons are of the global
    family, nor has `account_id`, who uploaded it.
    """

    __tablename__ = MATERIALS
    __table_args__ = (
        one_of("media_type", MediaType),
        CheckConstraint("size > 0", name="size"),
        CheckConstraint("octet_length(sha256) = 32", name="sha256"),
        CheckConstraint("pages > 0", name="pages"),
        CheckConstraint("erased_at >= uploaded_at", name="erased"),
        Index("ix_materials_person", "district_id", "person_id", "id"),
    )

    person_id: Mapped[UUID]
    account_id: Mapped[UUID]
    code: Mapped[str]
    name: Mapped[bytes] = sealed_column(of=Owner("person_id"))
    media_type: Mapped[MediaType] = mapped_column(EnumText(MediaType))
    size: Mapped[int]
    sha256: Mapped[bytes]
    pages: Mapped[int | None]
    uploaded_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
