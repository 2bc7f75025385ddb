"""Storage, ids, messages, actors: small, and everything stands on them."""

from __future__ import annotations

import io
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel import actor, clock, ids, messages
from service.kernel import storage as storages
from service.kernel.actor import Actor, ActorKind, Post
from service.kernel.permissions import Role
from service.kernel.storage import FolderStorage


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "files")


def files_in(tmp_path):
    return [path for path in (tmp_path / "files").rglob("*") if path.is_file()]


# --- storage --------------------------------------------------------------------------------


def test_a_blob_comes_back_whole(storage):
    content = bytes(range(256)) * 1024
    assert storage.put("materials/0192-ab", io.BytesIO(content)) == len(content)
    assert b"".join(storage.read("materials/0192-ab")) == content
    assert storage.put("empty", io.BytesIO(b"")) == 0
    assert b"".join(storage.read("empty")) == b""


def test_a_blob_put_again_is_replaced(storage, tmp_path):
    storage.put("a", io.BytesIO(b"before"))
    reading = storage.read("a")
    storage.put("a", io.BytesIO(b"after"))
    assert b"".join(reading) == b"before", "who reads already reads on"
    assert b"".join(storage.read("a")) == b"after"
    assert len(files_in(tmp_path)) == 1


def test_a_blob_that_fails_on_the_way_is_absent(storage, tmp_path):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            if self.tell() > 0:
                raise ConnectionResetError
            return super().read(size)

    storage.put("kept", io.BytesIO(b"before"))
    for name in ("new", "kept"):
        with pytest.raises(ConnectionResetError):
            storage.put(name, Broken(b"x" * 200_000))
    assert [path.name for path in files_in(tmp_path)] == ["kept"]
    assert b"".join(storage.read("kept")) == b"before"


def test_a_folder_lists_what_lies_in_it_for_a_time(storage, tmp_path):
    for name in ("materials/a/1", "materials/a/2", "materials/b/3"):
        storage.put(name, io.BytesIO(b"content"))
    (tmp_path / "files" / "materials" / "a" / "tmpleft_over").write_bytes(b"half")
    written = clock.now().timestamp()
    for path in (tmp_path / "files").rglob("*"):
        os.utime(path, (written, written))
    soon, before = clock.now() + timedelta(minutes=1), clock.now() - timedelta(minutes=1)
    assert sorted(storage.names("materials/a", before=soon)) == [
        "materials/a/1",
        "materials/a/2",
        "materials/a/tmpleft_over",
    ]
    assert list(storage.names("materials/a", before=before)) == []
    assert list(storage.names("materials", before=soon)) == [], "folders are no blobs"
    assert list(storage.names("absent", before=soon)) == []
    with pytest.raises(ValueError, match="blob"):
        list(storage.names("../etc", before=soon))


def test_what_is_not_read_to_its_end_is_closed(storage):
    storage.put("a", io.BytesIO(b"x" * 200_000))
    for chunks in (storage.read("a"), storage.read("a")):
        next(chunks)
        chunks.close()
        assert next(chunks, None) is None
    storage.read("a").close()


def test_what_breaks_off_on_the_way_is_no_error_of_a_connection(storage, tmp_path):
    """The first page of our own memory can be opened and not read, as a block of a bad disk."""
    (tmp_path / "files" / "a").symlink_to("/proc/self/mem")
    chunks = storage.read("a")
    with pytest.raises(storages.BrokenOff) as caught:
        next(chunks)
    assert isinstance(caught.value.__cause__, OSError)
    assert not isinstance(caught.value, OSError)
    assert list(chunks) == [], "it is closed"


def test_a_process_has_the_storage_it_was_given(storage, monkeypatch):
    monkeypatch.setattr(storages, "_storage", None)
    with pytest.raises(RuntimeError, match="no storage"):
        storages.in_use()
    storages.use(storage)
    assert storages.in_use() is storage


def test_an_absent_blob_is_told_at_once(storage):
    with pytest.raises(FileNotFoundError):
        storage.read("absent")
    storage.delete("absent")
    storage.put("a", io.BytesIO(b"x"))
    storage.delete("a")
    with pytest.raises(FileNotFoundError):
        storage.read("a")


@pytest.mark.parametrize(
    "name",
    ["", "/", "/etc/passwd", "../a", "a/../b", "a//b", "a/", ".", "a.b", "A", "a\x00", "a\n", "é",
     "a b", "-a", "a\\b", "１"],
)  # fmt: skip
def test_a_name_that_could_lead_elsewhere_is_refused(storage, tmp_path, name):
    with pytest.raises(ValueError, match="name"):
        storage.put(name, io.BytesIO(b"x"))
    with pytest.raises(ValueError, match="name"):
        storage.read(name)
    with pytest.raises(ValueError, match="name"):
        storage.delete(name)
    assert files_in(tmp_path) == []


def test_what_is_kept_is_the_services_alone(storage, tmp_path):
    storage.put("materials/a", io.BytesIO(b"x"))
    for path in (tmp_path / "files", tmp_path / "files" / "materials", *files_in(tmp_path)):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


# --- ids ------------------------------------------------------------------------------------


@pytest.fixture
def real_clock(wall_clock):
    """What is asked of the library itself, and not of what the tests put in its place."""
    wall_clock.stop()


def test_ids_rise_and_never_repeat(real_clock):
    made = [ids.new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {one.version for one in made} == {7}
    assert {one.variant for one in made} == {"specified in RFC 4122"}


def test_ids_made_by_threads_are_unlike(real_clock):
    begin = threading.Barrier(8)

    def make(_):
        begin.wait()
        return [ids.new_id() for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        made = [one for some in pool.map(make, range(8)) for one in some]
    assert len(set(made)) == len(made)


@given(st.datetimes(datetime(1970, 1, 1), datetime(9999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_lowest_id_of_a_moment_begins_with_its_millisecond(at):
    whole = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert ids.lowest_id(at).int == whole << 80


def test_an_id_lies_above_the_lowest_of_its_moment():
    before = clock.now()
    made = ids.new_id()
    assert ids.lowest_id(before) <= made < ids.lowest_id(clock.now() + timedelta(milliseconds=2))


def test_the_database_counts_the_same_lowest_id(session):
    from sqlalchemy import text

    now = clock.now()
    whole = now.replace(microsecond=now.microsecond // 1000 * 1000)
    for at in (
        whole,
        datetime(2026, 12, 1, tzinfo=UTC),
        datetime(2030, 2, 28, 23, 59, 59, 999000, tzinfo=UTC),
    ):
        assert session.scalar(text("SELECT lowest_uuid7(:at)"), {"at": at}) == ids.lowest_id(at)


def test_the_clock_is_aware_and_in_utc():
    assert clock.now().utcoffset() == timedelta(0)


# --- messages -------------------------------------------------------------------------------


def test_words_are_filled_in():
    assert "32" in messages.say("body_too_deep", "en", {"maximum": 32})
    assert "32" in messages.say("body_too_deep", "zh", {"maximum": 32})


def test_an_unknown_code_is_a_defect():
    with pytest.raises(KeyError):
        messages.say("there_is_no_such_code", "en")
    with pytest.raises(KeyError):
        messages.say("body_too_deep", "en", {})


# --- actors ---------------------------------------------------------------------------------


def test_an_actor_without_account_or_person_has_none_to_give():
    for nobody in (actor.guest("demo"), actor.system("demo")):
        with pytest.raises(LookupError):
            nobody.account  # noqa: B018
        with pytest.raises(LookupError):
            nobody.person  # noqa: B018
        assert nobody.permissions == frozenset()


def test_a_post_is_held_in_its_department_alone():
    one = Actor(
        ActorKind.STAFF,
        "demo",
        account_id=uuid4(),
        posts=(Post("housing", frozenset({Role.CLERK})), Post("hr", frozenset({Role.HEAD}))),
    )
    assert one.holds("housing", Role.CLERK)
    assert not one.holds("hr", Role.CLERK)
    assert not one.holds("housing", Role.HEAD)
