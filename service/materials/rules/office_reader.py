"""A program of its own that reads the XML of one office file, because XML can exhaust its reader.

`packages.py` runs it by its path, as `python -I office_reader.py LARGEST_PART`, like
`pdf_reader.py`, with a package whose directory is known to be right. It writes nothing where the
file only shows something, and otherwise the code with which it is refused.

Templates and objects that are fetched from elsewhere, other files that are carried along, and data
exchange that starts a program are how documents attack the computers on which they are opened.
Elements are known by their local names: which prefix stands before them is their author's choice.
"""

from __future__ import annotations

import io
import re
import resource
import sys
import zipfile
import zlib
from typing import Final
from xml.parsers import expat

MEMORY: Final = 768 * 1024 * 1024
SECONDS: Final = 10
"""Of the processor. A workbook of 300,000 cells takes less than one."""

_BROKEN: Final = "file_broken"
_ACTS: Final = "file_does_something"
_UNREADABLE: Final = (
    expat.ExpatError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the libraries raise for what is broken, encrypted, or packed in a way that is not known."""

_TYPES: Final = "[Content_Types].xml"
_RELATIONS: Final = ".rels"
_XML_ENDINGS: Final = (".xml", _RELATIONS, ".vml")
_ENCODINGS: Final = frozenset({"utf-8", "us-ascii"})
"""Office programs write the first; others may hide something from who looks at the bytes."""

# ECMA-376, part 1, 15: what parts are to each other, by the last word of the relation's type.
_LINK: Final = "hyperlink"
"""What may lead outside: nothing happens before somebody clicks on it."""
_MACROS: Final = frozenset({"vbaproject", "wordvbadata", "xlmacrosheet", "xlintlmacrosheet"})
_CONTROLS: Final = frozenset({"control", "activexcontrol", "activexcontrolbinary", "ctrlprop"})
_CARRIED: Final = frozenset({"oleobject", "package", "afchunk", "subdocument", "embeddings"})

# 17.16.5: fields of Word. What they are told may be spread over several runs.
_FIELDS: Final = frozenset({"instrText", "delInstrText"})
_FIELD: Final = "instr"
_EXCHANGE: Final = re.compile(r"\bDDE(AUTO)?\b", re.IGNORECASE)
# 18.14: links of a workbook to a program.
_PROGRAM_LINKS: Final = frozenset({"ddeLink", "oleLink"})
# 18.3.1.40 and others: formulas. `program|topic!item`, with the bar outside of texts, names of
# sheets and names of columns, reaches a program.
_FORMULAS: Final = frozenset(
    {"f", "formula", "formula1", "formula2", "definedName", "calculatedColumnFormula",
     "totalsRowFormula", "oldFormula"}
)  # fmt: skip
_QUIET: Final = re.compile(r"(?:[^\"'\[|]|\"[^\"]*+\"|'[^']*+'|\[[^\]]*+\])*+")
"""The longest beginning of a formula that reaches no program; a text without end is not in it."""


class Refused(Exception):
    """The file is refused; the code stands in `args[0]`."""


def read(content: bytes, largest: int) -> str:
    """Nothing, or the code with which an office file is refused; `largest`: bytes of a part."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            known = _known_as_xml(package, largest)
            for part in package.infolist():
                if known.holds(part.filename):
                    _Part(part.filename).read(_bytes_of(package, part, largest))
    except Refused as refusal:
        return str(refusal)
    except MemoryError:
        return "file_too_complicated"
    except _UNREADABLE:
        return _BROKEN
    return ""


def _bytes_of(package: zipfile.ZipFile, part: zipfile.ZipInfo, largest: int) -> bytes:
    if part.file_size > largest:
        raise Refused("file_unpacks_too_large")
    content = package.read(part)
    if b"\0" in content:
        raise Refused(_BROKEN)  # of two bytes a character, or no text at all
    return content


class _KnownAsXml:
    """Which parts are XML: by their names, and by what the list of types says of them."""

    def __init__(self) -> None:
        self._endings = set(_XML_ENDINGS)
        self._names: set[str] = set()

    def begin(self, tag: str, told: dict[str, str]) -> None:
        """Note an entry of the list (ECMA-376, part 2, 7.2.3)."""
        kind = told.get("ContentType", "").strip().lower()
        if kind.startswith(("application/", "text/")) and kind.endswith("xml"):
            if _local(tag) == "Default":
                self._endings.add("." + told.get("Extension", "").lower())
            else:
                self._names.add(told.get("PartName", "").lower().lstrip("/"))

    def holds(self, name: str) -> bool:
        name = name.lower()
        return name in self._names or name.endswith(tuple(self._endings))


def _known_as_xml(package: zipfile.ZipFile, largest: int) -> _KnownAsXml:
    known, parser = _KnownAsXml(), _parser()
    parser.StartElementHandler = known.begin
    parser.Parse(_bytes_of(package, package.getinfo(_TYPES), largest), True)
    return known


class _Part:
    """One part, as the parser comes by it; `Refused` is raised for what acts on its reader."""

    def __init__(self, name: str) -> None:
        self._relations = name.lower().endswith(_RELATIONS)
        self._open: list[str] = []
        self._told: list[str] = []
        """What fields are told to do, in their order."""
        self._formulas: list[list[str]] = []
        """The text of the formulas that are open, which stand within one another."""

    def read(self, content: bytes) -> None:
        """Parse it to its end; a declaration of a type is refused."""
        parser = _parser()
        parser.StartElementHandler, parser.EndElementHandler = self._begin, self._end
        parser.CharacterDataHandler, parser.buffer_text = self._text, True
        parser.Parse(content, True)
        if _EXCHANGE.search("".join(self._told)):
            raise Refused(_ACTS)

    def _begin(self, tag: str, told: dict[str, str]) -> None:
        name = _local(tag)
        self._open.append(name)
        if self._relations:
            _hold_relation(told)
        if name in _PROGRAM_LINKS:
            raise Refused(_ACTS)
        if name in _FORMULAS:
            self._formulas.append([])
        self._told += [f" {text} " for key, text in told.items() if _local(key) == _FIELD]

    def _text(self, text: str) -> None:
        if self._open[-1] in _FIELDS:
            self._told.append(text)
        elif self._open[-1] in _FORMULAS:
            self._formulas[-1].append(text)

    def _end(self, _: str) -> None:
        if self._open.pop() in _FORMULAS and _reaches_program("".join(self._formulas.pop())):
            raise Refused(_ACTS)


def _reaches_program(formula: str) -> bool:
    quiet = _QUIET.match(formula)
    return "|" in formula[quiet.end() if quiet else 0 :]


def _hold_relation(told: dict[str, str]) -> None:
    kind = told.get("Type", "").rpartition("/")[2].lower()
    if kind in _MACROS or kind in _CONTROLS:
        raise Refused("file_has_macros")
    if kind in _CARRIED:
        raise Refused("file_carries_files")
    if told.get("TargetMode", "").lower() == "external" and kind != _LINK:
        raise Refused("file_links_outside")


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _declared
    parser.XmlDeclHandler = _encoded
    return parser


def _declared(*_: object) -> None:
    raise Refused(_BROKEN)


def _encoded(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise Refused(_BROKEN)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def main() -> None:
    """Read what comes on standard input, within the limits, and say what it is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.stdout.write(read(sys.stdin.buffer.read(), int(sys.argv[1])))


if __name__ == "__main__":
    main()
