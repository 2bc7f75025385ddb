"""One JSON reader for everything a client sends.

The usual stack accepts or crashes on nesting without end, numbers of thousands of digits, NUL and
lone surrogates (which PostgreSQL refuses later), duplicate keys and `NaN`. All of them are turned
away here, before anything else sees the body.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from service.kernel.errors import Malformed, TooLarge

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 5000
"""Members and elements of all objects and lists together."""
MAX_DIGITS: Final = 18
"""Every whole number that fits is a PostgreSQL bigint."""

# Possessive, and to the end of the body where the closing quote is missing: whatever the quotes
# and backslashes, no byte is looked at twice.
_STRINGS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_EXACT: Final = 2**53
"""Below it every whole number is a float of its own."""
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def loads(body: bytes) -> Any:
    """The value that `body` spells.

    Raises `TooLarge` for a body over 1 MiB, nested deeper than 32 or with more than some 5,000
    members and elements, all before anything is decoded; and `Malformed` for what is no JSON
    (RFC 8259), repeats a key, or holds a number or character that cannot be kept.
    """
    if len(body) > MAX_BYTES:
        raise TooLarge("body_too_large", maximum=MAX_BYTES)
    _hold_to_bounds(_STRINGS.sub(b"", body))
    try:
        return _DECODER.decode(body.decode())
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise Malformed("body_is_no_json") from None


def _hold_to_bounds(marks: bytes) -> None:
    """Raise `TooLarge` by the brackets and commas of a body whose texts have been taken out.

    A container has at most one value more than commas. Where there are too many brackets the
    depth of the first ones decides which of the two is said.
    """
    depth = 0
    for bracket in marks.translate(None, _NO_BRACKETS)[: 2 * MAX_VALUES]:
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_DEPTH:
            raise TooLarge("body_too_deep", maximum=MAX_DEPTH)
    if marks.count(b",") + marks.count(b"[") + marks.count(b"{") > MAX_VALUES:
        raise TooLarge("body_too_many_values", maximum=MAX_VALUES)


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > MAX_DIGITS:
        raise Malformed("number_too_long", maximum=MAX_DIGITS)
    return int(digits)


def _fraction(text: str) -> float | int:
    """1.0 is the whole number 1, as JSON Schema has it: whoever compares it need not know."""
    number = float(text) if len(text) <= MAX_DIGITS + 8 else float("inf")
    if number in {float("inf"), float("-inf")}:
        raise Malformed("number_too_long", maximum=MAX_DIGITS)
    return int(number) if number.is_integer() and abs(number) < _EXACT else number


def _no_constant(_name: str) -> None:
    raise Malformed("body_is_no_json")


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise Malformed("duplicate_key")
        made[_storable(key)] = _storable(value)
    return made


def _storable(value: Any) -> Any:
    """Refuse text that PostgreSQL cannot keep, also inside lists; objects were seen already."""
    if isinstance(value, str):
        if _UNSTORABLE.search(value):
            raise Malformed("unstorable_character")
    elif isinstance(value, list):
        for element in value:
            _storable(element)
    return value


class _Decoder(json.JSONDecoder):
    def decode(self, text: str, *arguments: Any) -> Any:
        return _storable(super().decode(text, *arguments))


_DECODER: Final = _Decoder(
    object_pairs_hook=_unique,
    parse_int=_whole,
    parse_float=_fraction,
    parse_constant=_no_constant,
)
