"""Who applies: what the database holds of it, for persons and for enterprises."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from psycopg import errors
from sqlalchemy import insert, select

from service.enterprises.actions import ensure_enterprise
from service.filing.queries import filing_state
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Scope
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Item
from service.tickets.queries.cases import person_of
from service.tickets.rules.applicant import Applicant, ApplicantKind, Authority
from service.tickets.visibility import of_applicant

CODE = "91350100M000100Y43"


def test_an_applicant():
    person, enterprise = uuid4(), uuid4()
    own = Applicant.themselves(person)
    assert (own.person, own.person_id, own.enterprise_id) == (person, person, None)
    assert own.authority is Authority.OWN
    by_agent = replace(own, authority_id=uuid4(), employer_id=enterprise)
    assert by_agent.authority is Authority.AGENT
    assert by_agent.lock_name == own.lock_name
    company = Applicant(ApplicantKind.ENTERPRISE, enterprise)
    assert (company.person_id, company.enterprise_id) == (None, enterprise)
    assert company.lock_name != Applicant.themselves(enterprise).lock_name
    with pytest.raises(LookupError):
        _ = company.person


@pytest.fixture
def enterprise(database) -> UUID:
    with database.transaction(Scope.system("demo")) as session:
        return ensure_enterprise(session, credit_code=CODE, name="企业", at=clock.now())


@pytest.fixture
def filed(world, database) -> tuple[Ticket, Item]:
    """A ticket of a person with one item."""
    ticket = UUID(world.ticket(None, "settlement")["id"])
    with database.transaction(Scope.system("demo")) as session:
        return (
            session.scalars(select(Ticket).where(Ticket.id == ticket)).one(),
            session.scalars(select(Item).where(Item.ticket_id == ticket)).one(),
        )


def copy_of(row, **changes):
    """The columns of a row, with a new id and number and other values."""
    values = {column.key: getattr(row, column.key) for column in row.__table__.columns}
    return values | {"id": uuid4(), "number": uuid4().hex} | changes


@pytest.fixture
def of_enterprise(database, filed, enterprise):
    """Writes a ticket of the enterprise with one item, as a filing would; ids of both."""

    def write(**changes) -> tuple[UUID, UUID]:
        ticket, item = filed
        applicant = {
            "applicant_kind": ApplicantKind.ENTERPRISE,
            "person_id": None,
            "enterprise_id": enterprise,
        }
        rows = copy_of(ticket, filing_key=uuid4().hex, **applicant)
        with database.transaction(Scope.system("demo")) as session:
            session.execute(insert(Ticket).values(rows))
            inner = copy_of(item, ticket_id=rows["id"], **applicant | changes)
            session.execute(insert(Item).values(inner))
        return rows["id"], inner["id"]

    return write


def test_an_enterprise_can_apply(database, of_enterprise, enterprise):
    ticket, item = of_enterprise()
    applicant = Applicant(ApplicantKind.ENTERPRISE, enterprise)
    with database.transaction(Scope.system("demo")) as session:
        condition = of_applicant(Ticket, applicant.kind, applicant.id)
        assert session.scalars(select(Ticket.id).where(condition)).all() == [ticket]
        row = session.scalars(select(Item).where(Item.id == item)).one()
        with pytest.raises(LookupError):
            person_of(row)
        state = filing_state(session, _actor(uuid4()), applicant, key="k")
        assert state.open_offerings == {"settlement"}
        none = filing_state(session, _actor(uuid4()), Applicant.themselves(enterprise), key="k")
        assert none.open_offerings == frozenset()
        assert row.applicant_kind is ApplicantKind.ENTERPRISE


def _actor(account: UUID) -> Actor:
    return Actor(ActorKind.AGENT, "demo", account_id=account)


def test_what_is_open_is_open_once(of_enterprise):
    """For an enterprise as for a person; nulls are equal here."""
    of_enterprise(offering_code="once")
    with pytest.raises(Exception, match="uq_items_open"):
        of_enterprise(offering_code="once")
    of_enterprise(offering_code="another")
    ended = {"phase": "ended", "outcome": "withdrawn", "ended_at": clock.now()}
    of_enterprise(offering_code="third", **ended)
    of_enterprise(offering_code="third")


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ("enterprise_id = '{enterprise}'", "one_applicant"),
        ("person_id = NULL", "one_applicant"),
        ("applicant_kind = 'enterprise'", "one_applicant"),
        ("applicant_kind = 'club'", "applicant_kind"),
        ("authority = 'agent'", "authority_is_recorded"),
        ("authority = 'friend'", "authority"),
    ],
)
def test_what_no_ticket_can_say(superuser, filed, enterprise, changes, constraint):
    change = f"UPDATE tickets SET {changes.format(enterprise=enterprise)} WHERE id = %s"
    with pytest.raises(errors.CheckViolation, match=constraint):
        superuser.execute(change, (filed[0].id,))
    if "authority" not in changes:
        change = change.replace("tickets", "items")
        with pytest.raises(errors.CheckViolation, match=constraint):
            superuser.execute(change, (filed[1].id,))


def test_filings_for_one_applicant_take_turns(database):
    """Whoever acts: the second waits until the first is done."""
    applicant, order = Applicant.themselves(uuid4()), []
    began, behind = Barrier(2, timeout=20), Applicant.themselves(uuid4())

    def state(account: UUID, whose: Applicant, session):
        return filing_state(session, _actor(account), whose, key="k")

    def second() -> None:
        began.wait()
        with database.transaction(Scope.system("demo")) as session:
            state(uuid4(), behind, session)
            order.append("another applicant")
            state(uuid4(), applicant, session)
            order.append("second")

    thread = Thread(target=second)
    thread.start()
    with database.transaction(Scope.system("demo")) as session:
        state(uuid4(), applicant, session)
        began.wait()
        while "another applicant" not in order:
            pass
        thread.join(timeout=0.3)
        order.append("first")
    thread.join(timeout=20)
    assert order == ["another applicant", "first", "second"]
