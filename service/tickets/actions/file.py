"""Filing: everything or nothing, once per key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from service.calendars.queries import calendar_for
from service.calendars.rules import WorkingCalendar
from service.catalogue.queries import current_bundle
from service.catalogue.rules import BundleDefinition, OfferingDefinition
from service.identity.actions import give_consents
from service.identity.queries import applicant_for, family_for
from service.kernel import crypto, events
from service.kernel.actor import Actor
from service.kernel.db import District, insert_new_rows, insert_rows
from service.kernel.errors import Conflict, FieldError, Invalid
from service.kernel.ids import new_id
from service.routing import (
    Context,
    Filed,
    OpenStage,
    Phase,
    advance,
    encode_context,
    encode_event,
    initial,
)
from service.tickets.actions.opening import Opening
from service.tickets.actions.steps import due_change
from service.tickets.models import (
    TICKET_NUMBERS,
    DueChange,
    Item,
    ItemStage,
    Ticket,
    TicketSection,
)
from service.tickets.queries.talent import TicketRows, filed_before, ticket_for
from service.tickets.rules import (
    DueBasis,
    Filing,
    Happening,
    ItemDue,
    TicketStatus,
    Wish,
    filing_faults,
    item_number,
    section_holders,
    ticket_due,
    ticket_number,
)

_SECTIONS: Final = "ticket_sections"
_CONTEXT: Final = Context()


def file_ticket(
    session: Session, actor: Actor, *, filing: Filing, key: str, digest: bytes, at: datetime
) -> TicketRows:
    """File a bundle's offerings as one ticket.

    The same key gives the same ticket for ever. Raises `Invalid` with everything wrong with the
    filing, or for a key used with another digest, and `Conflict`: `profile_incomplete`, or
    `item_already_open` with the number of the item in the way.
    """
    before = filed_before(session, actor, key=key)
    if before is not None:
        if before.filing_digest != digest:
            raise Invalid("idempotency_key_reused")
        return ticket_for(session, actor, before.id)
    bundle = _checked(session, actor, filing)
    give_consents(session, actor, codes=sorted(filing.consents), at=at)
    draft = _Filing(actor, bundle, calendar_for(session, actor.district), at)
    draft.begin(_next_number(session, draft), key=key, digest=digest)
    for wish in filing.items:
        draft.add(wish, bundle.offerings[wish.offering])
    draft.set_due()
    return _write(session, draft, filing)


def _checked(session: Session, actor: Actor, filing: Filing) -> BundleDefinition:
    if not applicant_for(session, actor).complete:
        raise Conflict("profile_incomplete")
    bundle = current_bundle(session, actor.district, filing.bundle)
    if bundle is None:
        raise Invalid(errors=[FieldError("bundle", "bundle_unknown")])
    about_family = any(wish.subject for wish in filing.items)
    family = family_for(session, actor) if about_family else {}
    kinship = {member.id: member.kinship.value for member in family.values()}
    faults = filing_faults(filing, bundle, kinship)
    if faults:
        raise Invalid(errors=faults)
    return bundle


@dataclass(slots=True)
class _Filing:
    """The rows of a ticket in the making."""

    actor: Actor
    bundle: BundleDefinition
    calendar: WorkingCalendar
    at: datetime
    ticket: dict[str, Any] = field(default_factory=dict)
    items: list[dict[str, Any]] = field(default_factory=list)
    opening: Opening = field(default_factory=Opening)

    def begin(self, number: str, *, key: str, digest: bytes) -> None:
        self.ticket = {
            "district_id": self.actor.district,
            "id": new_id(),
            "number": number,
            "version": 1,
            "bundle_code": self.bundle.code,
            "bundle_version_id": self.bundle.version_id,
            "person_id": self.actor.person,
            "account_id": self.actor.account,
            "status": TicketStatus.IN_PROGRESS,
            "filed_at": self.at,
            "last_seq": 0,
            "filing_key": key,
            "filing_digest": digest,
        }

    def add(self, wish: Wish, definition: OfferingDefinition) -> None:
        """An item, started: its first stages open, its due date projected."""
        state, effects = advance(definition.flow, initial(), Filed(), _CONTEXT)
        ordinal = len(self.items) + 1
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
            "subject_id": wish.subject,
            "phase": state.phase,
            "outcome": state.outcome,
            "received_at": self.at,
        }
        opened_before = len(self.opening.stages)
        for effect in effects:
            if isinstance(effect, OpenStage):
                self.opening.add(
                    effect, item=item, definition=definition, calendar=self.calendar, at=self.at
                )
        accepted_by = max(stage["due_at"] for stage in self.opening.stages[opened_before:])
        self.items.append({**item, **self._projected(definition, accepted_by)})

    def _projected(self, definition: OfferingDefinition, accepted_by: datetime) -> dict[str, Any]:
        """The due date if acceptance takes all its time."""
        days = definition.flow.promise_working_days
        due = self.calendar.due_at(accepted_by, working_days=days)
        return {
            "due_at": due.at,
            "warn_at": self.calendar.warn_at(accepted_by, due.at, working_days=days),
            "due_basis": DueBasis.PROJECTED,
            "provisional": due.provisional,
        }

    def set_due(self) -> None:
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


def _next_number(session: Session, draft: _Filing) -> str:
    sequence, settings = session.execute(
        select(TICKET_NUMBERS.next_value(), District.settings).where(
            District.id == draft.actor.district
        )
    ).one()
    day = draft.calendar.local_date(draft.at)
    return ticket_number(settings["administrative_code"], day, sequence)


def _write(session: Session, draft: _Filing, filing: Filing) -> TicketRows:
    ticket, items = Ticket(**draft.ticket), [Item(**item) for item in draft.items]
    filed = _emit(session, draft, ticket, items)
    insert_rows(session, Ticket, [draft.ticket | {"last_seq": ticket.last_seq}])
    _insert_items(session, draft)
    insert_rows(session, TicketSection, _sections(draft, filing))
    draft.opening.write(session)
    change = due_change(
        ticket,
        before=None,
        after=ticket.due_at,
        basis=ticket.due_basis,
        cause="filed",
        event=filed,
        at=draft.at,
    )
    insert_rows(session, DueChange, [change])
    stages = [ItemStage(**stage) for stage in draft.opening.stages]
    return TicketRows(ticket, items, stages, draft.calendar)


def _insert_items(session: Session, draft: _Filing) -> None:
    """Raises `Conflict` where one of them is open already, also when filed at the same moment.

    In the order of what may be open once: of two filings that meet, one waits for the other, and
    never each for the other. Consents are given in their order for the same reason.
    """
    ordered = sorted(draft.items, key=lambda item: (item["offering_code"], str(item["subject_id"])))
    written = insert_new_rows(session, Item, ordered)
    if len(written) == len(draft.items):
        return
    wanted = {(item["offering_code"], item["subject_id"]) for item in draft.items}
    in_the_way = session.execute(
        select(Item.number, Item.offering_code, Item.subject_id).where(
            Item.district_id == draft.actor.district,
            Item.person_id == draft.actor.person,
            Item.phase != Phase.ENDED,
            Item.id.not_in(written),
        )
    ).all()
    numbers = [row.number for row in in_the_way if (row.offering_code, row.subject_id) in wanted]
    raise Conflict("item_already_open", number=", ".join(sorted(numbers)))


def _sections(draft: _Filing, filing: Filing) -> list[dict[str, Any]]:
    return [
        _section(draft.ticket, None if index is None else draft.items[index]["id"], code, answers)
        for index, code, answers in section_holders(filing)
    ]


def _section(
    ticket: Mapping[str, Any], item: UUID | None, code: str, answers: Any
) -> dict[str, Any]:
    row_id = new_id()
    text = orjson.dumps(answers).decode()
    return {
        "district_id": ticket["district_id"],
        "id": row_id,
        "ticket_id": ticket["id"],
        "item_id": item,
        "section": code,
        "revision": 1,
        "content": crypto.seal(text, table=_SECTIONS, column="content", row=row_id),
    }


def _emit(session: Session, draft: _Filing, ticket: Ticket, items: Iterable[Item]) -> UUID:
    """Tell that the ticket was filed, and each of its items."""

    def tell(kind: Happening, item: UUID | None, details: dict[str, Any]) -> UUID:
        ticket.last_seq += 1
        return events.emit(
            session,
            kind,
            actor=draft.actor,
            at=draft.at,
            ticket_id=ticket.id,
            seq=ticket.last_seq,
            item_id=item,
            public=True,
            data=details,
        )

    filed = tell(Happening.TICKET_FILED, None, {"bundle": ticket.bundle_code})
    step = {"event": encode_event(Filed()), "context": encode_context(_CONTEXT)}
    for item in items:
        tell(
            Happening.ITEM_FILED,
            item.id,
            {**step, "offering": item.offering_code, "from": "waiting", "to": item.phase},
        )
    return filed
