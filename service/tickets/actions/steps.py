"""How engine steps become rows: everything that follows in a ticket from one act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries import offering_definition
from service.catalogue.rules import OfferingDefinition
from service.facts.rules import KnownFact
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import insert_new_rows, insert_rows
from service.routing import (
    Asking,
    CancelTask,
    CheckStage,
    CloseStage,
    Corrected,
    EdgeStatus,
    Effect,
    EndItem,
    Event,
    GiveFacts,
    Hold,
    ItemState,
    Known,
    OpenStage,
    Outcome,
    Phase,
    SkipStage,
    StartPromise,
    StopPromise,
    SupersedeStage,
    advance,
    encode_context,
    encode_event,
)
from service.tickets.actions.closing import drop_corrections, leave_stage
from service.tickets.actions.giving import give_facts
from service.tickets.actions.hanging import due_change, key_of, relied
from service.tickets.actions.opening import Opening, Rows
from service.tickets.models import DueChange, Item, ReliedFact, Task, Ticket
from service.tickets.queries.cases import StageRow, known_facts, known_of, stage_rows
from service.tickets.queries.desk import items_of
from service.tickets.queries.talent import edges_of
from service.tickets.rules import (
    Dropped,
    DueBasis,
    Happening,
    ItemDue,
    Reliance,
    TicketStatus,
    ticket_due,
    ticket_status,
)
from service.tickets.rules.standing import item_state


@dataclass(frozen=True, slots=True)
class Decided:
    """The task that an event closed, what was recorded with it, and from when it counts."""

    task: Task
    result: Mapping[str, Any] | None = None
    accepted_at: datetime | None = None


@dataclass(slots=True)
class Step:
    """One act on one ticket, whose row is locked: events happen to its items, one by one.

    `finish` writes what they came to; nothing happens to the ticket afterwards.
    """

    session: Session
    actor: Actor
    ticket: Ticket
    items: Sequence[Item]
    calendar: WorkingCalendar
    at: datetime
    opening: Opening = field(init=False)
    due_changes: Rows = field(default_factory=list)
    changed: list[Item] = field(default_factory=list)
    last_event: UUID | None = None
    asked: bool = False
    _rows: dict[UUID, Sequence[StageRow]] = field(default_factory=dict)
    _states: dict[UUID, ItemState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.opening = Opening(self.calendar, self.at)

    @classmethod
    def of(cls, session: Session, actor: Actor, ticket: Ticket, at: datetime) -> Step:
        """An act on a ticket that is locked."""
        items = items_of(session, ticket)
        return cls(session, actor, ticket, items, calendar_for(session, actor.district), at)

    def definition(self, item: Item) -> OfferingDefinition:
        """The version under which an item was filed."""
        return offering_definition(self.session, self.actor.district, item.offering_version_id)

    def stages(self, item: Item) -> Sequence[StageRow]:
        """The stages of an item as they were when the act began; read once."""
        if item.id not in self._rows:
            self._rows[item.id] = stage_rows(self.session, item)
        return self._rows[item.id]

    def state(self, item: Item) -> ItemState:
        """Where an item stands by now."""
        if item.id not in self._states:
            self._states[item.id] = item_state(
                self.stages(item),
                phase=item.phase,
                outcome=item.outcome,
                decision_waits=item.decision_waits,
                hold=item.hold,
            )
        return self._states[item.id]

    def take(
        self,
        item: Item,
        event: Event,
        happening: Happening,
        *,
        decided: Decided | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Let an event happen to an item, and write all that follows for the item itself.

        Raises `routing.IllegalEvent`.
        """
        before, definition = self.state(item), self.definition(item)
        looked_up: list[KnownFact] = []
        asking = Asking(lambda: self._look_up(item, looked_up))
        after, effects = advance(definition.flow, before, event, asking)
        self._states[item.id] = after
        item.phase, item.outcome, item.decision_waits = after.phase, after.outcome, after.soft
        item.hold = after.hold
        if after.hold is None:
            item.hold_until = None
        self.last_event = self.tell(
            happening,
            item=item,
            task_id=decided.task.id if decided else None,
            data={
                "event": encode_event(event),
                "context": encode_context(asking.context),
                "offering": item.offering_code,
                "from": before.phase,
                "to": after.phase,
                **(about or {}),
            },
        )
        self._relied_on(item, definition, looked_up)
        for effect in effects:
            self._carry_out(item, definition, effect, decided)
        if before.asked - after.asked and not isinstance(event, Corrected):
            self._drop_corrections(item, after)
        if after.outcome is Outcome.REJECTED and happening is not Happening.ITEM_REJECTED:
            self.tell(Happening.ITEM_REJECTED, item=item, data={"offering": item.offering_code})
        if after.phase is Phase.ENDED:
            data = {"offering": item.offering_code, "outcome": after.outcome}
            self.tell(Happening.ITEM_ENDED, item=item, data=data)
        self.changed.append(item)

    def finish(self) -> None:
        """Write the stages that opened, and what the ticket's row says of its items."""
        self.opening.write(self.session)
        self._settle_ticket()
        insert_rows(self.session, DueChange, self.due_changes)
        self.session.flush()

    def tell(
        self,
        kind: Happening,
        *,
        item: Item | None = None,
        task_id: UUID | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> UUID:
        """Emit an event of the ticket, numbered; gives its id."""
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
            public=True,
            data=data,
        )

    def move_due(
        self, item: Item, *, due_at: datetime, basis: DueBasis, cause: str, provisional: bool
    ) -> None:
        """Another due date for an item, with the reason, which stays."""
        if due_at != item.due_at:
            change = due_change(
                item, item.due_at, due_at, basis, cause=cause, event=self.last_event, at=self.at
            )
            self.due_changes.append(change)
        item.due_at, item.due_basis, item.provisional = due_at, basis, provisional
        days = self.definition(item).flow.promise_working_days
        item.warn_at = self.calendar.warn_at(item.received_at, due_at, working_days=days)

    def _drop_corrections(self, item: Item, after: ItemState) -> None:
        """What was to be mended counts no longer; who is asked for nothing instead is told so."""
        ended = after.phase is Phase.ENDED
        drop_corrections(
            self.session,
            item,
            still={row.task_id for row in self.stages(item) if (row.key, row.round) in after.asked},
            because=Dropped.ENDED if ended else Dropped.SENT_BACK,
            at=self.at,
        )
        if not ended:
            data = {"offering": item.offering_code}
            self.tell(Happening.CORRECTION_DROPPED, item=item, data=data)

    def _look_up(self, item: Item, facts: list[KnownFact]) -> Known:
        on = self.calendar.local_date(self.at)
        facts += known_facts(self.session, self.actor, item, on)
        return known_of(self.session, self.actor, item, facts, on=on)

    def _relied_on(
        self, item: Item, definition: OfferingDefinition, facts: Iterable[KnownFact]
    ) -> None:
        """Keep which facts the flow looked at; it may have done so before."""
        named = definition.flow.looks_at_facts
        key = key_of(item)
        rows = [relied(key, fact, Reliance.FLOW, self.at) for fact in facts if fact.kind in named]
        insert_new_rows(self.session, ReliedFact, rows)

    def _carry_out(
        self,
        item: Item,
        definition: OfferingDefinition,
        effect: Effect,
        decided: Decided | None,
    ) -> None:
        match effect:
            case OpenStage():
                self._open(item, definition, effect)
            case SkipStage() | CheckStage():
                self.opening.add_done(effect, item=key_of(item))
            case CancelTask() | CloseStage() | SupersedeStage():
                self.opening.write(self.session)  # the stage may have opened in this very step
                leave_stage(self.session, item, effect, self.at)
            case _:
                self._turn(item, definition, effect, decided)

    def _turn(
        self,
        item: Item,
        definition: OfferingDefinition,
        effect: StartPromise | StopPromise | GiveFacts | EndItem,
        decided: Decided | None,
    ) -> None:
        """What turns the item as a whole."""
        match effect:
            case StartPromise():
                self._promise(item, decided.accepted_at if decided else None)
            case StopPromise():
                item.decided_at = self.at
            case GiveFacts(stage):
                self._give(item, definition, stage, decided)
            case EndItem():
                item.ended_at = self.at
                item.decided_at = item.decided_at or self.at

    def _open(self, item: Item, definition: OfferingDefinition, effect: OpenStage) -> None:
        """A stage opens. Four eyes: whoever did one of those before it may not take it."""
        stage = definition.flow.by_key[effect.stage]
        barred = frozenset[UUID]()
        if stage.four_eyes:
            before = definition.flow.upstream[stage.key]
            barred = frozenset(
                row.assignee
                for row in self.stages(item)
                if row.key in before and row.assignee is not None
            )
        if item.phase is Phase.ACCEPTANCE:
            item.received_at = self.at
        self.opening.add(effect, item=key_of(item), definition=definition, barred=barred)

    def _promise(self, item: Item, accepted_at: datetime | None) -> None:
        """The item's clock starts: what was projected becomes a promise.

        While a predecessor is still to come before the decision, it is not promised earlier than
        was projected.
        """
        item.accepted_at = accepted_at or self.at
        days = self.definition(item).flow.promise_working_days
        due = self.calendar.due_at(item.accepted_at, working_days=days)
        due_at = max(due.at, item.due_at) if item.decision_waits else due.at
        self.move_due(
            item,
            due_at=due_at,
            basis=DueBasis.PROMISED,
            cause="accepted",
            provisional=due.provisional,
        )

    def _give(
        self, item: Item, definition: OfferingDefinition, stage: str, decided: Decided | None
    ) -> None:
        """Only a person's decision gives: there is a task with what was recorded."""
        if decided is None:
            raise LookupError("a decision without a task")
        give_facts(
            self.session,
            self.actor,
            item,
            definition,
            definition.flow.by_key[stage].gives,
            result=decided.result or {},
            issuer=decided.task.department,
            today=self.calendar.local_date(self.at),
            at=self.at,
        )

    def _settle_ticket(self) -> None:
        """What the ticket's row says follows from its items."""
        due = ticket_due([item_due(item) for item in self.items])
        if due.due_at != self.ticket.due_at:
            change = due_change(
                self.ticket,
                self.ticket.due_at,
                due.due_at,
                due.basis,
                cause="items",
                event=self.last_event,
                at=self.at,
            )
            self.due_changes.append(change)
        self.ticket.due_at, self.ticket.due_basis = due.due_at, due.basis
        self.ticket.provisional = due.provisional
        status = ticket_status(
            ((item.phase, item.outcome) for item in self.items),
            awaits_applicant=self._awaits_applicant(),
        )
        if status is not self.ticket.status:
            self.ticket.status = status
            if status in _ENDINGS:
                self.tell(_ENDINGS[status])

    def _awaits_applicant(self) -> bool:
        """Whether an item is held for the applicant, or an edge asks them."""
        if any(item.hold is Hold.CORRECTION for item in self.items):
            return True
        waiting = self.ticket.status is TicketStatus.AWAITING_APPLICANT or self.asked
        return waiting and any(
            edge.status is EdgeStatus.ASKED for edge in edges_of(self.session, self.ticket)
        )


def item_due(item: Item) -> ItemDue:
    """The part of an item that its ticket's due date follows from."""
    return ItemDue(item.due_at, item.due_basis, item.provisional, item.decided_at)


_ENDINGS: Final = {
    TicketStatus.COMPLETED: Happening.TICKET_COMPLETED,
    TicketStatus.CLOSED: Happening.TICKET_CLOSED,
    TicketStatus.WITHDRAWN: Happening.TICKET_WITHDRAWN,
}
