"""How many SQL statements it costs: BEGIN and COMMIT do not count."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.enterprises.conftest import OURS, THEIRS, look


@pytest.fixture(autouse=True)
def warm(agent, employee):
    """A process that has answered each of these before: what it compiles once is compiled."""
    ticket = employee().file("settlement", "recognition", "housing_rent")
    assert look(agent, ticket).status_code == 200
    assert agent.get("/v1/enterprise/requests").status_code == 200


def count(sql_count, call, status=200):
    with sql_count() as sent:
        answer = call()
    assert answer.status_code == status, answer.json
    return sent.total


def test_an_agents_pages_cost_the_same_whatever_is_on_them(hire, employee, sql_count):
    """Who asks, in which scope, the enterprise, what it may see; the calendar; then the list.

    Names are opened with the keys of their persons, which are read once and then at hand.
    """
    agent, costs = hire(THEIRS), []
    for number in (0, 1, 2, 4):
        for _ in range(number):
            employee().file("settlement", "recognition", employer=THEIRS)
        costs.append(
            tuple(
                count(sql_count, lambda path=path: agent.get(f"/v1/enterprise{path}"))
                for path in ("", "/employees", "/requests", "/requests?status=in_progress")
            )
        )
    assert costs == [(4, 5, 5, 5), (4, 7, 8, 8), (4, 7, 8, 8), (4, 7, 8, 8)]


def test_one_request(agent, employee, sql_count):
    few = employee().file("settlement")
    many = employee().file("settlement", "recognition", "housing_rent", "medical")
    assert [count(sql_count, lambda one=one: look(agent, one)) for one in (few, many)] == [8, 8]


def filing(someone, **options):
    body, key = someone.body("settlement", **options), {"Idempotency-Key": uuid4().hex}
    return lambda: someone.signed.post("/v1/tickets", json=body, headers=key)


def test_letting_the_employer_follow_costs_one_statement_more(employee, sql_count):
    """Not letting it costs none, nor letting one that the district does not know; confirmed before
    makes no difference.
    """
    plain = count(sql_count, filing(employee(), follows=False), 201)
    known = count(sql_count, filing(employee(), employer=OURS), 201)
    unknown = count(sql_count, filing(employee(), employer="91110000600037341L"), 201)
    assert (known - plain, unknown - plain) == (1, 0)
    someone = employee()
    someone.file("housing_rent")
    assert count(sql_count, filing(someone), 201) == known


def test_changing_a_consent(employee, sql_count):
    someone = employee()
    someone.file()
    withdraw = lambda: someone.consent(given=False)  # noqa: E731
    assert [count(sql_count, withdraw), count(sql_count, withdraw)] == [5, 4]
