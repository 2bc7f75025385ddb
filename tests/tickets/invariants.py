"""What is true of every ticket at every moment, whoever did what to it and in whatever order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from service.calendars.rules import Due
from service.kernel.db import Database
from service.routing.bundle import UNSETTLED, EdgeKind, EdgeOn, EdgeStatus, settled
from service.routing.context import decode_context
from service.routing.engine import replay
from service.routing.events import decode_event
from service.routing.flow import Verdict
from service.routing.states import Outcome, Phase, StageStatus
from service.tickets.models.items import DueChange, Edge, Item
from service.tickets.rules.clock import due_within
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.states import ACTIVE, TicketStatus
from tests.tickets.stories import Story, stories

__all__ = ["check", "stories"]

UNNUMBERED = {
    "task_claimed",
    "task_released",
    "task_assigned",
    "fact_issued",
    "stage_opened",
    "stage_closed",
    "task_opened",
    "task_cancelled",
    "task_closed",
    "due_moved",
    "calendar_followed",
}
FOLLOWED = {"followed", "calendar"}
"""What moves a due date although nothing happened to the item itself, as often as it does."""
MOVES = ["begun", "asked", "corrected", "accepted", "predecessor"]
"""What moves an item's due date, each once at the most, in this order; it may follow others."""


def check(database: Database, tickets: Collection[UUID] | None = None) -> int:
    """Check these tickets, or all; gives how many there were."""
    told = stories(database, tickets)
    for story in told:
        _check(story)
    return len(told)


def _check(story: Story) -> None:
    numbered_without_a_gap(story)
    every_row_names_its_applicant(story)
    for item in story.items:
        replay_gives_the_stored_state(story, item)
        ended_or_in_somebodys_hands(story, item)
        waits_for_what_its_edges_say(story, item)
        stages_and_tasks_agree(story, item)
        due_as_the_calendar_has_it(story, item)
        told_as_it_was(story, item)
        gives_what_it_promises(story, item)
    ticket_follows_from_its_items(story)
    due_changes_lead_to_the_due_dates(story)


def numbered_without_a_gap(story: Story) -> None:
    seqs = [event.seq for event in story.events if event.seq is not None]
    assert seqs == list(range(1, story.ticket.last_seq + 1))
    assert {event.kind for event in story.events if event.seq is None} <= UNNUMBERED
    times = [event.at for event in story.events if event.seq is not None]
    assert times[0] == story.ticket.filed_at


def every_row_names_its_applicant(story: Story) -> None:
    """And the employer, where one may see it: row-level security looks at nothing else."""
    ticket, hanging = story.ticket, (story.edges, story.stages, story.tasks, story.relied)
    public = [event for event in story.events if event.public]
    for rows in (story.items, *hanging, story.corrections, story.due_changes, public):
        assert {row.person_id for row in rows} <= {ticket.person_id}
    for rows in (story.items, story.edges):
        assert {row.employer_id for row in rows} <= {ticket.employer_id}


def replay_gives_the_stored_state(story: Story, item: Item) -> None:
    """Stages in their order, with what each department said."""
    history = [
        (decode_event(event.data["event"]), decode_context(event.data["context"]))
        for event in story.of(item, story.events)
        if "event" in event.data
    ]
    assert replay(story.flow(item), history) == story.state(item)


def ended_or_in_somebodys_hands(story: Story, item: Item) -> None:
    active = [task for task in story.of(item, story.tasks) if task.status in ACTIVE]
    unfinished = {s.id for s in story.of(item, story.stages) if s.status is StageStatus.OPEN}
    assert {task.stage_id for task in active} == unfinished
    unmet = [edge for edge in story.of(item, story.edges) if edge.status in UNSETTLED]
    if item.phase is Phase.ENDED:
        assert not active
        assert not unmet
        assert item.outcome is not None
        assert item.ended_at is not None
        assert item.decided_at is not None
    else:
        assert active or unmet or item.hold
        assert item.ended_at is None
    asked = story.of(item, story.corrections)
    open_questions = [one for one in asked if not (one.answered_at or one.dropped_at)]
    gathered = {one.task_id for one in open_questions if one.sent_at is None}
    open_questions = [one for one in open_questions if one.sent_at is not None]
    assert gathered == _gathered(story, item)
    assert (item.hold is None) == (item.hold_until is None)
    assert item.hold_until == max((one.due_at for one in open_questions), default=None)
    assert (item.accepted_at is not None) == (item.due_basis is DueBasis.PROMISED)


def _gathered(story: Story, item: Item) -> set[UUID]:
    """The tasks that have returned a stage in which others still have to speak."""
    is_open = {s.id for s in story.of(item, story.stages) if s.status is StageStatus.OPEN}
    tasks = story.of(item, story.tasks)
    return {one.id for one in tasks if one.stage_id in is_open and one.verdict is Verdict.RETURN}


def waits_for_what_its_edges_say(story: Story, item: Item) -> None:
    edges = story.of(item, story.edges)
    unmet = {edge.kind for edge in edges if edge.status in UNSETTLED}
    assert (item.phase is Phase.WAITING) == (EdgeKind.HARD in unmet)
    assert item.decision_waits == (EdgeKind.SOFT in unmet)
    assert (item.outcome is Outcome.CANCELLED) == any(
        edge.status is EdgeStatus.FAILED for edge in edges
    )
    if item.phase is Phase.WAITING:
        assert not story.of(item, story.stages)
    if item.decision_waits:
        assert item.outcome is None
    for edge in edges:
        _stands_as_its_predecessors_do(story, edge)


def _stands_as_its_predecessors_do(story: Story, edge: Edge) -> None:
    come_first = [one for one in story.items if one.offering_code == edge.predecessor]
    assert come_first
    said = settled(edge.on, edge.otherwise, [(one.phase, one.outcome) for one in come_first])
    if edge.status is EdgeStatus.WAITING:
        assert said is EdgeStatus.WAITING
    if edge.status is EdgeStatus.MET and edge.settled_at > story.ticket.filed_at:
        assert said is EdgeStatus.MET
    if edge.status is EdgeStatus.ASKED:
        assert edge.next_at is not None
        assert said is not EdgeStatus.MET
    if edge.status not in UNSETTLED:
        assert edge.next_at is None


def stages_and_tasks_agree(story: Story, item: Item) -> None:
    for stage in story.of(item, story.stages):
        tasks = [task for task in story.tasks if task.stage_id == stage.id]
        assert [task.department for task in tasks] == stage.departments
        if not tasks:  # skipped, or looked at by the system
            assert stage.opened_at == stage.due_at == stage.closed_at
            continue
        limit = story.flow(item).by_key[stage.key].limit
        calendar = story.calendar
        due = due_within(calendar, stage.opened_at, limit).at
        days, hours = limit.working_days, limit.working_hours
        assert stage.due_at == due
        assert stage.warn_at == calendar.warn_at(stage.opened_at, due, days, hours)
        for task in tasks:
            assert (task.due_at, task.warn_at) == (stage.due_at, stage.warn_at)
            assert task.opened_at == stage.opened_at
        if stage.status is not StageStatus.OPEN:
            assert stage.closed_at == max(task.closed_at for task in tasks)


def due_as_the_calendar_has_it(story: Story, item: Item) -> None:
    """The promise from acceptance on; later where something has to come before the decision.

    The decision has its own time behind what it alone waits for, or waited for until after the
    acceptance. What an item no longer waited for because it had ended moved nothing.
    """
    edges = story.of(item, story.edges)
    unsettled = [edge for edge in edges if edge.status in UNSETTLED]
    if not unsettled and not story.of(item, story.stages):
        assert item.accepted_at is None
        return
    own = _own_due(story, item, unsettled)
    accepted = item.accepted_at or _accepted_by(story, item, unsettled)
    decided = item.decided_at
    soft = [_until(story, edge) for edge in unsettled if edge.kind is EdgeKind.SOFT]
    soft += [
        edge.settled_at
        for edge in edges
        if edge.kind is EdgeKind.SOFT
        and edge.settled_at
        and edge.settled_at > accepted
        and edge.settled_at != decided
        and _settled_first(story, item, edge)
    ]
    limit = story.flow(item).decision.limit
    due = max([own, *(due_within(story.calendar, until, limit) for until in soft)])
    if any(decided and edge.settled_at == decided for edge in edges):  # it ended while it waited
        assert item.due_at >= own.at
    else:
        assert (item.due_at, item.provisional) == (due.at, due.provisional)


def _settled_first(story: Story, item: Item, edge: Edge) -> bool:
    """Whether the edge was settled before the item had an outcome; told by number, not by time."""
    events = [event for event in story.of(item, story.events) if event.seq is not None]
    settled_by = [e.seq for e in events if e.data.get("edge") == str(edge.id)]
    decided_by = [e.seq for e in events if e.data.get("to") in {"fulfilment", "ended"}]
    return bool(settled_by) and settled_by[-1] < min(decided_by, default=settled_by[-1] + 1)


def _own_due(story: Story, item: Item, unsettled: Sequence[Edge]) -> Due:
    accepted = item.accepted_at or _accepted_by(story, item, unsettled)
    return story.calendar.due_at(accepted, working_days=story.flow(item).promise_working_days)


def _accepted_by(story: Story, item: Item, unsettled: Sequence[Edge]) -> datetime:
    """The end of the last round of the acceptance, which begins with what it waits for."""
    rounds = [stage for stage in story.of(item, story.stages) if stage.key == "acceptance"]
    limit = story.flow(item).by_key["acceptance"].limit
    returned = (StageStatus.CLOSED, Verdict.RETURN)
    # What was withdrawn while it was held, by a release that did not move it, stays as it was.
    moved = item.hold or "asked" in {one.cause for one in story.of(item, story.due_changes)}
    if rounds and moved and (rounds[-1].status, rounds[-1].verdict) == returned:
        asked = [one.due_at for one in story.of(item, story.corrections) if not one.answered_at]
        return due_within(story.calendar, max(asked), limit).at
    if rounds:
        return rounds[-1].due_at
    begins = [story.ticket.filed_at]
    begins += [_until(story, edge) for edge in unsettled if edge.kind is EdgeKind.HARD]
    return due_within(story.calendar, max(begins), limit).at


def _until(story: Story, edge: Edge) -> datetime:
    if edge.status is EdgeStatus.ASKED:
        return edge.next_at
    ends = []
    for one in story.items:
        if one.offering_code != edge.predecessor:
            continue
        if edge.on is EdgeOn.ENDED and one.decided_at:
            ends.append(one.ended_at or max(one.due_at, one.decided_at))
        else:
            ends.append(one.decided_at or one.due_at)
    return min(max(ends), edge.next_at or max(ends))


def told_as_it_was(story: Story, item: Item) -> None:
    """What the applicant is told of an item's end is told once, whoever brought it about."""
    kinds = story.kinds(item)
    assert kinds.count("item_ended") == (item.phase is Phase.ENDED)
    outcomes = {
        Outcome.APPROVED: "item_approved",
        Outcome.REJECTED: "item_rejected",
        Outcome.NOT_ACCEPTED: "item_not_accepted",
        Outcome.CANCELLED: "item_cancelled",
        Outcome.WITHDRAWN: "item_withdrawn",
    }
    for outcome, kind in outcomes.items():
        assert kinds.count(kind) == (item.outcome is outcome)
    began = "item_waiting" if "item_waiting" in kinds else "item_filed"
    assert kinds[0] == began
    assert kinds.count("item_begun") <= (began == "item_waiting")


def gives_what_it_promises(story: Story, item: Item) -> None:
    given = [fact.kind for fact in story.of(item, story.facts)]
    gives = [template.fact for template in story.flow(item).decision.gives]
    assert sorted(given) == (sorted(gives) if item.outcome is Outcome.APPROVED else [])


def ticket_follows_from_its_items(story: Story) -> None:
    expected = _status(story)
    assert story.ticket.status is expected
    finishes = [item.decided_at or item.due_at for item in story.items]
    if any(item.decided_at is None for item in story.items):
        assert story.ticket.due_at == max(finishes)
    ended = [item.ended_at for item in story.items]
    assert story.ticket.ended_at == (None if None in ended else max(ended))
    kinds = [event.kind for event in story.events]
    assert kinds.count("ticket_completed") == (expected is TicketStatus.COMPLETED)
    assert kinds.count("ticket_closed") == (expected is TicketStatus.CLOSED)
    assert kinds.count("ticket_withdrawn") == (expected is TicketStatus.WITHDRAWN)


def _status(story: Story) -> TicketStatus:
    outcomes = {item.outcome for item in story.items}
    if any(item.phase is not Phase.ENDED for item in story.items):
        asked = any(edge.status is EdgeStatus.ASKED for edge in story.edges)
        waits = asked or any(item.hold for item in story.items)
        return TicketStatus.AWAITING_APPLICANT if waits else TicketStatus.IN_PROGRESS
    if Outcome.APPROVED in outcomes:
        return TicketStatus.COMPLETED
    if Outcome.WITHDRAWN in outcomes and outcomes <= {Outcome.WITHDRAWN, Outcome.CANCELLED}:
        return TicketStatus.WITHDRAWN
    return TicketStatus.CLOSED


def due_changes_lead_to_the_due_dates(story: Story) -> None:
    told = {event.id for event in story.events}
    chains: dict[UUID | None, list[DueChange]] = defaultdict(list)
    for change in story.due_changes:
        assert change.event_id in told
        assert change.before != change.after
        chains[change.item_id].append(change)
    due = {None: story.ticket.due_at} | {item.id: item.due_at for item in story.items}
    for holder, chain in chains.items():
        for earlier, later in pairwise(chain):
            assert later.before == earlier.after
        assert chain[-1].after == due[holder]
        causes = [change.cause for change in chain if change.cause not in FOLLOWED]
        if holder is None:
            assert set(causes) == {"items"}
        else:
            assert causes == [cause for cause in MOVES if cause in causes]
