"""What is decided about files: whether one is taken, what of it is kept, and under which name."""

from service.materials.rules.examination import examine
from service.materials.rules.kinds import (
    Examined,
    Hold,
    KnownMaterial,
    Limits,
    MaterialEvent,
    MediaType,
    Quota,
    Upload,
    blob_of,
    folder_of,
    id_of,
)

__all__ = [
    "Examined",
    "Hold",
    "KnownMaterial",
    "Limits",
    "MaterialEvent",
    "MediaType",
    "Quota",
    "Upload",
    "blob_of",
    "examine",
    "folder_of",
    "id_of",
]
