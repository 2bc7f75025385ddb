"""YAML as plain JSON values that remember their lines.

Packs use a small part of YAML: no anchors, tags or merges, only JSON's scalars (`no`, `12:30` and
`2025-06-30` are text), a bounded depth. Built from the parser's events, because composing is
recursive and a deeply nested file would take the process with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Any, Final

import yaml

from service.catalogue.rules.faults import PackFault, Words
from service.kernel.text import holds_hidden

Path = tuple[str | int, ...]

DEEPEST: Final = 32
LARGEST: Final = 512 * 1024
"""Bytes of one file."""

# As somebody writes it, and as PyYAML exports a small one: 1.0e-07.
_NUMBER: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,15})(\.[0-9]{1,15}(e-[0-9]{2})?)?", re.ASCII)
_FULL_WIDTH_COLON: Final = re.compile(r"[ -]*([a-z][A-Za-z0-9_$-]*) *：")
_CODE: Final = re.compile(r"^code: *[\"']?([a-z][a-z0-9_]{0,39})\b", re.MULTILINE)
_WORDS: Final[Mapping[str, bool | None]] = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
}
# The C parser where PyYAML has it: a whole district is read in milliseconds.
_Loader: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Document:
    """One file of a pack: its value, the line of every key and list entry, what was unreadable."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[PackFault] = field(default_factory=list)

    def fault(self, path: Path, code: str, **params: Any) -> PackFault:
        """A fault at a key; where the key does not exist, at the line of what should hold it."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        named = tuple(
            (name, value if isinstance(value, Words) else Words.quoted(value))
            for name, value in params.items()
        )
        return PackFault(self.file, self.lines.get(known, 1), ".".join(map(str, path)), code, named)

    def unreadable(self, path: Path, problem: str) -> PackFault:
        """That something cannot be read; `problem` is a code of `messages.toml`."""
        return self.fault(path, "unreadable", problem=Words.of(problem))

    def unknown(
        self, path: Path, names: Iterable[str], known: Collection[str], code: str
    ) -> Iterator[PackFault]:
        """A fault for every name of the list at `path` that is not known; `all` is no name."""
        for place, name in enumerate(() if names == "all" else names):
            if name not in known:
                yield self.fault((*path, place), code, name=name)

    def repeated(self, path: Path, codes: Iterable[str], *, at: str) -> Iterator[PackFault]:
        """A fault for every entry of the list at `path` whose code has been there before."""
        seen: set[str] = set()
        for place, code in enumerate(codes):
            if code in seen:
                params = {"name": code, "file": Words.of("problem_this_list")}
                yield self.fault((*path, place, at), "duplicate_code", **params)
            seen.add(code)


def read_document(file: str, content: bytes) -> Document:
    """The document in a file's bytes; what cannot be read is among its faults."""
    document = Document(file)
    if len(content) > LARGEST:
        document.faults.append(document.unreadable((), "problem_too_large"))
        return document
    try:
        events = yaml.parse(content.decode("utf-8"), Loader=_Loader)
        document.value = _Builder(document, events).document()
    except UnicodeDecodeError:
        document.faults.append(document.unreadable((), "problem_not_utf8"))
    except _Unreadable as error:
        document.lines[error.path] = error.line
        document.faults.append(document.unreadable(error.path, error.problem))
    except yaml.YAMLError as error:
        document.faults.append(_not_yaml(document, error, content.decode("utf-8")))
    return document


def _not_yaml(document: Document, error: yaml.YAMLError, text: str) -> PackFault:
    """What the parser says, unless the last key before that has a colon that is none to YAML."""
    line = _line(getattr(error, "problem_mark", None))
    for place, written in reversed(list(enumerate(text.splitlines()[:line], start=1))):
        if colon := _FULL_WIDTH_COLON.match(written):
            document.lines[()] = place
            return document.fault((), "full_width_colon", name=colon[1])
        if ":" in written and place < line:
            break
    document.lines[()] = line
    problem = getattr(error, "problem", None)
    if problem is None:
        return document.unreadable((), "problem_not_yaml")
    return document.fault((), "unreadable", problem=problem)


def likely_code(content: bytes, file: str) -> str:
    """The code of a file that cannot be read, for who names it: as it says, or its name."""
    stated = _CODE.search(content.decode("utf-8", "replace"))
    return stated[1] if stated else PurePosixPath(file).stem


def _line(mark: Any) -> int:
    """Parsers count from 0, editors from 1."""
    return int(mark.line) + 1 if mark else 1


class _Unreadable(Exception):
    """What keeps a file from being read; `problem` is a code of `messages.toml`."""

    def __init__(self, path: Path, event: yaml.Event, problem: str) -> None:
        super().__init__(problem)
        self.path, self.line, self.problem = path, _line(event.start_mark), problem


class _Builder:
    """Turns the events of one document into its value."""

    def __init__(self, document: Document, events: Iterator[yaml.Event]) -> None:
        self.lines, self.faults, self.fault = document.lines, document.faults, document.fault
        self.events = events

    def document(self) -> Any:
        next(self.events)  # the stream begins
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        value = self.value((), next(self.events))
        next(self.events)  # the document ends
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _Unreadable((), event, "problem_several_documents")
        return value

    def value(self, path: Path, event: yaml.Event) -> Any:
        if len(path) > DEEPEST:
            raise _Unreadable(path[:1], event, "problem_too_deep")
        if getattr(event, "anchor", None):
            raise _Unreadable(path, event, "problem_anchors")
        self.lines.setdefault(path, _line(event.start_mark))
        if isinstance(event, yaml.ScalarEvent):
            return self.scalar(path, event)
        if getattr(event, "tag", None):
            raise _Unreadable(path, event, "problem_tags")
        if isinstance(event, yaml.SequenceStartEvent):
            return self.sequence(path)
        return self.mapping(path)

    def sequence(self, path: Path) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            values.append(self.value((*path, len(values)), event))
        return values

    def mapping(self, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _Unreadable(path, event, "problem_key_no_word")
            key = str(event.value)
            if event.anchor or event.tag or holds_hidden(key):
                raise _Unreadable(path, event, "problem_key_not_plain")
            here = (*path, key)
            self.lines[here] = _line(event.start_mark)
            if key in values:
                self.faults.append(self.fault(here, "duplicate_key"))
            values[key] = self.value(here, next(self.events))
        return values

    def scalar(self, path: Path, event: yaml.ScalarEvent) -> Any:
        text: str = event.value
        if event.tag:
            raise _Unreadable(path, event, "problem_tags")
        if holds_hidden(text.replace("\t", " "), lines=True):
            raise _Unreadable(path, event, "problem_hidden_characters")
        if not event.implicit[0]:
            return text
        value = _plain(text)
        if _NUMBER.fullmatch(text) and Decimal(repr(value)) != Decimal(text):
            self.faults.append(self.fault(path, "number_not_exact", text=text))
        return value


def _plain(text: str) -> Any:
    """What an unquoted word means; the rules of JSON."""
    if text in _WORDS:
        return _WORDS[text]
    if number := _NUMBER.fullmatch(text):
        value = float(text) if number[2] else int(text)
        return int(value) if value == int(value) else value  # 1.0 is the whole number 1
    return text
