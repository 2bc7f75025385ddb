"""The parts of an office file that are XML: what acts on its reader is refused.

Templates and objects that are fetched from elsewhere, other files that are carried along, and data
exchange that starts a program are how documents attack the computers on which they are opened.
"""

from __future__ import annotations

import html
import re
from typing import Final
from xml.parsers import expat

from defusedxml import ElementTree

from service.materials.rules.kinds import refused

_ENCODINGS: Final = frozenset({"utf-8", "us-ascii"})
"""In these, what is looked for stands in the bytes as it is; office programs write the first."""
_RELATIONS: Final = ".rels"
_LINK: Final = "hyperlink"
"""What may lead outside: nothing happens before somebody clicks on it."""
_MACROS: Final = frozenset({"vbaproject", "wordvbadata", "xlmacrosheet", "xlintlmacrosheet"})
_CONTROLS: Final = frozenset({"control", "activexcontrol", "activexcontrolbinary", "ctrlprop"})
_CARRIED: Final = frozenset({"oleobject", "package", "afchunk", "subdocument", "embeddings"})

# ECMA-376, part 1, 17.16.5: fields of Word. Their text may be spread over several runs.
_INSTRUCTIONS: Final = (b"instrText", b"fldSimple", b"delInstrText")
_EXCHANGE: Final = re.compile(r"\bDDE(AUTO)?\b", re.IGNORECASE)
# 18.14: links of a workbook to a program.
_PROGRAM_LINK: Final = re.compile(rb"<(?:[\w.-]+:)?(?:ddeLink|oleLink)\b")
# A formula that reaches a program: `program|topic!item`, with the bar outside of text and names.
_FORMULA: Final = re.compile(rb"<(?:[\w.-]+:)?f(?:\s[^<>]*)?>([^<]*)<")
_TEXTS: Final = re.compile(r"\"[^\"]*\"|'[^']*'|\[[^\]]*\]")


def is_xml(name: str) -> bool:
    """Whether a part is XML, by its name, as office programs go by it."""
    return name.lower().endswith((".xml", _RELATIONS, ".vml"))


def hold_part(name: str, part: bytes) -> None:
    """Raise `Invalid` for a part that is no XML, declares something, or acts on its reader."""
    if b"\0" in part:
        raise refused("file_broken")
    instructions = _instructions(part)
    if name.lower().endswith(_RELATIONS):
        _hold_relations(part)
    if _EXCHANGE.search(instructions) or _PROGRAM_LINK.search(part):
        raise refused("file_does_something")
    if (b"|" in part or b"&#" in part) and any(
        _reaches_program(one) for one in _FORMULA.findall(part)
    ):
        raise refused("file_does_something")


def _reaches_program(formula: bytes) -> bool:
    return "|" in _TEXTS.sub("", html.unescape(formula.decode("utf-8", "replace")))


class _Fields:
    """What the fields of a part are told to do, as the parser comes by it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._within = 0

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        self._within += tag.endswith("nstrText")
        self.told += [f" {value} " for name, value in attributes.items() if name.endswith("instr")]

    def end(self, tag: str) -> None:
        self._within -= tag.endswith("nstrText")

    def text(self, data: str) -> None:
        if self._within:
            self.told.append(data)


def _instructions(part: bytes) -> str:
    """What fields are told to do; the part is parsed, and a declaration of a type is refused."""
    fields, parser = _Fields(), expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _declared
    parser.XmlDeclHandler = _encoded
    if any(word in part for word in _INSTRUCTIONS):
        parser.StartElementHandler, parser.EndElementHandler = fields.begin, fields.end
        parser.CharacterDataHandler = fields.text
    try:
        parser.Parse(part, True)
    except (expat.ExpatError, LookupError, ValueError):
        raise refused("file_broken") from None
    return "".join(fields.told)


def _declared(*_: object) -> None:
    raise refused("file_broken")


def _encoded(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() not in _ENCODINGS:
        raise refused("file_broken")


def _hold_relations(part: bytes) -> None:
    try:
        relations = ElementTree.fromstring(part, forbid_dtd=True)
    except (ElementTree.ParseError, ValueError):
        raise refused("file_broken") from None
    for relation in relations.iter():
        kind = relation.get("Type", "").rpartition("/")[2].lower()
        if kind in _MACROS or kind in _CONTROLS:
            raise refused("file_has_macros")
        if kind in _CARRIED:
            raise refused("file_carries_files")
        if relation.get("TargetMode", "").lower() == "external" and kind != _LINK:
            raise refused("file_links_outside")
