from __future__ import annotations

from sqlalchemy import select

from service import worker
from service.kernel import messages
from service.kernel.ids import new_id
from service.notifications.handlers import tell_applicant
from service.notifications.models import Notice
from service.tickets.rules import Happening
from tests.notifications.filed import AT, file_for, happened


def told(session, account):
    query = select(Notice).where(Notice.account_id == account).order_by(Notice.id)
    return session.scalars(query).all()


def test_an_event_is_told_once_however_often_it_comes(session):
    account = new_id()
    ticket, _, number = file_for(session, account)
    event = happened(Happening.TICKET_FILED, ticket, bundle="arrival")
    tell_applicant(session, event)
    tell_applicant(session, event)
    [notice] = told(session, account)
    assert (notice.event_id, notice.kind, notice.at) == (event.id, "ticket_filed", AT)
    assert (notice.ticket_id, notice.item_id, notice.read_at) == (ticket, None, None)
    assert notice.params == {"number": number, "bundle": "arrival"}


def test_what_happens_to_an_item_is_told_with_its_number_and_codes_alone(session):
    account = new_id()
    ticket, item, number = file_for(session, account)
    event = happened(
        Happening.ITEM_APPROVED,
        ticket,
        item,
        offering="settlement",
        department="public_security",
        event={"opinion": "never to be copied"},
    )
    tell_applicant(session, event)
    [notice] = told(session, account)
    assert (notice.ticket_id, notice.item_id) == (ticket, item)
    assert notice.params == {"number": f"{number}-01", "offering": "settlement"}


def test_nobody_is_told_of_what_is_not_public_or_of_a_ticket_that_is_gone(session):
    account = new_id()
    ticket, item, _ = file_for(session, account)
    tell_applicant(session, happened(Happening.ITEM_ACCEPTED, ticket, item, public=False))
    tell_applicant(session, happened(Happening.TICKET_FILED, new_id()))
    assert told(session, account) == []


def test_every_kind_that_is_told_has_its_words():
    kinds = [kind for kind, called in worker.HANDLERS.items() if tell_applicant in called]
    assert kinds
    for kind in kinds:
        for language in messages.LANGUAGES:
            assert "LB1" in messages.say(f"notice_{kind}", language, {"number": "LB1"})
