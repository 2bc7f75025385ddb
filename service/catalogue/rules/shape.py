"""The shape of a pack's files: one JSON Schema (`format.json`), its faults located by line."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import orjson

from service.catalogue.rules.declared import FOLDERS
from service.catalogue.rules.faults import PackFault
from service.catalogue.rules.forms import problem_of, types_in_words
from service.catalogue.rules.reading import Document

FORMAT: Final[dict[str, Any]] = orjson.loads(
    Path(__file__).with_name("format.json").read_bytes(),
)
_LANGUAGES: Final = ("zh", "en")


KINDS: Final = ("pack", *FOLDERS.values())
"""The kinds of files that a pack is made of."""


def file_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind of file, standing by itself: with what it refers to, no more."""
    wanted, found = [kind], dict[str, Any]()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = FORMAT["$defs"][name]
            wanted.extend(_references(found[name]))
    return {
        "$schema": FORMAT["$schema"],
        "title": f"{FORMAT['title']}: {kind}",
        "$ref": f"#/$defs/{kind}",
        "$defs": {name: found[name] for name in FORMAT["$defs"] if name in found},
    }


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].removeprefix("#/$defs/")
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            yield from _references(part)


def shape_faults(document: Document, kind: str) -> list[PackFault]:
    """What is wrong with a file of a kind (`pack`, `section`, `offering` …) by itself."""
    errors = _validator(kind).iter_errors(document.value)
    return [fault for error in errors for fault in _located(document, error)]


@cache
def _validator(kind: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(file_schema(kind), offline=True)


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
    elif name in {"oneOf", "anyOf"}:
        yield document.fault(path, "wrong_shape")
    elif name == "type":
        yield document.fault(path, "wrong_type", expected=types_in_words(details["types"]))
    else:
        yield document.fault(path, "wrong_value", problem=problem_of(error))
