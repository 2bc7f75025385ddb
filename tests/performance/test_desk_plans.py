"""Plans of the desk's queries as the application role, at 100,000 open tasks in one department.

One task in a hundred is of another offering, one in a thousand of another stage and role; all are
due within six weeks around now, and warned of three hours before. Where one index is as good as
another the planner may take either: what is asserted is how much of it is read.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from service.desk.actions.take import take_next_task
from service.desk.queries.counts import task_counts_for
from service.desk.queries.histories import history_of, item_timeline_for
from service.desk.queries.listing import TaskFilter, items_numbered, tasks_for
from service.desk.queries.tasks import task_for
from service.desk.rules import MOST_COUNTED
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind, Post
from service.kernel.db import Database, Scope
from service.kernel.errors import NotFound
from service.kernel.permissions import Role
from service.tickets.rules.states import Light, TaskStatus
from tests.conftest import url_of
from tests.plans import explained
from tests.scopes import scope_of_staff

pytestmark = pytest.mark.slow

POLICE, BUILDERS = "public_security", "construction"
OPEN, CLAIMED, MINE, HISTORY = 100_000, 400, 40, 20_000
BIG = {"tasks", "items", "tickets", "stages", "events"}
PAGE = 25
CLERK = uuid4()
ACTIVE = "ix_tasks_active"
OF_THE_LINE = {"pk_items", "pk_tickets"}
"""What the rest of a line of the list is read by."""
BOUND = MOST_COUNTED + 1

_FILL = """
CREATE TEMP TABLE filled AS
SELECT n, uuidv7() AS ticket, uuidv7() AS item, uuidv7() AS stage, uuidv7() AS task,
       n <= %(open)s AS active, n %% 100 = 7 AS rare, n %% 1000 = 9 AS later,
       CASE WHEN n %% 997 < 3 THEN date_trunc('hour', now()) - interval '1 day'
            ELSE date_trunc('hour', now()) + (n %% 997) * interval '1 hour' END AS due
FROM generate_series(1, %(open)s + %(history)s) AS n;

INSERT INTO tickets (district_id, id, number, version, bundle_code, bundle_version_id, person_id,
    account_id, status, filed_at, due_at, due_basis, provisional, last_seq, filing_key,
    filing_digest)
SELECT 'demo', ticket, 'LB350100' || lpad(n::text, 9, '0'), 1, 'arrival', bundle.id,
       gen_random_uuid(), gen_random_uuid(), 'in_progress', now(), now(), 'projected', false, 5,
       'k' || n, ''
FROM filled, bundle_versions bundle;

INSERT INTO items (district_id, id, ticket_id, number, ordinal, version, offering_code,
    offering_version_id, person_id, phase, outcome, received_at, decided_at, ended_at, due_at,
    warn_at, due_basis, provisional)
SELECT 'demo', item, ticket, 'LB350100' || lpad(n::text, 9, '0') || '-01', 1, 1, offering.code,
       offering.id, item, CASE WHEN active THEN 'acceptance' ELSE 'ended' END,
       CASE WHEN active THEN NULL ELSE 'not_accepted' END, now(),
       CASE WHEN active THEN NULL ELSE now() END, CASE WHEN active THEN NULL ELSE now() END,
       due, due, 'projected', false
FROM filled, offering_versions offering
WHERE offering.code = CASE WHEN rare THEN 'housing_rent' ELSE 'settlement' END;

INSERT INTO stages (district_id, id, item_id, person_id, key, round, status, departments, opened_at,
    due_at, warn_at)
SELECT 'demo', stage, item, item, CASE WHEN later THEN 'decision' ELSE 'acceptance' END, 1, 'open',
       ARRAY['public_security'], now(), due, due
FROM filled;

INSERT INTO tasks (district_id, id, ticket_id, item_id, person_id, stage_id, stage_key, kind,
    offering_code, department, role, status, version, assignee, opened_at, due_at, warn_at,
    closed_at, verdict, deemed)
SELECT 'demo', task, ticket, item, item, stage,
       CASE WHEN later THEN 'decision' ELSE 'acceptance' END,
       CASE WHEN later THEN 'decision' ELSE 'acceptance' END,
       CASE WHEN rare THEN 'housing_rent' ELSE 'settlement' END, 'public_security',
       CASE WHEN later THEN 'reviewer' ELSE 'clerk' END,
       CASE WHEN NOT active THEN 'closed' WHEN n %% 250 = 1 THEN 'claimed' ELSE 'open' END, 1,
       CASE WHEN NOT active OR n %% 2500 = 1 THEN %(clerk)s::uuid
            WHEN n %% 250 = 1 THEN gen_random_uuid() END, now(), due,
       due - interval '3 hours', CASE WHEN active THEN NULL ELSE now() END,
       CASE WHEN active THEN NULL ELSE 'not_accept' END, false
FROM filled;

INSERT INTO events (district_id, id, kind, ticket_id, seq, item_id, actor_kind, public, data, at)
SELECT 'demo', uuidv7(), 'item_filed', ticket, seq, item, 'talent', true, '{}', now()
FROM filled, generate_series(1, 5) AS seq WHERE n <= 20000;
"""


@pytest.fixture(scope="module")
def filled(database, database_name) -> Database:
    """The module's database, full. Foreign keys are not checked while it is filled."""
    values = {"open": OPEN, "history": HISTORY, "clerk": CLERK}
    with psycopg.connect(url_of("superuser", database_name)) as connection:
        connection.execute("SET session_replication_role = replica")
        psycopg.ClientCursor(connection).execute(_FILL, values)
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        connection.execute(f"VACUUM ANALYZE {', '.join(sorted(BIG))}")
    return database


@pytest.fixture
def plans_of(filled):
    """What a call sends first to `table`, explained: carried out, and as planned for any values."""

    def explain(actor, call, table="tasks"):
        done, planned = explained(filled, actor, call, table)
        done.reads_nothing_whole(BIG, sorted_at_most=4 * PAGE)
        return done, planned

    return explain


def staff(*posts: tuple[str, Role]) -> Actor:
    held = tuple(Post(department, frozenset({role})) for department, role in posts)
    return Actor(ActorKind.STAFF, "demo", account_id=CLERK, posts=held)


POLICE_CLERK = staff((POLICE, Role.CLERK))


def listed(wanted, behind=None, actor=POLICE_CLERK):
    return lambda session: tasks_for(session, actor, wanted, behind=behind, limit=PAGE)


def lit(light):
    return TaskFilter(lit=(light, clock.now()))


WALKS = {ACTIVE, "ix_tasks_offering", "ix_tasks_stage", "ix_tasks_claimed", "ix_tasks_next"}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (TaskFilter(), ACTIVE),
        (TaskFilter((TaskStatus.OPEN,)), ACTIVE),
        (TaskFilter(unassigned=True), ACTIVE),
        (TaskFilter(stage="acceptance"), "ix_tasks_stage"),
        (lit(Light.RED), ACTIVE),
        (lit(Light.GREEN), ACTIVE),
        (TaskFilter(due_before=clock.now() + timedelta(days=9)), ACTIVE),
        (TaskFilter(offering="settlement"), "ix_tasks_offering"),
        (TaskFilter(offering="settlement", stage="acceptance"), "ix_tasks_offering"),
        (TaskFilter((TaskStatus.CLAIMED,)), "ix_tasks_claimed"),
        (TaskFilter((TaskStatus.CLOSED,)), "ix_tasks_past"),
        (TaskFilter((TaskStatus.CANCELLED, TaskStatus.CLOSED)), "ix_tasks_past"),
        # what is rare is found without a look at the table
        (TaskFilter(stage="decision"), "ix_tasks_stage"),
        (TaskFilter(stage="none"), "ix_tasks_stage"),
        (lit(Light.YELLOW), ACTIVE),
        (TaskFilter(offering="housing_rent"), "ix_tasks_offering"),
        (TaskFilter(offering="none"), "ix_tasks_offering"),
        (TaskFilter(offering="housing_rent", stage="decision"), "ix_tasks_offering"),
        (TaskFilter(assignee=CLERK), "ix_tasks_claimed"),
        (TaskFilter(assignee=uuid4()), "ix_tasks_claimed"),
    ],
)
def test_every_filter_is_a_walk_of_one_index(plans_of, wanted, index):
    done, planned = plans_of(POLICE_CLERK, listed(wanted))
    spare = WALKS if wanted.offering or wanted.stage else set()
    for plan in (done, planned):
        assert plan.indexes & {index, *spare}
        assert plan.indexes <= {index, *spare, *OF_THE_LINE}
    assert sum(done.touched(name) for name in done.indexes - OF_THE_LINE) <= 2 * PAGE + 1
    assert all(done.touched(name) <= PAGE + 1 for name in OF_THE_LINE)


@pytest.mark.parametrize("wanted", [TaskFilter(stage="acceptance"), lit(Light.GREEN)])
def test_a_late_page_costs_what_the_first_costs(plans_of, filled, wanted):
    with filled.transaction(Scope.system("demo")) as session:
        late = tuple(
            session.connection()
            .exec_driver_sql(
                "SELECT due_at, id FROM tasks WHERE department = 'public_security' AND status IN"
                f" ('open', 'claimed') ORDER BY due_at, id OFFSET {2000 * PAGE - 1} LIMIT 1"
            )
            .one()
        )
    plan, _ = plans_of(POLICE_CLERK, listed(wanted, behind=late))
    assert plan.indexes <= {ACTIVE, "ix_tasks_stage", *OF_THE_LINE}
    assert sum(plan.touched(name) for name in plan.indexes & WALKS) == PAGE + 1


def test_a_search_looks_at_what_it_found(plans_of, filled):
    for number, expected in (("LB350100000012345", 1), ("lb35010000001234", 10)):
        found: list[UUID] = []

        def search(session, number=number, found=found):
            found[:] = items_numbered(session, POLICE_CLERK, number)

        plan, _ = plans_of(POLICE_CLERK, search, "items")
        assert plan.indexes == {"uq_items_district_id_number"}
        assert len(found) == plan.touched("uq_items_district_id_number") == expected
        plan, _ = plans_of(POLICE_CLERK, listed(TaskFilter(items=found)))
        assert plan.indexes == {"ix_tasks_item", *OF_THE_LINE}
        assert plan.touched("ix_tasks_item") == expected


def test_counts(plans_of):
    actor = POLICE_CLERK
    plan, _ = plans_of(actor, lambda session: task_counts_for(session, actor, at=clock.now()))
    assert plan.indexes == {ACTIVE, "ix_tasks_offering", "ix_tasks_claimed", "ix_tasks_next"}
    scans = [node for node in plan.nodes() if node.get("Relation Name") == "tasks"]
    assert {node["Node Type"] for node in scans} == {"Index Only Scan"}
    assert all(node["Actual Rows"] * node["Actual Loops"] <= 2 * BOUND for node in scans)
    assert plan.touched(ACTIVE) <= 2 * BOUND
    assert plan.touched("ix_tasks_claimed") == CLAIMED + MINE
    assert plan.touched("ix_tasks_offering") <= BOUND + OPEN // 100 + 4
    assert not [node for node in plan.nodes() if node["Node Type"] == "Sort"]


def test_counts_are_right(filled):
    with filled.transaction(scope_of_staff("demo", CLERK)) as session:
        told = task_counts_for(session, POLICE_CLERK, at=clock.now())
    assert (told.states["claimed"].value, told.mine.value) == (CLAIMED, MINE)
    assert told.states["claimed"].exact
    assert (told.states["open"].value, told.states["open"].exact) == (MOST_COUNTED, False)
    assert told.offerings["housing_rent"].value == OPEN // 100
    assert told.offerings["settlement"].exact is False
    assert told.lights["red"].value > 200
    assert told.lights["yellow"].value > 90


@pytest.mark.parametrize("offering", [None, "settlement", "housing_rent", "none"])
@pytest.mark.parametrize("role", [Role.CLERK, Role.REVIEWER, Role.HEAD])
def test_next(plans_of, role, offering):
    """Whatever else is in front of it, one's own pool is walked, and no more of it than needed."""
    actor = staff((POLICE, role))

    def take(session):
        with suppress(NotFound):
            take_next_task(session, actor, offering=offering, at=clock.now())

    done, planned = plans_of(actor, take)
    assert "ix_tasks_next" in planned.indexes
    assert done.indexes <= WALKS | {*OF_THE_LINE, "pk_tasks"}
    assert sum(done.touched(name) for name in done.indexes & WALKS) <= 4


def test_next_of_several_pools(plans_of):
    actor = staff((POLICE, Role.CLERK), (POLICE, Role.REVIEWER), (BUILDERS, Role.CLERK))
    done, planned = plans_of(actor, lambda session: take_next_task(session, actor, at=clock.now()))
    assert planned.indexes == {"ix_tasks_next"}
    assert done.indexes <= WALKS
    assert sum(done.touched(name) for name in done.indexes & WALKS) <= 6


def test_history_and_timeline(plans_of, filled):
    with filled.transaction(Scope.system("demo")) as session:
        row = tasks_for(session, POLICE_CLERK, TaskFilter(), behind=None, limit=1)[0]
        task = task_for(session, POLICE_CLERK, row.id).task
    plan, _ = plans_of(POLICE_CLERK, lambda session: history_of(session, task))
    assert plan.indexes <= {"ix_tasks_item", "pk_stages"}
    assert plan.touched("ix_tasks_item") == 1

    def timeline(session):
        item_timeline_for(session, POLICE_CLERK, row.item_id)

    plan, _ = plans_of(POLICE_CLERK, timeline, "items")
    assert plan.indexes == {"pk_items", "ix_tasks_item"}
    plan, _ = plans_of(POLICE_CLERK, timeline, "events")
    assert all(name.endswith("_ticket_id_seq_idx") for name in plan.indexes)
