"""The kinds of events that facts emit."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from service.kernel.vocabulary import Kind, Payload, register


class EventKind(StrEnum):
    """What happens to a fact."""

    FACT_ISSUED = "fact_issued"
    FACT_REVOKED = "fact_revoked"


class FactCodes(Payload, frozen=True, kw_only=True):
    """Which fact, of which kind, and the department that established it; never its value."""

    fact: UUID
    kind: str
    issuer: str


register(Kind(kind.value, FactCodes) for kind in EventKind)
