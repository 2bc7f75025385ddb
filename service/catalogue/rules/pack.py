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
    """What an applicant must agree to before filing; `ref` is what a filing names."""

    code: str
    version: int
    title: Text
    text: Text

    @property
    def ref(self) -> str:
        return f"{self.code}@{self.version}"


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the form, shared by the offerings that name it."""

    code: str
    scope: Scope
    title: Text
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offering:
    """One service that can be applied for; `flow` is in the plain form of `routing.parse_flow`."""

    code: str
    title: Text
    summary: Text
    subject: Subject
    sections: tuple[str, ...]
    citations: tuple[Mapping[str, Text], ...]
    flow: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Offerings that can be filed together."""

    code: str
    title: Text
    summary: Text
    offerings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything a district publishes; `settings` is what its row keeps."""

    district: str
    title: Text
    settings: Mapping[str, Any]
    departments: tuple[Department, ...]
    consents: tuple[Consent, ...]
    sections: Mapping[str, Section]
    offerings: Mapping[str, Offering]
    bundles: Mapping[str, Bundle]


SETTINGS = ("administrative_code", "zone", "office_hours")


def department(raw: Mapping[str, Any]) -> Department:
    return Department(raw["code"], raw["name"], raw["kind"])


def consent(raw: Mapping[str, Any]) -> Consent:
    return Consent(raw["code"], int(raw["version"]), raw["title"], raw["text"])


def section(raw: Mapping[str, Any]) -> Section:
    return Section(raw["code"], Scope(raw["scope"]), raw["title"], raw["schema"])


def offering(raw: Mapping[str, Any]) -> Offering:
    return Offering(
        code=raw["code"],
        title=raw["title"],
        summary=raw["summary"],
        subject=Subject(raw["subject"]),
        sections=tuple(raw["sections"]),
        citations=tuple(raw["citations"]),
        flow=raw["flow"],
    )


def bundle(raw: Mapping[str, Any]) -> Bundle:
    return Bundle(raw["code"], raw["title"], raw["summary"], tuple(raw["offerings"]))


def offering_content(pack: Pack, code: str) -> dict[str, Any]:
    """What is published of an offering: all it needs for ever, its sections embedded."""
    one = pack.offerings[code]
    sections = [pack.sections[name] for name in one.sections]
    return {
        "code": one.code,
        "title": dict(one.title),
        "summary": dict(one.summary),
        "subject": one.subject.value,
        "citations": [dict(citation) for citation in one.citations],
        "sections": [
            {
                "code": part.code,
                "scope": part.scope.value,
                "title": dict(part.title),
                "schema": dict(part.schema),
            }
            for part in sections
        ],
        "flow": dict(one.flow),
    }


def bundle_content(pack: Pack, code: str) -> dict[str, Any]:
    """What is published of a bundle: its offerings by code, and the consents that filing takes."""
    one = pack.bundles[code]
    return {
        "code": one.code,
        "title": dict(one.title),
        "summary": dict(one.summary),
        "offerings": list(one.offerings),
        "consents": [
            {"code": each.code, "version": each.version, "title": each.title, "text": each.text}
            for each in pack.consents
        ],
    }
