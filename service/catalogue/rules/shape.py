"""The shape of a pack's files: one JSON Schema (`format.json`), its faults located by line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson

from service.catalogue.rules.faults import PackFault
from service.catalogue.rules.reading import Document

FORMAT: Final[dict[str, Any]] = orjson.loads(
    Path(__file__).with_name("format.json").read_bytes(),
)
_LANGUAGES: Final = ("zh", "en")


def shape_faults(document: Document, kind: str) -> list[PackFault]:
    """What is wrong with a file of a kind (`pack`, `section`, `offering`, `bundle`) by itself."""
    errors = _validator(kind).iter_errors(document.value)
    return [fault for error in errors for fault in _located(document, error)]


@cache
def _validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    schema = {"$ref": f"#/$defs/{kind}", "$defs": FORMAT["$defs"]}
    return jsonschema_rs.Draft202012Validator(schema, offline=True)


def _located(document: Document, error: jsonschema_rs.ValidationError) -> Iterator[PackFault]:
    path = tuple(error.instance_path)
    name, details = error.kind.name, error.kind.as_dict()
    if name == "required":
        missing = details["property"]
        code = "missing_language" if missing in _LANGUAGES else "missing_key"
        yield document.fault((*path, missing), code)
    elif name == "additionalProperties":
        for key in details["unexpected"]:
            yield document.fault((*path, key), "unknown_key")
    elif name == "type":
        yield document.fault(path, "wrong_type", expected=" or ".join(details["types"]))
    else:
        yield document.fault(path, "wrong_value", problem=error.message)
