"""How engine steps become rows: everything that follows in a ticket from one act."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.calendars.rules import Due, WorkingCalendar
from service.catalogue.queries import offering_definition
from service.catalogue.rules import OfferingDefinition
from service.facts.rules import KnownFact
from service.kernel import events
from service.kernel.actor import Actor
from service.kernel.db import insert_new_rows
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
from service.tickets.clock import Dues
from service.tickets.effects import give_facts
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Edge, Item, ReliedFact
from service.tickets.models.stages import Task
from service.tickets.queries.cases import StageRow, known_facts, known_of, stage_rows
from service.tickets.queries.rows import edges_of, items_of
from service.tickets.rows import key_of, relied
from service.tickets.rules.dues import DueBasis
from service.tickets.rules.state import item_state
from service.tickets.rules.states import Dropped, Reliance, TicketEvent, TicketStatus, ticket_status
from service.tickets.stages import Opening, drop_corrections, leave_stage


@dataclass(frozen=True, slots=True)
class Decided:
    """The task that an event closed, what was recorded with it, and from when it counts."""

    task: Task
    result: Mapping[str, Any] | None = None
    accepted_at: datetime | None = None


@dataclass(slots=True)
class Step:
    """One act on one ticket, whose row is locked: events happen to its items, one by one.

    `turned` are the items of which an edge has moved. `finish` writes what they came to; nothing
    happens to the ticket afterwards.
    """

    session: Session
    actor: Actor
    ticket: Ticket
    items: Sequence[Item]
    calendar: WorkingCalendar
    at: datetime
    opening: Opening = field(init=False)
    dues: Dues = field(init=False)
    changed: list[Item] = field(default_factory=list)
    turned: set[UUID] = field(default_factory=set)
    last_event: UUID | None = None
    asked: bool = False
    _edges: Sequence[Edge] | None = None
    _rows: dict[UUID, Sequence[StageRow]] = field(default_factory=dict)
    _states: dict[UUID, ItemState] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.opening = Opening(self.calendar, self.at)
        about = (self.session, self.ticket, self.items, self.calendar, self.at)
        self.dues = Dues(*about, flow=lambda item: self.definition(item).flow)

    @classmethod
    def of(cls, session: Session, actor: Actor, ticket: Ticket, at: datetime) -> Step:
        """An act on a ticket that is locked."""
        items = items_of(session, ticket)
        return cls(session, actor, ticket, items, calendar_for(session, actor.district), at)

    def definition(self, item: Item) -> OfferingDefinition:
        """The version under which an item was filed."""
        return offering_definition(self.session, self.actor.district, item.offering_version_id)

    def edges(self) -> Sequence[Edge]:
        """What the items of the ticket wait or waited for; read once."""
        if self._edges is None:
            self._edges = edges_of(self.session, self.ticket)
        return self._edges

    def due(self, item: Item) -> Due:
        """When an item is due as things stand; no statement for one that waits for nothing."""
        waits = item.phase is Phase.WAITING or item.decision_waits
        return self.dues.of(item, self.edges() if waits else ())

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
        happening: TicketEvent,
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
        if after.outcome is Outcome.REJECTED and happening is not TicketEvent.ITEM_REJECTED:
            self.tell(TicketEvent.ITEM_REJECTED, item=item, data={"offering": item.offering_code})
        if after.phase is Phase.ENDED:
            data = {"offering": item.offering_code, "outcome": after.outcome}
            self.tell(TicketEvent.ITEM_ENDED, item=item, data=data)
        self.changed.append(item)

    def finish(self) -> None:
        """Write the stages that opened, and what the ticket's row says of its items."""
        self.opening.write(self.session)
        self._settle_ticket()
        self.dues.write()
        self.session.flush()

    def tell(
        self,
        kind: TicketEvent,
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

    def move_due(self, item: Item, due: Due, *, cause: str) -> None:
        """Another due date for an item, because of what has happened to it last."""
        self.dues.move(item, due, cause=cause, event=self.last_event)

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
            self.tell(TicketEvent.CORRECTION_DROPPED, item=item, data=data)

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
        """The item's clock starts: what was projected becomes a promise."""
        item.accepted_at, item.due_basis = accepted_at or self.at, DueBasis.PROMISED
        self.move_due(item, self.due(item), cause="accepted")

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
        self.dues.settle(event=self.last_event)
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
        return waiting and any(edge.status is EdgeStatus.ASKED for edge in self.edges())


_ENDINGS: Final = {
    TicketStatus.COMPLETED: TicketEvent.TICKET_COMPLETED,
    TicketStatus.CLOSED: TicketEvent.TICKET_CLOSED,
    TicketStatus.WITHDRAWN: TicketEvent.TICKET_WITHDRAWN,
}
