"""A district's whole service as values: what its pack says once it has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Text = Mapping[str, str]
"""The same text in both languages, by `zh` and `en`."""


class Scope(StrEnum):
    """Whether a section is given once for the ticket, or for each of its items."""

    TICKET = "ticket"
    ITEM = "item"


class Subject(StrEnum):
    """Whom an item is about: the applicant or a member of the family."""

    SELF = "self"
    CHILD = "child"
    SPOUSE = "spouse"


@dataclass(frozen=True, slots=True)
class Department:
    """Who processes; `kind` is `government` or `company`."""

    code: str
    name: Text
    kind: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What an applicant must agree to before filing, or may; `ref` is what a filing names."""

    code: str
    version: int
    title: Text
    text: Text
    optional: bool = False

    @property
    def ref(self) -> str:
        return f"{self.code}@{self.version}"


Plain = Mapping[str, Any]
"""Something of a pack that stays in the form in which its file has it."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form, shared by the offerings that name it.

    `rules`: `{at, must, message}`, what must hold between its fields.
    """

    code: str
    scope: Scope
    title: Text
    schema: Plain
    rules: tuple[Plain, ...] = ()


@dataclass(frozen=True, slots=True)
class FactKind:
    """What a department can establish about a person; `schema` is that of its values."""

    code: str
    title: Text
    schema: Plain


@dataclass(frozen=True, slots=True)
class Material:
    """A document that applicants hand in; `formats` are file endings, `most` a number of files."""

    code: str
    scope: Scope
    title: Text
    note: Text | None
    formats: tuple[str, ...]
    most: int


@dataclass(frozen=True, slots=True)
class Offering:
    """One service that can be applied for.

    `materials`, `citations`, `criteria` and `flow` are in the plain form of `format.json`.
    `private`: an employer is shown its status and its due date, no more. `remedies`: what somebody
    can do who is refused, and within which time.
    """

    code: str
    title: Text
    summary: Text
    subject: Subject
    private: bool
    sections: tuple[str, ...]
    materials: tuple[Plain, ...]
    citations: tuple[Plain, ...]
    criteria: tuple[Plain, ...]
    flow: Plain
    remedies: Text | None = None


@dataclass(frozen=True, slots=True)
class Bundle:
    """Offerings that can be filed together; `edges` are in the plain form of `format.json`."""

    code: str
    title: Text
    summary: Text
    offerings: tuple[str, ...]
    edges: tuple[Plain, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """The release that a pack was exported from: of which district, its number and its hash."""

    district: str
    number: int
    content_hash: str


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything a district publishes; `settings` is what its row keeps.

    `origin`: where it was exported from, if its `pack.yaml` says so; it is not published.
    """

    district: str
    title: Text
    settings: Mapping[str, Any]
    departments: tuple[Department, ...]
    consents: tuple[Consent, ...]
    sections: Mapping[str, Section]
    facts: Mapping[str, FactKind]
    materials: Mapping[str, Material]
    offerings: Mapping[str, Offering]
    bundles: Mapping[str, Bundle]
    origin: Origin | None = None


SETTINGS = ("administrative_code", "zone", "office_hours")


def department(raw: Plain) -> Department:
    return Department(raw["code"], raw["name"], raw["kind"])


def consent(raw: Plain) -> Consent:
    optional = raw.get("optional", False)
    return Consent(raw["code"], int(raw["version"]), raw["title"], raw["text"], optional)


def origin(raw: Plain) -> Origin:
    return Origin(raw["district"], int(raw["number"]), raw["hash"])


def section(raw: Plain) -> Section:
    rules = tuple(raw.get("rules", ()))
    return Section(raw["code"], Scope(raw["scope"]), raw["title"], raw["schema"], rules)


def fact_kind(raw: Plain) -> FactKind:
    return FactKind(raw["code"], raw["title"], raw["schema"])


def material(raw: Plain) -> Material:
    return Material(
        code=raw["code"],
        scope=Scope(raw["scope"]),
        title=raw["title"],
        note=raw.get("note"),
        formats=tuple(raw["formats"]),
        most=raw.get("most", 1),
    )


def offering(raw: Plain) -> Offering:
    return Offering(
        code=raw["code"],
        title=raw["title"],
        summary=raw["summary"],
        subject=Subject(raw["subject"]),
        private=raw.get("private", False),
        sections=tuple(raw["sections"]),
        materials=tuple(raw.get("materials", ())),
        citations=tuple(raw["citations"]),
        criteria=tuple(raw.get("criteria", ())),
        flow=raw["flow"],
        remedies=raw.get("remedies"),
    )


def bundle(raw: Plain) -> Bundle:
    return Bundle(
        code=raw["code"],
        title=raw["title"],
        summary=raw["summary"],
        offerings=tuple(raw["offerings"]),
        edges=tuple(raw.get("edges", ())),
    )
