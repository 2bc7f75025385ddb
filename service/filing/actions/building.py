"""The rows of a ticket in the making: values in, rows out.

No statement is sent here, unless somebody who is filed for has no key yet: then one makes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from service.calendars.rules import WorkingCalendar
from service.catalogue.rules import BundleDefinition, OfferingDefinition
from service.facts.rules import KnownFact, by_kind
from service.filing.rules.filing import Filing, RequestedItem, answers_for, section_holders
from service.identity.people.queries import Household, kept_of_applicant, kept_of_member
from service.kernel import person_keys
from service.kernel.actor import Actor
from service.kernel.ids import new_id
from service.kernel.sealed import seal_json
from service.routing import (
    Asking,
    EdgeKind,
    EdgeStatus,
    Filed,
    Known,
    OpenStage,
    SourceKind,
    advance,
    encode_context,
    encode_event,
    in_order,
    initial,
    sources,
)
from service.tickets.clock import due_of
from service.tickets.edges import NewEdge, new_edges
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Item
from service.tickets.rows import material_row, relied, section_row
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.dues import DueBasis, ItemDue, ticket_due
from service.tickets.rules.established import already_established
from service.tickets.rules.states import Reliance, TicketEvent, TicketStatus, item_number
from service.tickets.stages import Opening, Rows


@dataclass(frozen=True)
class Case:
    """What a filing is judged by: who is who, what is established of them, what is open."""

    filing: Filing
    bundle: BundleDefinition
    household: Household
    facts: Mapping[UUID, Sequence[KnownFact]]
    open_offerings: frozenset[str]
    today: date

    @property
    def applicant(self) -> UUID:
        """The person who files."""
        return self.household.applicant.person_id

    def facts_for(self, requested: RequestedItem) -> list[KnownFact]:
        """The facts that count for an item: its subject's, then the applicant's."""
        people = [requested.subject, self.applicant]
        return [fact for one in people if one is not None for fact in self.facts.get(one, ())]

    def held_for(self, requested: RequestedItem, until: date) -> list[KnownFact]:
        """The facts that stand for what an approval of the item would establish, if all do."""
        return already_established(
            self.bundle.offerings[requested.offering].flow.decision.gives,
            applicant=self.applicant,
            subject=requested.subject,
            answers=answers_for(self.filing, requested),
            facts=self.facts,
            until=until,
        )

    def known_for(self, requested: RequestedItem) -> Known:
        """What the conditions of an item may look at; the item itself is not asked for with it."""
        others = [one.offering for one in self.filing.items if one is not requested]
        born = {"applicant": self.household.applicant.birth_date}
        if requested.subject is not None:
            born["subject"] = self.household.family[requested.subject].birth_date
        return Known(
            self.today,
            answers=answers_for(self.filing, requested),
            facts=by_kind(self.facts_for(requested)),
            born=born,
            requested=self.open_offerings | set(others),
        )


@dataclass(slots=True)
class TicketBuilder:
    """The rows of a ticket, its items, edges, stages and tasks, and what is told of each item."""

    actor: Actor
    case: Case
    calendar: WorkingCalendar
    at: datetime
    employer: UUID | None = None
    ticket: dict[str, Any] = field(default_factory=dict)
    items: Rows = field(default_factory=list)
    edges: Rows = field(default_factory=list)
    relied: Rows = field(default_factory=list)
    told: dict[UUID, tuple[TicketEvent, dict[str, Any]]] = field(default_factory=dict)
    opening: Opening = field(init=False)

    def __post_init__(self) -> None:
        self.opening = Opening(self.calendar, self.at)

    def make(self, ticket_id: UUID, number: str, *, key: str, digest: bytes) -> None:
        """Everything, with due dates along the edges: predecessors come first."""
        self._begin(ticket_id, number, key=key, digest=digest)
        filing, bundle = self.case.filing, self.case.bundle
        order = in_order(bundle.offerings, bundle.edges)
        requested_items = sorted(
            enumerate(filing.items, start=1), key=lambda one: order.index(one[1].offering)
        )
        for ordinal, requested in requested_items:
            self._add(ordinal, requested, bundle.offerings[requested.offering])
        self.items.sort(key=lambda item: item["ordinal"])
        self._set_due()

    def _begin(self, ticket_id: UUID, number: str, *, key: str, digest: bytes) -> None:
        self.ticket = {
            "district_id": self.actor.district,
            "id": ticket_id,
            "number": number,
            "version": 1,
            "bundle_code": self.case.bundle.code,
            "bundle_version_id": self.case.bundle.version_id,
            "person_id": self.actor.person,
            "account_id": self.actor.account,
            "employer_id": self.employer,
            "status": TicketStatus.IN_PROGRESS,
            "filed_at": self.at,
            "last_seq": 0,
            "filing_key": key,
            "filing_digest": digest,
        }

    def _add(self, ordinal: int, requested: RequestedItem, definition: OfferingDefinition) -> None:
        """An item: waiting, or begun with its first stages open; its due date projected."""
        known = self.case.known_for(requested)
        edges = self._new_edges(definition, known)
        unmet = {edge.rule.kind for edge in edges if edge.status is EdgeStatus.WAITING}
        event = Filed(hard=EdgeKind.HARD in unmet, soft=EdgeKind.SOFT in unmet)
        asking = Asking(lambda: known)
        state, effects = advance(definition.flow, initial(), event, asking)
        item = {
            "district_id": self.actor.district,
            "id": new_id(),
            "ticket_id": self.ticket["id"],
            "number": item_number(self.ticket["number"], ordinal),
            "ordinal": ordinal,
            "version": 1,
            "offering_code": definition.code,
            "offering_version_id": definition.version_id,
            "person_id": self.actor.person,
            "subject_id": requested.subject,
            "phase": state.phase,
            "outcome": state.outcome,
            "decision_waits": state.soft,
            "received_at": self.at,
        }
        for effect in effects:
            if isinstance(effect, OpenStage):  # the acceptance; nothing else follows from filing
                self.opening.add(effect, item=item, definition=definition)
        self.items.append({**item, **self._projected(definition, edges)})
        self.edges += [edge.row(item, self.at) for edge in edges]
        self._rely(item, requested, definition, edges)
        self.told[item["id"]] = (
            TicketEvent.ITEM_WAITING if event.hard else TicketEvent.ITEM_FILED,
            {
                "event": encode_event(event),
                "context": encode_context(asking.context),
                "offering": definition.code,
                "from": "waiting",
                "to": state.phase,
            },
        )

    def _new_edges(self, definition: OfferingDefinition, known: Known) -> list[NewEdge]:
        """The edges of an item; a fact counts if it still holds when the item itself is due."""
        due = due_of(definition.flow, self.calendar, received_at=self.at)
        return new_edges(
            self.case.bundle.edges,
            successor=definition.code,
            filed=self._held(self.calendar.local_date(due.at)),
            known=known,
            calendar=self.calendar,
            at=self.at,
        )

    def _held(self, until: date) -> dict[str, list[KnownFact]]:
        """By offering filed, the facts that stand for the approval of all its items."""
        found: dict[str, list[list[KnownFact]]] = {}
        for requested in self.case.filing.items:
            found.setdefault(requested.offering, []).append(self.case.held_for(requested, until))
        return {
            offering: [fact for one in each for fact in one] if all(each) else []
            for offering, each in found.items()
        }

    def _rely(
        self,
        item: Mapping[str, Any],
        requested: RequestedItem,
        definition: OfferingDefinition,
        edges: Sequence[NewEdge],
    ) -> None:
        """Keep which facts the criteria looked at, and which met an edge."""
        kinds = {
            source.parts[0]
            for criterion in definition.criteria
            for source in sources(criterion.met_when)
            if source.kind is SourceKind.FACT
        }
        looked_at = [fact for fact in self.case.facts_for(requested) if fact.kind in kinds]
        met_by = {fact.id: fact for edge in edges for fact in edge.facts}
        self.relied += [
            relied(item, fact, reliance, self.at)
            for reliance, facts in (
                (Reliance.CRITERION, looked_at),
                (Reliance.EDGE, met_by.values()),
            )
            for fact in facts
        ]

    def _projected(
        self, definition: OfferingDefinition, edges: Sequence[NewEdge]
    ) -> dict[str, Any]:
        """The due date if everything takes all its time: what it waits for, too."""
        flow = definition.flow
        due = due_of(
            flow,
            self.calendar,
            received_at=self.at,
            hard=self._finishes(edges, EdgeKind.HARD),
            soft=self._finishes(edges, EdgeKind.SOFT),
        )
        days = flow.promise_working_days
        return {
            "due_at": due.at,
            "warn_at": self.calendar.warn_at(self.at, due.at, working_days=days),
            "due_basis": DueBasis.PROJECTED,
            "provisional": due.provisional,
        }

    def _finishes(self, edges: Sequence[NewEdge], kind: EdgeKind) -> list[datetime]:
        """Until when it waits: until what comes first is due, or the edge has waited enough."""
        return [
            item["due_at"] if edge.next_at is None else min(item["due_at"], edge.next_at)
            for edge in edges
            if edge.status is EdgeStatus.WAITING and edge.rule.kind is kind
            for item in self.items
            if item["offering_code"] == edge.rule.predecessor
        ]

    def _set_due(self) -> None:
        due = ticket_due(
            [
                ItemDue(item["due_at"], item["due_basis"], item["provisional"], None)
                for item in self.items
            ]
        )
        self.ticket |= {
            "due_at": due.due_at,
            "due_basis": due.basis,
            "provisional": due.provisional,
        }

    def freeze_people(self, session: Session) -> None:
        """Keep with the ticket and its items who the people are now, under the key of each."""
        household, ticket = self.case.household, self.ticket
        subjects = [item["subject_id"] for item in self.items]
        person_keys.hold(session, [ticket["person_id"], *subjects])
        ticket["filed_applicant"] = seal_json(
            session,
            Ticket.filed_applicant,
            kept_of_applicant(household.applicant),
            row=ticket["id"],
            of=ticket["person_id"],
        )
        for item in self.items:
            subject = item["subject_id"]
            item["filed_subject"] = subject and seal_json(
                session,
                Item.filed_subject,
                kept_of_member(household.family[subject]),
                row=item["id"],
                of=subject,
            )

    def sections(self, session: Session) -> Rows:
        """The rows of the answers, sealed."""
        return [
            section_row(
                session,
                self.ticket,
                None if index is None else self.items[index]["id"],
                code,
                answers,
            )
            for index, code, answers in section_holders(self.case.filing)
        ]

    def materials(self) -> Rows:
        """The rows of the documents."""
        filing = self.case.filing
        attached: list[tuple[UUID | None, AttachedDocument]] = [
            (None, one) for one in filing.materials
        ]
        for item, requested in zip(self.items, filing.items, strict=True):
            attached += [(item["id"], one) for one in requested.materials]
        return [material_row(self.ticket, item, one) for item, one in attached]
