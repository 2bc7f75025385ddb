"""The volume that is measured on is sound: its tickets are what the service itself would make."""

from __future__ import annotations

import random

import psycopg
import pytest

from tests.conftest import PASSWORD, url_of
from tests.packs import publish, whole_pack
from tests.performance.copies import WRITTEN, Original, write
from tests.performance.loading import verify, without_indexes
from tests.performance.originals import Originals
from tests.tickets import invariants

pytestmark = pytest.mark.slow

ORIGINALS, COPIES = 8, 40


def _indexes(connection):
    found = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
    return dict(connection.execute(found).fetchall())


@pytest.fixture(scope="module")
def indexes_before(database_name):
    with psycopg.connect(url_of("superuser", database_name)) as admin:
        return _indexes(admin)


@pytest.fixture(scope="module")
def filled(app, database, database_name, indexes_before):
    """Some originals, and whether each has ended; after them their copies."""
    publish(database, whole_pack())
    made = list(Originals(app, database, PASSWORD, seed=11).make(ORIGINALS))
    with psycopg.connect(url_of("superuser", database_name)) as admin:
        originals = [Original(admin, one, place) for place, (one, _) in enumerate(made, start=1)]
        chance = random.Random(11)
        with without_indexes(admin, WRITTEN):
            write(admin, (chance.choice(originals) for _ in range(COPIES)), batch=15)
    return made


@pytest.fixture
def superuser(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection


def test_every_copy_is_as_sound_as_a_ticket_that_was_filed(filled, database):
    assert invariants.check(database) == ORIGINALS + COPIES


def test_copies_share_no_number_and_no_person(filled, superuser):
    counted = "SELECT count(DISTINCT number), count(DISTINCT person_id) FROM tickets"
    assert superuser.execute(counted).fetchone() == (ORIGINALS + COPIES,) * 2
    numbers = "SELECT count(*), count(DISTINCT id_number_index) FROM persons WHERE holder"
    people, different = superuser.execute(numbers).fetchone()
    assert people == different >= ORIGINALS + COPIES


def test_a_row_that_refers_to_nothing_is_found(filled, database_name):
    """What nothing looked at while it was written."""
    with psycopg.connect(url_of("superuser", database_name)) as admin:
        assert verify(admin, WRITTEN) > len(WRITTEN)
        admin.execute("SET session_replication_role = replica")
        admin.execute(
            "UPDATE stages SET item_id = uuidv7() WHERE id = (SELECT id FROM stages LIMIT 1)"
        )
        with pytest.raises(ValueError, match="fk_stages_district_id_item_id"):
            verify(admin, WRITTEN)
        admin.rollback()


def test_the_indexes_are_those_of_before(indexes_before, filled, superuser):
    """Those that were dropped while copies were written, on partitions too."""
    assert _indexes(superuser) == indexes_before


def test_what_a_copy_says_can_be_read_at_the_desk(filled, world):
    """Answers, documents' names, opinions: sealed for their row, and opened there."""
    for department in ("human_resources", "public_security", "construction"):
        clerk = world.staff(f"clerk.{department}")
        listed = clerk.get("/v1/desk/tasks?limit=100").json["items"]
        closed = clerk.get("/v1/desk/tasks?limit=100&state=closed").json["items"]
        for task in [*listed, *closed]:
            shown = clerk.get(f"/v1/desk/tasks/{task['id']}")
            assert shown.status_code == 200, shown.json
            assert shown.json["applicant"]["name"] == "张伟"


def test_the_same_seed_wants_the_same(app, database):
    def wanted():
        originals = Originals(app, database, PASSWORD, seed=3)
        drawn = [originals._wanted(originals.world.talent()) for _ in range(5)]
        return [[one if isinstance(one, str) else one[0] for one in wishes] for wishes in drawn]

    assert wanted() == wanted()
