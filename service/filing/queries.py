"""What a filing is judged by: its key, what is open already, the next number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, func, select
from sqlalchemy.orm import Session

from service.calendars.queries import newest_version_id
from service.kernel.actor import Actor
from service.kernel.db import District
from service.tickets.models.filed import TICKET_NUMBERS, Ticket
from service.tickets.models.items import Item
from service.tickets.queries.rows import not_ended
from service.tickets.rules.applicant import Applicant, ApplicantKind
from service.tickets.visibility import of_applicant


@dataclass(frozen=True, slots=True)
class FilingState:
    """What a filing stands on: the ticket of its key, if there is one, and what is open already.

    `sequence` and `administrative_code` are for the number of a new ticket, the calendar for its
    due dates.
    """

    ticket_id: UUID | None
    digest: bytes | None
    open_offerings: frozenset[str]
    sequence: int
    administrative_code: str
    calendar_id: UUID


def _filing_state(kind: ApplicantKind) -> Select[*tuple[Any, ...]]:
    district, account = bindparam("district", type_=Text), bindparam("account", type_=Uuid)
    filed = select(Ticket.id, Ticket.filing_digest).where(
        Ticket.district_id == district,
        Ticket.account_id == account,
        Ticket.filing_key == bindparam("key", type_=Text),
    )
    offerings = select(func.array_agg(Item.offering_code.distinct())).where(
        Item.district_id == district,
        of_applicant(Item, kind, bindparam("applicant", type_=Uuid)),
        not_ended(),
    )
    found = filed.subquery()
    return select(
        select(found.c.id).scalar_subquery(),
        select(found.c.filing_digest).scalar_subquery(),
        offerings.scalar_subquery(),
        TICKET_NUMBERS.next_value(),
        District.settings["administrative_code"].astext,
        newest_version_id(district),
    ).where(District.id == district)


_FILING_STATE: Final = {kind: _filing_state(kind) for kind in ApplicantKind}
"""Built once: it is sent with every filing."""


def filing_state(session: Session, actor: Actor, applicant: Applicant, *, key: str) -> FilingState:
    """Whether this account filed with this key, ever, which items of the applicant are open, the
    next number, and the calendar in force.

    One statement; a number that is not used leaves a gap, as numbers may.
    """
    asked = {
        "district": actor.district,
        "account": actor.account,
        "applicant": applicant.id,
        "key": key,
    }
    row = session.execute(_FILING_STATE[applicant.kind], asked).one()
    return FilingState(row[0], row[1], frozenset(row[2] or ()), *row[3:])
