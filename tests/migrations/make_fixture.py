"""How `tests/migrations/former/` was made: the service of an earlier commit, used for real.

What is in it was written by the code of commit 8b37e4b, whose newest migration is 0014. To make it
again, or to make that of another commit, check that commit out beside this one, copy `town.py` and
this file into its `tests/migrations/`, and run there

    make .venv/.installed
    .venv/bin/python -m tests.migrations.make_fixture <folder>

The folder, which must not exist, then has

- `data.sql.xz`: every row, as INSERT statements, without the schema, which the migrations make;
- `test-only-keys.json`: the key file that it was sealed with. It protects nothing but fictional
  people and is used nowhere else;
- `files.tar.xz`: the contents of the documents;
- `stopped.json`: the moment at which everything stopped, and what is known of it outside;
- `seen.json.xz`: what everybody saw at that moment, `[who, path, answer]`.

All people, numbers and documents are made up.
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import tests.conftest  # noqa: F401 - it makes the hashing of passwords quick
from service.app import create_app
from service.kernel import migrations
from service.kernel.keys import make_key_file
from service.kernel.settings import Settings, load
from service.local import demonstration
from service.local.postgres import PostgresServer, bundled_binaries
from service.local.valkey import ValkeyServer
from service.worker import build, run_timers
from tests.factories import citizen_id
from tests.migrations.town import PASSWORD, Caller, Town, day
from tests.papers import with_documents

BEGINS = datetime(2026, 11, 16, 2, tzinfo=UTC)
"""A Monday, ten o'clock in the district; next year's working days are not announced yet."""
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
_RATE = "100000 per minute"
_BY_SALARY: dict[str, Any] = {
    "applicant": {"degree": "college"},
    "recognition_basis": {"applied_class": "D", "basis": "salary"},
}
"""Somebody whose household waits for the recognition."""

Ticket = dict[str, Any]


class Making:
    """Everybody in the fixture, and how far each of them got."""

    def __init__(self, town: Town) -> None:
        self.town = town

    def arrives(self, code: str, name: str) -> Caller:
        """A talent with a profile, who is known outside by `code`."""
        who = self.town.talent(code)
        number = {"id_type": "citizen_id", "id_number": citizen_id()}
        who.patch("/v1/me", json={"name": name, **number})
        return who

    def member(self, who: Caller, name: str, kinship: str, age: int | None = None) -> str:
        number = citizen_id() if age is None else citizen_id(age=age)
        member = {"name": name, "kinship": kinship, "id_type": "citizen_id", "id_number": number}
        return str(who.post("/v1/me/family", json=member)["id"])

    def body(self, who: Caller, *wanted: Any, **changes: Any) -> dict[str, Any]:
        return with_documents(self.town.body(*wanted, **changes), who.hand_in)

    def files(self, who: Caller, *wanted: Any, **changes: Any) -> Ticket:
        body = self.body(who, *wanted, **changes)
        ticket: Ticket = who.post(
            "/v1/tickets", json=body, headers={"Idempotency-Key": uuid4().hex}
        )
        return ticket

    def everything(self) -> None:
        self.ended()
        self.withdrawn_and_refused()
        self.revoked()
        self.silence()
        self.town.day.on(days=9)
        self.town.let_time_work()
        self.returned()
        self.waiting()
        self.asked()
        self.in_hands()
        self.drafts()

    def ended(self) -> None:
        """A recognition and a household, long over; what rests on them is under way."""
        town, who = self.town, self.arrives("ended", "陈静")
        first = self.files(who, "recognition", "settlement", **_BY_SALARY)
        town.to_its_end(who, first["id"])
        second = self.files(who, "medical", ("schooling", self.member(who, "陈一鸣", "child", 11)))
        town.say(who, second, "medical", None)
        shown = [one["id"] for one in who.get("/v1/notices").json["items"]]
        who.post("/v1/notices/read", json={"ids": shown} if shown else {})

    def withdrawn_and_refused(self) -> None:
        town, who = self.town, self.arrives("refused", "王磊")
        refused = self.files(who, "settlement")
        town.say(who, refused, "settlement", None, "reject")
        withdrawn = self.files(who, "settlement", "housing_rent")
        path = f"/v1/tickets/{withdrawn['id']}"
        who.post(f"{path}/withdrawal", headers=who.as_seen(path))
        who.post("/v1/me/consents", json={"consent": "enterprise@1", "given": False})

    def revoked(self) -> None:
        """A household that was registered, and is no more."""
        town, who = self.town, self.arrives("revoked", "郭静")
        town.to_its_end(who, self.files(who, "settlement")["id"])
        (fact,) = who.get("/v1/me/facts")["items"]
        head = town.staff("head.public_security")
        head.post(f"/v1/desk/facts/{fact['id']}/revocation", json={"reason": "户口已迁出。"})

    def silence(self) -> None:
        """Nobody accepts in time: time does."""
        self.files(self.arrives("silence", "刘洋"), "settlement")

    def returned(self) -> None:
        """Corrections that are open, answered, and dropped with their item."""
        town = self.town
        section = {"what": "请核对居住地址。", "section": "residence"}
        paper = {"what": "租赁合同缺第二页，请补齐。", "material": "lease_contract"}
        open_ = self.arrives("returned", "赵敏")
        ticket = self.files(open_, "settlement", "housing_rent")
        town.say(open_, ticket, "housing_rent", "return", corrections=[section, paper])
        answered = self.arrives("answered", "孙丽")
        ticket = self.files(answered, "housing_rent")
        town.say(answered, ticket, "housing_rent", "return", corrections=[section, paper])
        town.day.on(days=1)
        town.correct(answered, ticket["items"][0]["id"])
        town.say(answered, ticket, "housing_rent", None)
        dropped = self.arrives("dropped", "周强")
        ticket = self.files(dropped, "settlement", "housing_rent")
        town.say(dropped, ticket, "housing_rent", "return", corrections=[section])
        path = f"/v1/items/{town.item(dropped, ticket, 'housing_rent')['id']}"
        dropped.post(f"{path}/withdrawal", headers=dropped.as_seen(path))

    def waiting(self) -> None:
        """A family for whom everything rests on a recognition that is under way."""
        town, who = self.town, self.arrives("waiting", "吴昊")
        children = [self.member(who, name, "child", 11) for name in ("吴晓雨", "吴晓晴")]
        wanted = [("schooling", child) for child in children]
        wanted += [("spouse", self.member(who, "郑爽", "spouse"))]
        ticket = self.files(
            who, "recognition", "settlement", "purchase_discount", "medical", *wanted,
            spouse={"last_post": "institution"}, **_BY_SALARY,
        )  # fmt: skip
        town.say(who, ticket, "recognition", None, None)
        town.say(who, ticket, "settlement", None)
        town.say(who, ticket, "spouse", None, None, None, "reject", None)
        town.say(who, ticket, "schooling", None)

    def asked(self) -> None:
        """Whether to take what the degree alone brings is for the applicant to say."""
        town, who = self.town, self.arrives("asked", "徐涛")
        ticket = self.files(who, "recognition", "housing_purchase")
        town.say(who, ticket, "housing_purchase", None)
        town.say(who, ticket, "recognition", "not_accept")

    def in_hands(self) -> None:
        """Tasks that are claimed, assigned, and of which the notice period runs."""
        town, who = self.town, self.arrives("in_hands", "马超")
        ticket = self.files(who, "settlement", "housing_rent")
        (task,) = town.tasks(town.item(who, ticket, "settlement"))
        town.claim(task)
        running = self.arrives("notice", "胡斌")
        ticket = self.files(running, "housing_rent")
        town.say(running, ticket, "housing_rent", None, None, None)
        given = self.files(self.arrives("assigned", "林峰"), "settlement")
        (task,) = town.tasks(given["items"][0])
        head, path = town.staff("head.public_security"), f"/v1/desk/tasks/{task['id']}"
        clerk = town.staff("clerk.public_security").get("/v1/me")["id"]
        head.post(f"{path}/assignment", json={"account": clerk}, headers=head.as_seen(path))

    def drafts(self) -> None:
        """One that could be filed as it is, and one that was hardly begun."""
        ready = self.arrives("draft", "何雨")
        body = self.body(ready, "settlement", "housing_rent") | {"file": False}
        ready.post("/v1/tickets", json=body, headers={"Idempotency-Key": uuid4().hex})
        begun = self.arrives("begun", "高洁")
        part = {"bundle": "arrival", "file": False, "consents": []}
        begun.post("/v1/tickets", json=part, headers={"Idempotency-Key": uuid4().hex})


@contextmanager
def servers(folder: Path) -> Iterator[PostgresServer]:
    """Both servers, and the environment in which the service finds them."""
    postgres = PostgresServer(folder / "postgres", folder / "postgres.log", settings=_FAST)
    valkey = ValkeyServer(folder / "valkey.log")
    urls = postgres.start()
    valkey.start()
    make_key_file(folder / "keys.json")
    os.environ |= {
        "TALENT_ENV": "test",
        "TALENT_WECHAT_MODE": "demo",
        "TALENT_DEMO_PASSWORD": PASSWORD,
        "TALENT_LIMIT_LOGIN_PER_ADDRESS": _RATE,
        "TALENT_LIMIT_LOGIN_PER_ACCOUNT": _RATE,
        "DATABASE_URL": urls.app,
        "DATABASE_OWNER_URL": urls.owner,
        "REDIS_URL": valkey.url,
        "TALENT_KEYS_FILE": str(folder / "keys.json"),
        "TALENT_STORAGE_DIR": str(folder / "files"),
    }
    try:
        yield postgres
    finally:
        postgres.stop()
        valkey.stop()


def live(settings: Settings) -> dict[str, Any]:
    """Everything that is in the fixture happens; returns what is to be known of it."""
    with day(BEGINS) as today:
        demonstration.prepare(settings)
        app = create_app(settings)
        database = app.extensions["talent"].database
        town = Town(app, today, lambda: run_timers(database))
        making = Making(town)
        making.everything()
        deliver(settings, database)
        # What happens from here on has not reached anybody yet when the service is stopped.
        late = making.files(making.arrives("late", "罗兰"), "settlement")
        town.say(making.town.talent("late"), late, "settlement", None)
        town.staff("agent.1")
        seen = list(town.everything_seen())
        database.dispose()
        return {
            "revision": migrations.newest_revision(),
            "at": today.at.isoformat(),
            "refresh_token": town.talent("waiting").refresh_token,
            "undelivered": late["id"],
            "seen": seen,
        }


def deliver(settings: Settings, database: Any) -> None:
    """The worker does what has come up, once."""
    worker = build(settings, database)
    with worker.open():
        worker.run_worker(wait=False, install_signal_handlers=False, delete_jobs="successful")


def dumped(url: str) -> str:
    """Every row of every table that is not Alembic's own, in the order of the foreign keys."""
    command = [
        str(bundled_binaries() / "bin" / "pg_dump"), "--data-only", "--column-inserts",
        "--rows-per-insert=200", "--load-via-partition-root",
        "--exclude-table=alembic_version*", "--no-owner", url,
    ]  # fmt: skip
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(target: Path) -> None:
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as name, servers(Path(name)) as postgres:
        folder = Path(name)
        stopped = live(load())
        seen = json.dumps(stopped.pop("seen"), ensure_ascii=False)
        for file, text in (("data.sql", dumped(postgres.superuser_url())), ("seen.json", seen)):
            (target / f"{file}.xz").write_bytes(lzma.compress(text.encode(), preset=9))
        (target / "test-only-keys.json").write_bytes((folder / "keys.json").read_bytes())
        (target / "stopped.json").write_text(json.dumps(stopped, indent=2) + "\n", encoding="utf-8")
        with tarfile.open(target / "files.tar.xz", "w:xz") as tar:
            tar.add(folder / "files", ".")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
