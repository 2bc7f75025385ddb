"""Files over HTTP: a multipart form read strictly, and a file handed out."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import quote

import marshmallow as ma
import orjson
from flask import Response, g, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from service.kernel.errors import FieldError, Invalid, Malformed, TooLarge, UnsupportedMediaType
from service.kernel.http.fields import Schema, SentFile, faults

AROUND: Final = 64 * 1024
"""What the parts of a form that are no file, and the lines between them, may take in all."""
_HELD: Final = 256 * 1024
"""What the parser may hold of a part while it looks for its end; it reads 64 KiB at once."""
_MOST_PARTS: Final = 16

Part = tuple[str | None, str | SentFile]


def read_form(schema: type[Schema], *, largest: int) -> dict[str, Any]:
    """A multipart form (RFC 7578) whose files have `largest` bytes together, held to a schema.

    The files are in memory. Raises `UnsupportedMediaType` for another body, `TooLarge`,
    `Malformed` for one that breaks off or is no form, and `Invalid` with the fields that are
    unknown, given twice or not what the schema says.
    """
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMediaType("form_expected")
    parts = list(_parts(largest + AROUND))
    if any(name is None for name, _ in parts):
        raise Malformed("form_malformed")
    twice = [str(name) for name, times in Counter(name for name, _ in parts).items() if times > 1]
    if twice:
        raise Invalid(errors=[FieldError(name, "given_twice") for name in twice])
    g.form = _told(parts)
    try:
        loaded: dict[str, Any] = schema().load({str(name): value for name, value in parts})
    except ma.ValidationError as error:
        raise Invalid(errors=faults(error.messages)) from None
    return loaded


def attachment(chunks: Iterable[bytes], *, name: str, media_type: str, size: int) -> Response:
    """An answer that is a file to be kept, never shown in place (RFC 6266, RFC 8187).

    Whoever does not understand the name in Unicode gets one of the media type alone.
    """
    ending = name.rpartition(".")[2]
    plain = f"file.{ending}" if ending.isascii() and ending.isalnum() else "file"
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {
        "Content-Disposition": disposition,
        "Content-Length": str(size),
        "Content-Type": media_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(chunks, headers=headers)


def _parts(maximum: int) -> Iterator[Part]:
    """The fields, then the files, under the names that were sent, if any."""
    request.max_content_length = maximum
    parser = FormDataParser(
        stream_factory=_in_memory,
        max_form_memory_size=_HELD,
        max_form_parts=_MOST_PARTS,
        silent=False,
    )
    try:
        _, fields, files = parser.parse(
            request.stream, request.mimetype, request.content_length, request.mimetype_params
        )
    except RequestEntityTooLarge:
        # The parser says the same of a body that is too long and of what it holds of the parts.
        if request.content_length is not None and request.content_length <= maximum:
            raise TooLarge("form_too_much") from None
        raise TooLarge("body_too_large", maximum=maximum) from None
    except (ValueError, OSError):  # OSError: malformed chunks, or the client is gone
        raise Malformed("form_malformed") from None
    yield from fields.items(multi=True)
    for name, file in files.items(multi=True):
        yield name, SentFile(file.filename or "", file.stream.read())


def _in_memory(
    total_content_length: int | None,  # noqa: ARG001 - werkzeug passes all four by name
    content_type: str | None,  # noqa: ARG001
    filename: str | None,  # noqa: ARG001
    content_length: int | None = None,  # noqa: ARG001
) -> io.BytesIO:
    """Where a file is read to: what people send is not left in a folder for temporary files."""
    return io.BytesIO()


def _told(parts: Iterable[Part]) -> bytes:
    """What a form asks for, whatever its boundary and order: for the digest of a keyed request."""
    shown = {
        name: [value.name, hashlib.sha256(value.content).hexdigest()]
        if isinstance(value, SentFile)
        else value
        for name, value in parts
    }
    return orjson.dumps(shown, option=orjson.OPT_SORT_KEYS)
