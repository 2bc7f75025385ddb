"""A district that had a pack before there were releases has its release 1 afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from alembic.script import ScriptDirectory
from psycopg.rows import dict_row

from service.catalogue.actions.publish import publish_pack
from service.catalogue.queries.releases import newest_release
from service.catalogue.rules.releases import manifest_of, release_hash
from service.kernel import migrations
from service.kernel.db import Scope
from service.kernel.settings import ROOT
from tests.conftest import url_of
from tests.packs import whole_pack

(STEP,) = (ROOT / "migrations" / "versions").glob("*_releases.py")
BEFORE = ScriptDirectory(str(ROOT / "migrations")).get_revision(STEP.name[:4]).down_revision
AT = datetime(2099, 1, 5, 9, tzinfo=UTC)
ODD = {"zh": '引号“”"\\/', "en": 'Quotes "\\/\n\t\u007f\u2028 & <b>é 🙂'}


@pytest.fixture
def pack():
    """The demonstration pack with what JSON may be written in several ways."""
    pack = whole_pack()
    kinship = pack.facts["kinship"]
    number = {"type": "number", "multipleOf": 0.0000001, "maximum": 0.5, "minimum": -1234567.25}
    schema = {
        **kinship.schema,
        "properties": {**kinship.schema["properties"], "share": {**number, "x-title": ODD}},
    }
    lease = replace(pack.sections["lease"], title=ODD)
    card = replace(pack.materials["medical_card"], note=ODD)
    return replace(
        pack,
        district="old",
        departments=(replace(pack.departments[0], name=ODD), *pack.departments[1:][::-1]),
        facts=pack.facts | {"kinship": replace(kinship, title=ODD, schema=schema)},
        sections=pack.sections | {"lease": lease},
        materials=pack.materials | {"medical_card": card},
        consents=(replace(pack.consents[0], text=ODD), *pack.consents[1:]),
    )


def published(database, pack):
    with database.transaction(Scope.system(pack.district)) as session:
        return publish_pack(session, pack, at=AT)


def release_of(database, district):
    with database.transaction(Scope.system(district)) as session:
        return newest_release(session, district)


@pytest.fixture
def forth_again(database, database_name):
    """Down to before there were releases, some SQL as it could have run then, and up again."""

    def go(*statements):
        owner = url_of("owner", database_name)
        database.engine.dispose()
        migrations.downgrade(owner, BEFORE)
        with psycopg.connect(url_of("superuser", database_name)) as connection:
            for statement in statements:
                connection.execute(statement)
        migrations.upgrade(owner)

    return go


def test_it_is_what_publishing_the_same_pack_would_be(database, pack, forth_again):
    published(database, pack)
    before = release_of(database, "old")
    forth_again()
    after = release_of(database, "old")
    assert after.number == 1
    assert after.content_hash == before.content_hash == release_hash(manifest_of(pack))
    assert (after.offerings, after.bundles) == (before.offerings, before.bundles)
    again = published(database, pack)
    assert (again.release, again.is_new_release) == (1, False)


def test_it_is_of_what_is_in_force_and_no_longer_of_what_is_retired(database, pack, forth_again):
    smaller = {code: one for code, one in pack.offerings.items() if code == "medical"}
    bundle = replace(pack.bundles["arrival"], offerings=("medical",), edges=())
    facts = {code: one for code, one in pack.facts.items() if code != "kinship"}
    other = replace(
        pack, departments=pack.departments[:-1], offerings=smaller, bundles={"arrival": bundle}
    )
    published(database, pack)
    published(database, replace(other, facts=facts))
    forth_again()
    after = release_of(database, "old")
    assert list(after.offerings) == ["medical"]
    assert after.content_hash == release_hash(manifest_of(replace(other, facts=facts)))


def test_a_district_published_before_its_settings_named_anything(database, pack, forth_again):
    """Which departments and kinds of facts its pack named is not known: it is all of them."""
    published(database, pack)
    forth_again("UPDATE districts SET settings = '{\"extra\": 1}' WHERE id = 'old'")
    release = release_of(database, "old")
    assert set(release.offerings) == set(pack.offerings)
    assert published(database, pack).is_new_release


def test_a_district_that_never_published_has_none(database, database_name, forth_again):
    forth_again('INSERT INTO districts VALUES (\'empty\', \'{"zh": "空", "en": "Empty"}\', \'{}\')')
    with psycopg.connect(url_of("superuser", database_name), row_factory=dict_row) as connection:
        rows = connection.execute("SELECT district_id, number FROM pack_releases").fetchall()
    assert {row["number"] for row in rows} == {1}
    assert "demo" in {row["district_id"] for row in rows}
    assert "empty" not in {row["district_id"] for row in rows}


def test_a_ticket_filed_before_names_no_release_and_goes_on(
    world, database, database_name, forth_again
):
    """What its departments and kinds of facts were at the time is not known."""
    ticket = world.ticket(None, "settlement")
    forth_again()
    with psycopg.connect(url_of("superuser", database_name)) as connection:
        statement = "SELECT release_number FROM tickets WHERE id = %s"
        assert connection.execute(statement, [ticket["id"]]).fetchall() == [(None,)]
    world.through(ticket["items"][0])
