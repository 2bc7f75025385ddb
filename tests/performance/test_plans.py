"""Plans of the hot queries as the application role, at 100,000 open tasks in one department.

Asserted is what a plan does, never how long it takes: which index, how many rows it touches, and
that nothing big is read whole or sorted. Every statement is caught as the query sends it. The
filters of the desk are in `test_desk_plans`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import select

from service.applicants.queries.tickets import tickets_for, timeline_for
from service.desk.actions.give_back import claims_left
from service.desk.queries.listing import TaskFilter, tasks_for
from service.filing.queries import filing_state
from service.filing.rules.filing import StatedEmployment
from service.kernel.actor import Actor, ActorKind, Post, system
from service.kernel.db import Database, Scope
from service.kernel.events import Event
from service.kernel.permissions import Role
from service.tickets.models.filed import Ticket
from service.tickets.queries.rows import edges_of, edges_of_all, items_of_all, recipients_of
from service.tickets.rescheduling import tickets_behind
from service.tickets.rules.applicant import Applicant
from service.tickets.timers import TOGETHER, due_alarms
from tests.conftest import url_of
from tests.plans import Plan, explained
from tests.scopes import scope_of_person

pytestmark = pytest.mark.slow

POLICE, BUILDERS = "public_security", "construction"
OPEN, MINE, HISTORY, ELSEWHERE = 100_000, 40, 20_000, 500
BIG = {"tasks", "items", "tickets", "stages", "edges", "events"}
PAGE = 25
ROWS = 10 * TOGETHER
"""What the tickets of one transaction of the timer have."""
CLERK, PERSON = uuid4(), uuid4()
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
FAR_AWAY = datetime(2040, 1, 2, tzinfo=UTC)

# Ten items a ticket. Stages are there for what is due first alone: nothing else reads them here.
_FILL = """
CREATE TEMP TABLE filed AS
SELECT place, uuidv7() AS ticket, place %% 50 = 0 AS own
FROM generate_series(0, (%(open)s + %(history)s + %(elsewhere)s) / 10) AS place;

CREATE TEMP TABLE filled AS
SELECT n, ticket, uuidv7() AS item, uuidv7() AS stage, uuidv7() AS task,
       n <= %(open)s OR n > %(open)s + %(history)s AS active,
       n > %(open)s + %(history)s AS elsewhere,
       date_trunc('hour', now()) + (n %% 997) * interval '1 hour' AS due
FROM generate_series(1, %(open)s + %(history)s + %(elsewhere)s) AS n
JOIN filed ON place = n / 10;

INSERT INTO tickets (district_id, id, number, version, bundle_code, bundle_version_id, person_id,
    account_id, status, filed_at, due_at, due_basis, provisional, last_seq, filing_key,
    filing_digest)
SELECT 'demo', ticket, 'T' || place, 1, 'arrival', bundle.id,
       CASE WHEN own THEN %(person)s ELSE gen_random_uuid() END, gen_random_uuid(),
       'in_progress', now(), now(), 'projected', false, 2, 'k' || place, ''
FROM filed, bundle_versions bundle;

INSERT INTO items (district_id, id, ticket_id, number, ordinal, version, offering_code,
    offering_version_id, person_id, phase, outcome, received_at, decided_at, ended_at, due_at,
    warn_at, due_basis, provisional)
SELECT 'demo', item, ticket, 'T' || n || '-01', 1, 1, offering.code, offering.id, item,
       CASE WHEN active THEN 'acceptance' ELSE 'ended' END,
       CASE WHEN active THEN NULL ELSE 'not_accepted' END, now(),
       CASE WHEN active THEN NULL ELSE now() END, CASE WHEN active THEN NULL ELSE now() END,
       due, due, 'projected', false
FROM filled, offering_versions offering
WHERE offering.code = CASE WHEN elsewhere THEN 'housing_rent' ELSE 'settlement' END;

INSERT INTO stages (district_id, id, item_id, person_id, key, round, status, departments, opened_at,
    due_at, warn_at)
SELECT 'demo', stage, item, item, 'acceptance', 1, 'open',
       ARRAY[CASE WHEN elsewhere THEN 'construction' ELSE 'public_security' END], now(), due, due
FROM filled WHERE active AND n %% 997 < 5;

INSERT INTO edges (district_id, id, ticket_id, item_id, person_id, predecessor, kind, "on",
    otherwise, status, next_at, settled_at)
SELECT 'demo', uuidv7(), ticket, item, item, 'recognition', 'soft', 'approved', 'proceed',
       CASE WHEN active THEN 'waiting' ELSE 'met' END, CASE WHEN active THEN due END,
       CASE WHEN active THEN NULL ELSE now() END
FROM filled;

INSERT INTO tasks (district_id, id, ticket_id, item_id, person_id, stage_id, stage_key, kind,
    offering_code, department, role, status, version, assignee, opened_at, due_at, warn_at,
    closed_at, verdict, deemed, next_alarm_at)
SELECT 'demo', task, ticket, item, item, stage,
       CASE WHEN elsewhere AND n %% 2 = 0 THEN 'publicity' ELSE 'acceptance' END,
       CASE WHEN elsewhere AND n %% 2 = 0 THEN 'publicity' ELSE 'acceptance' END,
       CASE WHEN elsewhere THEN 'housing_rent' ELSE 'settlement' END,
       CASE WHEN elsewhere THEN 'construction' ELSE 'public_security' END, 'clerk',
       CASE WHEN NOT active THEN 'closed' WHEN n <= %(mine)s THEN 'claimed' ELSE 'open' END, 1,
       CASE WHEN NOT active OR n <= %(mine)s THEN %(clerk)s::uuid END, now(), due, due,
       CASE WHEN active THEN NULL ELSE now() END,
       CASE WHEN active THEN NULL ELSE 'not_accept' END, false, CASE WHEN active THEN due END
FROM filled;

UPDATE items SET next_alarm_at = edges.next_at FROM edges
WHERE edges.item_id = items.id AND edges.status IN ('waiting', 'asked') AND items.phase <> 'ended';

INSERT INTO events (district_id, id, kind, ticket_id, seq, person_id, actor_kind, public, data, at)
SELECT 'demo', uuidv7(), 'item_filed', ticket, seq, CASE WHEN own THEN %(person)s::uuid END,
       'talent', true, '{}', now()
FROM filed, generate_series(1, 5) AS seq;

ANALYZE tickets, items, stages, edges, tasks, events;
"""


@pytest.fixture(scope="module")
def filled(database, database_name) -> Database:
    """The module's database, full. Foreign keys are not checked while it is filled."""
    values = {
        "open": OPEN,
        "history": HISTORY,
        "elsewhere": ELSEWHERE,
        "mine": MINE,
        "clerk": CLERK,
        "person": PERSON,
    }
    with psycopg.connect(url_of("superuser", database_name)) as connection:
        connection.execute("SET session_replication_role = replica")
        psycopg.ClientCursor(connection).execute(_FILL, values)
    return database


@pytest.fixture
def plan_of(filled) -> Callable[..., Plan]:
    """The plan of the one statement on a table that a call sends; for any values it is the same."""

    def explain(
        actor: Actor, call: Callable[[Any], Any], table: str, sorted_at_most: int = 4 * PAGE
    ) -> Plan:
        plan, generic = explained(filled, actor, call, table)
        plan.reads_nothing_whole(BIG, sorted_at_most=sorted_at_most)
        assert generic.indexes == plan.indexes
        return plan

    return explain


def staff(*departments: str) -> Actor:
    posts = tuple(Post(name, frozenset({Role.CLERK})) for name in departments)
    return Actor(ActorKind.STAFF, "demo", account_id=CLERK, posts=posts)


def listed(actor, wanted=None, behind=None):
    return lambda session: tasks_for(
        session, actor, wanted or TaskFilter(), behind=behind, limit=PAGE
    )


@pytest.fixture
def late(filled) -> tuple[datetime, UUID]:
    """Where page 2,000 begins."""
    with filled.transaction(Scope.system("demo")) as session:
        return tuple(
            session.connection()
            .exec_driver_sql(
                "SELECT due_at, id FROM tasks WHERE department = 'public_security'"
                f" AND status IN ('open', 'claimed') ORDER BY due_at, id OFFSET {2000 * PAGE - 1}"
                " LIMIT 1"
            )
            .one()
        )


def test_the_first_page(plan_of):
    plan = plan_of(staff(POLICE), listed(staff(POLICE)), "tasks")
    assert plan.indexes == {"ix_tasks_active", "pk_items", "pk_tickets"}
    assert plan.touched("ix_tasks_active") == PAGE + 1
    assert plan.touched("pk_items") == PAGE + 1


def test_a_late_page_costs_what_the_first_costs(plan_of, late):
    plan = plan_of(staff(POLICE), listed(staff(POLICE), behind=late), "tasks")
    assert plan.indexes == {"ix_tasks_active", "pk_items", "pk_tickets"}
    assert plan.touched("ix_tasks_active") == PAGE + 1


def test_two_departments_are_two_walks(plan_of, late):
    actor = staff(POLICE, BUILDERS)
    for behind in (None, late):
        plan = plan_of(actor, listed(actor, behind=behind), "tasks")
        assert plan.indexes == {"ix_tasks_active", "pk_items", "pk_tickets"}
        assert plan.touched("ix_tasks_active") <= 2 * (PAGE + 1)


def test_what_the_timer_looks_for(plan_of):
    """A batch from the beginning, and one behind it: two walks, merged."""
    beginning = (LONG_AGO, UUID(int=0))
    for at, found in ((LONG_AGO, 0), (FAR_AWAY, 50)):
        for behind in (None, beginning):
            plan = plan_of(
                system("demo"),
                lambda session, at=at, behind=behind: due_alarms(
                    session, system("demo"), at=at, behind=behind
                ),
                "tasks",
            )
            assert plan.indexes == {"ix_tasks_alarm", "ix_items_alarm"}
            touched = plan.touched("ix_tasks_alarm") + plan.touched("ix_items_alarm")
            assert found <= touched <= found + 2  # merged: one of each may be looked at in vain


def test_what_follows_a_calendar(plan_of):
    """However many are behind, a batch is what is read of them."""
    beginning = (UUID(int=0), UUID(int=0))
    for behind in (None, beginning):
        plan = plan_of(
            system("demo"),
            lambda session, behind=behind: tickets_behind(
                session, system("demo"), at=FAR_AWAY, behind=behind
            ),
            "tickets",
        )
        assert plan.indexes >= {"ix_tickets_calendar"}
        assert plan.touched("ix_tickets_calendar") <= 51


def test_claims_that_nobody_holds_any_more(plan_of):
    call = lambda session: claims_left(session, system("demo"), at=FAR_AWAY)  # noqa: E731
    plan = plan_of(system("demo"), call, "tasks")
    assert plan.indexes <= {"ix_tasks_claimed", "ix_posts_department"}


def test_ones_tickets(plan_of, filled):
    actor = Actor(ActorKind.TALENT, "demo", account_id=uuid4(), person_id=PERSON)

    def page(before):
        return lambda session: tickets_for(session, actor, before=before, limit=PAGE)

    with filled.transaction(scope_of_person("demo", PERSON)) as session:
        shown = tickets_for(session, actor, before=None, limit=5 * PAGE)
    for before in (None, (shown[-1].filed_at, shown[-1].id)):
        plan = plan_of(actor, page(before), "tickets")
        assert plan.indexes == {"ix_tickets_person"}
        assert plan.touched("ix_tickets_person") == PAGE + 1


def test_a_timeline(plan_of, filled):
    actor = Actor(ActorKind.TALENT, "demo", account_id=uuid4(), person_id=PERSON)
    with filled.transaction(scope_of_person("demo", PERSON)) as session:
        (ticket, *_) = tickets_for(session, actor, before=None, limit=1)
    plan = plan_of(actor, lambda session: timeline_for(session, actor, ticket.id), "events")
    assert plan.indexes
    assert all(name.endswith("_ticket_id_seq_idx") for name in plan.indexes)
    assert sum(plan.touched(name) for name in plan.indexes) == 5


def test_what_a_ticket_waits_for(plan_of, filled):
    with filled.transaction(Scope.system("demo")) as session:
        ticket = session.scalars(select(Ticket).limit(1)).one()
    plan = plan_of(system("demo"), lambda session: edges_of(session, ticket), "edges")
    assert plan.indexes == {"uq_edges_ticket"}
    assert plan.touched("uq_edges_ticket") <= 10


@pytest.fixture
def several(filled):
    """As many tickets as the timer deals with in one transaction, with their items."""
    with filled.transaction(Scope.system("demo")) as session:
        tickets = session.scalars(select(Ticket).order_by(Ticket.id).limit(TOGETHER)).all()
        return tickets, items_of_all(session, tickets)


@pytest.mark.parametrize(
    ("read", "index"), [(items_of_all, "uq_items_ticket"), (edges_of_all, "uq_edges_ticket")]
)
def test_what_several_tickets_have(plan_of, several, read, index):
    tickets, _ = several
    plan = plan_of(system("demo"), lambda session: read(session, tickets), r"items|edges", ROWS)
    assert plan.indexes == {index}
    assert plan.touched(index) <= ROWS


def test_whom_to_tell_of_events_of_several_tickets(filled, several):
    """Tickets and items may be joined by a hash: of both it is the rows of these alone."""
    _, items = several
    events = [
        Event(id=uuid4(), district_id="demo", ticket_id=ticket, item_id=of_ticket[0].id)
        for ticket, of_ticket in items.items()
    ]
    call = lambda session: recipients_of(session, events)  # noqa: E731
    plan, generic = explained(filled, system("demo"), call, "tickets")
    assert not (plan.read_whole | generic.read_whole) & BIG
    assert plan.indexes
    assert all(plan.touched(name) <= ROWS for name in plan.indexes)


def test_what_of_a_person_is_open(plan_of):
    """Filing asks it; whoever has much behind them pays for what is open alone."""
    actor = Actor(ActorKind.TALENT, "demo", account_id=uuid4(), person_id=PERSON)
    stated = StatedEmployment("91350100M000100Y43", None)
    call = lambda session: filing_state(  # noqa: E731
        session, actor, Applicant.themselves(PERSON), key="k", followed_by=stated
    )
    plan = plan_of(actor, call, r"items")
    assert "uq_items_open" in plan.indexes
    assert plan.touched("uq_items_open") == 0
