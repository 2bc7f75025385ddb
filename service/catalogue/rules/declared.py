"""What a pack's files declare, while they are checked: names, schemas, examples.

A file of the wrong shape is left out of what is looked into, its code is not: one slip in a
section shall not raise a fault in every offering that uses it. So every question here may be
answered with None: it is not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from service.catalogue.rules.faults import PackFault
from service.catalogue.rules.reading import Document

FOLDERS: Final[Mapping[str, str]] = {
    "sections": "section",
    "facts": "fact",
    "materials": "material",
    "offerings": "offering",
    "bundles": "bundle",
}
"""The folders of a pack, and the kind of file that each holds."""

Schema = Mapping[str, Any]

TRIED_ON: Final = date(2026, 6, 1)
"""The day as of which the examples of a pack are tried: what a check says depends on no clock."""
TRIED_AT_MOST: Final = 200
"""How many combinations of examples something is tried on."""


@dataclass(slots=True)
class Declared:
    """The documents of a pack by folder and code, and what was found wrong with them so far."""

    main: Document
    folders: dict[str, dict[str, Document]] = field(
        default_factory=lambda: {folder: {} for folder in FOLDERS}
    )
    misshapen: set[str] = field(default_factory=set)
    faults: list[PackFault] = field(default_factory=list)

    def sound(self, folder: str) -> Iterator[Document]:
        """The documents of a folder that have the right shape."""
        return (
            document
            for document in self.folders[folder].values()
            if document.file not in self.misshapen
        )

    def codes(self, folder: str) -> set[str]:
        return set(self.folders[folder])

    def departments(self) -> set[str] | None:
        """The departments of the pack."""
        if self.main.file in self.misshapen:
            return None
        return {department["code"] for department in self.main.value["departments"]}

    def form(self, folder: str, code: str) -> Schema | None:
        """The schema of a section or of a kind of fact."""
        document = self.folders[folder].get(code)
        if document is None or document.file in self.misshapen:
            return None
        schema: Schema = document.value["schema"]
        return schema

    def fields(self, folder: str, code: str) -> Mapping[str, Schema] | None:
        """The fields of a section, or the values of a kind of fact, with their schemas."""
        schema = self.form(folder, code)
        return None if schema is None else schema["properties"]

    def examples(self, folder: str, code: str) -> list[Mapping[str, Any]]:
        """The examples of a section or of a kind of fact; none where they are not known."""
        schema = self.form(folder, code)
        return [] if schema is None else list(schema["examples"])
