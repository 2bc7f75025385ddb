"""Page cursors: where a list goes on, signed and bound to who asked for what.

A cursor carries the sort key of the last row seen. The account and the filters are the salt of the
signature, so that a cursor is of no use with other filters or in other hands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from itsdangerous import BadData, URLSafeSerializer

from service.kernel.errors import FieldError, Invalid

_LONGEST: Final = 512


def encode(key: bytes, position: Sequence[Any], *, account: Any, filters: Mapping[str, Any]) -> str:
    """A cursor that stands behind `position`, a short list of JSON values, ids and moments."""
    cursor: str = _serializer(key, account, filters).dumps(list(position))
    return cursor


def decode(key: bytes, cursor: str, *, account: Any, filters: Mapping[str, Any]) -> list[Any]:
    """The position again; raises `Invalid` for a cursor that was not made for this list."""
    try:
        if len(cursor) <= _LONGEST and cursor.isascii():
            position: list[Any] = _serializer(key, account, filters).loads(cursor)
            return position
    except BadData:
        pass
    raise Invalid(errors=[FieldError("after", "cursor_invalid")])


def _serializer(key: bytes, account: Any, filters: Mapping[str, Any]) -> URLSafeSerializer:
    """The signature is checked before anything of what it covers is read."""
    salt = orjson.dumps([str(account), filters], default=str, option=orjson.OPT_SORT_KEYS)
    return URLSafeSerializer(
        key,
        salt=salt,
        serializer_kwargs={"default": str},
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
