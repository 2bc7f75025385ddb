"""Two districts that were lived in, for tests of what the database shows to whom."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Uuid

import service.worker  # noqa: F401 - fills the metadata with every slice's tables
from service.enterprises.actions import ensure_agent, ensure_enterprise
from service.kernel import audit, clock
from service.kernel.actor import system
from service.kernel.db import Base, Scope
from service.kernel.deliveries import deliver
from service.kernel.subscriptions import TRIES
from service.kernel.sweeping import sweep
from service.local.demonstration import ENTERPRISE
from tests.conftest import PASSWORD
from tests.factories import REASON, World
from tests.materials.handing_in import upload
from tests.packs import publish, whole_pack
from tests.papers import with_documents

ANOTHER = ("91350100M000100YXG", "海岸软件有限公司")
SCOPED = sorted(table.name for table in Base.metadata.tables.values() if "district_id" in table.c)


def live_in_two_districts(app, database, superuser):
    """Rows in every table: `demo` lived in by two talents and their departments, `other` a copy.

    The copy is made past all constraints; what is tested is who sees it.
    """
    world = World(app, PASSWORD)
    employer, another = (one[0] for one in (ENTERPRISE, ANOTHER))
    with database.transaction(Scope.system("demo")) as session:
        ensure_enterprise(session, credit_code=another, name=ANOTHER[1], at=clock.now())
        named = {"username": "agent.2", "display_name": "agent.2", "password": PASSWORD}
        ensure_agent(session, **named, credit_code=another, at=clock.now())
    talent, other = world.talent(), world.talent("王芳")
    tickets = [_settle(world, one, code) for one, code in ((talent, employer), (other, another))]
    publish(database, whole_pack())
    for one in (talent, other):
        _file_with_documents_and_return(world, one)
    stranger = world.stranger()
    superuser.execute(
        "DELETE FROM district_persons WHERE person_id ="
        " (SELECT person_id FROM accounts WHERE id = %s)",
        (stranger.account["id"],),
    )
    world.child(stranger)
    with database.transaction(Scope.system("demo")) as session:
        audit.record(session, "looked", actor=system("demo"), at=clock.now())
    events = [str(row[0]) for row in superuser.execute("SELECT id FROM events")]
    deliver(database, district="demo", events=events)
    deliver(database, district="demo", events=events[:1], subscriber="none", attempts=TRIES)
    sweep(database, district="demo", at=clock.now())
    superuser.execute("SET session_replication_role = replica")
    superuser.execute("INSERT INTO districts VALUES ('other', '{}', '{}')")
    for name in SCOPED:
        _copy(superuser, name)
    superuser.execute("SET session_replication_role = DEFAULT")
    return {"talent": talent, "ticket": tickets[0], "world": world}


def _settle(world, talent, employer):
    """A ticket that is approved, and one that begins with what that established."""
    child, work = world.child(talent), {"employer_code": employer}
    ticket = world.ticket(talent, employment=work)
    world.through(ticket["items"][0])
    world.ticket(talent, "settlement", ("schooling", child), employment=work)
    given = talent.post("/v1/me/authorities", json={"credit_code": employer})
    assert given.status_code == 201, given.json
    return ticket


def _file_with_documents_and_return(world, talent):
    """A draft, and a ticket with documents of which something is to be corrected."""
    wanted = world.filing("recognition")
    body = with_documents(wanted, lambda code: upload(talent, code=code)["id"])
    ticket = None
    for number, more in enumerate(({"file": False}, {})):
        key = {"Idempotency-Key": f"{talent.account['id']}-{number}"}
        answer = talent.post("/v1/tickets", json=body | more, headers=key)
        assert answer.status_code == 201, answer.json
        ticket = answer.json
    clerk = world.staff("clerk.human_resources")
    task = world.claimed(clerk, ticket["items"][0]["number"])
    mend = {"what": "请补充说明", "section": "recognition_basis"}
    answer = clerk.post(
        f"/v1/desk/tasks/{task['id']}/decision",
        json={"verdict": "return", "opinion": "需补正", "corrections": [mend], "reason": REASON},
        headers={"If-Match": task["etag"]},
    )
    assert answer.status_code == 200, answer.json


# Columns unique across districts, which a copy has to have its own of.
_OWN = {"sessions": {"id"}}


def _copy(connection, name):
    table = Base.metadata.tables[name]
    chosen = [
        sql.SQL("'other'")
        if column.name == "district_id"
        else sql.SQL("gen_random_uuid()")
        if column.name in _OWN.get(name, ()) and isinstance(column.type, Uuid)
        else sql.Identifier(column.name)
        for column in table.columns
    ]
    connection.execute(
        sql.SQL("INSERT INTO {0} ({1}) SELECT {2} FROM {0} WHERE district_id = 'demo'").format(
            sql.Identifier(name),
            sql.SQL(", ").join(sql.Identifier(column.name) for column in table.columns),
            sql.SQL(", ").join(chosen),
        )
    )
