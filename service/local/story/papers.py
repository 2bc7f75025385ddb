"""Documents that the family hands in: small, but real PDF files."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from service.local.story.people import Caller


def upload(who: Caller, codes: Iterable[str], *, to: str = "/materials") -> dict[str, str]:
    """Hand in one document of each code; returns their ids by code."""
    return {code: upload_one(who, code, to=to)["id"] for code in codes}


def upload_one(who: Caller, code: str, *, pages: int = 1, to: str = "/materials") -> dict[str, Any]:
    """Hand in a document of so many pages."""
    file = (f"{code}.pdf", pdf(code, pages=pages), "application/pdf")
    told: dict[str, Any] = who.post(to, data={"code": code}, files={"file": file})
    return told


def pdf(words: str, *, pages: int = 1) -> bytes:
    """A PDF of so many pages with a few ASCII words on each."""
    first = 3
    numbers = range(first, first + 2 * pages, 2)
    kids = " ".join(f"{number} 0 R" for number in numbers)
    bodies = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} >>".encode(),
    ]
    for number in numbers:
        text = f"BT /F1 18 Tf 72 720 Td ({words}) Tj ET".encode()
        font = "<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
        bodies.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources {font}"
            f" /Contents {number + 1} 0 R >>".encode()
        )
        bodies.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text))
    return _assembled(bodies)


def _assembled(bodies: list[bytes]) -> bytes:
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count, start = len(bodies) + 1, len(out)
    return (
        out
        + b"xref\n0 %d\n0000000000 65535 f \n" % count
        + table
        + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, start)
    )
