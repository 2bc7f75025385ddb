from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from service.kernel import messages
from service.kernel.db import Scope
from service.kernel.deliveries import deliver
from service.kernel.events import Event
from service.kernel.ids import new_id
from service.notifications.handlers import tell_applicant, tell_applicants
from service.notifications.models import Notice
from service.subscribers import SUBSCRIPTIONS
from service.tickets.rules.states import TicketEvent
from tests.notifications.happened import AT, DISTRICT, happened


@pytest.fixture
def ticket(world):
    return world.ticket()


def told(session, ticket):
    query = select(Notice).where(Notice.ticket_id == UUID(ticket["id"])).order_by(Notice.id)
    return session.scalars(query).all()


def test_an_event_is_told_once_however_often_it_comes(session, ticket):
    event = happened(TicketEvent.TICKET_COMPLETED, ticket)
    tell_applicant(session, event)
    tell_applicant(session, event)
    [notice] = told(session, ticket)
    assert (notice.event_id, notice.kind, notice.at) == (event.id, "ticket_completed", AT)
    assert (notice.item_id, notice.read_at) == (None, None)
    assert notice.params == {"number": ticket["number"]}


def test_what_happens_to_an_item_is_told_with_its_number_and_codes_alone(session, ticket):
    event = happened(
        TicketEvent.ITEM_APPROVED,
        ticket,
        offering="settlement",
        department="public_security",
        event={"opinion": "never to be copied"},
    )
    tell_applicant(session, event)
    [notice] = told(session, ticket)
    number = ticket["items"][0]["number"]
    assert notice.item_id == UUID(ticket["items"][0]["id"])
    assert notice.params == {"number": number, "offering": "settlement"}


@pytest.mark.parametrize(
    "kind", [TicketEvent.ITEM_BEGUN, TicketEvent.ITEM_CANCELLED, TicketEvent.CHOICE_ASKED]
)
def test_what_follows_from_another_item_is_told_of_the_one_that_it_concerns(session, ticket, kind):
    tell_applicant(session, happened(kind, ticket, offering="medical", predecessor="recognition"))
    [notice] = told(session, ticket)
    assert notice.item_id == UUID(ticket["items"][0]["id"])
    assert notice.params == {"number": ticket["items"][0]["number"], "offering": "medical"}


def test_several_events_are_told_as_each_by_itself_in_two_statements(session, world, sql_count):
    """Of several tickets, items and accounts; one that is gone and one that is not public."""
    one, two, gone = world.ticket(), world.ticket(), {"id": str(new_id())}
    kinds = (TicketEvent.ITEM_APPROVED, TicketEvent.TICKET_COMPLETED)
    events = [
        *(happened(kind, ticket, offering="settlement") for ticket in (one, two) for kind in kinds),
        happened(TicketEvent.TICKET_CLOSED, gone),
        happened(TicketEvent.ITEM_ACCEPTED, one, public=False),
    ]
    with sql_count() as sent:
        tell_applicants(session, events)
    assert sent.total == 2
    for ticket in (one, two):
        shown = [(notice.event_id, notice.params["number"]) for notice in told(session, ticket)]
        approved, completed = [one.id for one in events if str(one.ticket_id) == ticket["id"]][:2]
        item = ticket["items"][0]["number"]
        assert sorted(shown) == sorted([(approved, item), (completed, ticket["number"])])
    accounts = {told(session, ticket)[0].account_id for ticket in (one, two)}
    assert len(accounts) == 2
    tell_applicants(session, events)
    assert len(told(session, one)) == 2


def test_no_event_costs_no_statement(session, sql_count):
    with sql_count() as sent:
        tell_applicants(session, [])
    assert sent.total == 0


def test_nobody_is_told_of_what_is_not_public_or_of_a_ticket_that_is_gone(session, ticket):
    tell_applicant(session, happened(TicketEvent.ITEM_ACCEPTED, ticket, public=False))
    gone = {"id": str(new_id())}
    tell_applicant(session, happened(TicketEvent.TICKET_CLOSED, gone))
    assert told(session, ticket) == told(session, gone) == []


def test_the_worker_delivers_a_filing_twice_and_the_talent_is_told_once(database, world):
    talent = world.talent()
    ticket = world.ticket(talent)
    with database.transaction(Scope.system(DISTRICT)) as session:
        query = select(Event.id).where(Event.ticket_id == UUID(ticket["id"]))
        events = [str(one) for one in session.scalars(query)]
    for _ in range(2):
        deliver(database, district=DISTRICT, events=events)
    [notice] = talent.get("/v1/notices").json["items"]
    assert (notice["kind"], notice["number"]) == ("ticket_filed", ticket["number"])


def test_every_kind_that_is_told_has_its_words():
    (told,) = [one for one in SUBSCRIPTIONS if one.handler is tell_applicant]
    for kind in told.kinds:
        for language in messages.LANGUAGES:
            assert "LB1" in messages.say(f"notice_{kind}", language, {"number": "LB1"})
