"""Checking passwords takes one core and 64 MiB of a process, however many are tried at once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2.exceptions import VerifyMismatchError

from service.identity.auth.providers import password as passwords
from service.kernel.errors import Unavailable


class Slow:
    """A hasher that waits to be let go, and knows how many it served at once."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.now = self.most = 0

    def hash(self, _password: str) -> str:
        return "$"

    def verify(self, _secret: str, password: str) -> bool:
        self.now += 1
        self.most = max(self.most, self.now)
        self.let_go.wait(5)
        self.now -= 1
        if password != "right":
            raise VerifyMismatchError
        return True


@pytest.fixture
def slow(monkeypatch):
    hasher = Slow()
    monkeypatch.setattr(passwords.hashing, "hasher", hasher)
    yield hasher
    hasher.let_go.set()


def attempt(password: str = "wrong"):
    begun = time.monotonic()
    try:
        with passwords.one_at_a_time():
            return passwords.password_matches("$", password), time.monotonic() - begun
    except Unavailable:
        return "unavailable", time.monotonic() - begun


def test_one_is_checked_at_a_time_and_who_cannot_wait_is_told_at_once(slow):
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(attempt, "right")
        while not slow.now:
            time.sleep(0.01)
        others = [pool.submit(attempt) for _ in range(7)]
        time.sleep(0.3)
        answered = [one.result() for one in others if one.done()]
        assert len(answered) == 5
        assert all(what == "unavailable" and seconds < 0.3 for what, seconds in answered)
        slow.let_go.set()
        assert first.result()[0] is True
        assert sorted(str(one.result()[0]) for one in others) == ["False"] * 2 + ["unavailable"] * 5
    assert slow.most == 1


def test_who_cannot_wait_is_told_when_to_come_again(slow, monkeypatch):
    monkeypatch.setattr(passwords, "_places", threading.Semaphore(0))
    with pytest.raises(Unavailable) as refused, passwords.one_at_a_time():
        pytest.fail("there was no place")
    assert refused.value.headers == {"Retry-After": "1"}


def test_nobody_waits_for_longer_than_a_second(slow):
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(attempt)
        while not slow.now:
            time.sleep(0.01)
        what, seconds = pool.submit(attempt).result()
        assert what == "unavailable"
        assert 0.9 < seconds < 2
        slow.let_go.set()
        assert first.result()[0] is False
    assert attempt("right")[0] is True
