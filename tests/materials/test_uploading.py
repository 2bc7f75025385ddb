"""Handing in a document, over HTTP: forms, keys, and what a failure leaves behind."""

from __future__ import annotations

import hashlib
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from service.app import create_app
from service.kernel import idempotency, messages, storage
from service.materials import actions
from tests.factories import World
from tests.materials.files import GOOD, GPS, chatty_jpeg, pdf
from tests.materials.handing_in import FILE, delete, form, part, send, upload
from tests.sealing import opened


@pytest.mark.parametrize("ending", sorted(GOOD))
def test_every_type_is_kept(talent, blobs, ending):
    before = blobs()
    answer = send(talent, code="degree_certificate", file=GOOD[ending], name=f"证书.{ending}")
    assert answer.status_code == 201, answer.json
    told = answer.json
    assert answer.headers["Location"] == f"/v1/materials/{told['id']}"
    assert told["code"] == "degree_certificate"
    assert told["name"] == f"证书.{ending}"
    assert told["size"] == len(GOOD[ending])
    assert told["sha256"] == hashlib.sha256(GOOD[ending]).hexdigest()
    [blob] = blobs() - before
    assert blob.relative_to(blob.parents[2]).as_posix() == f"materials/demo/{told['id']}"
    assert blob.read_bytes() == GOOD[ending]


def test_a_photograph_is_kept_without_its_place(talent, blobs):
    before = blobs()
    told = upload(talent, file=chatty_jpeg(6), name="照片.jpg")
    [blob] = blobs() - before
    content = blob.read_bytes()
    assert GPS in chatty_jpeg(6)
    assert GPS not in content
    assert told["size"] == len(content) < len(chatty_jpeg(6))
    assert told["sha256"] == hashlib.sha256(content).hexdigest()


def test_what_the_sender_says_of_its_type_does_not_count(talent):
    typed = form().replace(b".pdf\r\n", b".pdf\r\nContent-Type: text/html; charset=x\r\n", 1)
    assert typed != form()
    answer = raw(talent, typed)
    assert answer.json["media_type"] == "application/pdf"


@pytest.mark.parametrize(
    ("file", "name", "status", "code"),
    [
        (b"", "a.pdf", 422, "file_empty"),
        (b"<html>", "a.pdf", 415, "file_type_unsupported"),
        (FILE[:-9], "a.pdf", 422, "file_broken"),
        (FILE, "a.exe", 422, "file_ending_wrong"),
        (FILE, "", 422, "file_ending_wrong"),
    ],
)
def test_a_refusal_leaves_nothing(talent, blobs, file, name, status, code):
    before = blobs()
    answer = send(talent, file=file, name=name, headers={"Idempotency-Key": uuid4().hex})
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert talent.get("/v1/materials").json["items"] == []
    assert blobs() == before


# --- forms


def raw(talent, body, content_type="multipart/form-data; boundary=cut", **options):
    stream = {"input_stream": io.BytesIO(body), "content_length": len(body)}
    return talent.post("/v1/materials", content_type=content_type, **stream, **options)


def field(name, value, *, filename=None):
    return part(f'name="{name}"' + (f'; filename="{filename}"' if filename else ""), value)


WHOLE = field("code", b"id_card") + field("file", FILE, filename="a.pdf")
END = b"--cut--\r\n"


def test_a_form_as_browsers_write_it(talent):
    assert raw(talent, WHOLE + END).status_code == 201


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (field("code", b"id_card") + END, [("file", "required")]),
        (field("file", FILE, filename="a.pdf") + END, [("code", "required")]),
        (WHOLE + field("person", b"x") + END, [("person", "unknown_field")]),
        (WHOLE + field("more", FILE, filename="b.pdf") + END, [("more", "unknown_field")]),
        (WHOLE + field("code", b"other") + END, [("code", "given_twice")]),
        (WHOLE + field("file", FILE, filename="b.pdf") + END, [("file", "given_twice")]),
        (WHOLE + field("file", b"x") + END, [("file", "given_twice")]),
        (field("code", b"id_card") + field("file", FILE) + END, [("file", "not_a_file")]),
        (field("code", b"x", filename="c") + field("file", FILE, filename="a.pdf") + END,
         [("code", "not_a_string")]),
        (field("code", b"../x") + field("file", FILE, filename="a.pdf") + END,
         [("code", "wrong_pattern")]),
        (field("code", b"id_card\n") + field("file", FILE, filename="a.pdf") + END,
         [("code", "control_character")]),
        (field("code", b"\xff\xfe") + field("file", FILE, filename="a.pdf") + END,
         [("code", "wrong_pattern")]),
        (field("code", b"\0") + field("file", FILE, filename="a.pdf") + END,
         [("code", "control_character")]),
        (field("code", b"x" * 41) + field("file", FILE, filename="a.pdf") + END,
         [("code", "wrong_pattern")]),
    ],
)  # fmt: skip
def test_a_form_has_its_fields_once_and_no_others(talent, blobs, body, errors):
    before = blobs()
    answer = raw(talent, body)
    assert answer.status_code == 422, answer.json
    assert [(error["path"], error["code"]) for error in answer.json["errors"]] == errors
    assert blobs() == before


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "multipart/form-data"),
        (WHOLE + END, "multipart/form-data"),
        (WHOLE + END, "multipart/form-data; boundary=other"),
        (WHOLE + END, "multipart/form-data; boundary=" + "x" * 5000),
        (WHOLE + END, "multipart/form-data; boundary=人才"),
        (b"", "multipart/form-data; boundary=cut"),
        (WHOLE, "multipart/form-data; boundary=cut"),
        (WHOLE[:-30], "multipart/form-data; boundary=cut"),
        (b"--cut\r\n\r\nno head\r\n" + END, "multipart/form-data; boundary=cut"),
        (b"--cut\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
         "multipart/form-data; boundary=cut"),
        (b'--cut\r\nContent-Disposition: form-data; name="\xff"\r\n\r\nx\r\n' + END,
         "multipart/form-data; boundary=cut"),
    ],
)  # fmt: skip
def test_what_is_no_form_cannot_be_read(talent, blobs, body, content_type):
    before = blobs()
    for headers in ({}, {"Idempotency-Key": uuid4().hex}):
        answer = raw(talent, body, content_type, headers=headers)
        assert answer.status_code == 400, answer.json
        assert answer.json["code"] in {"form_malformed", "malformed"}
    assert blobs() == before


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""]
)
def test_another_body_is_not_read(talent, content_type):
    answer = raw(talent, b"code=id_card&file=x", content_type)
    assert (answer.status_code, answer.json["code"]) == (415, "form_expected")


def test_a_form_of_many_parts_is_not_read(talent):
    answer = raw(talent, b"".join(field(f"f{n}", b"x") for n in range(20)) + END)
    assert (answer.status_code, answer.json["code"]) == (413, "form_too_much")


def test_a_long_field_is_not_read(talent):
    answer = raw(talent, field("code", b"x" * 500_000) + WHOLE + END)
    assert (answer.status_code, answer.json["code"]) == (413, "form_too_much")


@given(
    st.sampled_from([WHOLE + END, b"", WHOLE]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 9), st.binary(max_size=9)), max_size=4),
)
@given_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_sent_is_answered(talent, body, changes):
    content = bytearray(body)
    for at, length, new in changes:
        content[at : at + length] = new
    assert raw(talent, bytes(content)).status_code in {201, 400, 413, 415, 422}


# --- the limit


def sized(length):
    """A PDF of so many bytes."""
    around = len(pdf(middle=b"% \n"))
    content = pdf(middle=b"% " + b"x" * (length - around) + b"\n")
    shift = len(content) - length  # the place of the table is written with more digits
    return pdf(middle=b"% " + b"x" * (length - around - shift) + b"\n")


def test_a_file_of_exactly_the_limit_is_taken_and_one_byte_more_is_not(talent, settings, blobs):
    limit = settings.material_bytes
    assert limit == 20 * 2**20
    assert upload(talent, file=sized(limit))["size"] == limit
    before = blobs()
    answer = send(talent, file=sized(limit + 1))
    assert (answer.status_code, answer.json["code"]) == (413, "file_too_large")
    assert answer.json["params"] == {"maximum": limit}
    answer = send(talent, file=sized(limit + 2**17))
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")
    assert blobs() == before


def test_other_routes_take_no_more_than_before(talent):
    answer = talent.patch("/v1/me", data=b" " * (2**20 + 1), content_type="application/json")
    assert (answer.status_code, answer.json["code"]) == (413, "body_too_large")


def test_a_body_without_a_length_ends_at_the_limit_too(app, talent, blobs):
    """As gunicorn hands over what comes in chunks."""

    class Endless(io.RawIOBase):
        def __init__(self):
            self.given = 0

        def readable(self):
            return True

        def seek(self, *_place):
            return 0

        def readinto(self, buffer):
            head = field("file", b"", filename="a.pdf")[:-2] if self.given == 0 else b""
            buffer[:] = (head + b"x" * len(buffer))[: len(buffer)]
            self.given += len(buffer)
            return len(buffer)

    before, body = blobs(), Endless()
    answer = talent.client.open(
        "/v1/materials",
        method="POST",
        headers=talent.headers,
        content_type="multipart/form-data; boundary=cut",
        input_stream=body,
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
    assert body.given < 21 * 2**20 + 2**18
    assert blobs() == before


def test_an_upload_that_breaks_off_leaves_nothing(talent, blobs):
    class Broken(io.RawIOBase):
        def readable(self):
            return True

        def seek(self, *_place):
            return 0

        def readinto(self, _buffer):
            raise ConnectionResetError

    before = blobs()
    answer = super(type(talent.client), talent.client).open(
        "/v1/materials",
        method="POST",
        headers=talent.headers,
        content_type="multipart/form-data; boundary=cut",
        input_stream=Broken(),
        content_length=1000,
    )
    assert answer.status_code == 400
    assert blobs() == before


def test_how_often_one_account_hands_in_is_limited(limited, world):
    """Wherever from, and before any of it is read: each upload starts a program."""
    limited(limit_uploads="2 per minute")
    lina, other = world.stranger(), world.stranger()
    assert [send(lina).status_code for _ in range(3)] == [201, 201, 429]
    refused = lina.client.post(
        "/v1/materials",
        data=b"nonsense",
        headers=lina.headers,
        environ_overrides={"REMOTE_ADDR": "203.0.113.7"},
    )
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert send(other).status_code == 201


# --- what fails on the way


class Full:
    """A storage without room."""

    def put(self, name, content):
        raise OSError(28, "No space left on device")


def test_a_full_storage_is_a_matter_of_time(talent, monkeypatch, blobs):
    before = blobs()
    monkeypatch.setattr(storage, "_storage", Full())
    answer = send(talent)
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    monkeypatch.undo()
    assert blobs() == before
    assert talent.get("/v1/materials").json["items"] == []


def unchecked(talent, headers=None):
    """The answer, which may be one that should never be."""
    return super(type(talent.client), talent.client).open(
        "/v1/materials",
        method="POST",
        data=form(),
        content_type="multipart/form-data; boundary=cut",
        headers={**talent.headers, **(headers or {})},
    )


def test_where_the_transaction_fails_the_content_goes_too(talent, blobs, monkeypatch):
    def broken(*_arguments, **_options):
        raise ZeroDivisionError

    before = blobs()
    for module, name in ((actions, "insert_rows"), (idempotency, "store_answer")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, broken)
            answer = unchecked(talent, {"Idempotency-Key": uuid4().hex})
        assert answer.status_code == 500
        assert talent.get("/v1/materials").json["items"] == []
        assert blobs() == before


def test_a_commit_whose_answer_is_lost_keeps_the_content(talent, blobs, database, monkeypatch):
    """It may have happened: a material without a content would be worse than the opposite."""
    commit = type(database).commit

    def lost(self, session):
        commit(self, session)
        raise ConnectionResetError

    before = blobs()
    with monkeypatch.context() as patch:
        patch.setattr(type(database), "commit", lost)
        assert unchecked(talent).status_code == 500
    [told] = talent.get("/v1/materials").json["items"]
    assert len(blobs() - before) == 1
    assert talent.get(f"/v1/materials/{told['id']}/content").data == FILE


def test_a_content_that_cannot_be_deleted_changes_no_answer(talent, monkeypatch):
    class Stubborn:
        def put(self, name, content):
            return len(content.read())

        def delete(self, name):
            raise PermissionError

    key = uuid4().hex
    assert send(talent, headers={"Idempotency-Key": key}).status_code == 201
    monkeypatch.setattr(storage, "_storage", Stubborn())
    assert send(talent, headers={"Idempotency-Key": key}).status_code == 201


def test_nothing_is_open_while_the_file_is_looked_at(app, talent, database, monkeypatch):
    """A connection is not held while the storage works."""
    held = []
    store = actions.store_content

    def watched(*arguments, **options):
        held.append(database.engine.pool.checkedout())
        return store(*arguments, **options)

    monkeypatch.setattr(actions, "store_content", watched)
    upload(talent, headers={"Idempotency-Key": uuid4().hex})
    assert held == [0]


# --- keys


def test_the_same_form_again_is_one_material(talent, blobs):
    key, before = {"Idempotency-Key": uuid4().hex}, blobs()
    first, again = send(talent, headers=key), send(talent, headers=key)
    assert first.status_code == again.status_code == 201
    assert first.data == again.data
    assert first.headers["Location"] == again.headers["Location"]
    assert len(blobs() - before) == 1
    assert len(talent.get("/v1/materials").json["items"]) == 1


def test_the_order_of_a_form_and_its_boundary_do_not_count(talent):
    key = {"Idempotency-Key": uuid4().hex}
    first = raw(talent, WHOLE + END, headers=key)
    turned = field("file", FILE, filename="a.pdf") + field("code", b"id_card") + END
    again = raw(
        talent,
        turned.replace(b"--cut", b"--other"),
        "multipart/form-data; boundary=other",
        headers=key,
    )
    assert first.status_code == again.status_code == 201
    assert first.data == again.data


@pytest.mark.parametrize(
    "changed",
    [{"code": "cv"}, {"name": "b.pdf"}, {"file": pdf(3)}, {"file": sized(2**21)}],
    ids=["code", "name", "file", "large"],
)
def test_another_form_with_the_key_is_refused_and_leaves_nothing(talent, blobs, changed):
    key = {"Idempotency-Key": uuid4().hex}
    assert send(talent, headers=key, name="a.pdf").status_code == 201
    before = blobs()
    answer = send(talent, headers=key, **{"name": "a.pdf", **changed})
    assert (answer.status_code, answer.json["code"]) == (422, "idempotency_key_reused")
    assert blobs() == before


def test_two_large_files_are_told_afield(talent):
    """Their bodies are beyond what other routes read."""
    key = {"Idempotency-Key": uuid4().hex}
    large = sized(2**21)
    assert send(talent, headers=key, file=large).status_code == 201
    other = large.replace(b"xxxx", b"yyyy", 1)
    assert send(talent, headers=key, file=other).json["code"] == "idempotency_key_reused"
    assert send(talent, headers=key, file=large).status_code == 201


def test_one_key_many_times_at_once_is_one_material(app, talent, blobs):
    key, before, times = {"Idempotency-Key": uuid4().hex}, blobs(), 12
    together = threading.Barrier(times)

    def once(client):
        together.wait()
        return send(replace(talent, client=client), headers=key)

    with ThreadPoolExecutor(times) as pool:
        answers = list(pool.map(once, [app.test_client() for _ in range(times)]))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.data for answer in answers if answer.status_code == 201}) == 1
    assert len(talent.get("/v1/materials").json["items"]) == 1
    assert len(blobs() - before) == 1


# --- what is written, and who may


def test_the_name_is_sealed_and_events_hold_codes_alone(talent, superuser):
    name = "欧阳金丝雀的证书.pdf"
    told = upload(talent, name=name, headers={"Idempotency-Key": uuid4().hex})
    row = superuser.execute(
        "SELECT name, person_id, account_id, materials::text FROM materials WHERE id = %s",
        (told["id"],),
    ).fetchone()
    sealed, _, account, text = row
    assert str(account) == talent.account["id"]
    assert name.encode().hex() not in text
    place = {"table": "materials", "column": "name", "row": UUID(told["id"])}
    assert opened(superuser, sealed, **place) == name
    for table in ("events", "procrastinate_jobs", "idempotency_keys", "audit_log"):
        rows = superuser.execute(f"SELECT t::text FROM {table} t").fetchall()
        assert not [row for (row,) in rows if "金丝雀" in row or "\\u91d1" in row], table
    [(kind, data)] = superuser.execute(
        "SELECT kind, data FROM events WHERE data->>'material' = %s", (told["id"],)
    ).fetchall()
    assert kind == "material_kept"
    assert data == {"material": told["id"], "code": "id_card"}


def test_only_talents_hand_in(client, world):
    assert client.post("/v1/materials", data=form()).status_code == 401
    for name in ("clerk.public_security", "head.construction", "coordinator", "auditor"):
        assert send(world.staff(name)).status_code == 403


def test_an_upload_costs_the_same_whatever_there_is(talent, sql_count):
    for _ in range(2):
        with sql_count() as sent:
            upload(talent)
        assert sent.total == 8  # a key, what is taken at all, and two for the quota
    with sql_count() as sent:
        upload(talent, headers={"Idempotency-Key": uuid4().hex})
    assert sent.total == 11


def test_limits_are_the_installations(settings, database):
    narrow = replace(
        settings, material_bytes=2000, material_pixels=10, material_pages=1,
        material_unpacked_bytes=1000,
    )  # fmt: skip
    app = create_app(narrow, database)
    talent = World(app, "").stranger()
    assert send(talent, file=pdf(1)).status_code == 201
    assert send(talent, file=pdf(2)).json["code"] == "file_pages_too_many"
    assert send(talent, file=sized(2001)).json["code"] == "file_too_large"
    assert send(talent, file=GOOD["jpg"], name="a.jpg").json["code"] == "file_pixels_too_many"
    answer = send(talent, file=GOOD["xlsx"], name="a.xlsx")
    assert answer.json["code"] == "file_unpacks_too_large"


@pytest.fixture
def roomy(settings, database):
    """Makes an application that keeps so much of one person, and somebody new."""

    def of(**quota):
        app = create_app(replace(settings, **quota), database)
        return World(app, "").stranger()

    return of


def test_so_many_documents_of_a_person_are_kept_and_room_can_be_made(roomy, blobs):
    talent = roomy(material_person_files=3)
    kept = [upload(talent) for _ in range(3)]
    before = blobs()
    answer = send(talent)
    assert (answer.status_code, answer.json["code"]) == (409, "materials_too_many")
    assert answer.json["params"] == {"maximum": 3}
    assert blobs() == before
    assert delete(talent, kept[0]["id"]).status_code == 204
    assert send(talent).status_code == 201
    assert send(talent).status_code == 409


def test_so_many_bytes_of_a_person_are_kept(roomy, blobs):
    size = len(FILE)
    talent = roomy(material_person_bytes=3 * size - 1)
    for _ in range(2):
        upload(talent)
    before = blobs()
    answer = send(talent)
    assert (answer.status_code, answer.json["code"]) == (409, "materials_too_large")
    assert blobs() == before
    smaller = pdf(1)
    assert len(smaller) < size
    assert send(talent, file=smaller).status_code == 201


def test_one_persons_documents_take_no_room_of_anothers(roomy, world):
    talent = roomy(material_person_files=1)
    upload(world.stranger())
    assert send(talent).status_code == 201


def test_uploads_at_once_keep_no_more_than_one_after_the_other(settings, database, blobs):
    app = create_app(replace(settings, material_person_files=3), database)
    talent, before, times = World(app, "").stranger(), blobs(), 10
    together = threading.Barrier(times)

    def once(client):
        together.wait()
        return send(replace(talent, client=client)).status_code

    with ThreadPoolExecutor(times) as pool:
        told = list(pool.map(once, [app.test_client() for _ in range(times)]))
    assert sorted(told) == [201] * 3 + [409] * 7
    assert len(talent.get("/v1/materials").json["items"]) == 3
    assert len(blobs() - before) == 3


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (1, "1 B"), (1023, "1023 B"), (1024, "1 KiB"), (1536, "1.5 KiB"), (20 * 2**20, "20 MiB"),
        (20 * 2**20 + 65536, "20.1 MiB"), (2**30, "1 GiB"),
    ],
)  # fmt: skip
def test_sizes_are_shown_as_people_read_them(number, shown):
    for language in messages.LANGUAGES:
        for code in ("file_too_large", "body_too_large", "materials_too_large"):
            assert shown in messages.say(code, language, {"maximum": number})
    assert "300" in messages.say("materials_too_many", "en", {"maximum": 300})


def test_a_document_that_no_offering_asks_for_is_refused_at_once(talent, blobs):
    before = blobs()
    answer = send(talent, code="nonsense")
    assert answer.status_code == 422, answer.json
    assert [(one["path"], one["code"]) for one in answer.json["errors"]] == [
        ("code", "material_code_unknown")
    ]
    assert blobs() == before
