"""A head of the department that issued a fact takes it back, over HTTP."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from uuid import uuid4

import pytest
from sqlalchemy import select

from service.facts import actions, queries
from service.facts.models import FACTS, Fact
from service.kernel.db import Scope
from service.kernel.errors import Conflict, NotFound
from service.kernel.permissions import Permission, Role, granted
from tests.facts.issuing import AT, BUILDERS, DISTRICT, ELSEWHERE, POLICE, SECRET, staff, talent
from tests.scopes import scope_of_staff
from tests.sealing import opened

pytestmark = pytest.mark.dated

REASON = "认定所依据的学历证书经核查不实。"


def asks(who, fact_id, reason=REASON, **headers):
    return who.post(
        f"/v1/desk/facts/{fact_id}/revocation", json={"reason": reason}, headers=headers
    )


def refused(answer, status, code):
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json


def row_of(database, fact_id):
    with database.transaction(Scope.system(DISTRICT)) as session:
        return session.scalars(select(Fact).where(Fact.id == fact_id)).one()


@pytest.fixture
def chief(world):
    return world.staff(f"head.{POLICE}")


def test_a_revoked_fact_stays_with_who_when_and_why(database, chief, issue, person, superuser):
    fact_id = issue(person)
    answer = asks(chief, fact_id)
    assert answer.status_code == 200, answer.json
    fact = row_of(database, fact_id)
    assert answer.json == {
        "id": str(fact_id),
        "kind": "tier",
        "issuer": POLICE,
        "state": "revoked",
        "revoked_at": fact.revoked_at.isoformat(),
    }
    assert str(fact.revoked_by) == chief.account["id"]
    sealed = fact.revocation_reason
    place = {"table": FACTS, "column": "revocation_reason", "row": fact_id}
    assert opened(superuser, sealed, **place) == REASON


def test_it_is_told_and_audited_in_codes(chief, issue, person, superuser):
    item = uuid4()
    fact_id = issue(person, item_id=item)
    assert asks(chief, fact_id, reason=SECRET).status_code == 200
    codes = {"fact": str(fact_id), "kind": "tier", "issuer": POLICE}
    told = superuser.execute(
        "SELECT actor_kind, actor_id::text, ticket_id, item_id, seq, public, data FROM events"
        " WHERE kind = 'fact_revoked' AND data ->> 'fact' = %s",
        (str(fact_id),),
    ).fetchall()
    assert told == [("staff", chief.account["id"], None, item, None, False, codes)]
    audited = superuser.execute(
        "SELECT action, actor_id::text, data FROM audit_log WHERE subject = %s", (fact_id,)
    ).fetchall()
    assert audited == [("fact.revoked", chief.account["id"], codes)]


def test_once_is_enough(chief, issue, person):
    fact_id = issue(person)
    assert asks(chief, fact_id).status_code == 200
    refused(asks(chief, fact_id), 409, "fact_revoked")


def test_the_same_key_gives_the_same_answer(chief, issue, person):
    fact_id, key = issue(person), {"Idempotency-Key": uuid4().hex}
    first, again = asks(chief, fact_id, **key), asks(chief, fact_id, **key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json == again.json


def test_of_two_at_once_one_revokes(database, head, revoke, issue, person, superuser):
    """The second waits for the first, and then sees what it did."""
    fact_id = issue(person)
    scope = scope_of_staff(DISTRICT, head.account)
    with ThreadPoolExecutor(1) as pool:
        with database.transaction(scope) as session:
            actions.revoke_fact(session, head, fact_id=fact_id, reason=REASON, at=AT)
            second = pool.submit(revoke, fact_id)
            assert waits(superuser, second)
        with pytest.raises(Conflict) as refusal:
            second.result(10)
    assert refusal.value.code == "fact_revoked"


def waits(superuser, call):
    """Whether a call waits for a lock of another; looks for ten seconds, or until it is done."""
    waiting = (
        "SELECT EXISTS (SELECT FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock')"
    )
    for _ in range(1000):
        if superuser.execute(waiting).fetchone()[0]:
            return True
        if wait([call], timeout=0.01).done:
            return False
    return False


def test_another_departments_fact_is_not_there(world, issue, person):
    fact_id = issue(person, issuer=POLICE)
    other = world.staff(f"head.{BUILDERS}")
    refused(asks(other, fact_id), 404, "not_found")
    refused(asks(other, uuid4()), 404, "not_found")


@pytest.mark.parametrize("role", [Role.CLERK, Role.REVIEWER])
def test_a_head_elsewhere_who_only_works_in_the_department_may_not(hire, issue, person, role):
    somebody = hire((POLICE, role), (BUILDERS, Role.HEAD))
    refused(asks(somebody, issue(person, issuer=POLICE)), 403, "role_missing")
    assert asks(somebody, issue(person, issuer=BUILDERS)).status_code == 200


def test_who_is_no_head_does_not_get_as_far(client, world, issue, person):
    fact_id = issue(person)
    for name in (f"clerk.{POLICE}", f"reviewer.{POLICE}", "coordinator", "auditor"):
        refused(asks(world.staff(name), fact_id), 403, "forbidden")
    refused(asks(world.talent(), fact_id), 403, "forbidden")
    path = f"/v1/desk/facts/{fact_id}/revocation"
    assert client.post(path, json={"reason": REASON}).status_code == 401


def test_only_heads_hold_the_permission():
    holders = {role for role in Role if Permission.FACT_REVOKE in granted([role])}
    assert holders == {Role.HEAD}


def test_nobody_revokes_what_is_known_of_themselves(world, actor_of, hire, issue, database):
    own = actor_of(world.talent()).person
    somebody = hire((POLICE, Role.HEAD), person_id=own)
    fact_id = issue(own)
    refused(asks(somebody, fact_id), 403, "own_case")
    assert row_of(database, fact_id).revoked_at is None


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": "x" * 2001}, {"reason": 1},
             {"reason": "x", "at": "now"}],
)  # fmt: skip
def test_a_reason_is_asked_for(chief, issue, person, body):
    answer = chief.post(f"/v1/desk/facts/{issue(person)}/revocation", json=body)
    refused(answer, 422, "invalid")


def test_who_sees_a_fact(session, issue, person):
    fact_id = issue(person)
    seers = (staff((POLICE, Role.CLERK)), staff((POLICE, Role.HEAD)), talent(person))
    for actor in seers:
        assert queries.fact_for(session, actor, fact_id).id == fact_id
    others = (
        staff((BUILDERS, Role.HEAD)),
        staff((POLICE, Role.AUDITOR)),
        staff(),
        staff((POLICE, Role.HEAD), district=ELSEWHERE),
        talent(uuid4()),
        talent(person, district=ELSEWHERE),
    )
    for actor in others:
        with pytest.raises(NotFound):
            queries.fact_for(session, actor, fact_id)


def test_what_a_revocation_costs(chief, issue, person, sql_count):
    fact_id = issue(person)
    asks(chief, issue(person))
    with sql_count() as sent:
        assert asks(chief, fact_id).status_code == 200
    assert sent.total == 7  # one of them reads a key
