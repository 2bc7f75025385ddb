"""An item is red when somebody who works on it is late, and not while its applicant is in time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.applicants.queries.tickets import ticket_for
from service.applicants.queries.views import ticket_view
from service.routing.flow import Verdict
from service.tickets.rules.states import Light, item_light
from tests.tickets.racing import ASKED

DUE = datetime(2026, 12, 14, 10, tzinfo=UTC)
A_SECOND = timedelta(seconds=1)
LATER = DUE + timedelta(days=1)


@pytest.mark.parametrize(
    ("at", "hold_until", "decided_at", "light"),
    [
        (DUE, None, None, Light.YELLOW),
        (DUE + A_SECOND, None, None, Light.RED),
        (DUE + A_SECOND, LATER, None, Light.YELLOW),
        (LATER, LATER, None, Light.YELLOW),
        (LATER + A_SECOND, LATER, None, Light.RED),
        (DUE - timedelta(days=5), LATER, None, Light.GREEN),
        (DUE + A_SECOND, None, DUE, None),
    ],
)
def test_the_light_of_an_item(at, hold_until, decided_at, light):
    warn_at = DUE - timedelta(days=1)
    about = {"warn_at": warn_at, "decided_at": decided_at, "hold_until": hold_until}
    assert item_light(at, due_at=DUE, **about) is light


@pytest.mark.parametrize("stage", ["acceptance", "qualification"])
def test_an_applicant_in_time_sees_no_red(walk, acting, world, stage):
    """Returned before acceptance, or after it, with the promise long over."""
    talent = world.talent()
    case = walk("recognition", talent=talent)
    case.until(stage)
    todo = case.one(stage)
    clerk = case.somebody(f"{todo.task.role}.{todo.task.department}")
    version = clerk.claim(todo.task.id, at=case.at).version
    clerk.decide(todo.task.id, version, Verdict.RETURN, points=ASKED, at=case.at)
    (item,) = case.story.items

    def light(at):
        who = acting(talent)
        return who(lambda session, actor: ticket_view(
            session, actor, ticket_for(session, actor, case.ticket), at
        )).items[0].light  # fmt: skip

    assert light(item.hold_until) in {Light.GREEN, Light.YELLOW}
    assert light(max(item.hold_until, item.due_at) + A_SECOND) is Light.RED
