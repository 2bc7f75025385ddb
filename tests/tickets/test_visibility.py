"""One module says who sees what; every audience's reads ask it, whoever calls them."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

import service
from service.applicants.queries import drafts, tickets
from service.desk.queries import counts, histories, listing, tasks
from service.employers import queries as employers
from service.enterprises.actions import ensure_enterprise
from service.kernel import clock
from service.kernel.actor import Actor, ActorKind, Post, guest, system
from service.kernel.db import Scope
from service.kernel.errors import NotFound
from service.kernel.permissions import Role
from service.tickets import timers
from service.tickets.models.filed import Draft, Ticket, TicketMaterial
from service.tickets.models.items import Item
from service.tickets.models.stages import Task
from service.tickets.visibility import of_visible_ticket, visible
from tests.acting import bearer

CODE, POLICE = "91350100M000100Y43", "public_security"
MODELS = (Ticket, Item, Task, Draft)


@pytest.fixture
def case(world, database, app):
    """A person's ticket, which names their employer, and a draft; and everybody who might look."""
    with database.transaction(Scope.system("demo")) as session:
        employer = ensure_enterprise(session, credit_code=CODE, name="企业", at=clock.now())
    talent = world.talent()
    ticket = world.ticket(talent, "settlement", employment={"employer_code": CODE})
    sent = {"bundle": "arrival", "file": False}
    draft = talent.post("/v1/tickets", json=sent, headers={"Idempotency-Key": uuid4().hex})
    assert draft.status_code == 201
    token = talent.headers["Authorization"].removeprefix("Bearer ")
    own = bearer(app.extensions["talent"], token)
    clerks = {
        name: Actor(
            ActorKind.STAFF,
            "demo",
            account_id=uuid4(),
            posts=(Post(name, frozenset({Role.CLERK})),),
        )
        for name in (POLICE, "development_support")
    }
    actors = {
        "themselves": own,
        "another talent": Actor(ActorKind.TALENT, "demo", uuid4(), uuid4()),
        "clerk": clerks[POLICE],
        "another clerk": clerks["development_support"],
        "agent": Actor(ActorKind.AGENT, "demo", account_id=uuid4()),
        "service": system("demo"),
        "service elsewhere": system("elsewhere"),
        "guest": guest("demo"),
    }
    return ticket, employer, actors


# Ticket, item, task, draft.
SEEN = {
    "themselves": (True, True, True, True),
    "another talent": (False, False, False, False),
    "clerk": (True, True, True, False),
    "another clerk": (False, False, False, False),
    "agent": (True, True, False, False),
    "service": (True, True, True, False),
    "service elsewhere": (False, False, False, False),
    "guest": (False, False, False, False),
}


@pytest.mark.parametrize("who", SEEN)
def test_who_sees_what(database, case, who):
    ticket, employer, actors = case
    actor = actors[who]
    ids = {
        Ticket: Ticket.id == UUID(ticket["id"]),
        Item: Item.ticket_id == UUID(ticket["id"]),
        Task: Task.ticket_id == UUID(ticket["id"]),
        Draft: Draft.person_id == actors["themselves"].person,
    }
    with database.transaction(Scope.system("demo")) as session:
        found = tuple(
            session.scalar(
                select(func.count())
                .select_from(model)
                .where(visible(actor, model, enterprise=employer), ids[model])
            )
            > 0
            for model in MODELS
        )
        assert found == SEEN[who]
        if actor.kind is ActorKind.AGENT:
            for enterprise in (None, uuid4()):
                seen = visible(actor, Ticket, enterprise=enterprise)
                assert session.scalars(select(Ticket.id).where(seen)).all() == []


@pytest.mark.parametrize("who", SEEN)
def test_what_belongs_to_a_ticket_is_seen_with_it(database, case, who):
    ticket, employer, actors = case
    with database.transaction(Scope.system("demo")) as session:
        seen = session.scalars(
            select(Item.id).where(
                of_visible_ticket(actors[who], Item, enterprise=employer),
                Item.ticket_id == UUID(ticket["id"]),
            )
        ).all()
        assert bool(seen) is SEEN[who][0]
        none = of_visible_ticket(guest("demo"), TicketMaterial)
        assert session.scalars(select(TicketMaterial.id).where(none)).all() == []


def applicants_reads(session, actor, ticket):
    id_, item = UUID(ticket["id"]), UUID(ticket["items"][0]["id"])
    yield tickets.tickets_for(session, actor, before=None, limit=100)
    yield drafts.drafts_for(session, actor, before=None, limit=100)
    yield range(drafts.number_of_drafts(session, actor))
    for read, of in (
        (tickets.ticket_for, id_),
        (tickets.timeline_for, id_),
        (tickets.locked_ticket_for, id_),
        (tickets.item_for, item),
        (tickets.due_changes_for, item),
        (tickets.locked_item_for, item),
    ):
        yield found(read, session, actor, of)


def desk_reads(session, actor, ticket):
    number, item = ticket["items"][0]["number"], UUID(ticket["items"][0]["id"])
    sought = listing.items_numbered(session, actor, number)
    for wanted in (listing.TaskFilter(), listing.TaskFilter(items=sought)):
        yield listing.tasks_for(session, actor, wanted, behind=None, limit=100)
    yield found(histories.item_timeline_for, session, actor, item)
    task = session.scalars(select(Task.id).where(Task.item_id == item)).first()
    yield found(tasks.task_for, session, actor, task)
    yield found(tasks.locked_task_for, session, actor, task)
    if actor.account_id is not None:
        counted = counts.task_counts_for(session, actor, at=clock.now())
        yield range(sum(one.value for one in counted.states.values()))


def employers_reads(session, actor, ticket, employer):
    yield employers.requests_for(session, actor, employer, status=None, before=None, limit=100).rows
    try:
        yield employers.request_for(session, actor, employer, UUID(ticket["id"])).rows
    except NotFound:
        yield []


def timers_reads(session, actor, ticket):
    yield timers.due_alarms(session, actor, at=clock.now() + timedelta(days=400))


def found(read, session, actor, of):
    try:
        return [read(session, actor, of)]
    except NotFound:
        return []


def test_every_audiences_reads_are_empty_for_actors_of_other_kinds(database, case):
    """As if a route had forgotten whom it allows. The service alone may see what others see."""
    ticket, employer, actors = case
    whose = {
        "themselves": lambda session, actor: applicants_reads(session, actor, ticket),
        "clerk": lambda session, actor: desk_reads(session, actor, ticket),
        "agent": lambda session, actor: employers_reads(session, actor, ticket, employer),
        "service": lambda session, actor: timers_reads(session, actor, ticket),
    }
    empty = {
        "themselves": ("another talent", "another clerk", "agent", "guest"),
        "clerk": ("another talent", "another clerk", "agent", "guest"),
        "agent": ("another talent", "another clerk", "guest", "service elsewhere"),
        "service": ("another talent", "another clerk", "agent", "guest", "service elsewhere"),
    }
    with database.transaction(Scope.system("demo")) as session:
        for audience, reads in whose.items():
            assert all(len(one) for one in reads(session, actors[audience])), audience
            for other in empty[audience]:
                assert not any(len(one) for one in reads(session, actors[other])), (audience, other)


INLINE = re.compile(r"(Ticket|Item|Task|Draft)\.(person_id|enterprise_id|employer_id)\s*==")


def test_nobody_else_says_whose_it_is():
    """A condition on the owner of a row stands in one module, and only there."""
    root = Path(service.__file__).parent
    said = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if INLINE.search(path.read_text("utf-8")) or "== actor.person" in path.read_text("utf-8")
    }
    others = {  # aggregates of their own, each with its predicate
        "authorities/queries.py", "enterprises/queries.py", "facts/queries.py",
        "identity/consents/queries.py", "identity/people/queries.py", "materials/queries.py",
    }  # fmt: skip
    assert said - others == {"tickets/visibility.py"}
