"""A statement that is made once finds what SQLAlchemy's own way of running it finds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID, uuid4

import pytest
from psycopg.errors import DivisionByZero
from sqlalchemy import (
    ARRAY,
    Integer,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.exc import DataError, MultipleResultsFound, NoResultFound
from sqlalchemy.orm.attributes import InstrumentedAttribute

from service.kernel.actor import ActorKind
from service.kernel.db import District, Scope, insert_last, insert_rows, prepared
from service.kernel.deliveries import HandledEvent
from service.kernel.events import Event
from service.kernel.ids import new_id

AT = datetime(2026, 3, 2, 2, tzinfo=UTC)


def handled(**changes):
    return {"district_id": "demo", "event_id": uuid4(), "handler": "one", "at": AT} | changes


def happened(**changes):
    row = {"district_id": "demo", "id": new_id(), "kind": "ticket_filed", "version": 1}
    row |= {"ticket_id": uuid4(), "seq": 1, "item_id": None, "task_id": None, "person_id": None}
    row |= {"actor_kind": ActorKind.AGENT, "actor_id": None, "at": AT, "public": True}
    return row | {"data": {"offering": "settlement", "角": [1, None]}} | changes


@pytest.fixture
def events(session):
    rows = [happened(seq=number) for number in (1, 2, 3)]
    insert_rows(session, Event, rows)
    return rows


_EVENTS = prepared(
    select(Event).where(Event.id == any_(bindparam("ids", type_=ARRAY(Uuid())))).order_by(Event.seq)
)


def test_entities_have_the_values_that_a_session_finds(session, events):
    ids = [row["id"] for row in events]
    watched = session.scalars(select(Event).where(Event.id.in_(ids)).order_by(Event.seq)).all()
    names = [name for name in dir(Event) if isinstance(getattr(Event, name), InstrumentedAttribute)]
    found = _EVENTS.all(session, ids=ids)
    assert [type(one) for one in found] == [Event, Event, Event]
    assert {"data", "actor_kind", "at"} <= set(names)
    for one, other in zip(found, watched, strict=True):
        assert {name: getattr(one, name) for name in names} == {
            name: getattr(other, name) for name in names
        }
    assert found[0].actor_kind is ActorKind.AGENT


def test_nothing_can_be_written_to_what_is_found(session, events):
    (first, *_) = _EVENTS.all(session, ids=[events[0]["id"]])
    with pytest.raises(AttributeError):
        first.seq = 7
    assert not session.dirty


def test_columns_are_found_by_name_or_as_something_else(session, events):
    class Said(NamedTuple):
        kind: str
        by: ActorKind

    columns = select(Event.kind, Event.actor_kind.label("by")).where(Event.id == bindparam("id"))
    row = prepared(columns).one(session, id=events[0]["id"])
    assert (row.kind, row.by) == ("ticket_filed", ActorKind.AGENT)
    assert prepared(columns, Said).one(session, id=events[0]["id"]) == Said(row.kind, row.by)


def test_one_column_is_found_as_itself(session, events):
    kinds = prepared(select(Event.actor_kind).where(Event.id == bindparam("id")))
    assert kinds.one(session, id=events[0]["id"]) is ActorKind.AGENT
    assert kinds.one_or_none(session, id=uuid4()) is None


def test_entities_and_columns_beside_each_other(session, events):
    both = select(Event, func.upper(Event.kind).label("loud"), District).join(
        District, District.id == Event.district_id
    )
    row = prepared(both.where(Event.id == bindparam("id"))).one(session, id=events[1]["id"])
    assert (row.Event.seq, row.loud, row.District.id) == (2, "TICKET_FILED", "demo")


def test_there_is_one_or_there_is_not(session, events):
    ids = [row["id"] for row in events]
    with pytest.raises(NoResultFound):
        _EVENTS.one(session, ids=[])
    for way in (_EVENTS.one, _EVENTS.one_or_none):
        with pytest.raises(MultipleResultsFound):
            way(session, ids=ids)


def test_what_a_statement_says_by_itself_is_in_it(session, events):
    known = select(Event.seq).where(
        Event.actor_kind.in_((ActorKind.AGENT, ActorKind.STAFF)),
        Event.kind == "ticket_filed",
        Event.id == any_(bindparam("ids", type_=ARRAY(Uuid()))),
        Event.seq > bindparam("above", type_=Integer()),
    )
    found = prepared(known.order_by(Event.seq).limit(bindparam("limit", type_=Integer())))
    ids = [row["id"] for row in events]
    assert found.all(session, ids=ids, above=1, limit=5) == [2, 3]
    assert found.all(session, ids=ids, above=0, limit=2) == [1, 2]
    assert found.all(session, ids=[], above=0, limit=2) == []


def test_every_value_is_asked_for(session):
    with pytest.raises(KeyError):
        _EVENTS.all(session)


def test_a_list_of_any_length_has_no_text(session):
    listed = prepared(select(Event.id).where(Event.id.in_(bindparam("ids", expanding=True))))
    with pytest.raises(LookupError, match="ids"):
        listed.all(session, ids=[uuid4()])


def test_a_text_is_run_too(session):
    class Sum(NamedTuple):
        word: str
        number: int

    said = text("SELECT :word || '!', CAST(:number AS int) + 1").bindparams(
        bindparam("word", type_=Text()), bindparam("number", type_=Integer())
    )
    assert prepared(said, Sum).one(session, word="%s $1", number=41) == Sum("%s $1!", 42)


def test_it_finds_what_was_to_be_written_last(database):
    row = handled()
    found = prepared(
        select(HandledEvent.handler).where(HandledEvent.event_id == bindparam("event"))
    )
    with database.transaction(Scope.system("demo")) as session:
        insert_last(session, HandledEvent, [row])
        assert found.one(session, event=row["event_id"]) == "one"


def test_what_the_database_refuses_is_raised_as_sqlalchemy_does(session):
    divided = prepared(select(literal(1) // bindparam("by", type_=Integer())))
    with pytest.raises(DataError) as refused:
        divided.one(session, by=0)
    assert isinstance(refused.value.orig, DivisionByZero)


def test_the_text_is_made_once(session, events, sql_count):
    ids = [UUID(int=1)]
    with sql_count() as sent:
        _EVENTS.all(session, ids=ids)
        _EVENTS.all(session, ids=ids * 3)
    assert len(set(sent.texts)) == 1
    assert "$1" in sent.texts[0]
