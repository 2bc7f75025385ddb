"""From a pack's files to a pack, or to everything that is wrong with them.

Three passes, each over all files: can it be read, has it the right shape, do the files agree with
one another. A file of the wrong shape is left out of the third, its code is not: one slip in a
section shall not raise a fault in every offering that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from operator import getitem
from pathlib import PurePosixPath
from typing import Any, Final
from zoneinfo import ZoneInfo

from service.catalogue.rules import pack as parts
from service.catalogue.rules.faults import FaultyPack, PackFault
from service.catalogue.rules.forms import BadSchema, Form
from service.catalogue.rules.reading import Document, Path, read_document
from service.catalogue.rules.shape import shape_faults
from service.routing import check_flow, parse_flow

MAIN: Final = "pack.yaml"
_KINDS: Final[Mapping[str, str]] = {
    "sections": "section",
    "offerings": "offering",
    "bundles": "bundle",
}


@dataclass(slots=True)
class _Reading:
    """What is known while a pack is read: per kind of file, codes with their documents."""

    main: Document
    sections: dict[str, Document] = field(default_factory=dict)
    offerings: dict[str, Document] = field(default_factory=dict)
    bundles: dict[str, Document] = field(default_factory=dict)
    misshapen: set[str] = field(default_factory=set)
    faults: list[PackFault] = field(default_factory=list)

    def sound(self, folder: str) -> Iterator[Document]:
        """The documents of a folder that have the right shape."""
        documents: dict[str, Document] = getattr(self, folder)
        return (one for one in documents.values() if one.file not in self.misshapen)


def parse_pack(files: Mapping[str, bytes]) -> parts.Pack:
    """The pack in these files, by their path within it (`sections/applicant.yaml`).

    Raises `FaultyPack` with every fault found.
    """
    reading = _read(files)
    if MAIN not in reading.misshapen:
        reading.faults += _check_main(reading.main)
    for document in reading.sound("sections"):
        reading.faults += _check_form(document, ("schema",))
    for document in reading.sound("offerings"):
        reading.faults += _check_offering(document, reading)
    for document in reading.sound("bundles"):
        reading.faults += _check_names(
            document, ("offerings",), set(reading.offerings), "unknown_offering"
        )
    if reading.faults:
        raise FaultyPack(reading.faults)
    return _assemble(reading)


def _read(files: Mapping[str, bytes]) -> _Reading:
    reading = _Reading(Document(MAIN))
    if MAIN not in files:
        reading.misshapen.add(MAIN)
        reading.faults.append(reading.main.fault((), "missing_file"))
    for file, content in sorted(files.items()):
        path = PurePosixPath(file)
        folder = str(path.parent)
        if file == MAIN:
            reading.main = _sift(reading, read_document(file, content), "pack")
        elif folder in _KINDS and path.suffix == ".yaml":
            document = _sift(reading, read_document(file, content), _KINDS[folder])
            _register(reading, folder, document)
        else:
            reading.faults.append(Document(file).fault((), "unexpected_file"))
    return reading


def _sift(reading: _Reading, document: Document, kind: str) -> Document:
    """Notes what is wrong with one file by itself."""
    faults = document.faults or shape_faults(document, kind)
    if faults:
        reading.misshapen.add(document.file)
        reading.faults += faults
    return document


def _register(reading: _Reading, folder: str, document: Document) -> None:
    code = document.value.get("code") if isinstance(document.value, dict) else None
    if not isinstance(code, str):
        return
    documents: dict[str, Document] = getattr(reading, folder)
    if code in documents:
        params = {"name": code, "file": documents[code].file}
        reading.faults.append(document.fault(("code",), "duplicate_code", **params))
    else:
        documents[code] = document


def _check_main(document: Document) -> Iterator[PackFault]:
    raw = document.value
    for key in ("departments", "consents"):
        seen: set[str] = set()
        for place, one in enumerate(raw[key]):
            if one["code"] in seen:
                params = {"name": one["code"], "file": "this list"}
                yield document.fault((key, place, "code"), "duplicate_code", **params)
            seen.add(one["code"])
    try:
        ZoneInfo(raw["zone"])
    except (KeyError, OSError, ValueError):
        yield document.fault(("zone",), "unknown_zone", name=raw["zone"])
    moments = [moment for span in raw["office_hours"] for moment in span]
    if any(earlier >= later for earlier, later in pairwise(moments)):
        yield document.fault(("office_hours",), "hours_disordered")


def _check_form(document: Document, at: Path) -> Iterator[PackFault]:
    """A schema compiles, its examples satisfy it and show every field, every choice has a title."""
    schema = reduce(getitem, at, document.value)
    try:
        form = Form(schema)
    except BadSchema as bad:
        yield document.fault((*at, *bad.path), "bad_schema", problem=bad.problem)
        return
    yield from _check_examples(document, at, form, schema["examples"])
    for name, declared in schema["properties"].items():
        if not any(name in example for example in schema["examples"]):
            yield document.fault((*at, "examples"), "example_incomplete", name=name)
        for option in declared.get("enum", ()):
            if str(option) not in declared.get("x-options", {}):
                path = (*at, "properties", name, "x-options")
                yield document.fault(path, "option_untitled", name=option)


def _check_examples(
    document: Document, at: Path, form: Form, examples: Sequence[Any]
) -> Iterator[PackFault]:
    for place, example in enumerate(examples):
        for error in form.errors(example):
            where = ".".join(map(str, error.instance_path)) or "the top"
            path = (*at, "examples", place, *error.instance_path)
            yield document.fault(path, "example_invalid", where=where, problem=error.message)


def _check_offering(document: Document, reading: _Reading) -> Iterator[PackFault]:
    raw = document.value
    yield from _check_names(document, ("sections",), set(reading.sections), "unknown_section")
    for fault in check_flow(parse_flow(raw["flow"])):
        yield document.fault(("flow", *fault.path), fault.code, **fault.params)
    departments = _departments(reading)
    for place, stage in enumerate(raw["flow"]["stages"]):
        path: Path = ("flow", "stages", place)
        if departments is not None and stage["department"] not in departments:
            name = stage["department"]
            yield document.fault((*path, "department"), "unknown_department", name=name)
        yield from _check_sight(document, (*path, "sees", "sections"), stage, reading)
        if "records" in stage:
            yield from _check_form(document, (*path, "records"))


def _departments(reading: _Reading) -> set[str] | None:
    """The departments of the pack; None where they cannot be told."""
    if MAIN in reading.misshapen:
        return None
    return {one["code"] for one in reading.main.value["departments"]}


def _check_sight(
    document: Document, path: Path, stage: Mapping[str, Any], reading: _Reading
) -> Iterator[PackFault]:
    """What a stage sees exists and is asked for by its offering."""
    for code, fields in stage["sees"]["sections"].items():
        if code not in document.value["sections"]:
            yield document.fault((*path, code), "section_not_asked", name=code)
        known = _fields(reading, code)
        if fields == "all" or known is None:
            continue
        for place, name in enumerate(fields):
            if name not in known:
                params = {"section": code, "name": name}
                yield document.fault((*path, code, place), "unknown_field", **params)


def _fields(reading: _Reading, code: str) -> set[str] | None:
    """The fields of a section; None where they cannot be told."""
    section = reading.sections.get(code)
    if section is None or section.file in reading.misshapen:
        return None
    return set(section.value["schema"]["properties"])


def _check_names(document: Document, path: Path, known: set[str], code: str) -> Iterator[PackFault]:
    for place, name in enumerate(document.value[path[0]]):
        if name not in known:
            yield document.fault((*path, place), code, name=name)


def _assemble(reading: _Reading) -> parts.Pack:
    raw = reading.main.value
    return parts.Pack(
        district=raw["district"],
        title=raw["title"],
        settings={key: raw[key] for key in parts.SETTINGS},
        departments=tuple(map(parts.department, raw["departments"])),
        consents=tuple(map(parts.consent, raw["consents"])),
        sections={key: parts.section(one.value) for key, one in reading.sections.items()},
        offerings={key: parts.offering(one.value) for key, one in reading.offerings.items()},
        bundles={key: parts.bundle(one.value) for key, one in reading.bundles.items()},
    )
