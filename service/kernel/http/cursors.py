"""Page cursors: where a list goes on, signed and bound to who asked for what.

A cursor carries the sort key of the last row seen. The signature covers the account and the
filters, so that a cursor is of no use with other filters or in other hands.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from service.kernel.errors import FieldError, Invalid

_TAG_BYTES: Final = 16
_LONGEST: Final = 512


def encode(key: bytes, position: Sequence[Any], *, account: Any, filters: Mapping[str, Any]) -> str:
    """A cursor that stands behind `position`, a short list of strings and numbers."""
    body = orjson.dumps(list(position), default=str)
    tag = _tag(key, body, account, filters)
    return base64.urlsafe_b64encode(tag + body).decode().rstrip("=")


def decode(key: bytes, cursor: str, *, account: Any, filters: Mapping[str, Any]) -> list[Any]:
    """The position again; raises `Invalid` for a cursor that was not made for this list."""
    position = _opened(key, cursor, account, filters)
    if position is None:
        raise Invalid(errors=[FieldError("after", "cursor_invalid")])
    return position


def _opened(key: bytes, cursor: str, account: Any, filters: Mapping[str, Any]) -> list[Any] | None:
    if len(cursor) > _LONGEST:
        return None
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return None
    tag, body = raw[:_TAG_BYTES], raw[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, body, account, filters)):
        return None
    position: list[Any] = orjson.loads(body)
    return position


def _tag(key: bytes, body: bytes, account: Any, filters: Mapping[str, Any]) -> bytes:
    bound = orjson.dumps([str(account), filters], default=str, option=orjson.OPT_SORT_KEYS)
    return hmac.digest(key, bound + b"\0" + body, hashlib.sha256)[:_TAG_BYTES]
