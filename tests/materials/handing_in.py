"""Files as talents send them."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from service.materials.rules import Limits
from tests.materials.files import pdf

LIMITS = Limits(size=2**20, pixels=1_000_000, pages=10, unpacked=2**23)
FILE = pdf(2)


def form(*, code: str | None = "id_card", file: bytes = FILE, name: str = "证件.pdf",
         cut: str = "cut", **more: str) -> bytes:  # fmt: skip
    """A form with a file; `more` are further fields. The name is written as RFC 8187 has it."""
    fields = {"code": code, **more}
    parts = [
        part(f'name="{key}"', value.encode(), cut=cut)
        for key, value in fields.items()
        if value is not None
    ]
    named = f"name=\"file\"; filename*=UTF-8''{quote(name, safe='')}"
    return b"".join([*parts, part(named, file, cut=cut), f"--{cut}--\r\n".encode()])


def part(about: str, content: bytes, *, cut: str = "cut") -> bytes:
    head = f"--{cut}\r\nContent-Disposition: form-data; {about}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def send(who: Any, *, headers: dict[str, str] | None = None, **sent: Any) -> Any:
    """The answer to a form with a file."""
    return who.post(
        "/v1/materials",
        data=form(**sent),
        content_type="multipart/form-data; boundary=cut",
        headers=headers or {},
    )


def upload(who: Any, **sent: Any) -> dict[str, Any]:
    """A material that was taken."""
    answer = send(who, **sent)
    assert answer.status_code == 201, answer.json
    return answer.json


def delete(who: Any, material_id: Any) -> Any:
    return who.client.delete(f"/v1/materials/{material_id}", headers=who.headers)
