"""Releases: everything that publishing a pack puts in force, as one manifest with one hash.

A manifest names contents by their hashes and nothing that depends on the place: no identities of
versions, no version numbers, no times, and not the three keys of `pack.yaml` that say whose the
pack is (`PLACE`). Two districts that have published the same pack have the same hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from service.catalogue.rules.contents import bundle_content, fact_kinds_content, offering_content
from service.catalogue.rules.pack import Pack, Text

FORMAT: Final = 1
"""The format of manifests; raise it when something else is put into them."""

PLACE: Final = ("district", "title", "administrative_code")
"""The keys of `pack.yaml` that say who has published a pack. They are not part of a release."""

Manifest = Mapping[str, Any]
"""By kind and code, the hash of each content; `settings` as they are; `format`."""


def manifest_of(pack: Pack) -> dict[str, Any]:
    """What publishing a pack puts in force, by kind (`offerings`, `sections` …) and code.

    Sections, materials and consents are part of the offerings and bundles already; they are named
    so that one sees what differs between two releases. What no offering uses is not published and
    not named. `settings` has the time zone, the office hours and the order of the departments.
    """
    offerings = {code: offering_content(pack, code) for code in pack.offerings}
    bundles = {code: bundle_content(pack, code) for code in pack.bundles}
    sections = [section for content in offerings.values() for section in content["sections"]]
    materials = [
        asked["material"] for content in offerings.values() for asked in content["materials"]
    ]
    consents = [consent for content in bundles.values() for consent in content["consents"]]
    return {
        "format": FORMAT,
        "offerings": {code: content_hash(content) for code, content in offerings.items()},
        "bundles": {code: content_hash(content) for code, content in bundles.items()},
        "sections": {section["code"]: content_hash(section) for section in sections},
        "materials": {material["code"]: content_hash(material) for material in materials},
        "consents": {
            f"{consent['code']}@{consent['version']}": content_hash(consent) for consent in consents
        },
        "facts": dict(_fact_kinds(pack)),
        "departments": dict(_departments(pack)),
        "settings": {
            **{key: value for key, value in pack.settings.items() if key not in PLACE},
            "departments": [department.code for department in pack.departments],
        },
    }


def release_hash(manifest: Manifest) -> str:
    """The hash by which a release is compared: SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical_bytes(manifest)).hexdigest()


def canonical_bytes(manifest: Manifest) -> bytes:
    """A manifest as the bytes that are hashed: JSON in UTF-8, keys in order, no white space.

    Manifests hold text, lists and small whole numbers only; for those this is the JSON
    Canonicalization Scheme (RFC 8785).
    """
    return orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)


def content_hash(content: Mapping[str, Any]) -> str:
    """SHA-256 of a content as it is; the order of its keys counts, since forms show it."""
    return hashlib.sha256(orjson.dumps(content)).hexdigest()


def _fact_kinds(pack: Pack) -> Iterator[tuple[str, str]]:
    for kind in fact_kinds_content(pack):
        yield kind["code"], content_hash({**kind, "title": _ordered(kind["title"])})


def _departments(pack: Pack) -> Iterator[tuple[str, str]]:
    for department in pack.departments:
        content = {"name": _ordered(department.name), "kind": department.kind}
        yield department.code, content_hash({"code": department.code, **content})


def _ordered(text: Text) -> dict[str, str]:
    """A text whose languages are kept in no order (`jsonb`), in the order of packs."""
    return {"zh": text["zh"], "en": text["en"]}
