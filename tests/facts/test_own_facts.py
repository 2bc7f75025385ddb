"""What a talent is shown of themselves, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from service.facts import queries
from service.kernel.ids import new_id
from tests.facts.issuing import AT, BUILDERS, DISTRICT, ELSEWHERE, LONG_AGO, POLICE, TIER
from tests.facts.issuing import talent as as_talent
from tests.scopes import scope_of_person

pytestmark = pytest.mark.dated


SHOWN = [
    {
        "code": code,
        "title": {"zh": code, "en": code},
        "value": value,
        "text": {"zh": value, "en": value},
    }
    for code, value in (("class", "B"), ("level", "市级"))
]
"""The words of a kind whose schema has none."""


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def own(talent, actor_of):
    """The person of the talent."""
    return actor_of(talent).person


def listed(who, **query):
    return who.get("/v1/me/facts", query_string=query)


def test_a_fact_with_the_words_for_its_codes(talent, own, issue, superuser):
    fact_id = issue(own, value={"class": "B", "level": "市级"}, issuer=BUILDERS)
    [name] = superuser.execute(
        "SELECT name FROM departments WHERE district_id = 'demo' AND code = %s", (BUILDERS,)
    ).fetchone()
    answer = listed(talent)
    assert answer.status_code == 200, answer.json
    assert answer.json == {
        "items": [
            {
                "id": str(fact_id),
                "kind": "tier",
                "title": TIER["title"],
                "value": {"class": "B", "level": "市级"},
                "value_shown": SHOWN,
                "issuer": BUILDERS,
                "issuer_name": name,
                "valid_from": "2020-01-01",
                "valid_to": None,
                "issued_at": AT.isoformat(),
                "revoked_at": None,
                "state": "in_force",
            }
        ],
        "next": None,
    }


def test_what_has_ended_was_revoked_or_is_to_come_is_shown_as_such(talent, own, issue, revoke):
    issue(own, valid_to=date(2020, 12, 31))
    issue(own, valid_from=date(2090, 1, 1))
    revoke(issue(own))
    issue(own, issuer=BUILDERS)
    told = listed(talent).json["items"]
    assert [fact["state"] for fact in told] == ["in_force", "revoked", "upcoming", "ended"]
    assert [fact["revoked_at"] for fact in told] == [None, AT.isoformat(), None, None]
    assert told[3]["valid_to"] == "2020-12-31"


@pytest.mark.parametrize(
    ("at", "state"),
    [
        (datetime(2026, 3, 31, 15, 59, 59, tzinfo=UTC), "in_force"),
        (datetime(2026, 3, 31, 16, 0, tzinfo=UTC), "ended"),
        (datetime(2020, 1, 1, 0, 0, tzinfo=UTC), "in_force"),
        (datetime(2019, 12, 31, 16, 0, tzinfo=UTC), "in_force"),
        (datetime(2019, 12, 31, 15, 59, 59, tzinfo=UTC), "upcoming"),
    ],
)
def test_a_day_is_the_districts_day(session, issue, person, at, state):
    issue(person, valid_from=LONG_AGO, valid_to=date(2026, 3, 31))
    actor = replace(as_talent(person), zone="Asia/Shanghai")
    [own] = queries.facts_for(session, actor, before=None, limit=25, on=actor.local_date(at))
    assert own.state == state


def test_pages_follow_each_other_without_a_gap(talent, own, issue):
    ids = [str(issue(own)) for _ in range(5)]
    page = listed(talent, limit=2)
    seen = page.json["items"]
    while page.json["next"] is not None:
        assert 'rel="next"' in page.headers["Link"]
        page = listed(talent, limit=2, after=page.json["next"])
        assert 1 <= len(page.json["items"]) <= 2
        seen += page.json["items"]
    assert [fact["id"] for fact in seen] == ids[::-1]
    assert seen == listed(talent).json["items"]


def test_what_comes_in_between_moves_no_page(talent, own, issue):
    ids = [str(issue(own)) for _ in range(4)]
    cursor = listed(talent, limit=2).json["next"]
    issue(own)
    rest = listed(talent, limit=2, after=cursor).json
    assert [fact["id"] for fact in rest["items"]] == ids[1::-1]
    assert rest["next"] is None


def test_another_account_sees_none_and_its_cursor_is_refused(world, talent, own, issue):
    issue(own), issue(own)
    other = world.stranger()
    assert listed(other).json == {"items": [], "next": None}
    answer = listed(other, after=listed(talent, limit=1).json["next"])
    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "cursor_invalid"


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"limit": "all"}, {"after": "x"}, {"kind": "x"}]
)
def test_what_is_no_page_is_refused(talent, query):
    assert listed(talent, **query).status_code == 422


def test_only_talents_have_facts_of_their_own(client, world):
    assert client.get("/v1/me/facts").status_code == 401
    for name in (f"clerk.{POLICE}", f"head.{POLICE}", "auditor"):
        assert listed(world.staff(name)).status_code == 403


def test_the_list_is_of_the_district_signed_in_to(database, issue, person):
    issue(person)
    actor = as_talent(person, district=ELSEWHERE)
    with database.transaction(scope_of_person(ELSEWHERE, person)) as session:
        assert queries.facts_for(session, actor, before=None, limit=25, on=AT.date()) == []


@pytest.mark.parametrize("number", [0, 1, 30])
def test_a_page_costs_the_same_whatever_is_on_it(talent, own, issue, sql_count, number):
    for _ in range(number):
        issue(own)
    with sql_count() as sent:
        answer = listed(talent)
    assert len(answer.json["items"]) == min(number, 25)
    assert sent.total == 3 + bool(number)  # for the key, where there is something to open


def test_facts_about_a_child_are_the_childs(talent, issue):
    child = talent.post(
        "/v1/me/family",
        json={
            "name": "李小明",
            "kinship": "child",
            "id_type": "passport",
            "id_number": "E12345678",
            "id_country": "GBR",
            "birth_date": "2019-06-01",
        },
    ).json["id"]
    issue(UUID(child))
    assert listed(talent).json["items"] == []


def test_the_scope_of_a_talent_reads_what_filing_needs(database, issue, person):
    """A filing runs as the talent, and looks up what is known of their family too."""
    child = new_id()
    issue(child)
    with database.transaction(scope_of_person(DISTRICT, person, child)) as session:
        actor = as_talent(person)
        found = queries.facts_of(session, actor, persons=[person, child], on=AT.date())
    assert [len(known) for known in found.values()] == [0, 1]
