"""What a filing is judged by: its key, what is open already, the next number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, Text, Uuid, bindparam, func, select
from sqlalchemy.orm import Session

from service.calendars.queries import newest_version_id
from service.enterprises.queries import enterprise_numbered
from service.enterprises.rules import normal_credit_code
from service.filing.rules.filing import StatedEmployment
from service.kernel.actor import Actor
from service.kernel.db import District, prepared
from service.tickets.locks import filing_lock_name, lock_named
from service.tickets.models.filed import TICKET_NUMBERS, Ticket
from service.tickets.models.items import Item
from service.tickets.queries.rows import not_ended
from service.tickets.rules.applicant import Applicant, ApplicantKind
from service.tickets.visibility import of_applicant


@dataclass(frozen=True, slots=True)
class FilingState:
    """What a filing stands on: the ticket of its key, if there is one, and what is open already.

    `sequence` and `administrative_code` are for the number of a new ticket, the calendar for its
    due dates. `employer_id` is the enterprise that the filing lets follow, where the district knows
    it.
    """

    ticket_id: UUID | None
    digest: bytes | None
    open_offerings: frozenset[str]
    calendar_id: UUID
    employer_id: UUID | None
    sequence: int
    administrative_code: str


class _State(NamedTuple):
    ticket_id: UUID | None
    digest: bytes | None
    open_offerings: list[str] | None
    calendar_id: UUID
    employer_id: UUID | None


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
        newest_version_id(district),
        enterprise_numbered(district, bindparam("employer", type_=Text)),
    )


_FILING_STATE: Final = {kind: prepared(_filing_state(kind), _State) for kind in ApplicantKind}


def filing_state(
    session: Session,
    actor: Actor,
    applicant: Applicant,
    *,
    key: str,
    followed_by: StatedEmployment | None = None,
) -> FilingState:
    """Whether this account filed with this key, ever, which items of the applicant are open, the
    next number, the calendar in force, and the employer that is stated.

    It is read once no other filing for the applicant is under way: criteria ask what else is open,
    and of two filings that exclude each other neither would find the other. The lock is a statement
    before it, so that it sees what it waited for. The number and the district's code come with the
    lock, and not with the rest, because a distributed engine refuses a sub-query over a reference
    table. Two statements; a number that is not used leaves a gap, as numbers may.
    """
    number = _NUMBER.one(session, district=actor.district, lock=filing_lock_name(applicant))
    asked = {
        "district": actor.district,
        "account": actor.account,
        "applicant": applicant.id,
        "key": key,
        "employer": followed_by and normal_credit_code(followed_by.credit_code),
    }
    found = _FILING_STATE[applicant.kind].one(session, **asked)
    return FilingState(
        ticket_id=found.ticket_id,
        digest=found.digest,
        open_offerings=frozenset(found.open_offerings or ()),
        calendar_id=found.calendar_id,
        employer_id=found.employer_id,
        sequence=number.sequence,
        administrative_code=number.administrative_code,
    )


_NUMBER: Final = prepared(
    select(
        lock_named(bindparam("lock", type_=Text())).label("lock"),
        TICKET_NUMBERS.next_value().label("sequence"),
        District.settings["administrative_code"].astext.label("administrative_code"),
    ).where(District.id == bindparam("district"))
)


def stated_employer(session: Session, actor: Actor, stated: StatedEmployment) -> UUID | None:
    """The enterprise that a draft lets follow, where the district knows it; one statement."""
    code = normal_credit_code(stated.credit_code)
    return session.scalar(select(enterprise_numbered(actor.district, code)))
