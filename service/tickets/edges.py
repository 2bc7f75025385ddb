"""What waits for what in a ticket: edges made at filing, settled by what happens and by time."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from graphlib import TopologicalSorter
from uuid import UUID

from service.calendars.rules import WorkingCalendar
from service.facts.rules import KnownFact
from service.kernel.ids import new_id
from service.routing.bundle import UNSETTLED, Ask, EdgeOn, EdgeRule, EdgeStatus, Otherwise, settled
from service.routing.bundle import Wait as WaitRule
from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Truth
from service.routing.conditions.known import Known
from service.tickets.models.items import Edge, Item
from service.tickets.rules.clock import Wait


@dataclass(frozen=True, slots=True)
class NewEdge:
    """An edge of an item that is being filed; `facts` are those that meet it."""

    rule: EdgeRule
    status: EdgeStatus
    next_at: datetime | None
    facts: Sequence[KnownFact] = ()

    def of(self, item: Item, at: datetime) -> Edge:
        """The edge as a row, not yet written; `item` is its successor."""
        ask = self.rule.ask or Ask(0, Otherwise.CLOSE)
        asks = self.rule.otherwise is Otherwise.ASK
        return Edge(
            district_id=item.district_id,
            id=new_id(),
            ticket_id=item.ticket_id,
            item_id=item.id,
            person_id=item.person_id,
            employer_id=item.employer_id,
            predecessor=self.rule.predecessor,
            kind=self.rule.kind,
            on=self.rule.on,
            otherwise=self.rule.otherwise,
            ask_days=ask.working_days if asks else None,
            default=ask.default if asks else None,
            status=self.status,
            next_at=self.next_at,
            settled_at=None if self.status in UNSETTLED else at,
        )


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
        until = None if rule.wait is None else waits_until(rule.wait, calendar, at)
        edges.append(NewEdge(rule, EdgeStatus.WAITING, until))
    return edges


def waits_until(wait: WaitRule, calendar: WorkingCalendar, at: datetime) -> datetime:
    """Until when an edge waits whose ticket was filed at `at`."""
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


def stands(edge: Edge, items: Iterable[Item]) -> EdgeStatus:
    """How a waiting edge stands, by how the items of its predecessor stand now."""
    predecessors = [
        (item.phase, item.outcome) for item in items if item.offering_code == edge.predecessor
    ]
    return settled(edge.on, edge.otherwise, predecessors)


def wait_of(edge: Edge, items: Iterable[Item]) -> Wait:
    """What an edge means for the clock of its successor.

    Unsettled, it keeps the successor waiting until the last item of its predecessor is finished or
    it has waited long enough; where the applicant is asked, until their time to answer is over.
    """
    if edge.settled_at is not None:
        return Wait(edge.kind, edge.settled_at, settled=True)
    if edge.status is EdgeStatus.ASKED and edge.next_at is not None:
        return Wait(edge.kind, edge.next_at, settled=False)
    last = max(_finish(i, edge.on) for i in items if i.offering_code == edge.predecessor)
    until = last if edge.next_at is None else min(last, edge.next_at)
    return Wait(edge.kind, until, settled=False)


def _finish(item: Item, on: EdgeOn) -> datetime:
    """What is decided and not delivered yet has no date but that of the decision."""
    if on is EdgeOn.ENDED and item.decided_at is not None:
        return item.ended_at or max(item.due_at, item.decided_at)
    return item.decided_at or item.due_at


def predecessors_first(items: Sequence[Item], edges: Iterable[Edge]) -> list[Item]:
    """The items, each behind all items that it waits or waited for; edges form no cycle."""
    if len(items) == 1:
        return list(items)
    by_offering: dict[str, list[UUID]] = defaultdict(list)
    for item in items:
        by_offering[item.offering_code].append(item.id)
    graph: dict[UUID, set[UUID]] = {item.id: set() for item in items}
    for edge in edges:
        graph[edge.item_id].update(by_offering[edge.predecessor])
    by_id = {item.id: item for item in items}
    return [by_id[item_id] for item_id in TopologicalSorter(graph).static_order()]
