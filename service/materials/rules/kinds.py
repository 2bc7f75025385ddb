"""The values that materials are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from service.kernel.errors import FieldError, Invalid

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"


class MediaType(StrEnum):
    """The types of files that are taken."""

    PDF = "application/pdf"
    JPG = "image/jpeg"
    PNG = "image/png"
    DOCX = f"{_OFFICE}.wordprocessingml.document"
    XLSX = f"{_OFFICE}.spreadsheetml.sheet"

    @property
    def ending(self) -> str:
        """The type as packs name it: `pdf`, `jpg`, `png`, `docx` or `xlsx`."""
        return self.name.lower()

    @property
    def endings(self) -> tuple[str, ...]:
        """How the name of such a file may end."""
        return ("jpg", "jpeg") if self is MediaType.JPG else (self.ending,)


class MaterialEvent(StrEnum):
    """The kinds of events that materials emit."""

    MATERIAL_KEPT = "material_kept"
    MATERIAL_ERASED = "material_erased"


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest that is taken: a file, an image (width times height), a PDF, a package unpacked.

    `size` and `unpacked` are bytes.
    """

    size: int
    pixels: int
    pages: int
    unpacked: int


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that is kept of one person in one district: documents, and their bytes together."""

    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Examined:
    """A file that may be kept: `content` is without what tells of its author and place.

    `pages`: of a PDF; an image has one, an office file None.
    """

    name: str = field(repr=False)
    media_type: MediaType
    content: bytes = field(repr=False)
    pages: int | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A content that lies in the storage already, under the id that its material will have."""

    id: UUID
    media_type: MediaType
    size: int
    sha256: bytes
    pages: int | None


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a document may not be erased: a code of `messages.toml`, and its last day where known."""

    code: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class KnownMaterial:
    """A material with its name opened; `sha256` is of the content."""

    district_id: str
    id: UUID
    person_id: UUID
    code: str
    name: str = field(repr=False)
    media_type: MediaType
    size: int
    sha256: bytes
    pages: int | None
    uploaded_at: datetime
    erased_at: datetime | None

    @property
    def erased(self) -> bool:
        """Whether its owner has erased it since."""
        return self.erased_at is not None

    @property
    def digest(self) -> str:
        """The hash of the content in hexadecimal."""
        return self.sha256.hex()

    @property
    def blob(self) -> str:
        """Where its content lies."""
        return blob_of(self.district_id, self.id)


def folder_of(district: str) -> str:
    """Where the storage has a district's contents."""
    return f"materials/{district}"


def blob_of(district: str, material_id: UUID) -> str:
    """Where the storage has the content of a material."""
    return f"{folder_of(district)}/{material_id}"


def id_of(blob: str) -> UUID | None:
    """Whose content a blob is; none where its name is of another form."""
    try:
        return UUID(blob.rpartition("/")[2])
    except ValueError:
        return None


def refused(code: str, **params: Any) -> Invalid:
    """The problem that the file sent has."""
    return Invalid(code, errors=[FieldError("file", code, params)], **params)
