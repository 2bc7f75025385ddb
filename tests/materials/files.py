"""Small real files, written by hand: every type that is taken, and what can be wrong with them."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

from PIL import Image

GPS = b"GPS-CANARY-24.4798N-118.0894E"
AUTHOR = b"AUTHOR-CANARY-Zhang-Wei"
ICC = b"ICC_PROFILE\0\x01\x01" + b"colours as they are meant"

# --- PDF


def pdf(pages: int = 1, *, middle: bytes = b"", end: bytes = b"\n") -> bytes:
    kids = b" ".join(b"%d 0 R" % (number + 3) for number in range(pages))
    objects = [
        b"1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj",
        b"2 0 obj << /Type /Pages /Kids [%b] /Count %d >> endobj" % (kids, pages),
        *(
            b"%d 0 obj << /Type/Page /Parent 2 0 R /MediaBox [0 0 595 842] >> endobj" % (number + 3)
            for number in range(pages)
        ),
    ]
    body = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"
    places = []
    for one in objects:
        places.append(len(body))
        body += one + b"\n"
    body += middle
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    return b"%bxref\n0 %d\n0000000000 65535 f \n%btrailer << /Size %d /Root 1 0 R >>\n%b" % (
        body,
        size,
        table,
        size,
        b"startxref\n%d\n%%%%EOF%b" % (len(body), end),
    )


# --- JPEG


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def exif(orientation: int | None = 1, *, order: str = ">", text: bytes = GPS) -> bytes:
    """An Exif segment with an orientation, and a place in the GPS directory."""
    entries = [] if orientation is None else [(0x0112, 3, 1, orientation)]
    first = struct.pack(f"{order}H", len(entries) + 1)
    for tag, kind, number, value in entries:
        first += struct.pack(f"{order}HHIHH", tag, kind, number, value, 0)
    first += struct.pack(f"{order}HHII", 0x8825, 4, 1, 8 + len(first) + 16)
    first += struct.pack(f"{order}I", 0)
    head = {">": b"MM\0*", "<": b"II*\0"}[order] + struct.pack(f"{order}I", 8)
    return segment(0xE1, b"Exif\0\0" + head + first + text)


def frame(width: int, height: int, marker: int = 0xC0) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00")


def encoded(form: str, mode: str = "L", size: tuple[int, int] = (24, 16), **how: Any) -> bytes:
    """A picture that a library has encoded, every pixel another."""
    file, picture = io.BytesIO(), Image.effect_noise(size, 90).convert(mode)
    picture.save(file, form, **how)
    return file.getvalue()


def _pieces() -> tuple[bytes, bytes]:
    """Tables and scan of a picture of eight by eight that a library has encoded."""
    file = io.BytesIO()
    picture = Image.new("L", (8, 8))
    picture.putdata([(x * y * 37) % 256 for x in range(8) for y in range(8)])
    picture.save(file, "JPEG")
    content, at, tables = file.getvalue(), 2, b""
    while content[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        tables += content[at:end] if content[at + 1] in {0xDB, 0xC4} else b""
        at = end
    return tables, content[at:-2]


TABLES, SCAN = _pieces()
JFIF = segment(0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0")


def jpeg(*extra: bytes, width: int = 4, height: int = 3, end: bytes = b"\xff\xd9") -> bytes:
    return b"\xff\xd8" + JFIF + b"".join(extra) + TABLES + frame(width, height) + SCAN + end


def chatty_jpeg(orientation: int = 1, order: str = ">") -> bytes:
    """A photograph with everything that a camera and an image editor write into it."""
    return jpeg(
        exif(orientation, order=order),
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>" + GPS),
        segment(0xE2, ICC),
        segment(0xE2, b"MPF\0" + GPS),
        segment(0xED, b"Photoshop 3.0\x008BIM" + AUTHOR),
        segment(0xE0, b"JFXX\0" + AUTHOR),
        segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01"),
        segment(0xFE, AUTHOR),
        end=b"\xff\xd9" + jpeg(exif()) + b"SEFT" + AUTHOR,
    )


# --- PNG


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def header(width: int, height: int) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


def png(*extra: bytes, width: int = 2, height: int = 2, end: bytes = b"") -> bytes:
    drawn = width * height <= 2**20
    rows = zlib.compress((b"\0" + b"\x7f" * width) * height if drawn else b"\0" * 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + header(width, height)
        + b"".join(extra)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND")
        + end
    )


def chatty_png() -> bytes:
    return png(
        chunk(b"gAMA", struct.pack(">I", 45455)),
        chunk(b"iCCP", b"colours\0\0" + zlib.compress(ICC)),
        chunk(b"eXIf", b"MM\0*" + GPS),
        chunk(b"tEXt", b"Author\0" + AUTHOR),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + GPS),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(AUTHOR, 0)),
        chunk(b"tIME", b"\x07\xea\x0b\x18\x02\x0a\0"),
        chunk(b"prVW", AUTHOR),
        chunk(b"acTL", struct.pack(">II", 1, 0)),
        end=AUTHOR,
    )


# --- office files

_MAIN = "application/vnd.openxmlformats-officedocument.{}+xml"
DOCX_MAIN = _MAIN.format("wordprocessingml.document.main")
XLSX_MAIN = _MAIN.format("spreadsheetml.sheet.main")


def types(main: str, more: str = "") -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/main.xml" ContentType="{main}"/>{more}</Types>'
    )


def package(parts: Mapping[str, str | bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def docx(more: Mapping[str, str | bytes] | None = None, *, listed: str = "") -> bytes:
    parts = {
        "[Content_Types].xml": types(DOCX_MAIN, listed),
        "_rels/.rels": "<Relationships/>",
        "word/document.xml": "<w:document>简历</w:document>",
        "docProps/core.xml": "<cp:coreProperties/>",
    }
    return package(parts | (more or {}))


def xlsx(more: Mapping[str, str | bytes] | None = None) -> bytes:
    parts = {
        "[Content_Types].xml": types(XLSX_MAIN),
        "_rels/.rels": "<Relationships/>",
        "xl/workbook.xml": "<workbook/>",
        "xl/worksheets/sheet1.xml": "<worksheet>" + "<row/>" * 500 + "</worksheet>",
    }
    return package(parts | (more or {}))


def set_in_entry(content: bytes, place: int, value: bytes, *, entry: int = 0) -> bytes:
    """The package with some bytes of an entry in its directory changed."""
    at = -1
    for _ in range(entry + 1):
        at = content.index(b"PK\x01\x02", at + 1)
    return content[: at + place] + value + content[at + place + len(value) :]


GOOD = {
    "pdf": pdf(),
    "jpg": jpeg(),
    "png": png(),
    "docx": docx(),
    "xlsx": xlsx(),
}
"""One small file of every type, by its ending."""
