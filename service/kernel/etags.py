"""ETags: which state of which object a client has seen.

A tag reads `"<kind>.<id>.<version>"`, with the quotes, for example
`"item.0199d3c2-7a52-7a10-8f2e-1d5b7c3e9a21.3"`. It names the kind and the object, so that no tag
passes for that of another. Clients send back what they were sent and need not read it; a person who
looks into a log can.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

_ID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_TAG: Final = re.compile(rf'(?:W/)?"([a-z]+)\.({_ID})\.([1-9][0-9]{{0,9}})"', re.ASCII)

NO_VERSION: Final = 0
"""Less than any version, for versions begin at 1: what it is compared with is another one."""


@dataclass(frozen=True, slots=True)
class ETag:
    """What a client says that it has seen; `version` begins at 1."""

    kind: str
    id: UUID
    version: int

    def version_of(self, kind: str, object_id: UUID) -> int:
        """The version that was seen of this object, `NO_VERSION` where the tag is of another."""
        return self.version if (self.kind, self.id) == (kind, object_id) else NO_VERSION


def etag(kind: str, object_id: UUID, version: int) -> str:
    """The ETag of an object, with its quotes. `kind` consists of lower-case ASCII letters."""
    return f'"{kind}.{object_id}.{version}"'


def read_etag(header: str) -> ETag | None:
    """The tag in an If-Match header; None unless it is exactly one tag that `etag` can make.

    A `W/` before it is overlooked: a proxy that compresses an answer marks the tag as weak (RFC
    9110, 8.8.1), although what it names is the same. Lists and `*` are not taken: they would let
    a change pass that was made without having seen the present state.
    """
    match = _TAG.fullmatch(header.strip())
    return None if match is None else ETag(match[1], UUID(match[2]), int(match[3]))
