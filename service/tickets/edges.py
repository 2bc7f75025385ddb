"""What waits for what in a ticket: edges drawn at filing, settled by what happens and by time."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from graphlib import TopologicalSorter
from typing import Any
from uuid import UUID

from service.calendars.rules import WorkingCalendar
from service.facts.rules import KnownFact
from service.kernel.ids import new_id
from service.routing import (
    Ask,
    Cancelled,
    EdgeRule,
    EdgeStatus,
    Known,
    Otherwise,
    Phase,
    PredecessorsSettled,
    Truth,
    Wait,
    evaluate,
    given_up,
    settled,
    waits,
)
from service.routing.bundle import UNSETTLED
from service.tickets.acts import Step
from service.tickets.models.items import Edge, Item
from service.tickets.rules.states import TicketEvent


@dataclass(frozen=True, slots=True)
class NewEdge:
    """An edge of an item that is being filed; `facts` are those that meet it."""

    rule: EdgeRule
    status: EdgeStatus
    next_at: datetime | None
    facts: Sequence[KnownFact] = ()

    def row(self, item: Mapping[str, Any], at: datetime) -> dict[str, Any]:
        """The row of the edge; `item` is that of its successor."""
        ask = self.rule.ask or Ask(0, Otherwise.CLOSE)
        asks = self.rule.otherwise is Otherwise.ASK
        return {
            "district_id": item["district_id"],
            "id": new_id(),
            "ticket_id": item["ticket_id"],
            "item_id": item["id"],
            "predecessor": self.rule.predecessor,
            "kind": self.rule.kind,
            "on": self.rule.on,
            "otherwise": self.rule.otherwise,
            "ask_days": ask.working_days if asks else None,
            "default": ask.default if asks else None,
            "status": self.status,
            "next_at": self.next_at,
            "settled_at": None if self.status in UNSETTLED else at,
        }


def new_edges(
    rules: Iterable[EdgeRule],
    *,
    successor: str,
    filed: Mapping[str, Sequence[KnownFact]],
    known: Known,
    calendar: WorkingCalendar,
    at: datetime,
) -> list[NewEdge]:
    """The edges of an item: to every offering filed with it that it depends on.

    `filed`: by offering, the facts that stand already for what its approval would establish; with
    these an edge is met from the beginning.
    """
    edges = []
    for rule in rules:
        if rule.successor != successor or rule.predecessor not in filed:
            continue
        if rule.when and evaluate(rule.when, known).truth is Truth.NOT_MET:
            continue
        if facts := filed[rule.predecessor]:
            edges.append(NewEdge(rule, EdgeStatus.MET, None, facts))
            continue
        until = None if rule.wait is None else _until(rule.wait, calendar, at)
        edges.append(NewEdge(rule, EdgeStatus.WAITING, until))
    return edges


def _until(wait: Wait, calendar: WorkingCalendar, at: datetime) -> datetime:
    if wait.working_days is not None:
        return calendar.due_at(at, working_days=wait.working_days).at
    return calendar.due_on(_next_day(str(wait.each_year), calendar.local_date(at))).at


def _next_day(month_day: str, today: date) -> date:
    """The next such day, today included; the last of its month where that has no such day."""
    month, day = map(int, month_day.split("-"))
    for year in (today.year, today.year + 1):
        found = date(year, month, min(day, monthrange(year, month)[1]))
        if found >= today:
            break
    return found


def settle_edges(step: Step) -> None:
    """Follow what happened to items along the edges of their ticket, until nothing moves.

    An edge that is met, or cannot be any more, may let its successor begin or be decided, or
    close it, which may settle further edges. Edges form no circle, so this ends. Then the due dates
    of those that still wait follow.
    """
    while changed := [item for item in step.changed if item.outcome is not None]:
        edges = step.edges()
        codes = {item.offering_code for item in changed}
        _drop(step, edges, {item.id for item in changed})
        step.changed.clear()
        moved = {
            edge.item_id
            for edge in edges
            if edge.predecessor in codes
            and edge.status in UNSETTLED
            and (now := _standing(step, edge)) is not EdgeStatus.WAITING
            and _move(step, edge, now)
        }
        for item in step.items:
            if item.id in moved:
                follow(step, item, [edge for edge in edges if edge.item_id == item.id])
    _follow_dues(step)


def _follow_dues(step: Step) -> None:
    """Let what still waits be due behind what it waits for, predecessors first.

    No statement where nothing waits or no date has moved; else at most one to read the edges and
    one to write all the dates, when the step is finished.
    """
    waiting = [item for item in step.items if item.phase is Phase.WAITING or item.decision_waits]
    moved = step.dues.moved()
    if not waiting or not (moved or step.turned):
        return
    ahead = {
        item.offering_code: {edge.predecessor for edge in step.edges() if edge.item_id == item.id}
        for item in waiting
    }
    order = list(TopologicalSorter(ahead).static_order())
    for item in sorted(waiting, key=lambda one: order.index(one.offering_code)):
        if item.id not in step.turned and not ahead[item.offering_code] & moved:
            continue
        due = step.due(item)
        if due.at != item.due_at:
            step.dues.follow(item, due, event=step.last_event)
            moved.add(item.offering_code)


def _drop(step: Step, edges: Iterable[Edge], decided: Collection[UUID]) -> None:
    """An item that has come to something waits for nothing any more."""
    for edge in edges:
        if edge.item_id in decided and edge.status in UNSETTLED:
            edge.status, edge.settled_at, edge.next_at = EdgeStatus.WAIVED, step.at, None


def give_up_waiting(step: Step, edge: Edge) -> None:
    """An edge has waited long enough, or the applicant's time to answer is over."""
    if edge.status is EdgeStatus.ASKED:
        status = given_up(edge.default or Otherwise.CLOSE)
    else:
        status = given_up(edge.otherwise)
    _move(step, edge, status)
    _follow_edge(step, edge)


def choose(step: Step, edges: Iterable[Edge], *, proceed: bool) -> None:
    """The applicant has answered for all edges of an item that ask."""
    status = EdgeStatus.WAIVED if proceed else EdgeStatus.FAILED
    for edge in edges:
        _move(step, edge, status)
        _follow_edge(step, edge)


def follow(step: Step, item: Item, edges: Sequence[Edge]) -> None:
    """Let an item go on, or close it, as its edges stand now."""
    if item.phase not in _WAITING:
        return
    now = waits((edge.kind, edge.status) for edge in edges)
    if now.closes:
        step.take(item, Cancelled(), TicketEvent.ITEM_CANCELLED)
        return
    begins = item.phase is Phase.WAITING and not now.hard
    if begins or item.decision_waits is not now.soft:
        event = PredecessorsSettled(hard=now.hard, soft=now.soft)
        step.take(item, event, TicketEvent.ITEM_BEGUN if begins else TicketEvent.ITEM_FREED)
        accepted = item.accepted_at is not None and not now.soft
        project(step, item, cause="begun" if begins else "predecessor" if accepted else "followed")


_WAITING = frozenset({Phase.WAITING, Phase.ACCEPTANCE, Phase.PROCESSING})


def _follow_edge(step: Step, edge: Edge) -> None:
    item = next(one for one in step.items if one.id == edge.item_id)
    follow(step, item, [one for one in step.edges() if one.item_id == item.id])


def _standing(step: Step, edge: Edge) -> EdgeStatus:
    predecessors = [
        (item.phase, item.outcome) for item in step.items if item.offering_code == edge.predecessor
    ]
    return settled(edge.on, edge.otherwise, predecessors)


def _move(step: Step, edge: Edge, status: EdgeStatus) -> bool:
    """Change how an edge stands; gives whether it did. An applicant who is asked has some time."""
    if status is edge.status:
        return False
    item = next(one for one in step.items if one.id == edge.item_id)
    if item.phase not in _WAITING:
        status = EdgeStatus.WAIVED
    edge.status = status
    step.turned.add(item.id)
    if status is EdgeStatus.ASKED:
        edge.next_at = step.calendar.due_at(step.at, working_days=edge.ask_days or 0).at
        step.asked = True
    else:
        edge.settled_at, edge.next_at = step.at, None
    asked = status is EdgeStatus.ASKED
    step.last_event = step.tell(
        TicketEvent.CHOICE_ASKED if asked else TicketEvent.EDGE_SETTLED,
        item=item,
        data={
            "offering": item.offering_code,
            "predecessor": edge.predecessor,
            "edge": str(edge.id),
            "status": status,
        },
    )
    return True


def project(step: Step, item: Item, *, cause: str) -> None:
    """Another due date, now that it is known when the item begins or can be decided.

    Begun or corrected, its acceptance may take all its time. Freed, the decision has its own time
    at least.
    """
    due = step.due(item)
    if cause == "predecessor":
        due = step.dues.freed(item, due)
    step.move_due(item, due, cause=cause)
