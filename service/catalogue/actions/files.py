"""Packs as folders of YAML, and the JSON Schemas by which an editor completes and checks them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any, Final

import orjson
import yaml

from service.catalogue.rules.checks import parse_pack
from service.catalogue.rules.pack import Pack
from service.catalogue.rules.shape import KINDS, file_schema

_WIDTH: Final = 100


def load_pack(folder: Path) -> Pack:
    """The pack in a folder; raises `FaultyPack` with all that is wrong with it."""
    return parse_pack(read_files(folder))


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a pack, by their path within its folder."""
    files = chain(folder.rglob("*.yaml"), folder.rglob("*.yml"))
    return {
        file.relative_to(folder).as_posix(): file.read_bytes() for file in files if file.is_file()
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
        file.write_text(_yaml(path, value), encoding="utf-8")


def format_files(folder: Path) -> dict[Path, bytes]:
    """The JSON Schema of every kind of file, as it is to stand in a folder; writes nothing."""
    return {
        folder / f"{kind}.json": orjson.dumps(file_schema(kind), option=orjson.OPT_INDENT_2) + b"\n"
        for kind in KINDS
    }


def _yaml(path: str, value: Mapping[str, Any]) -> str:
    kind = "pack" if "/" not in path else path.partition("/")[0].removesuffix("s")
    up = "../" * path.count("/")
    text = yaml.safe_dump(
        dict(value), allow_unicode=True, sort_keys=False, width=_WIDTH, default_flow_style=None
    )
    return f"# yaml-language-server: $schema={up}../../schema/{kind}.json\n{text}"
