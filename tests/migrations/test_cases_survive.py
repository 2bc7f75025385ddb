"""Cases that were filed before a step are there after it, and go on."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.rows import dict_row
from sqlalchemy.exc import IntegrityError

from service.kernel import migrations
from tests.conftest import url_of
from tests.tickets import invariants
from tests.tickets.asking import decide

ROUTING, BEFORE = "0009", "0008"


@pytest.fixture
def rows(database_name):
    def of(statement):
        with psycopg.connect(url_of("superuser", database_name), row_factory=dict_row) as one:
            return one.execute(statement).fetchall()

    return of


@pytest.fixture
def back_and_forth(database, database_name):
    """Down to before the routing and up again; nobody is connected meanwhile."""

    def go():
        owner = url_of("owner", database_name)
        database.engine.dispose()
        migrations.downgrade(owner, BEFORE)
        migrations.upgrade(owner)

    return go


def test_plain_cases_go_down_and_up_and_on(world, database, rows, back_and_forth):
    """Nothing of what they used is newer than the former step."""
    done, under_way = world.ticket(None, "settlement"), world.ticket(None, "settlement")
    world.through(done["items"][0])
    stages = "SELECT id, status, departments, verdict FROM stages ORDER BY id"
    tasks = "SELECT id, status, department, barred FROM tasks ORDER BY id"
    changes = "SELECT id, before, after FROM due_changes ORDER BY id"
    before = [rows(one) for one in (stages, tasks, changes)]
    assert all(before)
    back_and_forth()
    assert [rows(one) for one in (stages, tasks, changes)] == before
    world.through(under_way["items"][0])
    assert invariants.check(database) == 2


def test_what_was_a_first_due_date_and_no_change_is_gone(
    world, database, database_name, rows, back_and_forth
):
    """As it was written until then."""
    world.ticket(None, "settlement")
    owner = url_of("owner", database_name)
    database.engine.dispose()
    migrations.downgrade(owner, BEFORE)
    first = """
    INSERT INTO due_changes (district_id, id, ticket_id, after, basis, cause, event_id, at)
    SELECT district_id, gen_random_uuid(), id, due_at, due_basis, 'filed', id, filed_at FROM tickets
    """
    with psycopg.connect(url_of("superuser", database_name)) as connection:
        connection.execute(first)
    migrations.upgrade(owner)
    assert rows("SELECT FROM due_changes WHERE cause = 'filed'") == []


def test_cases_that_have_used_what_is_new_do_not_go_back(
    world, database, database_name, rows, back_and_forth
):
    """Two stages are skipped and a notice runs: the step that brought them is not undone."""
    number = world.ticket(None, "recognition")["items"][0]["number"]
    clerk = world.staff("clerk.human_resources")
    world.decide(clerk, world.claimed(clerk, number), "accept")
    world.decide(clerk, world.claimed(clerk, number), "pass", {"suggested_class": "D"})
    with pytest.raises(IntegrityError):
        back_and_forth()
    assert rows("SELECT version_num FROM alembic_version") == [{"version_num": ROUTING}]
    migrations.upgrade(url_of("owner", database_name))
    assert invariants.check(database) == 4


def test_what_nobody_could_answer_any_more_is_dropped(world, database, database_name, rows):
    """Until then a correction stayed as it was when its item ended."""
    talent = world.talent()
    ended, held = (world.ticket(talent, one)["items"][0] for one in ("settlement", "housing_rent"))
    point = {"what": "请核对", "section": "residence"}
    for item, department in ((ended, "public_security"), (held, "construction")):
        clerk = world.staff(f"clerk.{department}")
        task = world.claimed(clerk, item["number"])
        assert decide(clerk, task, "return", corrections=[point]).status_code == 200
    seen = {"If-Match": talent.get(f"/v1/items/{ended['id']}").headers["ETag"]}
    gone = talent.post(f"/v1/items/{ended['id']}/withdrawal", headers=seen)
    assert gone.status_code == 200, gone.json
    told = "SELECT item_id::text, dropped_at, dropped_because FROM corrections ORDER BY id"
    before, owner = rows(told), url_of("owner", database_name)
    assert [one["dropped_because"] for one in before] == ["ended", None]
    database.engine.dispose()
    migrations.downgrade(owner, "0013")
    migrations.upgrade(owner)
    assert rows(told) == before
