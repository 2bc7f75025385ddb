"""What is below an item names the item's ticket: the database refuses any other, and none."""

from __future__ import annotations

from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import errors

from tests.conftest import url_of

# A row like one that was filed, of that ticket and item.
_WRITTEN = {
    "edges": """
INSERT INTO edges (district_id, id, ticket_id, item_id, person_id, predecessor, kind, "on",
    otherwise, status)
SELECT district_id, uuidv7(), %(ticket)s, %(item)s, person_id, 'another', kind, "on", otherwise,
    'waiting'
FROM edges WHERE ticket_id = %(filed)s AND otherwise <> 'ask' LIMIT 1""",
    "tasks": """
INSERT INTO tasks (district_id, id, ticket_id, item_id, person_id, stage_id, stage_key, kind,
    offering_code, department, role, status, version, opened_at, due_at, warn_at, deemed, barred)
SELECT district_id, uuidv7(), %(ticket)s, %(item)s, person_id, stage_id, stage_key, kind,
    offering_code, 'finance', role, 'open', 1, opened_at, due_at, warn_at, false, '{}'
FROM tasks WHERE ticket_id = %(filed)s LIMIT 1""",
    "corrections": """
INSERT INTO corrections (district_id, id, ticket_id, item_id, person_id, task_id, points, asked_at,
    due_at)
SELECT district_id, uuidv7(), %(ticket)s, %(item)s, person_id, id, '', opened_at, due_at
FROM tasks WHERE ticket_id = %(filed)s LIMIT 1""",
    "clock_segments": """
INSERT INTO clock_segments (district_id, id, ticket_id, item_id, person_id, kind, effect, began_at)
SELECT district_id, uuidv7(), %(ticket)s, %(item)s, person_id, 'correction', 'restarts', opened_at
FROM tasks WHERE ticket_id = %(filed)s LIMIT 1""",
}
_ITEM = "SELECT item_id FROM edges WHERE ticket_id = %s"


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name)) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def filed(world) -> UUID:
    return UUID(world.ticket(None, "recognition", "housing_rent")["id"])


@pytest.mark.parametrize("table", _WRITTEN)
def test_a_row_names_an_item_and_its_ticket(world, superuser, filed, table):
    other = UUID(world.ticket(None, "settlement")["id"])
    (item,) = superuser.execute(_ITEM, (filed,)).fetchone()

    def write(ticket: UUID, item: UUID) -> int:
        with superuser.transaction():
            values = {"ticket": ticket, "item": item, "filed": filed}
            return superuser.execute(_WRITTEN[table], values).rowcount

    for ticket, named in ((other, item), (uuid4(), item), (filed, uuid4())):
        with pytest.raises(errors.ForeignKeyViolation):
            write(ticket, named)
    assert write(filed, item) == 1


@pytest.mark.parametrize("table", ["tickets", "items"])
def test_what_has_something_below_it_stays(superuser, filed, table):
    """Whoever deletes rows: of a ticket everything is there, or nothing."""
    column = {"tickets": "id", "items": "ticket_id"}[table]
    with pytest.raises(errors.ForeignKeyViolation):
        superuser.execute(f"DELETE FROM {table} WHERE {column} = %s", (filed,))


def test_an_item_waits_once_for_another(superuser, filed):
    (item,) = superuser.execute(_ITEM, (filed,)).fetchone()
    values = {"ticket": filed, "item": item, "filed": filed}
    superuser.execute(_WRITTEN["edges"], values)
    with pytest.raises(errors.UniqueViolation):
        superuser.execute(_WRITTEN["edges"], values)
