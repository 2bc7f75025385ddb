"""Office files: OPC packages (ECMA-376, part 2) in zip, read from their directory.

Every part is unpacked, no further than the directory says. Readers of zip disagree about files that
contradict themselves; such a file is refused. What is XML is then read by a program of its own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from service.materials.rules.apart import answer_of
from service.materials.rules.kinds import MediaType, refused

_END: Final = struct.Struct("<4s4H2LH")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_ZIP64_LOCATOR: Final = (b"PK\x06\x07", 20)

_MOST_ENTRIES: Final = 2_000
_MOST_TYPES: Final = 1024 * 1024
_LARGEST_XML: Final = 64 * 1024 * 1024
_CHUNK: Final = 1024 * 1024
_WORTH_A_LOOK: Final = 1024 * 1024
_MOST_TIMES: Final = 250
"""Office writes its parts as XML: repetitive, but not as repetitive as a bomb, which is 1,000:1."""

_STORED, _DEFLATED = 0, 8
_ENCRYPTED: Final = 0x2041
"""The bits of traditional and strong encryption, and of a masked directory."""
_UTF8: Final = 0x0800
_UNIX: Final = 3
_LINK: Final = 0o12
_READER: Final = Path(__file__).with_name("office_reader.py")

_TYPES: Final = "[Content_Types].xml"
_MACROS: Final = (b"macroenabled", b"vbaproject", b"macrosheet", b"activex")
_MAIN: Final = {
    b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml": (
        MediaType.DOCX
    ),
    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml": MediaType.XLSX,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """A part as the directory tells of it; sizes are bytes."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int
    unpacked: int
    offset: int
    link: bool


def office_type(content: bytes, *, most_unpacked: int) -> MediaType | None:
    """The type of an office file; none for a zip that is something else.

    Raises `Invalid` where it is broken, encrypted, has macros, names parts outside of itself, has
    in it what acts on its reader (`office_reader`), or is larger unpacked than `most_unpacked`
    bytes or than files of its kind can be.
    """
    entries = list(_entries(content))
    _hold_entries(content, entries)
    _hold_sizes(entries, most_unpacked)
    types = _types(content, entries)
    if any(word in types for word in _MACROS) or any(
        word.decode() in entry.name.lower() for entry in entries for word in _MACROS
    ):
        raise refused("file_has_macros")
    found = {media_type for main, media_type in _MAIN.items() if main in types}
    if len(found) != 1:
        return None
    for entry in entries:
        for _ in _unpacked(content, entry):
            pass
    if code := answer_of(_READER, content, _LARGEST_XML):
        raise refused(code)
    return found.pop()


def _entries(content: bytes) -> Iterator[Entry]:
    """Every part of the directory, which ends the file: nothing stands behind it, no comment."""
    start, number = _directory(content)
    end, at = len(content) - _END.size, start
    for _ in range(number):
        if at + _ENTRY.size > end:
            raise refused("file_broken")
        shown = _ENTRY.unpack_from(content, at)
        signature, made, _, flags, method, *_ = shown
        crc, packed, unpacked, name_bytes, extra_bytes, comment_bytes = shown[7:13]
        name = content[at + _ENTRY.size : at + _ENTRY.size + name_bytes]
        at += _ENTRY.size + name_bytes + extra_bytes + comment_bytes
        if signature != b"PK\x01\x02" or at > end:
            raise refused("file_broken")
        yield Entry(
            name=name.decode("utf-8" if flags & _UTF8 else "cp437", "replace"),
            flags=flags,
            method=method,
            crc=crc,
            packed=packed,
            unpacked=unpacked,
            offset=shown[-1],
            link=made >> 8 == _UNIX and shown[-2] >> 28 == _LINK,
        )
    if at != end:
        raise refused("file_broken")


def _directory(content: bytes) -> tuple[int, int]:
    """Where the directory begins, and how many parts it has."""
    if len(content) < _END.size:
        raise refused("file_broken")
    end = len(content) - _END.size
    signature, disk, first, here, number, length, start, comment = _END.unpack_from(content, end)
    mark, mark_bytes = _ZIP64_LOCATOR
    if signature != b"PK\x05\x06" or disk or first or comment or here != number:
        raise refused("file_broken")
    if start + length != end or content.startswith(mark, max(end - mark_bytes, 0)):
        raise refused("file_broken")
    if number > _MOST_ENTRIES:
        raise refused("file_unpacks_too_large")
    return start, number


def _hold_entries(content: bytes, entries: Sequence[Entry]) -> None:
    """Each part is where the directory says, under the same name, and overlaps no other."""
    if any(entry.flags & _ENCRYPTED for entry in entries):
        raise refused("file_encrypted")
    if any(_leads_outside(entry.name) for entry in entries):
        raise refused("file_paths_wrong")
    if len({entry.name.lower() for entry in entries}) != len(entries):
        raise refused("file_broken")
    reached = 0
    for entry in sorted(entries, key=lambda one: one.offset):
        wrong = entry.method not in {_STORED, _DEFLATED} or entry.link or entry.offset < reached
        if wrong or (not reached and entry.offset):
            raise refused("file_broken")
        reached = _data_of(content, entry) + entry.packed
    if reached > _directory(content)[0]:
        raise refused("file_broken")


def _leads_outside(name: str) -> bool:
    parts = name.split("/")
    return not name or "\\" in name or ":" in name or "\0" in name or ".." in parts or not parts[0]


def _data_of(content: bytes, entry: Entry) -> int:
    """Where the data of a part begins; the header before it has to tell the same as the directory.

    Sizes may be missing there: who writes without looking back writes them behind the data.
    """
    if entry.offset + _LOCAL.size > len(content):
        raise refused("file_broken")
    shown: tuple[Any, ...] = _LOCAL.unpack_from(content, entry.offset)
    signature, _, flags, method, *_ = shown
    name_bytes, extra_bytes = map(int, shown[-2:])
    at = entry.offset + _LOCAL.size
    name = content[at : at + name_bytes].decode("utf-8" if flags & _UTF8 else "cp437", "replace")
    if signature != b"PK\x03\x04" or method != entry.method or name != entry.name:
        raise refused("file_broken")
    return at + name_bytes + extra_bytes


def _hold_sizes(entries: Sequence[Entry], most_unpacked: int) -> None:
    if sum(entry.unpacked for entry in entries) > most_unpacked:
        raise refused("file_unpacks_too_large")
    for entry in entries:
        if entry.method == _STORED and entry.packed != entry.unpacked:
            raise refused("file_broken")
        if entry.unpacked > max(_WORTH_A_LOOK, _MOST_TIMES * entry.packed):
            raise refused("file_unpacks_too_large")


def _unpacked(content: bytes, entry: Entry) -> Iterator[bytes]:
    """A part in pieces; raises `Invalid` where it is not what the directory says of it."""
    start, left, sum_so_far = _data_of(content, entry), entry.unpacked, 0
    packed = memoryview(content)[start : start + entry.packed]
    for chunk in _inflated(packed) if entry.method == _DEFLATED else [bytes(packed)]:
        left, sum_so_far = left - len(chunk), zlib.crc32(chunk, sum_so_far)
        if left < 0:
            raise refused("file_broken")
        yield chunk
    if left or sum_so_far != entry.crc:
        raise refused("file_broken")


def _inflated(packed: memoryview) -> Iterator[bytes]:
    """What was deflated, never more of it at once than `_CHUNK` bytes."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left: bytes | memoryview = packed
    try:
        while not inflater.eof:
            chunk = inflater.decompress(left, _CHUNK)
            left = inflater.unconsumed_tail
            if not chunk and not left and not inflater.eof:
                raise refused("file_broken")
            yield chunk
    except zlib.error:
        raise refused("file_broken") from None


def _types(content: bytes, entries: Sequence[Entry]) -> bytes:
    """The list of types in lower case; empty where the zip has none and is no office file.

    Its words could also be written with references to characters or in another encoding, which
    no office program does.
    """
    entry = next((one for one in entries if one.name == _TYPES), None)
    if entry is None:
        return b""
    if entry.unpacked >= _MOST_TYPES:
        raise refused("file_broken")
    types = b"".join(_unpacked(content, entry))
    if b"\0" in types or b"&#" in types or b"<!" in types:
        raise refused("file_broken")
    return types.lower()
