"""What a start remembers of passwords: known is what matched, and nothing else."""

from __future__ import annotations

import json
import stat

import argon2
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from service.identity.auth.providers import password as passwords
from service.local.remembering import RememberingHasher, remembering

CHEAP = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "matches.json"


@pytest.fixture
def computed(monkeypatch):
    """The hashes that were computed against a password."""
    found: list[str] = []
    compute = argon2.PasswordHasher.verify

    def verify(self, made, password):
        found.append(made)
        return compute(self, made, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    return found


def known(file, made: str, password: str = "right password") -> None:
    with remembering(file):
        assert passwords.password_matches(made, password)


def test_a_match_is_computed_once(file, computed):
    made = CHEAP.hash("right password")
    known(file, made)
    known(file, made)
    assert computed == [made]


def test_what_was_hashed_here_is_known(file, computed):
    with remembering(file):
        made = passwords.hash_password("right password")
    known(file, made)
    assert computed == []
    assert CHEAP.verify(made, "right password")


def test_another_password_is_computed_and_refused(file, computed):
    made = CHEAP.hash("right password")
    known(file, made)
    with remembering(file):
        assert not passwords.password_matches(made, "wrong password")
    with pytest.raises(VerifyMismatchError):
        RememberingHasher(CHEAP, file).verify(made, "wrong password")
    assert computed == [made] * 3


def test_a_hash_made_anew_is_computed(file, computed):
    first, second = CHEAP.hash("right password"), CHEAP.hash("right password")
    known(file, first)
    known(file, second)
    assert computed == [first, second]


def test_what_was_not_asked_for_is_forgotten(file, computed):
    first, second = CHEAP.hash("right password"), CHEAP.hash("right password")
    known(file, first)
    known(file, second)
    assert len(json.loads(file.read_text())) == 1


def test_it_holds_neither_hash_nor_password_and_is_private(file):
    made = CHEAP.hash("right password")
    known(file, made)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made not in file.read_text()
    assert "right" not in file.read_text()


def test_the_strength_stays_and_the_hasher_comes_back(file):
    before = passwords.hashing.hasher
    with remembering(file):
        assert not passwords.outdated(before.hash("right password"))
        assert passwords.hashing.hasher is not before
    assert passwords.hashing.hasher is before
