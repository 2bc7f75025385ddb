"""Plans of an agent's lists as the application role: 5,000 employees among many other tickets."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select

from service.employers import queries as enterprise
from service.enterprises import queries as enterprises
from service.enterprises.models import Enterprise
from service.identity.consents.rules import EMPLOYER_VIEW
from service.kernel.actor import Actor, ActorKind
from service.kernel.db import Database, Scope
from service.tickets.models.filed import Ticket
from service.tickets.rules.states import TicketStatus
from tests.conftest import url_of
from tests.plans import Plan, explained

pytestmark = pytest.mark.slow

PAGE = 25
EMPLOYEES, ALL = 5_000, 100_000
OURS, AGENT = uuid4(), uuid4()

# One in twenty of all tickets is of our employees, four are of other enterprises'. One in ten of
# ours has withdrawn the consent, one in five is completed. Two items each; one waits for the other.
_FILL = """
INSERT INTO enterprises (district_id, id, credit_code, name, created_at)
SELECT 'demo', CASE n WHEN 0 THEN %(ours)s ELSE gen_random_uuid() END,
       '91350100M0001' || lpad(n::text, 5, '0'), 'E' || n, now()
FROM generate_series(0, 40) AS n;

CREATE TEMP TABLE filed AS
SELECT n, uuidv7() AS ticket, gen_random_uuid() AS person, uuidv7() AS one, uuidv7() AS two,
       CASE WHEN n %% 20 = 0 THEN 0 WHEN n %% 20 < 5 THEN 1 + n %% 40 END AS employer,
       n %% 20 < 5 AS whole
FROM generate_series(1, %(all)s) AS n;

CREATE TEMP TABLE named AS
SELECT filed.*, enterprises.id AS enterprise
FROM filed LEFT JOIN enterprises ON credit_code = '91350100M0001' || lpad(employer::text, 5, '0');

INSERT INTO persons (id, holder, created_at) SELECT person, true, now() FROM named WHERE whole;
INSERT INTO district_persons (district_id, id, person_id, since)
SELECT 'demo', uuidv7(), person, now() FROM named WHERE whole;

INSERT INTO employments (district_id, id, person_id, enterprise_id, confirmed_at, source)
SELECT 'demo', uuidv7(), person, enterprise, now(), 'filing'
FROM named WHERE enterprise IS NOT NULL;

INSERT INTO consents (district_id, id, person_id, code, version, legal_basis, given_at,
    withdrawn_at)
SELECT 'demo', uuidv7(), person, code, 1, 'consent', now(),
       CASE WHEN code = 'enterprise' AND n %% 200 = 0 THEN now() END
FROM named, unnest(ARRAY['processing', 'enterprise']) AS code
WHERE whole;

INSERT INTO tickets (district_id, id, number, version, bundle_code, bundle_version_id, person_id,
    account_id, employer_id, status, filed_at, ended_at, due_at, due_basis, provisional, last_seq,
    filing_key, filing_digest)
SELECT 'demo', ticket, 'T' || n, 1, 'arrival', bundle.id, person, gen_random_uuid(), enterprise,
       CASE WHEN n %% 100 = 40 THEN 'completed' ELSE 'in_progress' END, now(),
       CASE WHEN n %% 100 = 40 THEN now() END, now(), 'projected', false, 2, 'k' || n, ''
FROM named, bundle_versions bundle;

INSERT INTO items (district_id, id, ticket_id, number, ordinal, version, offering_code,
    offering_version_id, person_id, employer_id, phase, received_at, due_at, warn_at, due_basis,
    provisional)
SELECT 'demo', item, ticket, 'T' || n || '-0' || ordinal, ordinal, 1, offering.code, offering.id,
       person, enterprise, 'acceptance', now(), now(), now(), 'projected', false
FROM named,
     LATERAL (VALUES (1, one, 'recognition'), (2, two, 'settlement')) AS of(ordinal, item, code)
JOIN offering_versions offering ON offering.code = of.code
WHERE whole;

INSERT INTO edges (district_id, id, ticket_id, item_id, person_id, employer_id, predecessor, kind,
    "on", otherwise, status)
SELECT 'demo', uuidv7(), ticket, two, person, enterprise, 'recognition', 'soft', 'approved',
    'close', 'waiting'
FROM named WHERE whole;

ANALYZE enterprises, persons, district_persons, employments, consents, tickets, items, edges;
"""


@pytest.fixture(scope="module")
def filled(database, database_name) -> Database:
    """The module's database, full. Foreign keys are not checked while it is filled."""
    values = {"ours": OURS, "all": ALL}
    with psycopg.connect(url_of("superuser", database_name)) as connection:
        connection.execute("SET session_replication_role = replica")
        psycopg.ClientCursor(connection).execute(_FILL, values)
    return database


@pytest.fixture
def agent() -> Actor:
    return Actor(ActorKind.AGENT, "demo", account_id=AGENT)


@pytest.fixture
def middle(filled) -> Callable[..., UUID]:
    """The id of a row of ours half-way down a list; `seen`: of somebody who lets us follow."""

    def find(table: str, column: str, *, seen: bool = False) -> UUID:
        standing = (
            " AND person_id IN (SELECT person_id FROM consents WHERE code = 'enterprise'"
            " AND withdrawn_at IS NULL)"
        )
        with filled.transaction(Scope.system("demo")) as session:
            return (
                session.connection()
                .exec_driver_sql(
                    f"SELECT id FROM {table} WHERE {column} = %(ours)s {standing if seen else ''}"
                    f" ORDER BY id DESC OFFSET {EMPLOYEES // 2} LIMIT 1",
                    {"ours": OURS},
                )
                .scalar_one()
            )

    return find


def filed_at(filled):
    """When all of them were filed: what is left of their order is that of their ids."""
    with filled.transaction(Scope.system("demo")) as session:
        return session.scalars(select(Ticket.filed_at).distinct()).one()


def requests(agent, *, status=None, before=None):
    return lambda session: enterprise.requests_for(
        session, agent, OURS, status=status, before=before, limit=PAGE
    )


def plan_of(filled, agent, call, table):
    """The plan, which must be the same for any values, and read no table whole."""
    plan, generic = explained(filled, agent, call, table, enterprise=OURS)
    assert plan.indexes == generic.indexes
    assert plan.read_whole == generic.read_whole == set()
    return plan


@pytest.mark.parametrize("late", [False, True])
def test_a_page_of_requests_is_one_walk_wherever_it_begins(filled, agent, middle, late):
    before = (filed_at(filled), middle("tickets", "employer_id")) if late else None
    call = requests(agent, before=before)
    plan = plan_of(filled, agent, call, "tickets")
    assert plan.indexes == {"ix_tickets_employer"}
    assert plan.kinds == {"Index Scan", "Limit"}  # nothing is sorted, nothing hashed
    assert plan.touched("ix_tickets_employer") <= 2 * PAGE


def test_a_status_narrows_the_same_walk(filled, agent):
    plan = plan_of(filled, agent, requests(agent, status=TicketStatus.COMPLETED), "tickets")
    assert plan.kinds == {"Index Scan", "Limit"}
    assert plan.touched("ix_tickets_employer") <= 7 * PAGE  # one in five is completed


@pytest.mark.parametrize(
    ("table", "index", "rows"),
    [
        ("items", "uq_items_ticket", 2 * (PAGE + 1)),
        ("edges", "uq_edges_ticket", PAGE + 1),
    ],
)
def test_what_belongs_to_a_page_is_looked_up(filled, agent, table, index, rows):
    plan = plan_of(filled, agent, requests(agent), table)
    assert index in plan.indexes
    assert plan.touched(index) == rows


def test_one_request(filled, agent, middle):
    ticket = middle("tickets", "employer_id", seen=True)
    call = lambda session: enterprise.request_for(session, agent, OURS, ticket)  # noqa: E731
    plan = plan_of(filled, agent, call, "tickets")
    assert sum(plan.touched(index) for index in plan.indexes) <= 3


@pytest.mark.parametrize("late", [False, True])
def test_a_page_of_employees_is_one_walk(filled, agent, middle, late):
    before = middle("employments", "enterprise_id") if late else None

    def call(session):
        ours = Enterprise(district_id="demo", id=OURS)
        return enterprises.employees_for(session, agent, ours, before=before, limit=PAGE)

    plan = plan_of(filled, agent, call, "employments")
    assert plan.indexes == {"ix_employments_enterprise"}
    assert plan.kinds == {"Index Scan", "Limit"}
    assert plan.touched("ix_employments_enterprise") <= 2 * PAGE


def test_whether_one_person_may_be_followed_is_two_probes(filled, superuser):
    """What the function asks, for each row of a list."""
    (body,) = superuser.execute(
        "SELECT prosrc FROM pg_proc WHERE proname = 'employer_may_follow'"
    ).fetchone()
    assert f"consent.code = '{EMPLOYER_VIEW}'" in body
    asked = re.search(r"RETURN (.*?);", body, re.DOTALL)[1]
    (person,) = superuser.execute(
        "SELECT person_id FROM employments WHERE enterprise_id = %s LIMIT 1", (OURS,)
    ).fetchone()
    for name, value in (("in_district", "demo"), ("of_person", person), ("of_enterprise", OURS)):
        asked = asked.replace(name, f"'{value}'")
    (told,) = superuser.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT {asked}").fetchone()
    plan = Plan(told[0]["Plan"])
    assert plan.indexes == {"uq_employments_open", "uq_consents_in_force"}
    assert plan.read_whole == set()
