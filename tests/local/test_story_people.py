"""How people of the story ask: they come again when they are told to, and not for ever."""

from __future__ import annotations

import httpx
import pytest

from service.local.story import StoryBroken
from service.local.story.people import Caller


@pytest.fixture
def waited(monkeypatch):
    """For how long somebody slept, each time; nobody really does."""
    seconds: list[int] = []
    monkeypatch.setattr("service.local.story.people.time.sleep", seconds.append)
    return seconds


def caller(*answers):
    """Somebody who gets these answers, one after the other."""
    left = iter(answers)
    transport = httpx.MockTransport(lambda _request: next(left))
    return Caller(httpx.Client(transport=transport, base_url="http://here"), "en", "somebody")


def later(seconds):
    return httpx.Response(429, headers={"Retry-After": str(seconds)}, text="later")


def test_who_is_told_to_come_later_does(waited):
    assert caller(later(7), later(2), httpx.Response(200, json={"a": 1})).get("/me") == {"a": 1}
    assert waited == [7, 2]


def test_who_is_sent_away_every_time_says_so(waited):
    with pytest.raises(StoryBroken, match="429"):
        caller(*[later(1)] * 3).get("/me")
    assert waited == [1, 1, 1]


def test_nobody_waits_for_any_other_answer(waited):
    with pytest.raises(StoryBroken, match="404 no"):
        caller(httpx.Response(404, text="no")).get("/me")
    assert waited == []
