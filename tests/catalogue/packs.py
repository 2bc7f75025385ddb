"""The demonstration pack, and copies of it with one thing changed."""

from __future__ import annotations

from pathlib import Path

from service.catalogue.actions import load_pack
from service.catalogue.rules import FaultyPack, Pack, parse_pack

DEMO = Path(__file__).resolve().parents[2] / "config" / "packs" / "demo"
Files = dict[str, bytes]


def demo_files() -> Files:
    return {file.relative_to(DEMO).as_posix(): file.read_bytes() for file in DEMO.rglob("*.yaml")}


def demo_pack() -> Pack:
    return load_pack(DEMO)


def edited(*edits: tuple[str, str, str]) -> Files:
    """The demonstration pack's files with texts replaced: `(file, old, new)`, each found once."""
    files = demo_files()
    for file, old, new in edits:
        text = files[file].decode()
        assert text.count(old) == 1, f"{old!r} is in {file} {text.count(old)} times"
        files[file] = text.replace(old, new).encode()
    return files


def faults_of(files: Files) -> list[tuple[str, int, str, str]]:
    """File, line, key and code of everything that is wrong; none for a good pack."""
    try:
        parse_pack(files)
    except FaultyPack as faulty:
        return [(one.file, one.line, one.key, one.code) for one in faulty.faults]
    return []


def line_of(files: Files, file: str, text: str) -> int:
    """The number of the one line that is a text or, where none is, of the one that holds it."""
    lines = list(enumerate(files[file].decode().splitlines(), start=1))
    found = [number for number, line in lines if text == line.strip()]
    found = found or [number for number, line in lines if text in line]
    assert len(found) == 1, f"{text!r} is in {file} at {found}"
    return found[0]
