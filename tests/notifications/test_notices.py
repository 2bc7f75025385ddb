from __future__ import annotations

from uuid import UUID

import pytest
from psycopg import errors as postgres
from sqlalchemy import delete, event, select, update
from sqlalchemy.exc import ProgrammingError

from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Scope, insert_rows
from service.kernel.ids import new_id
from service.notifications import actions, queries
from service.notifications.handlers import tell_applicant
from service.notifications.models import Notice
from service.tickets.rules import Happening
from tests.notifications.filed import AT, DISTRICT, file_for, happened

NO_MORE = {"value": 0, "exact": True}


class Talent:
    """A talent who is signed in, and what they are told."""

    def __init__(self, client, database):
        self._client, self._database = client, database
        answer = client.post("/v1/auth/wechat", json={"code": f"demo:{new_id().hex}"}).json
        self.account = UUID(answer["account"]["id"])
        self._headers = {"Authorization": f"Bearer {answer['access_token']}"}

    def is_told(self, *kinds):
        with self._database.transaction(Scope(DISTRICT)) as session:
            ticket, item, number = file_for(session, self.account)
            for kind in kinds:
                about = item if kind.value.startswith("item") else None
                tell_applicant(session, happened(kind, ticket, about))
        return number

    def notices(self, **query):
        return self._client.get("/v1/notices", query_string=query, headers=self._headers)

    def reads(self, **body):
        return self._client.post("/v1/notices/read", json=body, headers=self._headers)


@pytest.fixture
def talent(client, database):
    return Talent(client, database)


@pytest.fixture
def other(client, database):
    return Talent(client, database)


def test_notices_come_newest_first_in_both_languages(talent):
    number = talent.is_told(Happening.TICKET_FILED, Happening.ITEM_ACCEPTED)
    page = talent.notices().json
    accepted, filed = page["items"]
    assert (accepted["kind"], accepted["number"]) == ("item_accepted", f"{number}-01")
    assert accepted["title"] == {
        "zh": f"子办件 {number}-01 已受理。",
        "en": f"Item {number}-01 has been accepted for processing.",
    }
    assert (filed["kind"], filed["item"], filed["read_at"]) == ("ticket_filed", None, None)
    assert filed["ticket"] == accepted["ticket"]
    assert filed["at"] == AT.isoformat()
    assert (page["next"], page["unread"]) == (None, {"value": 2, "exact": True})


def test_pages_follow_each_other_without_a_gap(talent):
    talent.is_told(*[Happening.ITEM_ACCEPTED] * 5)
    seen, after = [], None
    while True:
        page = talent.notices(limit=2, **({"after": after} if after else {})).json
        seen += [notice["id"] for notice in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == 5
    assert seen == sorted(seen, reverse=True)
    assert seen == [notice["id"] for notice in talent.notices().json["items"]]


def test_what_was_named_is_read_then_all(talent):
    talent.is_told(*[Happening.ITEM_ACCEPTED] * 3)
    newest = talent.notices().json["items"][0]["id"]
    assert talent.reads(ids=[newest]).json == {"unread": {"value": 2, "exact": True}}
    first_read = talent.notices().json["items"][0]["read_at"]
    assert first_read is not None
    assert talent.reads().json == {"unread": NO_MORE}
    page = talent.notices().json
    assert all(notice["read_at"] for notice in page["items"])
    assert page["items"][0]["read_at"] == first_read
    assert page["unread"] == NO_MORE


def test_another_account_sees_none_and_reads_none(talent, other):
    talent.is_told(Happening.TICKET_FILED)
    mine = talent.notices().json["items"][0]["id"]
    assert other.notices().json == {"items": [], "next": None, "unread": NO_MORE}
    assert other.reads(ids=[mine]).json == {"unread": NO_MORE}
    assert other.reads().status_code == 200
    assert talent.notices().json["unread"] == {"value": 1, "exact": True}


def test_the_cursor_of_another_account_is_refused(talent, other):
    talent.is_told(*[Happening.ITEM_ACCEPTED] * 2)
    cursor = talent.notices(limit=1).json["next"]
    answer = other.notices(after=cursor)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "cursor_invalid"


@pytest.mark.parametrize("body", [{"ids": []}, {"ids": ["1"]}, {"id": "1"}])
def test_what_is_no_list_of_ids_is_refused(talent, body):
    assert talent.reads(**body).status_code == 422


def test_a_guest_has_no_notices(client):
    assert client.get("/v1/notices").status_code == 401
    assert client.post("/v1/notices/read", json={}).status_code == 401


def actor_of(account):
    return Actor(kind=ActorKind.TALENT, district=DISTRICT, account_id=account)


def tell_much(session, count):
    account = new_id()
    ticket, _, number = file_for(session, account)
    one = {"district_id": DISTRICT, "account_id": account, "kind": "ticket_filed"}
    one |= {"ticket_id": ticket, "params": {"number": number}, "at": AT}
    rows = [{**one, "event_id": new_id()} for _ in range(count)]
    insert_rows(session, Notice, rows)
    return actor_of(account)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (99, queries.Count(99, exact=True)),
        (100, queries.Count(100, exact=True)),
        (101, queries.Count(100, exact=False)),
    ],
)
def test_the_count_is_exact_or_says_that_it_is_not(session, count, expected):
    assert queries.unread_for(session, tell_much(session, count)) == expected


def test_all_means_what_happened_until_then(session):
    actor = tell_much(session, 2)
    before = AT.replace(year=AT.year - 1)
    assert actions.mark_read(session, actor, ids=None, at=before).value == 2
    assert actions.mark_read(session, actor, ids=None, at=AT).value == 0


def test_a_page_costs_one_statement_and_so_does_the_count(session):
    actor = tell_much(session, 30)
    statements = []
    connection = session.connection()
    event.listen(connection, "after_cursor_execute", lambda *told: statements.append(told[2]))
    found = queries.notices_for(session, actor, before=None, limit=25)
    queries.unread_for(session, actor)
    assert (len(found), len(statements)) == (26, 2)


def test_another_district_sees_nothing(talent, database):
    talent.is_told(Happening.TICKET_FILED)
    mine = select(Notice.id).where(Notice.account_id == talent.account)
    with database.transaction(Scope(DISTRICT)) as session:
        assert len(session.scalars(mine).all()) == 1
    for scope in (Scope("elsewhere"), Scope(), Scope(account=talent.account)):
        with database.transaction(scope) as session:
            assert session.scalars(mine).all() == []


@pytest.mark.parametrize("change", [delete(Notice), update(Notice).values(kind="another")])
def test_the_application_may_change_only_what_has_been_read(session, change):
    with pytest.raises(ProgrammingError) as refused:
        session.execute(change)
    assert isinstance(refused.value.orig, postgres.InsufficientPrivilege)
