"""The demonstration pack, copies of it with something changed, and what is wrong with those."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from service.catalogue.actions.files import load_pack, read_files
from service.catalogue.rules.checks import parse_pack
from service.catalogue.rules.contents import bundle_content, offering_content
from service.catalogue.rules.definitions import (
    BundleDefinition,
    OfferingDefinition,
    compile_bundle,
    compile_offering,
)
from service.catalogue.rules.faults import FaultyPack
from service.catalogue.rules.pack import Pack
from service.catalogue.rules.reading import read_document
from service.kernel.ids import new_id

DEMO = Path(__file__).resolve().parents[2] / "config" / "packs" / "demo"
Files = dict[str, bytes]
Edit = tuple[str, str, str]
Told = tuple[str, int, str, str]
"""File, line, key and code of a fault."""


@dataclass(frozen=True)
class Slip:
    """One slip in the pack, and the fault as which it is told.

    `old` is found once in `file`; `line` is a text that is on the line of the fault once `new`
    stands there. `also`: codes of the faults that follow from it. `more`: what else is edited, for
    the slip to be one. `told_in`: the file of the fault where it is another.
    """

    file: str
    old: str
    new: str
    line: str
    key: str
    code: str
    also: tuple[str, ...] = ()
    more: tuple[Edit, ...] = ()
    told_in: str = ""

    @property
    def name(self) -> str:
        return f"{self.code}: {self.told_in or self.file}: {self.key}"

    @property
    def files(self) -> Files:
        return edited((self.file, self.old, self.new), *self.more)

    @property
    def told(self) -> Told:
        files, file = self.files, self.told_in or self.file
        return (file, line_of(files, file, self.line), self.key, self.code)


@cache
def _demo_files() -> Files:
    return read_files(DEMO)


def demo_files() -> Files:
    return dict(_demo_files())


@cache
def demo_pack() -> Pack:
    return load_pack(DEMO)


def edited(*edits: Edit) -> Files:
    """The demonstration pack's files with texts replaced: `(file, old, new)`, each found once."""
    files = demo_files()
    for file, old, new in edits:
        text = files[file].decode()
        assert text.count(old) == 1, f"{old!r} is in {file} {text.count(old)} times"
        files[file] = text.replace(old, new).encode()
    return files


def faults_of(files: Files) -> list[Told]:
    """Everything that is wrong; nothing for a good pack."""
    try:
        parse_pack(files)
    except FaultyPack as faulty:
        return [(one.file, one.line, one.key, one.code) for one in faulty.faults]
    return []


def line_of(files: Files, file: str, text: str) -> int:
    """The number of the one line that is a text or, where none is, of where it stands once.

    A text may go on in the next lines; its first counts.
    """
    whole = files[file].decode()
    found = [place for place, line in enumerate(whole.splitlines()) if text == line.strip()]
    if len(found) != 1:
        assert whole.count(text) == 1, f"{text!r} is in {file} {whole.count(text)} times"
        found = [whole[: whole.index(text)].count("\n")]
    return found[0] + 1


def plain(file: str, content: bytes) -> Any:
    """The value in a file that can be read."""
    document = read_document(file, content)
    assert not document.faults
    return document.value


def published(content: Any) -> Any:
    """A content as it comes back from where it is kept."""
    return orjson.loads(orjson.dumps(content))


def compiled(pack: Pack, code: str) -> OfferingDefinition:
    """An offering of a pack, as filing and processing see it."""
    content = published(offering_content(pack, code))
    return compile_offering(content, version_id=new_id(), version=1)


def whole(pack: Pack, code: str = "arrival") -> BundleDefinition:
    """A bundle of a pack with its offerings."""
    content = published(bundle_content(pack, code))
    offerings = {one: compiled(pack, one) for one in content["offerings"]}
    return compile_bundle(content, version_id=new_id(), version=1, release=1, offerings=offerings)
