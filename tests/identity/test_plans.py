"""Plans of what is read of persons, as the application role: a family among 50,000 others."""

from __future__ import annotations

from uuid import uuid4

import psycopg
import pytest

from service.identity.people.queries import family_for, household_for, people_of_case
from service.kernel.actor import Actor, ActorKind
from tests.conftest import url_of
from tests.plans import explained

ME, OTHERS = uuid4(), 50_000

# Everybody has a child; two are mine.
_FILL = """
CREATE TEMP TABLE arrived AS
SELECT CASE n WHEN 0 THEN %(me)s ELSE gen_random_uuid() END AS person, gen_random_uuid() AS child
FROM generate_series(0, %(others)s) AS n
UNION ALL SELECT %(me)s, gen_random_uuid();

INSERT INTO persons (id, holder, created_at)
SELECT DISTINCT person, true, now() FROM arrived
UNION ALL SELECT child, false, now() FROM arrived;
INSERT INTO district_persons (district_id, id, person_id, since)
SELECT DISTINCT ON (person) 'demo', gen_random_uuid(), person, now() FROM arrived;
INSERT INTO family_links (id, person_id, member_id, kinship, id_type, member_index, created_at)
SELECT gen_random_uuid(), person, child, 'child', 'citizen_id', uuid_send(child), now()
FROM arrived;

ANALYZE persons, district_persons, family_links;
"""


@pytest.fixture(scope="module")
def many(database_name):
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        cursor = psycopg.ClientCursor(connection)
        cursor.execute(_FILL, {"me": ME, "others": OTHERS})


@pytest.fixture
def me():
    return Actor(district="demo", kind=ActorKind.TALENT, account_id=uuid4(), person_id=ME)


@pytest.fixture
def clerk():
    return Actor(district="demo", kind=ActorKind.STAFF, account_id=uuid4())


def read_by_index(database, actor, call, table):
    for plan in explained(database, actor, call, table):
        assert not plan.read_whole & {"persons", "family_links", "district_persons"}


@pytest.mark.usefixtures("many")
class TestWhatIsReadByIndex:
    def test_a_household(self, database, me):
        """Sent with every filing; it finds the talent and both children."""
        found = []

        def call(session):
            found.append(household_for(session, me))

        read_by_index(database, me, call, "persons")
        assert len(found[0].family) == 2

    def test_a_family(self, database, me):
        read_by_index(database, me, lambda session: family_for(session, me), "persons")

    @pytest.mark.parametrize("member", [None, uuid4()])
    def test_the_people_of_a_case_at_the_desk(self, database, clerk, member):
        call = lambda session: people_of_case(session, ME, member)  # noqa: E731
        read_by_index(database, clerk, call, "persons")

    def test_the_names_of_a_page(self, database_name):
        """The function's own statement: whose names an agent's page shows."""
        plan = "EXPLAIN SELECT person.name FROM persons person WHERE person.id = ANY (%s)"
        with psycopg.connect(url_of("superuser", database_name)) as connection:
            told = "".join(row[0] for row in connection.execute(plan, ([ME, uuid4()],)))
            (body,) = connection.execute(
                "SELECT prosrc FROM pg_proc WHERE proname = 'employer_names'"
            ).fetchone()
        assert "WHERE person.id = ANY (followed)" in body
        assert "pk_persons" in told
