"""A service of an earlier version is brought up to date; nobody has to begin anew.

`former/` holds what people and departments had done with it until it was stopped. How that was
made says `make_fixture.py`. What stands in here asks nothing of how today's service is built but
that it answers as before.
"""

from __future__ import annotations

import json
import lzma
import re
import tarfile
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID, uuid4

import psycopg
import pytest

from service.app import create_app
from service.catalogue.actions.publish import hold_back, publish_pack
from service.kernel import migrations
from service.kernel.db import Scope
from service.kernel.settings import load
from service.worker import build, follow_calendars, run_timers
from tests.conftest import url_of
from tests.contract import CheckedClient
from tests.migrations.databases import asked, columns, common, content, empty_database
from tests.migrations.town import ENDED, Town, day
from tests.packs import whole_pack
from tests.tickets import invariants

FORMER = Path(__file__).with_name("former")
STOPPED = json.loads((FORMER / "stopped.json").read_text("utf-8"))
AT = datetime.fromisoformat(STOPPED["at"])
REVISION = STOPPED["revision"]


def unpacked(file: str) -> str:
    return lzma.decompress((FORMER / file).read_bytes()).decode()


def fill(name: str) -> None:
    """Put everything in. Keys have been checked before: no trigger may write anything by itself."""
    rows = "".join(
        line for line in unpacked("data.sql.xz").splitlines(keepends=True) if line[:1] != "\\"
    )
    tables = ", ".join(f'"{table}"' for table in columns(name))
    with psycopg.connect(url_of("superuser", name)) as connection:
        connection.execute(f"TRUNCATE {tables}")
        connection.execute("SET session_replication_role = replica")
        connection.execute(rows)


@pytest.fixture(scope="module")
def stopped():
    """A database of the former version, as it was when that was stopped."""
    with empty_database() as name:
        migrations.upgrade(url_of("owner", name), REVISION)
        fill(name)
        yield name


@pytest.fixture
def name(stopped):
    """A copy of it."""
    with empty_database(template=stopped) as name:
        yield name


@pytest.fixture
def former(name):
    """By table, the columns that it has."""
    return columns(name)


@pytest.fixture
def today():
    """The moment at which the former version was stopped."""
    with day(AT) as today:
        yield today


@pytest.fixture
def town(name, former, today, tmp_path, monkeypatch):
    """The present service on the former database, brought up to date."""
    migrations.upgrade(url_of("owner", name))
    with tarfile.open(FORMER / "files.tar.xz") as tar:
        tar.extractall(tmp_path, filter="data")
    monkeypatch.setenv("DATABASE_URL", url_of("app", name))
    monkeypatch.setenv("DATABASE_OWNER_URL", url_of("owner", name))
    monkeypatch.setenv("TALENT_KEYS_FILE", str(FORMER / "test-only-keys.json"))
    monkeypatch.setenv("TALENT_STORAGE_DIR", str(tmp_path))
    settings = load()
    app = create_app(settings)
    database = app.extensions["talent"].database
    app.test_client_class = CheckedClient

    def timers() -> None:
        follow_calendars(database)
        run_timers(database)

    town = Town(app, today, timers)
    yield SimpleNamespace(town=town, database=database, worker=build(settings, database))
    database.dispose()


HELD = {
    "drafts": "drafts",
    "an item that has not begun": "items WHERE phase = 'waiting'",
    "an item that is only not to be decided": "items WHERE decision_waits",
    "an item that has ended": "items WHERE phase = 'ended' AND outcome = 'approved'",
    "an item that was turned down": "items WHERE outcome = 'rejected'",
    "an item that was not accepted": "items WHERE outcome = 'not_accepted'",
    "an item that was withdrawn": "items WHERE outcome = 'withdrawn'",
    "a day that is not announced yet": "items WHERE provisional",
    "a ticket under way": "tickets WHERE status = 'in_progress'",
    "a ticket that waits for its applicant": "tickets WHERE status = 'awaiting_applicant'",
    "a ticket that is done": "tickets WHERE status = 'completed'",
    "a ticket that came to nothing": "tickets WHERE status = 'closed'",
    "a ticket that was withdrawn": "tickets WHERE status = 'withdrawn'",
    "a hard edge": "edges WHERE kind = 'hard' AND status = 'waiting'",
    "a soft edge": "edges WHERE kind = 'soft' AND status = 'waiting'",
    "an edge that is asked about": "edges WHERE status = 'asked'",
    "an edge that is met": "edges WHERE status = 'met'",
    "a correction to be answered":
        "corrections WHERE answered_at IS NULL AND dropped_at IS NULL",
    "a correction that was answered": "corrections WHERE answered_at IS NOT NULL",
    "a correction that was dropped": "corrections WHERE dropped_at IS NOT NULL",
    "a section that was corrected": "ticket_sections WHERE revision > 1",
    "a document that was replaced": "ticket_materials WHERE revision > 1",
    "a task for anybody": "tasks WHERE status = 'open'",
    "a task in somebody's hands": "tasks WHERE status = 'claimed'",
    "a task that is done": "tasks WHERE status = 'closed' AND NOT deemed",
    "a task that nobody will do": "tasks WHERE status = 'cancelled'",
    "an acceptance by silence":
        "tasks WHERE deemed AND verdict = 'accept'",
    "a notice that ended": "tasks WHERE deemed AND verdict = 'pass'",
    "a notice that runs": "stages WHERE key = 'publicity' AND status = 'open'",
    "a second round": "stages WHERE round > 1",
    "a stage that was skipped": "stages WHERE status = 'skipped'",
    "a due date that moved": "due_changes",
    "a fact": "facts WHERE revoked_at IS NULL",
    "a fact that was revoked": "facts WHERE revoked_at IS NOT NULL",
    "a fact that something rests on": "relied_facts",
    "a document": "materials",
    "a notice": "notices",
    "a consent": "consents WHERE withdrawn_at IS NULL",
    "a consent that was withdrawn": "consents WHERE withdrawn_at IS NOT NULL",
    "an employer": "employments",
    "a member of a family": "family_links",
    "a sign-in": "sessions",
    "something that was delivered": "handled_events",
    "something to be delivered": "procrastinate_jobs WHERE task_name = 'deliver'",
    "a key of a request": "idempotency_keys",
}  # fmt: skip


def test_it_holds_whatever_a_database_of_that_version_can_hold(name):
    absent = [what for what, where in HELD.items() if not asked(name, f"SELECT FROM {where}")]
    assert absent == []


def test_up_and_down_and_up_again_nothing_is_lost(name, former):
    """As it was, down to the last byte; and the second way up leads where the first one led."""
    owner, before = url_of("owner", name), content(name, former)
    migrations.upgrade(owner)
    kept = common(former, columns(name))
    there = content(name, kept)
    migrations.downgrade(owner, REVISION)
    assert columns(name) == former
    assert content(name, former) == before
    migrations.upgrade(owner)
    assert content(name, kept) == there


@pytest.mark.slow
def test_everybody_sees_what_they_saw(town):
    """Byte for byte what it was, or more."""
    seen = json.loads(unpacked("seen.json.xz"))
    assert len(seen) > 100
    for who, path, answer in seen:
        someone = town.town.staff(who) if "." in who else town.town.talent(who)
        missing(answer, someone.get(path), f"{who} {path}")


def missing(old, new, at):
    """Fail where an answer has lost something; a cursor is nobody's to read, and a verdict that
    would have been refused is no longer offered.
    """
    if isinstance(old, dict):
        assert old.keys() <= new.keys(), at
        for key in old.keys() - {"next", "may"}:
            missing(old[key], new[key], f"{at}.{key}")
    elif isinstance(old, list):
        assert len(new) == len(old), at
        for number, (before, after) in enumerate(zip(old, new, strict=True)):
            missing(before, after, f"{at}[{number}]")
    elif isinstance(old, str) and isinstance(new, str):
        said = re.sub(r"\bmend(ed)?\b", r"correct\1", old.rstrip("。."))  # as former releases said
        assert new.startswith(said), at  # words may say more
    else:
        assert new == old, at


def test_who_was_signed_in_stays_so(town):
    answer = town.town.client.post(
        "/v1/auth/refresh", json={"refresh_token": STOPPED["refresh_token"]}
    )
    assert answer.status_code == 200, answer.json


def test_what_had_reached_nobody_reaches_them(town):
    """Once, and nobody hears again of what they had heard of."""
    town.town.day.on(minutes=1)
    late, others = town.town.talent("late"), town.town.talent("returned")
    heard = [notice["id"] for notice in notices(others)]
    assert notices(late) == []
    with town.worker.open():
        town.worker.run_worker(wait=False, install_signal_handlers=False)
    assert [(notice["kind"], notice["ticket"]) for notice in notices(late)] == [
        ("item_accepted", STOPPED["undelivered"]),
        ("ticket_filed", STOPPED["undelivered"]),
    ]
    assert [notice["id"] for notice in notices(others)] == heard


def notices(who):
    return who.get("/v1/notices?limit=100")["items"]


def test_the_pack_of_today_is_published_where_the_former_was(town):
    """A consent whose words have changed since has another version: nothing holds it back."""
    pack = whole_pack()
    with town.database.transaction(Scope.system(pack.district)) as session:
        hold_back(session, pack, district=None, retire=False, recode=False)
        assert publish_pack(session, pack, at=AT).is_new_release


@pytest.mark.slow
def test_everybody_goes_on_and_all_of_it_ends(name, former, town):
    """And what the present version has made of it goes down and comes up again whole."""
    people, owner = town.town, url_of("owner", name)
    people.day.on(minutes=1)
    talents = sorted({who for who, *_ in json.loads(unpacked("seen.json.xz")) if "." not in who})
    filed = file_draft(people.talent("draft"))
    under_way = [
        (people.talent(code), ticket["id"])
        for code in talents
        for ticket in tickets_of(people.talent(code))
        if ticket["status"] not in ENDED | {"draft"}
    ]
    assert len(under_way) >= 10
    for who, ticket_id in under_way:
        assert people.to_its_end(who, ticket_id)["status"] in ENDED
        assert invariants.check(town.database, [UUID(ticket_id)]) == 1
    everything = [ticket for code in talents for ticket in tickets_of(people.talent(code))]
    numbered = {ticket["id"] for ticket in everything if ticket["number"]}
    assert {ticket["status"] for ticket in everything} == {*ENDED, "draft"}
    assert filed in numbered

    kept = common(former, columns(name))
    there = content(name, kept)
    town.database.dispose()
    migrations.downgrade(owner, REVISION)
    # A step may leave a table beside the former ones that something written since is read with.
    assert former.items() <= columns(name).items()
    migrations.upgrade(owner)
    assert content(name, kept) == there
    assert invariants.check(town.database) == len(
        [ticket for ticket in everything if ticket["number"]]
    )


def tickets_of(who):
    return who.get("/v1/tickets?limit=100")["items"]


def file_draft(who):
    """File what was ready to be filed; returns the ticket."""
    (draft,) = [ticket for ticket in tickets_of(who) if ticket["status"] == "draft"]
    path = f"/v1/tickets/{draft['id']}"
    headers = who.as_seen(path) | {"Idempotency-Key": uuid4().hex}
    ticket = who.post(f"{path}/filing", headers=headers)
    assert ticket["status"] == "in_progress"
    return ticket["id"]
