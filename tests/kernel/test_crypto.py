"""Sealing, the key file, blind indexes, cursors."""

from __future__ import annotations

import base64
import json
import os
import stat
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel import crypto
from service.kernel.crypto import Keyring, PersonCipher, SealBroken, new_person_key
from service.kernel.errors import Invalid
from service.kernel.http import cursors
from service.kernel.keys import Keys, load_keys, make_key_file

ROW = UUID("0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b11")
PLACE = {"table": "persons", "column": "name", "row": ROW}
VECTOR_KEY, VECTOR_NONCE = bytes(range(32)), bytes(range(12))
VECTOR_PERSON = UUID("0199d3c2-7a51-7e3c-9a40-5f0c2a6d1b22")
VECTOR_OF_MASTER = "a2be76ff797a9b375d9ef10c6d66c5942d9c3a24511c"
VECTOR_OF_PERSON = "a2be76ff797aba573a2b8a4ae0d5626bbaf32b7347c7"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    make_key_file(path)
    return load_keys(path)


@pytest.fixture(scope="module")
def ring(keys):
    return Keyring(keys)


# --- sealing --------------------------------------------------------------------------------


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_sealed_value_opens_in_its_place(ring, value):
    sealed = ring.seal(value, **PLACE)
    assert ring.unseal(sealed, **PLACE) == value
    assert ring.seal(value, **PLACE) != sealed


def test_a_sealed_value_shows_nothing(ring):
    sealed = ring.seal("张伟 110105198703150013", **PLACE)
    assert "张伟".encode() not in sealed
    assert b"1101" not in sealed
    assert sealed.startswith(b"\x01\x02d1")


@pytest.mark.parametrize(
    "moved",
    [{"table": "accounts"}, {"column": "phone"}, {"row": uuid4()}, {"table": "persons|name"}],
)
def test_a_sealed_value_opens_nowhere_else(ring, moved):
    sealed = ring.seal("secret", **PLACE)
    with pytest.raises(SealBroken) as caught:
        ring.unseal(sealed, **(PLACE | moved))
    assert "secret" not in str(caught.value)


def test_a_byte_changed_anywhere_is_noticed(ring):
    sealed = ring.seal("secret", **PLACE)
    for position in range(len(sealed)):
        for bit in (1, 128):
            broken = bytearray(sealed)
            broken[position] ^= bit
            with pytest.raises(SealBroken):
                ring.unseal(bytes(broken), **PLACE)


@given(st.binary(max_size=60))
def test_what_was_never_sealed_does_not_open(ring, forged):
    with pytest.raises(SealBroken):
        ring.unseal(forged, **PLACE)


def test_a_value_cut_short_or_grown_does_not_open(ring):
    sealed = ring.seal("secret", **PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            ring.unseal(sealed[:length], **PLACE)
    with pytest.raises(SealBroken):
        ring.unseal(sealed + b"\0", **PLACE)


def test_a_rotated_key_still_opens_what_it_sealed(keys):
    old = Keyring(keys)
    sealed = old.seal("before", **PLACE)
    both = replace(keys, data={**keys.data, "d2": os.urandom(32)}, active_data="d2")
    new = Keyring(both)
    assert new.unseal(sealed, **PLACE) == "before"
    again = new.seal("after", **PLACE)
    assert again.startswith(b"\x01\x02d2")
    with pytest.raises(SealBroken):
        old.unseal(again, **PLACE)


def test_a_value_sealed_with_another_installations_key_does_not_open(keys, ring):
    foreign = Keyring(replace(keys, data={"d1": os.urandom(32)}))
    with pytest.raises(SealBroken):
        ring.unseal(foreign.seal("secret", **PLACE), **PLACE)


# --- sealing under the key of a person -------------------------------------------------------


SOMEBODY, SOMEBODY_ELSE = uuid4(), uuid4()


@pytest.fixture(scope="module")
def cipher():
    return PersonCipher.of(SOMEBODY, new_person_key())


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_persons_value_opens_in_its_place(cipher, value):
    sealed = cipher.seal(value, **PLACE)
    assert cipher.unseal(sealed, **PLACE) == value
    assert cipher.seal(value, **PLACE) != sealed
    assert crypto.person_of(sealed) == SOMEBODY
    assert crypto.master_of(sealed) is None


def test_known_values_open_in_both_formats():
    """What was sealed by an earlier version of this code, byte by byte."""
    old = bytes.fromhex("01026431") + VECTOR_NONCE + bytes.fromhex(VECTOR_OF_MASTER)
    new = b"\x02" + VECTOR_PERSON.bytes + VECTOR_NONCE + bytes.fromhex(VECTOR_OF_PERSON)
    ring = Keyring(Keys({"d1": VECTOR_KEY}, "d1", bytes(32), bytes(32), {}, ""))
    assert ring.unseal(old, **PLACE) == "张伟"
    assert PersonCipher.of(VECTOR_PERSON, VECTOR_KEY).unseal(new, **PLACE) == "张伟"


@pytest.mark.parametrize(
    "moved",
    [{"table": "accounts"}, {"column": "phone"}, {"row": uuid4()}, {"table": "persons|name"}],
)
def test_a_persons_value_opens_nowhere_else(cipher, moved):
    sealed = cipher.seal("secret", **PLACE)
    with pytest.raises(SealBroken) as caught:
        cipher.unseal(sealed, **(PLACE | moved))
    assert "secret" not in str(caught.value)


def test_a_persons_value_does_not_open_as_another_persons(cipher):
    """Neither under another key nor under the same key with another name on it."""
    sealed = cipher.seal("secret", **PLACE)
    key = new_person_key()
    mine, theirs = PersonCipher.of(SOMEBODY, key), PersonCipher.of(SOMEBODY_ELSE, key)
    claimed = b"\x02" + SOMEBODY_ELSE.bytes + mine.seal("secret", **PLACE)[17:]
    for opener, value in ((mine, sealed), (theirs, sealed), (theirs, claimed)):
        with pytest.raises(SealBroken):
            opener.unseal(value, **PLACE)


def test_a_byte_changed_anywhere_in_a_persons_value_is_noticed(cipher):
    sealed = cipher.seal("secret", **PLACE)
    for position in range(len(sealed)):
        broken = bytearray(sealed)
        broken[position] ^= 1
        with pytest.raises(SealBroken):
            cipher.unseal(bytes(broken), **PLACE)
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            cipher.unseal(sealed[:length], **PLACE)


@given(st.binary(max_size=60))
def test_whatever_comes_names_at_most_one_key(cipher, forged):
    assert crypto.person_of(forged) is None or crypto.master_of(forged) is None
    with pytest.raises(SealBroken):
        cipher.unseal(forged, **PLACE)


def test_a_wrapped_key_opens_for_its_person_alone(ring):
    key = new_person_key()
    wrapped = ring.wrap(key, person=SOMEBODY)
    assert key not in wrapped
    assert crypto.master_of(wrapped) == ring.active == "d1"
    assert ring.unwrap(wrapped, person=SOMEBODY) == key
    with pytest.raises(SealBroken):
        ring.unwrap(wrapped, person=SOMEBODY_ELSE)


def test_blind_indexes_find_equals_within_their_purpose(keys, ring):
    index = ring.blind("110105198703150013", purpose="id_number")
    assert index == Keyring(keys).blind("110105198703150013", purpose="id_number")
    assert len(index) == 32
    others = [
        ring.blind("110105198703150014", purpose="id_number"),
        ring.blind("110105198703150013", purpose="phone"),
        ring.blind("", purpose="id_number"),
        Keyring(replace(keys, index=os.urandom(32))).blind(
            "110105198703150013", purpose="id_number"
        ),
    ]
    assert len({index, *others}) == 5


def test_a_process_without_keys_says_so(monkeypatch):
    monkeypatch.setattr(crypto, "_keyring", None)
    with pytest.raises(RuntimeError, match="use"):
        crypto.seal("x", **PLACE)


# --- the key file ---------------------------------------------------------------------------


def test_a_new_key_file_is_its_owners_alone_and_never_replaced(tmp_path):
    path = tmp_path / "keys.json"
    make_key_file(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = path.read_text()
    with pytest.raises(FileExistsError):
        make_key_file(path)
    assert path.read_text() == before
    other = tmp_path / "other.json"
    make_key_file(other)
    assert json.loads(other.read_text())["index"] != json.loads(before)["index"]


def _without(*path):
    def change(content):
        inner = content
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]

    return change


def _with(value, *path):
    def change(content):
        inner = content
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = value

    return change


RSA = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VuBCIEIKC2zNr1gKXYHVDzHTzrfGfRzYHWqYqYhCvTjHgH0FhX
-----END PRIVATE KEY-----
"""

FAULTS = {
    "no data": _without("data"),
    "no index": _without("index"),
    "no cursor": _without("cursor"),
    "no token": _without("token"),
    "no active data key": _without("data", "active"),
    "no data keys": _without("data", "keys"),
    "data is a list": _with([], "data"),
    "keys are a list": _with([], "data", "keys"),
    "an active key that is absent": _with("d9", "data", "active"),
    "an active key that is a list": _with([], "data", "active"),
    "an active token key that is absent": _with("t9", "token", "active"),
    "a short key": _with(base64.b64encode(b"x" * 16).decode(), "index"),
    "no base64": _with("!!!!", "cursor"),
    "a number": _with(5, "index"),
    "null": _with(None, "data", "keys", "d1"),
    "no PEM": _with("secret-looking", "token", "keys", "t1"),
    "a key of another kind": _with(RSA, "token", "keys", "t1"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_key_file_is_named_and_not_quoted(tmp_path, name):
    path = tmp_path / "faulty-keys.json"
    make_key_file(path)
    content = json.loads(path.read_text())
    FAULTS[name](content)
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match=r"faulty-keys\.json") as caught:
        load_keys(path)
    told = str(caught.value)
    for secret in (content.get("index"), content.get("cursor"), "secret-looking", "PRIVATE KEY"):
        assert not secret or not isinstance(secret, str) or secret not in told


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"text"', "\ud83d"])
def test_a_file_that_is_no_key_file_is_named(tmp_path, text):
    path = tmp_path / "faulty-keys.json"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=r"faulty-keys\.json"):
        load_keys(path)


# --- cursors --------------------------------------------------------------------------------

KEY = b"k" * 32
POSITIONS = st.lists(
    st.none()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    max_size=4,
)
FILTERS = st.dictionaries(
    st.text("abc", max_size=3), st.none() | st.text("xyz", max_size=3), max_size=3
)


@given(POSITIONS, FILTERS, st.uuids())
def test_a_cursor_comes_back(position, filters, account):
    cursor = cursors.encode(KEY, position, account=account, filters=filters)
    assert cursor.isascii()
    assert not set(cursor) & set("+/=")
    turned = dict(reversed(filters.items()))
    if len(cursor) <= 512:
        assert cursors.decode(KEY, cursor, account=account, filters=turned) == position


@given(POSITIONS, FILTERS, FILTERS, st.uuids(), st.uuids())
def test_a_cursor_is_of_no_use_elsewhere(position, filters, others, account, another):
    cursor = cursors.encode(KEY, position, account=account, filters=filters)
    if others != filters:
        with pytest.raises(Invalid):
            cursors.decode(KEY, cursor, account=account, filters=others)
    if another != account:
        with pytest.raises(Invalid):
            cursors.decode(KEY, cursor, account=another, filters=filters)
    with pytest.raises(Invalid):
        cursors.decode(b"z" * 32, cursor, account=account, filters=filters)


def test_a_cursor_that_was_touched_is_refused():
    cursor = cursors.encode(KEY, ["2026-11-22T00:00:00", 5], account=ROW, filters={"list": "a"})
    parts = [base64.urlsafe_b64decode(part + "==") for part in cursor.split(".")]
    assert len(parts) == 2
    for which, position in [(n, at) for n, raw in enumerate(parts) for at in range(len(raw))]:
        broken = [bytearray(raw) for raw in parts]
        broken[which][position] ^= 1
        forged = ".".join(base64.urlsafe_b64encode(raw).decode().rstrip("=") for raw in broken)
        with pytest.raises(Invalid) as caught:
            cursors.decode(KEY, forged, account=ROW, filters={"list": "a"})
        assert [(fault.path, fault.code) for fault in caught.value.errors] == [
            ("after", "cursor_invalid")
        ]


@given(st.text(max_size=80))
def test_whatever_comes_as_a_cursor_is_a_fault_of_the_field(text):
    with pytest.raises(Invalid):
        cursors.decode(KEY, text, account=ROW, filters={})


def test_a_cursor_of_one_list_is_refused_by_another(client, world):
    talent = world.talent()
    world.ticket(talent, "settlement")
    world.ticket(talent, "housing_rent")
    page = talent.get("/v1/tickets?limit=1").json
    assert page["next"]
    rest = talent.get("/v1/tickets", query_string={"limit": "1", "after": page["next"]}).json
    assert len(rest["items"]) == 1
    assert rest["next"] is None
    assert rest["items"][0]["id"] != page["items"][0]["id"]
    for other, path in ((talent, "/v1/notices"), (world.talent(), "/v1/tickets")):
        answer = other.get(path, query_string={"after": page["next"]})
        assert answer.status_code == 422
        assert answer.json["errors"][0]["code"] == "cursor_invalid"
