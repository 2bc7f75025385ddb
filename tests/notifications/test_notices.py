from __future__ import annotations

from uuid import UUID

import pytest
from psycopg import errors as postgres
from sqlalchemy import delete, select, update
from sqlalchemy.exc import ProgrammingError

from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Scope, ScopeKind, insert_rows
from service.kernel.ids import new_id
from service.notifications import queries
from service.notifications.handlers import tell_applicant
from service.notifications.models import Notice
from service.tickets.rules.states import TicketEvent
from tests.notifications.happened import AT, DISTRICT, happened

NO_MORE = {"value": 0, "exact": True}


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def other(world):
    return world.stranger()


@pytest.fixture
def told(database, world, talent):
    """Tells the talent of a ticket of theirs; gives that ticket."""
    ticket = world.ticket(talent)

    def tell(*kinds):
        with database.transaction(Scope.system(DISTRICT)) as session:
            for kind in kinds:
                tell_applicant(session, happened(kind, ticket))
        return ticket

    return tell


def notices(who, **query):
    return who.get("/v1/notices", query_string=query)


def reads(who, **body):
    return who.post("/v1/notices/read", json=body)


def test_notices_come_newest_first_in_both_languages(talent, told):
    ticket = told(TicketEvent.TICKET_FILED, TicketEvent.ITEM_ACCEPTED)
    number = ticket["items"][0]["number"]
    page = notices(talent).json
    accepted, filed = page["items"]
    assert (accepted["kind"], accepted["number"]) == ("item_accepted", number)
    assert accepted["title"] == {
        "zh": f"子办件 {number} 已受理。",
        "en": f"Item {number} has been accepted for processing.",
    }
    assert (accepted["ticket"], accepted["item"]) == (ticket["id"], ticket["items"][0]["id"])
    assert (filed["ticket"], filed["item"], filed["number"]) == (
        ticket["id"],
        None,
        ticket["number"],
    )
    assert (filed["at"], filed["read_at"]) == (AT.isoformat(), None)
    assert (page["next"], page["unread"]) == (None, {"value": 2, "exact": True})


def test_pages_follow_each_other_without_a_gap(talent, told):
    told(*[TicketEvent.ITEM_ACCEPTED] * 5)
    page = notices(talent, limit=2).json
    seen = page["items"]
    while page["next"] is not None:
        page = notices(talent, limit=2, after=page["next"]).json
        assert 1 <= len(page["items"]) <= 2
        seen += page["items"]
    assert len(seen) == 5
    assert seen == sorted(seen, key=lambda notice: notice["id"], reverse=True)
    assert seen == notices(talent).json["items"]


def test_what_was_named_is_read_then_all(talent, told):
    told(*[TicketEvent.ITEM_ACCEPTED] * 3)
    newest = notices(talent).json["items"][0]["id"]
    assert reads(talent, ids=[newest]).json == {"unread": {"value": 2, "exact": True}}
    first_read = notices(talent).json["items"][0]["read_at"]
    assert first_read is not None
    assert reads(talent, until=newest).json == {"unread": NO_MORE}
    page = notices(talent).json
    assert all(notice["read_at"] for notice in page["items"])
    assert page["items"][0]["read_at"] == first_read
    assert page["unread"] == NO_MORE


def test_another_account_sees_none_and_reads_none(talent, other, told):
    told(TicketEvent.TICKET_FILED)
    mine = notices(talent).json["items"][0]["id"]
    assert notices(other).json == {"items": [], "next": None, "unread": NO_MORE}
    assert reads(other, ids=[mine]).json == {"unread": NO_MORE}
    assert reads(other, until=mine).json == {"unread": NO_MORE}
    assert notices(talent).json["unread"] == {"value": 1, "exact": True}


def test_the_cursor_of_another_account_is_refused(talent, other, told):
    told(*[TicketEvent.ITEM_ACCEPTED] * 2)
    cursor = notices(talent, limit=1).json["next"]
    answer = notices(other, after=cursor)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "cursor_invalid"


@pytest.mark.parametrize(
    "body", [{"ids": []}, {"ids": ["1"]}, {"ids": "all"}, {"id": "1"}, {"until": "1"}]
)
def test_what_is_no_list_of_ids_is_refused(talent, body):
    assert reads(talent, **body).status_code == 422


def test_only_talents_have_notices(client, world):
    assert client.get("/v1/notices").status_code == 401
    assert client.post("/v1/notices/read", json={}).status_code == 401
    assert world.staff("clerk.public_security").get("/v1/notices").status_code == 403


@pytest.fixture
def tell_much(session, world):
    """Leaves a new account that many notices, in the transaction of `session`."""
    ticket = world.ticket()

    def tell(count):
        actor = Actor(kind=ActorKind.TALENT, district=DISTRICT, account_id=new_id())
        one = {
            "district_id": DISTRICT,
            "account_id": actor.account,
            "kind": "ticket_filed",
            "ticket_id": UUID(ticket["id"]),
            "params": {"number": ticket["number"]},
            "at": AT,
        }
        insert_rows(session, Notice, [{**one, "event_id": new_id()} for _ in range(count)])
        return actor

    return tell


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (99, queries.Count(99, exact=True)),
        (100, queries.Count(100, exact=True)),
        (101, queries.Count(100, exact=False)),
    ],
)
def test_the_count_is_exact_or_says_that_it_is_not(session, tell_much, count, expected):
    assert queries.unread_for(session, tell_much(count)) == expected


def test_what_came_after_the_page_that_was_shown_stays_unread(talent, told):
    """Left by the worker between the list and the answer to it, whenever it had happened."""
    told(*[TicketEvent.ITEM_ACCEPTED] * 2)
    shown = notices(talent).json["items"]
    told(TicketEvent.ITEM_RETURNED)
    assert reads(talent, until=shown[0]["id"]).json == {"unread": {"value": 1, "exact": True}}
    newest, *others = notices(talent).json["items"]
    assert (newest["kind"], newest["read_at"]) == ("item_returned", None)
    assert all(one["read_at"] for one in others)


@pytest.mark.parametrize("both", [False, True])
def test_which_are_read_is_said_in_one_way(talent, told, both):
    told(TicketEvent.ITEM_ACCEPTED)
    newest = notices(talent).json["items"][0]["id"]
    answer = reads(talent, **({"ids": [newest], "until": newest} if both else {}))
    assert answer.status_code == 422
    assert [one["code"] for one in answer.json["errors"]] == ["ids_or_until"]
    assert notices(talent).json["unread"] == {"value": 1, "exact": True}


def test_a_page_costs_one_statement_and_the_count_another(session, tell_much, sql_count):
    actor = tell_much(30)
    with sql_count() as sent:
        found = queries.notices_for(session, actor, before=None, limit=25)
        queries.unread_for(session, actor)
    assert (len(found), sent.total) == (26, 2)


def test_another_district_sees_nothing(database, talent, told):
    told(TicketEvent.TICKET_FILED)
    account = UUID(talent.account["id"])
    mine = select(Notice.id).where(Notice.account_id == account)
    with database.transaction(Scope.system(DISTRICT)) as session:
        assert len(session.scalars(mine).all()) == 1
    person = Scope(ScopeKind.PERSON, account=account)
    for scope in (Scope.system("elsewhere"), Scope.system(), person):
        with database.transaction(scope) as session:
            assert session.scalars(mine).all() == []


@pytest.mark.parametrize("change", [delete(Notice), update(Notice).values(kind="another")])
def test_the_application_may_change_only_what_has_been_read(session, change):
    with pytest.raises(ProgrammingError) as refused:
        session.execute(change)
    assert isinstance(refused.value.orig, postgres.InsufficientPrivilege)
