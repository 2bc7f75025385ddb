"""How people of the story ask: they come again when they are told to, and not for ever."""

from __future__ import annotations

import json
from datetime import date

import httpx
import pytest

from service.kernel import clock
from service.local.story import StoryBroken
from service.local.story.dates import school_year
from service.local.story.people import Caller, new_family


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


@pytest.mark.parametrize("drawn", [0, -1], ids=["early", "late"])
def test_the_children_are_of_an_age_for_school_whatever_their_birthdays(monkeypatch, drawn):
    """Six years old on 31 August of the school year that they are to enter."""
    monkeypatch.setattr("service.local.story.people.secrets.randbelow", lambda below: drawn % below)
    family = new_family(
        httpx.Client(transport=httpx.MockTransport(_answer), base_url="http://x"), "zh"
    )
    year = school_year(clock.now().date())
    for child in family.children:
        born = date.fromisoformat(child["born"])
        birthday_to_come = (born.month, born.day) > (8, 31)
        assert 6 <= year - born.year - birthday_to_come <= 13


def _answer(request):
    """A sign-in, or what was said of somebody with the birthday that the number has."""
    if request.url.path.startswith("/v1/auth/"):
        return httpx.Response(200, json={"access_token": "token", "account": {}})
    said = json.loads(request.content)
    number = said["id_number"]
    said["born"] = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
    return httpx.Response(200, json=said)
