"""An act: whatever happens to a ticket at one moment happens in one place.

    with act_on(session, actor, ticket, at=at) as act:
        act.apply(item, event, kind)

Leaving the block settles the edges, computes the clocks anew, derives the ticket's status and
writes all rows in one order: items, edges and the ticket, stages, tasks, segments, due changes.
Filing is an act whose event is `Filed`. An act that raises leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries.definitions import offering_definition
from service.catalogue.rules.definitions import OfferingDefinition
from service.facts.rules import KnownFact
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import insert_last, insert_new_rows, update_changed
from service.routing.bundle import EdgeStatus
from service.routing.conditions.known import Known
from service.routing.context import Asking, encode_context
from service.routing.engine import advance, initial
from service.routing.events import (
    Corrected,
    Event,
    Filed,
    PredecessorsSettled,
    encode_event,
)
from service.routing.flow import Verdict
from service.routing.states import (
    CancelTask,
    CheckStage,
    CloseStage,
    Effect,
    EndItem,
    GiveFacts,
    Hold,
    ItemState,
    OpenStage,
    Outcome,
    Phase,
    SkipStage,
    StartPromise,
    StopPromise,
    SupersedeStage,
)
from service.tickets import corrections
from service.tickets.clocks import Clocks, due_moved, write_clocks
from service.tickets.effects import FactsGiven, facts_given
from service.tickets.following import Following
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Edge, Item, ReliedFact
from service.tickets.models.stages import ItemStage, Task
from service.tickets.queries.cases import StageRow, known_facts, known_of
from service.tickets.queries.reading import ByItself, Reading, Together
from service.tickets.queries.rows import items_of_all
from service.tickets.rows import Rows, relied_row, values_of
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.state import item_state
from service.tickets.rules.states import (
    Dropped,
    Reliance,
    TicketEvent,
    TicketStatus,
    ticket_status,
)
from service.tickets.rules.votes import Voted, voted
from service.tickets.stages import StageRows, write_stages

KnownOf = Callable[[Item], tuple[Known, Sequence[KnownFact]]]
"""What the conditions of an item may look at, and the facts among it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """The task that an event closed, what was recorded with it, and from when it counts."""

    task: Task
    result: Mapping[str, Any] | None = None
    accepted_at: datetime | None = None


@contextmanager
def act_on(session: Session, actor: Actor, ticket: Ticket, *, at: datetime) -> Iterator[Act]:
    """An act on a ticket that is locked; two statements besides what happens in it."""
    items = items_of_all(session, (ticket,))[ticket.id]
    act = Act(session, actor, ticket, items, calendar_for(session, actor.district), at)
    yield act
    act._close()


@contextmanager
def acts_on(
    session: Session,
    actor: Actor,
    tickets: Sequence[Ticket],
    *,
    about: Collection[UUID],
    now: Callable[[], datetime],
) -> Iterator[Sequence[Act]]:
    """An act on each of several tickets that are locked, each at its own moment.

    They read and write together: one statement for each table, however many tickets there are.
    `about` are the items to which something is going to happen. Where one of the acts raises, none
    of them has happened.
    """
    items, calendar = items_of_all(session, tickets), calendar_for(session, actor.district)
    reading = Together(session, tickets, about)
    acts = [
        Act(session, actor, ticket, items[ticket.id], calendar, now(), reading=reading)
        for ticket in tickets
    ]
    yield acts
    for act in acts:
        act._conclude()
    _write_together(session, acts)


@contextmanager
def filing_act(
    session: Session,
    actor: Actor,
    ticket: Ticket,
    items: Sequence[Item],
    edges: Sequence[Edge],
    *,
    calendar: WorkingCalendar,
    known: KnownOf,
    at: datetime,
) -> Iterator[Act]:
    """The act by which a ticket comes into being: its rows are written as the block ends.

    They are written in the order ticket, items, edges, relied facts, stages, tasks. Raises
    `KeyTaken`, and `ItemsOpenAlready` where an item of the same applicant, offering and subject is
    open.
    """
    ticket.calendar_id = calendar.version_id
    act = Act(session, actor, ticket, items, calendar, at, edges=edges, known=known)
    yield act
    act._close()


class KeyTaken(Exception):
    """The account has used the filing's key before, for a ticket that this scope does not show."""


class ItemsOpenAlready(Exception):
    """Some items were not written, as the same was open already; `written`: ids of the others."""

    def __init__(self, written: set[UUID]) -> None:
        super().__init__(written)
        self.written = written


class Act:
    """One act on one ticket. Other slices call `apply`, `settle`, `rely`, `emit` and `look_up`."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        ticket: Ticket,
        items: Sequence[Item],
        calendar: WorkingCalendar,
        at: datetime,
        *,
        edges: Sequence[Edge] | None = None,
        known: KnownOf | None = None,
        reading: Reading | None = None,
    ) -> None:
        self.session, self.actor, self.ticket, self.items = session, actor, ticket, items
        self.calendar, self.at, self.today = calendar, at, calendar.local_date(at)
        self.last_event: UUID | None = None
        self._new = edges is not None
        self._known = known or self.look_up
        self._edges = edges
        self._reading = reading or ByItself(session)
        self._stages: dict[UUID, Sequence[StageRow]] = {}
        self._states: dict[UUID, ItemState] = {}
        self._rows = StageRows(calendar, at, before=self.stages, record=self._record)
        self._clocks = Clocks(session, ticket, items, calendar, at, new=self._new)
        self._relied: Rows = []
        self._decided: list[Item] = []
        self._moved_by: dict[UUID, str] = {}
        self._failed_check: dict[UUID, str] = {}
        self._following = Following(self)

    # What the act stands on.

    def definition(self, item: Item) -> OfferingDefinition:
        """The version under which an item was filed."""
        return offering_definition(self.session, self.actor.district, item.offering_version_id)

    def edges(self) -> Sequence[Edge]:
        """What the items of the ticket wait or waited for; read once."""
        if self._edges is None:
            self._edges = self._reading.edges(self.ticket)
        return self._edges

    def edges_to(self, item: Item) -> list[Edge]:
        """What one item waits or waited for."""
        return [edge for edge in self.edges() if edge.item_id == item.id]

    def edges_over(self) -> list[Edge]:
        """The edges that have waited long enough; none is read where no item has an alarm."""
        if not any(item.next_alarm_at and item.next_alarm_at < self.at for item in self.items):
            return []
        return [e for e in self.edges() if e.next_at is not None and e.next_at < self.at]

    def stages(self, item: Item) -> Sequence[StageRow]:
        """The stages of an item as they were when the act began; read once."""
        if item.id not in self._stages:
            self._stages[item.id] = () if self._new else self._reading.stages(item)
        return self._stages[item.id]

    def state(self, item: Item) -> ItemState:
        """Where an item stands by now."""
        if item.id not in self._states:
            self._states[item.id] = initial() if self._new else self._stored_state(item)
        return self._states[item.id]

    def _stored_state(self, item: Item) -> ItemState:
        return item_state(
            self.stages(item),
            phase=item.phase,
            outcome=item.outcome,
            decision_waits=item.decision_waits,
            hold=item.hold,
        )

    def stages_entered(self) -> list[ItemStage]:
        """The stages that were entered in this act, as rows."""
        return [ItemStage(**row) for row in self._rows.entered]

    # What happens.

    def apply(
        self,
        item: Item,
        event: Event,
        kind: TicketEvent,
        *,
        decided: Decided | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Let an event happen to an item.

        `decided`: the task that the event closed; `about`: more of the event's payload. Raises
        `routing.IllegalEvent`, and `Invalid` where what a decision recorded makes no valid fact.
        """
        before, definition = self.state(item), self.definition(item)
        looked_at: list[KnownFact] = []
        given = cache(lambda: self._given(item, definition, decided))

        def known() -> Known:
            found, facts = self._known(item)
            looked_at.extend(facts)
            return found

        asking = Asking(known, lambda found: given().known_after(found, self.today))
        after, effects = advance(definition.flow, before, event, asking)
        kind, about = _of_stage_alone(kind, after), dict(about or {})
        spoken = decided.task.id if decided else None
        if vote := voted(kind, definition.flow, after, event):
            kind, about["department"] = vote.kind, vote.department
            tasks = self._tasks_by_department(item, vote.stage, vote.round)
            self._tell_votes(item, vote, tasks)
            spoken = tasks[vote.department]
        self._states[item.id] = after
        item.phase, item.outcome, item.decision_waits = after.phase, after.outcome, after.soft
        item.hold = after.hold
        if after.hold is None:
            item.hold_until = None
        self.last_event = self.emit(
            kind,
            item=item,
            task_id=spoken,
            data={
                "event": encode_event(event),
                "context": encode_context(asking.context),
                "offering": item.offering_code,
                "from": before.phase,
                "to": after.phase,
                **about,
            },
        )
        if decided is not None:
            self._task_closed(item, decided.task)
        self._rely(item, definition, looked_at)
        for effect in effects:
            self._carry_out(item, effect, decided, given)
        self._moved(item, before, event)
        self._tell_what_followed(item, before, after, event, kind)

    def settle(self, edges: Iterable[Edge], status: EdgeStatus) -> None:
        """Settle edges of one item by time or by the applicant's choice, and let the item follow.

        An edge whose successor is decided already, be it by the edge before, is waived whatever
        is said.
        """
        self._following.settle(edges, status)

    def rely(self, item: Item, facts: Iterable[KnownFact], reliance: Reliance) -> None:
        """Keep that something about an item rested on facts; written with the act."""
        self._relied += [relied_row(item, fact, reliance, self.at) for fact in facts]

    def emit(
        self,
        kind: TicketEvent,
        *,
        item: Item | None = None,
        task_id: UUID | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Emit a numbered event of the ticket; returns its id.

        The applicant is shown it, unless it is a vote of a stage that is not over.
        """
        self.ticket.last_seq += 1
        return events.emit(
            self.session,
            kind,
            actor=self.actor,
            at=self.at,
            ticket_id=self.ticket.id,
            seq=self.ticket.last_seq,
            item_id=None if item is None else item.id,
            task_id=task_id,
            person_id=self.ticket.person_id,
            data=data,
        )

    def follow_calendar(self) -> None:
        """Compute anew what is due of all items by the newest calendar, which the ticket names."""
        version = self.calendar.version_id
        data = {"calendar": str(version)}
        self.last_event = self._record(TicketEvent.CALENDAR_FOLLOWED, data, item_id=None)
        self.ticket.calendar_id = version
        self._clocks.all_anew = True

    def record_due(self, item: Item, task_id: UUID, before: datetime, after: datetime) -> None:
        """Emit that the calendar has moved the due date of a task."""
        data = {"cause": "calendar", "before": before.isoformat(), "after": after.isoformat()}
        self._record(TicketEvent.DUE_MOVED, data, item_id=item.id, task_id=task_id)

    def _record(
        self,
        kind: TicketEvent,
        data: Mapping[str, Any],
        *,
        item_id: UUID | None,
        task_id: UUID | None = None,
    ) -> UUID:
        """Emit what no replay needs and no applicant is shown; time in stages is counted by it."""
        return events.emit(
            self.session,
            kind,
            actor=self.actor,
            at=self.at,
            ticket_id=self.ticket.id,
            item_id=item_id,
            task_id=task_id,
            person_id=self.ticket.person_id,
            data=data,
        )

    def _tasks_by_department(self, item: Item, stage: str, round_: int) -> dict[str, UUID]:
        return {
            row.department: row.task_id
            for row in self.stages(item)
            if (row.key, row.round) == (stage, round_)
        }

    def _tell_votes(self, item: Item, of: Voted, tasks: Mapping[str, UUID]) -> None:
        for vote in of.others:
            data = {
                "offering": item.offering_code,
                "stage": of.stage,
                "department": vote.department,
                "verdict": vote.verdict,
            }
            self.emit(TicketEvent.VOTE_TOLD, item=item, task_id=tasks[vote.department], data=data)

    def _task_closed(self, item: Item, task: Task) -> None:
        about = {
            "offering": item.offering_code,
            "stage": task.stage_key,
            "department": task.department,
            "verdict": task.verdict,
            "deemed": task.deemed,
        }
        self._record(TicketEvent.TASK_CLOSED, about, item_id=item.id, task_id=task.id)

    # What follows from one event.

    def look_up(self, item: Item) -> tuple[Known, Sequence[KnownFact]]:
        """What is known of an item, and the facts in it; three statements.

        What else of this ticket is open is known here better than there. Conditions are asked as of
        the day of receipt: how long an office takes changes no answer.
        """
        facts = known_facts(self.session, self.actor, item, self.today)
        open_here = {
            other.offering_code
            for other in self.items
            if other is not item and other.phase is not Phase.ENDED
        }
        received = self.calendar.local_date(item.received_at)
        known = known_of(self.session, self.actor, item, facts, open_here=open_here, on=received)
        return known, facts

    def _given(
        self, item: Item, definition: OfferingDefinition, decided: Decided | None
    ) -> FactsGiven:
        """What an approval establishes. Only a person decides: a task holds what was recorded."""
        if decided is None:
            raise LookupError("a decision without a task")
        return facts_given(
            self.session,
            item,
            definition,
            definition.flow.decision.gives,
            result=decided.result or {},
            issuer=decided.task.department,
            today=self.today,
        )

    def _rely(self, item: Item, definition: OfferingDefinition, facts: Iterable[KnownFact]) -> None:
        named = definition.flow.looks_at_facts
        self.rely(item, [fact for fact in facts if fact.kind in named], Reliance.FLOW)

    def _carry_out(
        self,
        item: Item,
        effect: Effect,
        decided: Decided | None,
        given: Callable[[], FactsGiven],
    ) -> None:
        match effect:
            case OpenStage():
                self._rows.enter(effect, item, self.definition(item))
            case SkipStage() | CheckStage():
                self._pass_by(item, effect)
            case CancelTask() | CloseStage() | SupersedeStage():
                self._rows.leave(item, effect)
            case StartPromise():
                item.accepted_at = (decided.accepted_at if decided else None) or self.at
                item.due_basis = DueBasis.PROMISED
            case StopPromise():
                item.decided_at = self.at
            case GiveFacts():
                given().carry_out(self.session, self.actor, at=self.at)
            case EndItem():
                item.ended_at = self.at
                item.decided_at = item.decided_at or self.at

    def _pass_by(self, item: Item, effect: SkipStage | CheckStage) -> None:
        self._rows.pass_by(effect, item)
        if isinstance(effect, CheckStage) and effect.verdict is Verdict.REJECT:
            self._failed_check[item.id] = effect.stage

    def _moved(self, item: Item, before: ItemState, event: Event) -> None:
        """Whether the event moved the item's own clock, and what that is called."""
        if isinstance(event, Filed):
            self._moved_by[item.id] = "filed"
        elif isinstance(event, PredecessorsSettled):
            freed = item.accepted_at is not None and not item.decision_waits
            begun = before.phase is Phase.WAITING and item.phase is not Phase.WAITING
            self._moved_by[item.id] = "begun" if begun else "predecessor" if freed else "followed"
        elif isinstance(event, Corrected) and item.phase is Phase.ACCEPTANCE:
            self._moved_by[item.id] = "corrected"
        elif item.hold is not before.hold and item.phase is Phase.ACCEPTANCE:
            self._moved_by[item.id] = "asked"
        elif before.phase is Phase.ACCEPTANCE and item.accepted_at is not None:
            self._moved_by[item.id] = "accepted"

    def _tell_what_followed(
        self,
        item: Item,
        before: ItemState,
        after: ItemState,
        event: Event,
        kind: TicketEvent,
    ) -> None:
        """Corrections that are asked, or no longer asked, a rejection, the end."""
        if isinstance(event, Corrected):
            corrections.end(self.session, item, at=self.at)
        elif gone := (before.asked | before.gathering) - (after.asked | after.gathering):
            self._drop_corrections(item, after, told=bool(gone & before.asked))
        if asked := after.asked - before.asked:
            due_at = corrections.answer_by(self.calendar, self.at)
            tasks = self._tasks_of(item, asked)
            corrections.ask(self.session, item, tasks, due_at=due_at, at=self.at)
        for key, round_ in after.gathering - before.gathering:
            self._rows.gather(item, key, round_)
        data = {"offering": item.offering_code}
        if after.outcome is Outcome.REJECTED and kind is not TicketEvent.ITEM_REJECTED:
            checked = self._failed_check.get(item.id)
            by = {} if checked is None else {"stage": checked}
            self.emit(TicketEvent.ITEM_REJECTED, item=item, data=data | by)
        if after.phase is Phase.ENDED:
            self.emit(TicketEvent.ITEM_ENDED, item=item, data=data | {"outcome": after.outcome})
        if after.outcome is not None:
            self._decided.append(item)

    def _tasks_of(self, item: Item, rounds: Collection[tuple[str, int]]) -> set[UUID]:
        return {row.task_id for row in self.stages(item) if (row.key, row.round) in rounds}

    def _drop_corrections(self, item: Item, after: ItemState, *, told: bool) -> None:
        """What was to be corrected no longer counts; who is asked nothing instead is shown so.

        `told`: the applicant knew of it.
        """
        ended = after.phase is Phase.ENDED
        corrections.drop(
            self.session,
            item,
            still=self._tasks_of(item, after.asked | after.gathering),
            because=Dropped.ENDED if ended else Dropped.SENT_BACK,
            at=self.at,
        )
        if told and not ended:
            data = {"offering": item.offering_code}
            self.emit(TicketEvent.CORRECTION_DROPPED, item=item, data=data)

    # The end of the act.

    def _close(self) -> None:
        self._conclude()
        if self._new:
            self._write_new()
            self._rows.write(self.session)
            self._clocks.write()
        else:
            _write_together(self.session, [self])

    def _conclude(self) -> None:
        """All that follows from what has happened; nothing is written yet."""
        self._following.settle_all(self._decided)
        self._clocks.compute(
            self._moved_by,
            self._following.turned,
            edges=self.edges,
            read=self._edges or (),
            flow=lambda item: self.definition(item).flow,
            event=self.last_event,
        )
        for change in self._clocks.changes:
            self._record(TicketEvent.DUE_MOVED, due_moved(change), item_id=change["item_id"])
        self._derive_status()

    def _derive_status(self) -> None:
        status = ticket_status(
            ((item.phase, item.outcome) for item in self.items),
            awaits_applicant=self._awaits_applicant(),
        )
        if status is not self.ticket.status:
            self.ticket.status = status
            if status in _ENDINGS:
                self.ticket.ended_at = self.at
                self.emit(_ENDINGS[status])

    def _awaits_applicant(self) -> bool:
        """Whether an item is held for the applicant, or an edge asks them."""
        if any(item.hold is Hold.CORRECTION for item in self.items):
            return True
        waiting = self.ticket.status is TicketStatus.AWAITING_APPLICANT or self._following.asked
        return waiting and any(edge.status is EdgeStatus.ASKED for edge in self.edges())

    def _write_new(self) -> None:
        """Items are written in the order of what may be open once: of two filings that meet, one
        waits for the other, and never each for the other.
        """
        if not insert_new_rows(self.session, Ticket, [values_of(self.ticket)]):
            raise KeyTaken
        ordered = sorted(self.items, key=_place)
        written = insert_new_rows(self.session, Item, [values_of(item) for item in ordered])
        if len(written) < len(ordered):
            raise ItemsOpenAlready(written)
        insert_last(self.session, Edge, [values_of(edge) for edge in self.edges()])
        insert_last(self.session, ReliedFact, self._relied)


def _write_together(session: Session, acts: Sequence[Act]) -> None:
    """What each act would write by itself, in the same order."""
    for model in (Ticket, Item, Edge, Task):
        update_changed(session, model)
    session.flush()
    insert_new_rows(session, ReliedFact, [row for act in acts for row in act._relied])
    write_stages(session, [act._rows for act in acts])
    write_clocks(session, [act._clocks for act in acts])


def _place(item: Item) -> tuple[str, bytes, str]:
    return item.offering_code, item.subject_key or b"", str(item.subject_id)


def _of_stage_alone(kind: TicketEvent, after: ItemState) -> TicketEvent:
    """A verdict of a decision that did not decide: the flow goes back, or others still decide."""
    outcome, of_stage = _OUTCOMES.get(kind, (after.outcome, kind))
    return kind if after.outcome is outcome else of_stage


_OUTCOMES: Final = {
    TicketEvent.ITEM_APPROVED: (Outcome.APPROVED, TicketEvent.STAGE_PASSED),
    TicketEvent.ITEM_REJECTED: (Outcome.REJECTED, TicketEvent.STAGE_REJECTED),
}

_ENDINGS: Final = {
    TicketStatus.COMPLETED: TicketEvent.TICKET_COMPLETED,
    TicketStatus.CLOSED: TicketEvent.TICKET_CLOSED,
    TicketStatus.WITHDRAWN: TicketEvent.TICKET_WITHDRAWN,
}
