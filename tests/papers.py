"""What a filing has to bring along, where the pack asks for documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from service.catalogue.rules.pack import Scope
from tests.packs import whole_pack


def with_documents(body: dict[str, Any], upload: Callable[[str], str]) -> dict[str, Any]:
    """A filing with one document of every material that the whole pack may ask for with it.

    `upload` hands one in, of a code, and gives its id; it is called once for each code.
    """
    own: dict[str, str] = {}

    def handed(codes: Iterator[str]) -> list[dict[str, str]]:
        return [
            {"code": code, "material": own.get(code) or own.setdefault(code, upload(code))}
            for code in dict.fromkeys(codes)
        ]

    asked = [item["offering"] for item in body["items"]]
    shared = (code for offering in asked for code in _asked(offering, Scope.TICKET))
    return body | {
        "materials": handed(shared),
        "items": [
            item | {"materials": handed(_asked(item["offering"], Scope.ITEM))}
            for item in body["items"]
        ],
    }


def _asked(offering: str, scope: Scope) -> Iterator[str]:
    pack = whole_pack()
    for one in pack.offerings[offering].materials:
        if pack.materials[one["code"]].scope is scope:
            yield one["code"]
