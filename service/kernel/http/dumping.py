"""What a read model becomes in an answer: by a plan that is made once for each schema.

marshmallow looks every field of every object up anew, and turns moments, ids and codes into text,
of which the JSON library is a hundred times faster. So a plan says under which name which attribute
goes, and what is nested; text is made at the end, all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import marshmallow as ma

Convert = Callable[[Any], Any]
Part = tuple[str, str, Convert | None]
"""The name in the answer, the attribute, and what its values go through; None: they stay."""

_STAY: Final = (
    ma.fields.String,
    ma.fields.UUID,
    ma.fields.Integer,
    ma.fields.Boolean,
    ma.fields.Date,
    ma.fields.DateTime,
    ma.fields.Enum,
    ma.fields.Raw,
)
"""Fields whose values `orjson` writes as marshmallow would."""


def plan_of(schema: ma.Schema) -> list[Part]:
    """What of an object goes into an answer, in order.

    Raises `LookupError` for a field that this knows nothing of.
    """
    return [
        (field.data_key or name, field.attribute or name, _convert(field))
        for name, field in schema.dump_fields.items()
    ]


def dumped(plan: list[Part], obj: Any) -> dict[str, Any]:
    """An object or a mapping as a mapping; what it does not have is left out."""
    read = obj.get if isinstance(obj, Mapping) else partial(getattr, obj)
    found = {}
    for name, attribute, convert in plan:
        if "." in attribute:
            value = ma.utils.get_value(obj, attribute, ma.missing)
        else:
            value = read(attribute, ma.missing)
        if value is not ma.missing:
            found[name] = value if convert is None or value is None else convert(value)
    return found


def _convert(field: ma.fields.Field[Any]) -> Convert | None:
    if isinstance(field, ma.fields.Nested):
        return partial(field.schema.dump, many=field.many)
    if isinstance(field, ma.fields.List):
        return _elements(_convert(field.inner))
    if isinstance(field, ma.fields.Dict):
        values = None if field.value_field is None else _convert(field.value_field)
        coded = isinstance(field.key_field, ma.fields.Enum)
        return dict if values is None and not coded else partial(_entries, values)
    if isinstance(field, _STAY):
        return None
    raise LookupError(f"{type(field).__name__}: no way into an answer")


def _elements(convert: Convert | None) -> Convert:
    return list if convert is None else lambda values: list(map(convert, values))


def _entries(convert: Convert | None, values: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(key): one if convert is None else convert(one) for key, one in values.items()}
