"""Tickets as they come in and are worked on: what a data set of any size is copied from."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from http import HTTPStatus
from uuid import UUID, uuid4

from flask import Flask

from service.kernel import clock
from service.kernel.db import Database
from service.routing.flow import Verdict
from tests.acting import bearer
from tests.factories import Signed, Wanted, World, checked
from tests.materials.handing_in import upload
from tests.papers import with_documents
from tests.performance.operations import unread
from tests.tickets.acting import TIMERS, Acting
from tests.tickets.walking import A_SECOND, Todo, Walk

WISHES = {
    "recognition": 0.5,
    "settlement": 0.6,
    "housing_rent": 0.55,
    "purchase_discount": 0.15,
    "medical": 0.4,
    "schooling": 0.3,
    "spouse": 0.25,
}
"""How often each is asked for."""
ENDED = 0.7
"""The share of tickets whose way is gone to the end; of the others some come there by chance."""
FOLLOWED = 0.5
"""The share of applicants who let their employer follow."""
MOST_STEPS = 12
REFUSED = 0.06
_REFUSING = (Verdict.REJECT, Verdict.NOT_ACCEPT)
_OPEN = ("in_progress", "awaiting_applicant")


def _let_time_pass(walk: Walk) -> None:
    """Until now: what silence accepts is accepted, and no timer finds anything to do."""
    walk.at = clock.now()
    while any(walk.run(timer) for timer in TIMERS):
        pass


def _profile() -> dict[str, str]:
    """Of an adult."""
    number = _number(date(1968, 1, 1), days=30 * 365)
    return {"name": "张伟", "id_type": "citizen_id", "id_number": number}


def _number(since: date, *, days: int) -> str:
    """Of somebody born then or later whom no other run has registered: the only thing here that no
    seed decides.
    """
    place, person = divmod(uuid4().int, 999)
    region, day = divmod(place % (9 * days), days)
    born = since + timedelta(days=day)
    return checked(f"1101{region + 1:02d}{born:%Y%m%d}{person + 1:03d}")


class Originals:
    """Files tickets and walks them, all by chance, and the same ones with the same seed."""

    def __init__(self, app: Flask, database: Database, password: str, seed: int) -> None:
        self.app, self.database = app, database
        self.world = World(app, password)
        self.chance = random.Random(seed)
        self._staff: dict[str, Acting] = {}

    def make(self, number: int) -> Iterator[tuple[UUID, bool]]:
        """So many tickets, each with whether it has ended."""
        for place in range(number):
            with unread():
                walk = self._file()
            to_the_end = place < number * ENDED
            self._walk(walk, None if to_the_end else self.chance.randrange(MOST_STEPS))
            _let_time_pass(walk)
            yield walk.ticket, walk.story.ticket.status not in _OPEN

    def _file(self) -> Walk:
        talent = self.world.stranger()
        answer = talent.patch("/v1/me", json=_profile())
        assert answer.status_code == HTTPStatus.OK, answer.json
        body = self.world.filing(*self._wanted(talent))
        if self.chance.random() > FOLLOWED:
            body["consents"] = [one for one in body["consents"] if "enterprise" not in one]
        body = with_documents(body, lambda code: upload(talent, code=code)["id"])
        at = self._moment()
        rows = self._acting(talent).file(body, key=uuid4().hex, at=at)
        return Walk(self.database, self._somebody, rows.ticket.id, at, body)

    def _wanted(self, talent: Signed) -> list[Wanted]:
        codes = [code for code, share in WISHES.items() if self.chance.random() < share]
        if {"medical", "purchase_discount"} & {*codes} and "recognition" not in codes:
            codes.insert(0, "recognition")
        wanted: list[Wanted] = []
        for code in codes or ["settlement"]:
            if code == "schooling":
                children = range(self.chance.randint(1, 2))
                wanted += [(code, self._child(talent)) for _ in children]
            elif code == "spouse":
                wanted.append((code, self._spouse(talent)))
            else:
                wanted.append(code)
        return wanted

    def _child(self, talent: Signed) -> str:
        """Seven years old, and so already some months ago."""
        turning_eight = clock.now().date() - timedelta(days=8 * 365 - 10)
        return self.world.child(talent, number=_number(turning_eight, days=60))

    def _spouse(self, talent: Signed) -> str:
        number = _number(date(1970, 1, 1), days=28 * 365)
        return self.world.spouse(talent, number=number)

    def _moment(self) -> datetime:
        """Some time in office hours, one to nine months ago."""
        day = clock.now() - timedelta(days=self.chance.randint(30, 270))
        return datetime(day.year, day.month, day.day, 1, tzinfo=UTC) + timedelta(
            minutes=self.chance.randrange(8 * 60)
        )

    def _walk(self, walk: Walk, steps: int | None) -> None:
        """Somebody does something, some hours after the last, so many times or to the end."""
        while steps is None or steps > 0:
            todo = walk.todo()
            if todo:
                walk.at += timedelta(minutes=self.chance.randint(5, 300))
                one = self.chance.choice(todo)
                walk.pass_on(one, self._verdict(walk, one))
            elif not self._waited(walk):
                return
            steps = None if steps is None else steps - 1

    def _verdict(self, walk: Walk, todo: Todo) -> Verdict | None:
        """None passes it on; what is late counts as accepted and cannot be refused any more."""
        if self.chance.random() > REFUSED or walk.at > todo.task.due_at:
            return None
        return next((one for one in _REFUSING if one in todo.stage.may), None)

    def _waited(self, walk: Walk) -> bool:
        """Whether an edge has waited long enough by now, and was given up."""
        until = [edge.next_at for edge in walk.story.edges if edge.settled_at is None]
        due = [one for one in until if one is not None and one < clock.now()]
        if not due:
            return False
        walk.at = max(walk.at, min(due) + A_SECOND)
        return walk.run("alarms") > 0

    def _acting(self, signed: Signed) -> Acting:
        token = signed.headers["Authorization"].removeprefix("Bearer ")
        return Acting(self.database, bearer(self.app.extensions["talent"], token))

    def _somebody(self, username: str) -> Acting:
        if username not in self._staff:
            self._staff[username] = self._acting(self.world.staff(username))
        return self._staff[username]
