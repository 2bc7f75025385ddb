"""Kinds are published, facts are issued, and what is in force is found by date."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from service.facts import actions, queries
from service.facts.models import Fact, FactKind
from service.facts.rules import KnownFact, KnownKind
from service.kernel.crypto import SealBroken
from service.kernel.db import Scope
from service.kernel.ids import new_id
from tests.facts.issuing import (
    ABODE,
    AT,
    BUILDERS,
    DISTRICT,
    ELSEWHERE,
    LONG_AGO,
    POLICE,
    SECRET,
    TIER,
    TODAY,
    new,
    staff,
)
from tests.scopes import scope_of_person

DAY = timedelta(days=1)


def known_of(database, person, *, on=TODAY):
    with database.transaction(Scope.system(DISTRICT)) as session:
        return queries.facts_of(session, staff(), persons=[person], on=on)[person]


# --- kinds


def test_what_is_published_is_known_by_code(session):
    known = queries.fact_kinds_of(session, DISTRICT)
    assert known["tier"] == KnownKind(**TIER)
    assert known["abode"] == KnownKind(**ABODE)
    assert list(known) == sorted(known)
    assert queries.fact_kinds_of(session, ELSEWHERE) == {}


def test_publishing_again_changes_what_differs_and_keeps_what_is_not_named(session):
    before = queries.fact_kinds_of(session, DISTRICT)
    stamps = select(FactKind.published_at).where(FactKind.code.in_(["abode", "tier"]))
    changed = ABODE | {"title": {"zh": "居住地", "en": "Place of residence"}}
    later = AT + DAY
    actions.publish_fact_kinds(session, kinds=[TIER, changed], at=later)
    assert queries.fact_kinds_of(session, DISTRICT)["abode"].title == changed["title"]
    assert session.scalars(stamps.order_by(FactKind.code)).all() == [later, AT]
    pension = {"code": "pension", "title": ABODE["title"], "schema": {"type": "object"}}
    wider = TIER | {"schema": {"type": "object"}}
    actions.publish_fact_kinds(session, kinds=[pension, wider], at=later + DAY)
    known = queries.fact_kinds_of(session, DISTRICT)
    assert set(known) == {*before, "pension"}
    assert known["tier"].schema == {"type": "object"}
    actions.publish_fact_kinds(session, kinds=[], at=later)
    assert queries.fact_kinds_of(session, DISTRICT) == known


def test_the_fields_of_a_value_keep_their_order(session):
    def properties(names):
        schema = {"type": "object", "properties": {name: {} for name in names}}
        actions.publish_fact_kinds(session, kinds=[ABODE | {"schema": schema}], at=AT)
        return list(queries.fact_kinds_of(session, DISTRICT)["abode"].schema["properties"])

    for names in (["street", "city", "b", "aa"], ["aa", "b", "city", "street"]):
        assert properties(names) == names


def test_a_fact_survives_a_change_of_its_kind(session, clerk, person):
    actions.issue_facts(session, clerk, facts=[new(person)], at=AT)
    strict = TIER | {"schema": {"type": "object", "maxProperties": 0}}
    actions.publish_fact_kinds(session, kinds=[strict], at=AT)
    [fact] = queries.facts_of(session, clerk, persons=[person], on=TODAY)[person]
    assert fact.value == {"class": "B"}


# --- facts


def test_what_is_issued_is_known_whole(database, issue, person):
    item, material = new_id(), new_id()
    value = {"class": "B", "since": "2025-01-01", "等级": ["市级", 1, None, True, {"a": 0.5}]}
    fact_id = issue(
        person,
        value=value,
        valid_from=TODAY,
        valid_to=TODAY + DAY,
        item_id=item,
        material_id=material,
    )
    assert known_of(database, person) == [
        KnownFact(
            id=fact_id,
            person_id=person,
            kind="tier",
            value=value,
            issuer=POLICE,
            valid_from=TODAY,
            valid_to=TODAY + DAY,
            item_id=item,
            revoked_at=None,
        )
    ]


def test_the_row_says_who_issued_it_when_and_on_what_evidence(database, issue, clerk, person):
    material = new_id()
    fact_id = issue(person, material_id=material)
    with database.transaction(Scope.system(DISTRICT)) as session:
        fact = session.scalars(select(Fact).where(Fact.id == fact_id)).one()
    assert (fact.issued_at, fact.issued_by) == (AT, clerk.account)
    assert (fact.item_id, fact.material_id) == (None, material)
    assert (fact.revoked_at, fact.revoked_by, fact.revocation_reason) == (None, None, None)


@pytest.mark.parametrize(
    ("valid_to", "on", "held"),
    [
        (None, LONG_AGO - DAY, False),
        (None, LONG_AGO, True),
        (None, date(2099, 1, 1), True),
        (TODAY, TODAY, True),
        (TODAY, TODAY + DAY, False),
    ],
)
def test_both_the_first_and_the_last_day_count(database, issue, person, valid_to, on, held):
    issue(person, valid_to=valid_to)
    assert len(known_of(database, person, on=on)) == held


def test_several_issuers_hold_at_once_the_newest_first(database, issue, person):
    municipal = issue(person, value={"class": "C"}, issuer=POLICE)
    district = issue(person, value={"class": "A"}, issuer=BUILDERS)
    home = issue(person, kind="abode", value={"address": "望海路 18 号"}, issuer=BUILDERS)
    found = known_of(database, person)
    assert [fact.id for fact in found] == [home, district, municipal]
    assert [(fact.kind, fact.issuer) for fact in found] == [
        ("abode", BUILDERS),
        ("tier", BUILDERS),
        ("tier", POLICE),
    ]


def test_everybody_asked_for_has_a_list_of_their_own(session, clerk, sql_count):
    one, other, nobody = new_id(), new_id(), new_id()
    facts = [new(one), new(other), new(other, kind="abode", value={})]
    with sql_count() as sent:
        ids = actions.issue_facts(session, clerk, facts=facts, at=AT)
    assert sent.total == 2  # their keys, and one INSERT
    assert sent.texts[1].upper().count("INSERT") == 1
    with sql_count() as sent:
        found = queries.facts_of(session, clerk, persons=[one, other, nobody], on=TODAY)
    assert sent.total == 1
    assert {person: [fact.id for fact in known] for person, known in found.items()} == {
        one: ids[:1],
        other: [ids[2], ids[1]],
        nobody: [],
    }


def test_nothing_costs_nothing(session, clerk, sql_count):
    with sql_count() as sent:
        assert actions.issue_facts(session, clerk, facts=[], at=AT) == []
        assert queries.facts_of(session, clerk, persons=[], on=TODAY) == {}
        actions.publish_fact_kinds(session, kinds=[], at=AT)
    assert sent.total == 0


def test_kinds_cost_one_statement_each_way(session, sql_count):
    with sql_count() as sent:
        actions.publish_fact_kinds(session, kinds=[TIER, ABODE], at=AT)
        queries.fact_kinds_of(session, DISTRICT)
    assert sent.total == 2


def test_what_was_revoked_is_not_in_force_on_any_day(database, issue, revoke, person):
    kept, gone = issue(person), issue(person)
    revoke(gone)
    assert [fact.id for fact in known_of(database, person)] == [kept]
    assert [fact.id for fact in known_of(database, person, on=LONG_AGO)] == [kept]


def test_what_one_district_knows_another_does_not_rely_on(database, issue, person):
    """Not even while it acts for the person, who may see their facts of every district."""
    issue(person)
    for scope in (Scope.system(ELSEWHERE), scope_of_person(ELSEWHERE, person)):
        with database.transaction(scope) as session:
            actor = staff(district=ELSEWHERE)
            assert queries.facts_of(session, actor, persons=[person], on=TODAY) == {person: []}


# --- what is told and what is kept


def test_every_fact_is_told_once_in_codes(database, clerk, superuser):
    item, ticket, person = new_id(), new_id(), new_id()
    facts = [
        new(person, value={"remark": SECRET}, item_id=item, ticket_id=ticket),
        new(person, kind="abode", value={"address": SECRET}, issuer=BUILDERS),
    ]
    with database.transaction(Scope.system(DISTRICT)) as session:
        ids = actions.issue_facts(session, clerk, facts=facts, at=AT)
    told = superuser.execute(
        "SELECT kind, actor_id, ticket_id, item_id, seq, public, at, data FROM events"
        " WHERE data ->> 'fact' = ANY (%s) ORDER BY id",
        ([str(one) for one in ids],),
    ).fetchall()
    issued = ("fact_issued", clerk.account)
    [first, second] = [{"fact": str(one)} for one in ids]
    first |= {"kind": "tier", "issuer": POLICE}
    second |= {"kind": "abode", "issuer": BUILDERS}
    assert told == [
        (*issued, ticket, item, None, False, AT, first),
        (*issued, None, None, None, False, AT, second),
    ]


def test_values_and_reasons_stand_nowhere_in_the_clear(issue, revoke, person, superuser):
    fact_id = issue(person, value={"remark": SECRET})
    revoke(fact_id, reason=f"because of {SECRET}")
    everywhere = superuser.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    ).fetchall()
    assert ("facts",) in everywhere
    for (table,) in everywhere:
        found = superuser.execute(
            f"SELECT count(*) FROM {table} one"
            " WHERE strpos(one::text, %s) > 0 OR strpos(one::text, %s) > 0",
            (SECRET, SECRET.encode().hex()),
        ).fetchone()
        assert found == (0,), table


def test_a_value_copied_to_another_fact_does_not_open(database, issue, person, superuser):
    one, other = issue(person, value={"class": "A"}), issue(person, value={"class": "E"})
    superuser.execute(
        "UPDATE facts SET value = (SELECT value FROM facts WHERE id = %s) WHERE id = %s",
        (one, other),
    )
    with pytest.raises(SealBroken):
        known_of(database, person)


def test_what_fails_leaves_nothing(database, clerk, person):
    facts = [new(person), new(person, kind="unheard_of")]
    with pytest.raises(IntegrityError), database.transaction(Scope.system(DISTRICT)) as session:
        actions.issue_facts(session, clerk, facts=facts, at=AT)
    with database.transaction(Scope.system(DISTRICT)) as session:
        count = select(func.count()).select_from(Fact).where(Fact.person_id == person)
        assert session.scalar(count) == 0
