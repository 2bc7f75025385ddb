"""What is different between two packs, key by key: what publishing one over the other would do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from service.catalogue.rules.contents import (
    bundle_content,
    fact_kinds_content,
    offering_content,
    pack_files,
)
from service.catalogue.rules.pack import SETTINGS, Pack, Plain
from service.kernel.shown import as_key


@dataclass(frozen=True, slots=True)
class Difference:
    """One key of one file that was added, changed or removed; an empty key is the whole file.

    `values`: what stood there, what stands there now, or both, as people read it and cut where it
    is long; empty where the key says it, or the order alone is another.
    """

    file: str
    key: str
    kind: Literal["added", "changed", "removed"]
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        sign = {"added": "+", "changed": "~", "removed": "-"}[self.kind]
        values = " → ".join(self.values)
        return f"{sign} {': '.join(part for part in (self.file, self.key, values) if part)}"


def differences(before: Mapping[str, Plain], after: Mapping[str, Plain]) -> list[Difference]:
    """Every difference between the files of two packs, in the order of their paths."""
    found = []
    for file in sorted(before.keys() | after.keys()):
        if file not in after:
            found.append(Difference(file, "", "removed"))
        elif file not in before:
            found.append(Difference(file, "", "added"))
        else:
            found += _between(file, (), before[file], after[file])
    return found


def files_of(pack: Pack) -> dict[str, Plain]:
    """The files of a pack as they would come back from publishing it."""
    main = {
        "district": pack.district,
        "title": pack.title,
        **{key: pack.settings[key] for key in SETTINGS},
        "departments": [
            {"code": department.code, "name": department.name, "kind": department.kind}
            for department in pack.departments
        ],
    }
    return pack_files(
        main=main,
        offerings={code: offering_content(pack, code) for code in pack.offerings},
        bundles={code: bundle_content(pack, code) for code in pack.bundles},
        facts={kind["code"]: kind for kind in fact_kinds_content(pack)},
    )


def _between(file: str, path: tuple[str, ...], before: Any, after: Any) -> Iterator[Difference]:
    """As publication compares: the order of keys and lists counts, and true is not 1."""
    if orjson.dumps(before) == orjson.dumps(after):
        return
    old, new = _parts(before), _parts(after)
    if old is None or new is None:
        yield Difference(file, ".".join(path), "changed", (_shown(before), _shown(after)))
        return
    if [key for key in old if key in new] != [key for key in new if key in old]:
        yield Difference(file, ".".join(path), "changed")
    for key in dict.fromkeys((*old, *new)):
        here = (*path, key)
        if key not in new:
            yield Difference(file, ".".join(here), "removed", _told(key, old[key]))
        elif key not in old:
            yield Difference(file, ".".join(here), "added", _told(key, new[key]))
        else:
            yield from _between(file, here, old[key], new[key])


def _parts(value: Any) -> Mapping[str, Any] | None:
    """What a value is made of: by key; of a list by codes or keys, or by the values themselves.

    So an option that leaves an enum is that option, and not the last of its places. An edge is
    named by both its ends. What has no name (rules, conditions, examples) is named by its place.
    """
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        names = [_name(part, place) for place, part in enumerate(value)]
        if len(set(names)) == len(names):
            return dict(zip(names, value, strict=True))
    return None


def _name(part: Any, place: int) -> str:
    if isinstance(part, Mapping) and part.keys() >= {"from", "to", "otherwise"}:
        return f"{part['from']}-{part['to']}"
    if isinstance(part, Mapping):
        return str(part.get("code", part.get("key", place)))
    return as_key(part) if isinstance(part, str | int | float) else str(place)


def _told(key: str, value: Any) -> tuple[str, ...]:
    """What came or went; of a thing with keys of its own its name says enough."""
    shown = _shown(value)
    return () if shown == key or isinstance(value, Mapping) else (shown,)


_LONGEST: Final = 100


def _shown(value: Any) -> str:
    """A value in a line: a text as it is, anything else as JSON."""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
