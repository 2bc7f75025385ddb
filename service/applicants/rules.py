"""What a withdrawal would come to, told before it is done: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from service.routing.bundle import EdgeKind, EdgeOn, EdgeStatus, Otherwise, settled, waits
from service.routing.states import Outcome, Phase
from service.tickets.rules.states import UNDECIDED


class Consequence(StrEnum):
    """What becomes of an item when others are withdrawn."""

    WITHDRAWN = "withdrawn"
    CLOSED = "closed"  # it cannot be had without what is withdrawn
    ASKED = "asked"  # the applicant is asked whether to go on without
    GOES_ON = "goes_on"  # it no longer waits
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Standing:
    """An item as the rest of its ticket sees it."""

    item: UUID
    offering: str
    phase: Phase
    outcome: Outcome | None


@dataclass(frozen=True, slots=True)
class Dependency:
    """An edge of a ticket; `item` waits for all items of `predecessor`."""

    item: UUID
    predecessor: str
    kind: EdgeKind
    on: EdgeOn
    otherwise: Otherwise
    status: EdgeStatus


def consequences(
    items: Sequence[Standing], edges: Sequence[Dependency], withdrawn: Collection[UUID]
) -> dict[UUID, Consequence]:
    """By item, what the withdrawal of some of them would come to.

    The same rules as when it happens: one that is closed may close others. Edges form no cycle.
    """
    shown = dict.fromkeys((one.item for one in items), Consequence.UNCHANGED)
    standing = {one.item: (one.phase, one.outcome) for one in items}
    status = {(edge.item, edge.predecessor): edge.status for edge in edges}
    ending = {one.item: Outcome.WITHDRAWN for one in items if one.item in withdrawn}
    while ending:
        shown |= {item: _ENDED[outcome] for item, outcome in ending.items()}
        standing |= {item: (Phase.ENDED, outcome) for item, outcome in ending.items()}
        ending = {}
        for item in items:
            if standing[item.item][0] not in UNDECIDED:
                continue
            found = _follow(item.item, items, edges, standing, status)
            if found is Consequence.CLOSED:
                ending[item.item] = Outcome.CANCELLED
            elif found is not Consequence.UNCHANGED:
                shown[item.item] = found
    return shown


_ENDED: Final = {
    Outcome.WITHDRAWN: Consequence.WITHDRAWN,
    Outcome.CANCELLED: Consequence.CLOSED,
}


def _follow(
    item: UUID,
    items: Sequence[Standing],
    edges: Sequence[Dependency],
    standing: Mapping[UUID, tuple[Phase, Outcome | None]],
    status: dict[tuple[UUID, str], EdgeStatus],
) -> Consequence:
    """What the edges of one item make of it now; edges that move are kept in `status`."""
    own = [edge for edge in edges if edge.item == item]
    before = waits((edge.kind, status[item, edge.predecessor]) for edge in own)
    asked = False
    for edge in own:
        if status[item, edge.predecessor] is EdgeStatus.WAITING:
            predecessors = [standing[one.item] for one in items if one.offering == edge.predecessor]
            now = settled(edge.on, edge.otherwise, predecessors)
            status[item, edge.predecessor] = now
            asked = asked or now is EdgeStatus.ASKED
    after = waits((edge.kind, status[item, edge.predecessor]) for edge in own)
    if after.closes:
        return Consequence.CLOSED
    if asked:
        return Consequence.ASKED
    return Consequence.GOES_ON if after != before else Consequence.UNCHANGED
