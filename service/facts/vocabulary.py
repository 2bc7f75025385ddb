"""The kinds of events that facts emit."""

from __future__ import annotations

from uuid import UUID

from service.facts.rules import FactEvent
from service.kernel.vocabulary import Kind, Payload, register


class FactCodes(Payload, frozen=True, kw_only=True):
    """Which fact, of which kind, and the department that established it; never its value."""

    fact: UUID
    kind: str
    issuer: str


register(Kind(kind.value, FactCodes) for kind in FactEvent)
