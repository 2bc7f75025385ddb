"""Families of before: several spouses, and what an end would lose."""

from __future__ import annotations

import psycopg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy.exc import DBAPIError

from service.kernel import migrations
from service.kernel.ids import new_id
from service.kernel.settings import ROOT
from tests.conftest import url_of
from tests.factories import citizen_id

BEFORE = next(
    revision.down_revision
    for revision in ScriptDirectory(str(ROOT / "migrations")).walk_revisions()
    if revision.path.endswith("_families.py")
)
ADD_MEMBER = "INSERT INTO persons (id, holder, created_at) VALUES (%s, false, now())"
ADD_SPOUSE = (
    "INSERT INTO family_links"
    " (id, person_id, member_id, kinship, id_type, member_index, created_at)"
    " VALUES (%s, %s, %s, 'spouse', 'passport', %s, now())"
)


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner(database, database_name):
    database.engine.dispose()
    return url_of("owner", database_name)


def who_has_ended_a_link(world):
    """A talent whose spouse link has ended."""
    talent = world.talent()
    member = {"name": "李娜", "kinship": "spouse", "id_type": "citizen_id"}
    first = talent.post("/v1/me/family", json=member | {"id_number": citizen_id()}).json
    assert talent.delete(f"/v1/me/family/{first['id']}").status_code == 204
    return talent


def test_a_clock_that_was_behind_does_not_stop_the_upgrade(world, owner, superuser):
    """Of two machines one may have dated the later link before the earlier one."""
    talent = world.talent()
    [person] = superuser.execute(
        "SELECT person_id FROM accounts WHERE id = %s", (talent.account["id"],)
    ).fetchone()
    migrations.downgrade(owner, BEFORE)
    for number in (7, 8):
        superuser.execute(ADD_MEMBER, (spouse := new_id(),))
        superuser.execute(ADD_SPOUSE, (link := new_id(), person, spouse, bytes([number])))
        moved = "UPDATE family_links SET created_at = created_at - %s * interval '1 hour'"
        superuser.execute(f"{moved} WHERE id = %s", (number, link))
    ahead = "UPDATE family_links SET created_at = now() + interval '1 hour' WHERE member_index = %s"
    superuser.execute(ahead, (bytes([7]),))
    migrations.upgrade(owner)
    current = "SELECT count(*) FROM family_links WHERE person_id = %s AND ended_at IS NULL"
    assert superuser.execute(current, (person,)).fetchone() == (1,)
    superuser.execute("DELETE FROM family_links WHERE person_id = %s", (person,))


def test_of_several_spouses_the_last_is_current(world, owner, superuser):
    talent = world.talent()
    [person] = superuser.execute(
        "SELECT person_id FROM accounts WHERE id = %s", (talent.account["id"],)
    ).fetchone()
    migrations.downgrade(owner, BEFORE)
    spouses = [new_id() for _ in range(3)]
    for number, spouse in enumerate(spouses):
        superuser.execute(ADD_MEMBER, (spouse,))
        superuser.execute(ADD_SPOUSE, (new_id(), person, spouse, bytes([number])))
    migrations.upgrade(owner)
    current = "SELECT member_id FROM family_links WHERE person_id = %s AND ended_at IS NULL"
    assert superuser.execute(current, (person,)).fetchall() == [(spouses[-1],)]


def test_an_end_is_not_forgotten_on_the_way_down(world, owner, superuser):
    talent = who_has_ended_a_link(world)
    with pytest.raises(DBAPIError, match="have ended"):
        migrations.downgrade(owner, BEFORE)
    migrations.upgrade(owner)
    assert talent.get("/v1/me/family").json["items"] == []
    superuser.execute("DELETE FROM family_links WHERE ended_at IS NOT NULL")
    migrations.downgrade(owner, BEFORE)
    migrations.upgrade(owner)
    assert talent.get("/v1/me/family").json["items"] == []
