"""Packs as folders of YAML, and the JSON Schemas by which an editor completes and checks them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from service.catalogue.rules.checks import parse_pack
from service.catalogue.rules.pack import Pack
from service.catalogue.rules.shape import KINDS, file_schema
from service.kernel.settings import ROOT

_WIDTH: Final = 100
_YAML: Final = (".yaml", ".yml")


def load_pack(folder: Path) -> Pack:
    """The pack in a folder; raises `FaultyPack` with all that is wrong with it."""
    return parse_pack(read_files(folder))


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a pack, by their path within its folder; of what is no YAML the name alone.

    Hidden ones (`.gitignore`) are no part of it.
    """
    found = {file.relative_to(folder): file for file in folder.rglob("*") if file.is_file()}
    return {
        path.as_posix(): file.read_bytes() if path.suffix in _YAML else b""
        for path, file in found.items()
        if not any(part.startswith(".") for part in path.parts)
    }


def write_files(folder: Path, files: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a pack's files, given as plain values by path; raises FileExistsError for an old one.

    What is there already is never overwritten: the folder must be empty or new.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(folder)
    for path, value in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_yaml(file, path, value), encoding="utf-8")


def format_files(folder: Path) -> dict[Path, bytes]:
    """The JSON Schema of every kind of file, as it is to stand in a folder; writes nothing."""
    return {
        folder / f"{kind}.json": orjson.dumps(file_schema(kind), option=orjson.OPT_INDENT_2) + b"\n"
        for kind in KINDS
    }


def _yaml(file: Path, path: str, value: Mapping[str, Any]) -> str:
    """A file of a pack; its first line leads to the schema that this installation has."""
    kind = "pack" if "/" not in path else path.partition("/")[0].removesuffix("s")
    schemas = os.path.relpath(ROOT / "config" / "schema", file.parent.resolve())
    text = yaml.safe_dump(
        dict(value), allow_unicode=True, sort_keys=False, width=_WIDTH, default_flow_style=None
    )
    return f"# yaml-language-server: $schema={Path(schemas).as_posix()}/{kind}.json\n{text}"
