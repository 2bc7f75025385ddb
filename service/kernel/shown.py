"""Values as people read them: what a JSON Schema with words (`x-title`, `x-options`) says of each.

Both languages stand in every answer, so that an answer depends on no header: one that is kept for
an Idempotency-Key is right for whoever asks again, and a client changes its language by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service.kernel.messages import BETWEEN, LANGUAGES, Language, say

Texts = Mapping[str, str]


@dataclass(frozen=True, slots=True, repr=False)
class ShownValue:
    """One value with what it is called (`title`) and what it says (`text`)."""

    code: str
    title: Texts
    value: Any
    text: Texts


def as_key(value: Any) -> str:
    """How an option's title, or a case of a table, names a value: `true`, `3`, `primary`."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def as_coded(code: str) -> Texts:
    """A code that nothing has words for, as its own words."""
    return dict.fromkeys(LANGUAGES, code)


def title_of(schema: Mapping[str, Any], code: str) -> Texts:
    """What a property of an object's schema is called; its code where the schema does not say."""
    title: Texts = schema.get("properties", {}).get(code, {}).get("x-title", as_coded(code))
    return title


def shown_values(
    schema: Mapping[str, Any], values: Mapping[str, Any] | None
) -> list[ShownValue] | None:
    """The values of an object in the order of its schema; None of None.

    What the schema does not know comes last, under its code.
    """
    if values is None:
        return None
    known = schema.get("properties", {})
    order = [code for code in known if code in values]
    order += [code for code in values if code not in known]
    return [_shown(schema, code, values[code]) for code in order]


def _shown(schema: Mapping[str, Any], code: str, value: Any) -> ShownValue:
    text = text_of(schema.get("properties", {}).get(code, {}), value)
    return ShownValue(code, title_of(schema, code), value, text)


def text_of(schema: Mapping[str, Any], value: Any) -> Texts:
    """What a value says: an option by its title, yes or no, money in yuan, a list one by one."""
    return {tongue: _said(schema, value, tongue) for tongue in LANGUAGES}


def _said(schema: Mapping[str, Any], value: Any, tongue: Language) -> str:
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = {**schema.get("items", {}), "x-options": options_of(schema)}
        return BETWEEN[tongue].join(_said(inner, one, tongue) for one in value)
    option = options_of(schema).get(as_key(value))
    if option is not None:
        return option[tongue]
    if isinstance(value, bool):
        return say("value_true" if value else "value_false", tongue)
    if isinstance(value, int) and schema.get("x-widget") == "money":
        yuan, fen = divmod(abs(value), 100)
        return say("value_money", tongue, {"yuan": f"{'-' * (value < 0)}{yuan:,}.{fen:02}"})
    return "" if value is None else str(value)


def options_of(schema: Mapping[str, Any]) -> Mapping[str, Texts]:
    """The words of a value's options, or of those of a list's entries."""
    own = schema.get("x-options") or schema.get("items", {}).get("x-options")
    return own or {}
