"""From a pack's files to a pack, or to everything that is wrong with them.

Three passes, each over all files: can it be read, has it the right shape, do the files agree with
one another. A file that cannot be read or is of the wrong shape is left out of the third, its code
is not: one slip in a section shall not raise a fault in every offering that uses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Final
from zoneinfo import ZoneInfo

from service.catalogue.rules import pack as parts
from service.catalogue.rules.bundles import bundle_faults
from service.catalogue.rules.declared import FOLDERS, Declared
from service.catalogue.rules.faults import FaultyPack, PackFault
from service.catalogue.rules.offerings import offering_faults
from service.catalogue.rules.reading import Document, likely_code, read_document
from service.catalogue.rules.schemas import form_faults, section_faults
from service.catalogue.rules.shape import shape_faults

MAIN: Final = "pack.yaml"


def parse_pack(files: Mapping[str, bytes]) -> parts.Pack:
    """The pack in these files, by their path within it (`sections/applicant.yaml`).

    Raises `FaultyPack` with every fault found.
    """
    declared = _read(files)
    faults = declared.faults
    if MAIN not in declared.misshapen:
        faults += _main_faults(declared.main)
    for document in declared.sound("facts"):
        faults += form_faults(document, ("schema",))
    for document in declared.sound("sections"):
        faults += section_faults(document, declared)
    for document in declared.sound("offerings"):
        faults += offering_faults(document, declared)
    for document in declared.sound("bundles"):
        faults += bundle_faults(document, declared)
    if faults:
        raise FaultyPack(faults)
    return _assemble(declared)


def _read(files: Mapping[str, bytes]) -> Declared:
    declared, unread = Declared(Document(MAIN)), list[tuple[str, str, Document]]()
    if MAIN not in files:
        declared.misshapen.add(MAIN)
        declared.faults.append(declared.main.fault((), "missing_file"))
    for file, content in sorted(files.items()):
        path = PurePosixPath(file)
        folder = str(path.parent)
        if file == MAIN:
            declared.main = _sift(declared, read_document(file, content), "pack")
        elif folder in FOLDERS and path.suffix == ".yaml":
            document = _sift(declared, read_document(file, content), FOLDERS[folder])
            if document.value is None and document.faults:
                unread.append((folder, likely_code(content, file), document))
            _register(declared, folder, document)
        else:
            declared.faults.append(Document(file).fault((), "unexpected_file"))
    for folder, code, document in unread:  # who names it is not at fault
        declared.folders[folder].setdefault(code, document)
    return declared


def _sift(declared: Declared, document: Document, kind: str) -> Document:
    """Notes what is wrong with one file by itself."""
    faults = document.faults or shape_faults(document, kind)
    if faults:
        declared.misshapen.add(document.file)
        declared.faults += faults
    return document


def _register(declared: Declared, folder: str, document: Document) -> None:
    code = document.value.get("code") if isinstance(document.value, dict) else None
    if not isinstance(code, str):
        return
    documents = declared.folders[folder]
    if code in documents:
        params = {"name": code, "file": documents[code].file}
        declared.faults.append(document.fault(("code",), "duplicate_code", **params))
    else:
        documents[code] = document


def _main_faults(document: Document) -> Iterator[PackFault]:
    raw = document.value
    for key in ("departments", "consents"):
        yield from document.repeated((key,), [entry["code"] for entry in raw[key]], at="code")
    try:
        ZoneInfo(raw["zone"])
    except (KeyError, OSError, ValueError):
        yield document.fault(("zone",), "unknown_zone", name=raw["zone"])
    moments = [moment for span in raw["office_hours"] for moment in span]
    if any(earlier >= later for earlier, later in pairwise(moments)):
        yield document.fault(("office_hours",), "hours_disordered")


def _assemble(declared: Declared) -> parts.Pack:
    raw, folders = declared.main.value, declared.folders
    return parts.Pack(
        district=raw["district"],
        title=raw["title"],
        settings={key: raw[key] for key in parts.SETTINGS},
        departments=tuple(map(parts.department, raw["departments"])),
        consents=tuple(map(parts.consent, raw["consents"])),
        sections={
            key: parts.section(document.value) for key, document in folders["sections"].items()
        },
        facts={key: parts.fact_kind(document.value) for key, document in folders["facts"].items()},
        materials={
            key: parts.material(document.value) for key, document in folders["materials"].items()
        },
        offerings={
            key: parts.offering(document.value) for key, document in folders["offerings"].items()
        },
        bundles={key: parts.bundle(document.value) for key, document in folders["bundles"].items()},
        origin=parts.origin(raw["release"]) if "release" in raw else None,
    )
