"""Whether a file is taken, by what is in it; what its sender says of its type does not count."""

from __future__ import annotations

import struct
from typing import Final

import filetype

from service.kernel.errors import TooLarge, UnsupportedMediaType
from service.materials.rules.images import hold_picture
from service.materials.rules.jpeg import clean_jpeg
from service.materials.rules.kinds import Examined, Limits, MediaType, refused
from service.materials.rules.names import clean_name
from service.materials.rules.packages import office_type
from service.materials.rules.pdf import pages_of
from service.materials.rules.png import clean_png

_HEAD: Final = 8192
_PACKAGE: Final = b"PK\x03\x04"
_PACKAGE_END: Final = b"PK\x05\x06"
_PACKAGE_END_BYTES: Final = 22
_PACKAGE_ENTRY: Final = b"PK\x01\x02"
_MOST_PACKAGE_ENDS: Final = 1_000
"""By chance the four bytes stand in one of two hundred files of 20 MiB, once."""
_ARCHIVES: Final = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00")
_PDF_SOUGHT_IN: Final = 1024
"""Readers of PDF look for its header so far into a file."""

_COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE: Final = "EncryptedPackage".encode("utf-16-le")
_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""What the brand of a photograph of an iPhone can be (ISO/IEC 23008-12)."""

_OFFICE: Final = frozenset({MediaType.DOCX, MediaType.XLSX})
_IMAGES: Final = frozenset({MediaType.JPG, MediaType.PNG})
_PLAIN: Final = {
    "application/pdf": MediaType.PDF,
    "image/jpeg": MediaType.JPG,
    "image/png": MediaType.PNG,
    "image/apng": MediaType.PNG,
}


def examine(name: str, content: bytes, limits: Limits) -> Examined:
    """What is to be kept of a file; nothing of it is run; a process of its own decodes it.

    Raises `TooLarge`, `UnsupportedMediaType` for what is none of the types of `MediaType`, and
    `Invalid` for a file that is empty, broken, larger inside than it seems, needs a password, has
    macros, scripts or files in it, is of two types at once, or has a name that does not fit.
    """
    if not content:
        raise refused("file_empty")
    if len(content) > limits.size:
        raise TooLarge("file_too_large", maximum=limits.size)
    media_type = _type_of(content, limits)
    kept, pages = content, None
    if media_type is MediaType.PDF:
        pages = pages_of(content, most=limits.pages)
    elif media_type is MediaType.JPG:
        kept, pages = clean_jpeg(content, most_pixels=limits.pixels), 1
    elif media_type is MediaType.PNG:
        kept, pages = clean_png(content, most_pixels=limits.pixels), 1
    if media_type in _IMAGES:
        hold_picture(kept, most=limits.pixels)
    for one in () if media_type in _OFFICE else (content, kept):
        _one_type_only(one, media_type)
    return Examined(clean_name(name, media_type), media_type, kept, pages)


def _type_of(content: bytes, limits: Limits) -> MediaType:
    kind = filetype.guess_mime(content[:_HEAD])
    found = _PLAIN.get(kind)
    if found is None and content.startswith(_PACKAGE):
        found = office_type(content, most_unpacked=limits.unpacked)
    if found is None and content.startswith(_COMPOUND):
        # Office encrypts a package by putting it into a file of its old format (MS-OFFCRYPTO).
        if _ENCRYPTED_PACKAGE in content:
            raise refused("file_encrypted")
        raise UnsupportedMediaType("file_type_old")
    if found is None and content[4:8] == b"ftyp" and content[8:12] in _HEIC:
        raise UnsupportedMediaType("file_type_heic")
    if found is None:
        raise UnsupportedMediaType("file_type_unsupported")
    return found


def _one_type_only(content: bytes, media_type: MediaType) -> None:
    """Refuse what another reader would take for something else: an archive, or a PDF.

    Readers of archives look for their marks anywhere in a file, and do not mind what is around.
    """
    if media_type is not MediaType.PDF and b"%PDF-" in content[:_PDF_SOUGHT_IN]:
        raise refused("file_of_two_types")
    if any(mark in content for mark in _ARCHIVES) or _has_package(content):
        raise refused("file_of_two_types")


def _has_package(content: bytes) -> bool:
    """Whether the end of a zip stands anywhere behind the directory that it tells of.

    So it is taken to be where there are more ends than are worth a look.
    """
    if content.count(_PACKAGE_END) > _MOST_PACKAGE_ENDS:
        return True
    at = content.find(_PACKAGE_END)
    while at >= 0:
        if at + _PACKAGE_END_BYTES <= len(content):
            (length,) = struct.unpack_from("<I", content, at + 12)
            if length and length <= at and content.startswith(_PACKAGE_ENTRY, at - length):
                return True
        at = content.find(_PACKAGE_END, at + 1)
    return False
