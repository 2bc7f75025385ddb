"""The one JSON reader: what it takes, what it turns away, and how long that takes."""

from __future__ import annotations

import io
import json
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.kernel.errors import Malformed, Problem, TooLarge
from service.kernel.http.strict_json import MAX_BYTES, MAX_DEPTH, MAX_VALUES, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
WHOLE = st.integers(-(10**18) + 1, 10**18 - 1)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)

REFUSED = {
    "nothing": (b"", "body_is_no_json"),
    "blanks": (b" \n", "body_is_no_json"),
    "truncated object": (b'{"name": "a"', "body_is_no_json"),
    "truncated text": (b'{"name": "a', "body_is_no_json"),
    "truncated escape": (b'{"name": "a\\', "body_is_no_json"),
    "two values": (b"{} {}", "body_is_no_json"),
    "single quotes": (b"{'a': 1}", "body_is_no_json"),
    "comment": (b"{} // so", "body_is_no_json"),
    "trailing comma": (b'{"a": 1,}', "body_is_no_json"),
    "leading zero": (b'{"a": 01}', "body_is_no_json"),
    "plus sign": (b'{"a": +1}', "body_is_no_json"),
    "full-width digits": ('{"a": １}'.encode(), "body_is_no_json"),
    "byte order mark": (b'\xef\xbb\xbf{"a": 1}', "body_is_no_json"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), "body_is_no_json"),
    "UTF-8 cut short": (b'{"a": "\xe5\xbc"}', "body_is_no_json"),
    "overlong UTF-8": (b'{"a": "\xc0\xaf"}', "body_is_no_json"),
    "raw surrogate": (b'{"a": "\xed\xa0\x80"}', "body_is_no_json"),
    "raw control character": (b'{"a": "\x01"}', "body_is_no_json"),
    "raw NUL": (b'{"a": "\x00"}', "body_is_no_json"),
    "NaN": (b'{"a": NaN}', "body_is_no_json"),
    "Infinity": (b'{"a": Infinity}', "body_is_no_json"),
    "minus Infinity": (b"[-Infinity]", "body_is_no_json"),
    "escaped NUL": (b'{"a": "x\\u0000"}', "unstorable_character"),
    "NUL in a name": (b'{"x\\u0000": 1}', "unstorable_character"),
    "NUL in a list": (b'{"a": [["\\u0000"]]}', "unstorable_character"),
    "lone high surrogate": (b'{"a": "\\ud800"}', "unstorable_character"),
    "lone low surrogate": (b'["\\udc00"]', "unstorable_character"),
    "surrogates the wrong way round": (b'"\\udc00\\ud800"', "unstorable_character"),
    "name twice": (b'{"a": 1, "a": 1}', "duplicate_key"),
    "name twice, escaped": (b'{"a": 1, "\\u0061": 2}', "duplicate_key"),
    "name twice, deep": (b'[{"b": {"a": 1, "a": 2}}]', "duplicate_key"),
    "5,000 digits": (b"9" * 5000, "number_too_long"),
    "minus 5,000 digits": (b'{"a": -' + b"9" * 5000 + b"}", "number_too_long"),
    "19 digits": (b"1" * 19, "number_too_long"),
    "1e999": (b"1e999", "number_too_long"),
    "-1e999": (b'{"a": -1e999}', "number_too_long"),
    "a long fraction": (b"0." + b"1" * 5000, "number_too_long"),
    "a long exponent": (b"1e" + b"1" * 5000, "number_too_long"),
    "33 levels": (b"[" * 33 + b"]" * 33, "body_too_deep"),
    "200,000 levels": (b"[" * 200_000 + b"]" * 200_000, "body_too_deep"),
    "200,000 objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "body_too_deep"),
    "5,001 elements": (b"[" + b"1," * 5000 + b"1]", "body_too_many_values"),
    "5,001 members": (
        b"{" + b",".join(b'"%d":1' % one for one in range(5001)) + b"}",
        "body_too_many_values",
    ),
    "340,000 lists": (b"[" + b"[]," * 340_000 + b"[]]", "body_too_many_values"),
    "many small objects": (b"[" + b'{"a":1},' * 3000 + b"1]", "body_too_many_values"),
    "closed before opened": (b"]" * 90 + b"[" * 90, "body_too_deep body_is_no_json"),
    "too large": (b'"' + b"a" * MAX_BYTES + b'"', "body_too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name):
    body, codes = REFUSED[name]
    with pytest.raises((Malformed, TooLarge)) as caught:
        loads(body)
    assert caught.value.code in codes.split()


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (b" [1, -2.5, true] ", [1, -2.5, True]),
        (b"999999999999999999", 10**18 - 1),
        (b"-1.7976931348623157e+308", -1.7976931348623157e308),
        (b'"\\ud83d\\ude00 \\"\\\\"', '😀 "\\'),
        ('{"名": "张伟 A"}'.encode(), {"名": "张伟 A"}),
        (b'{"a": "[[[[{{{{"}', {"a": "[[[[{{{{"}),
        (b'["\\"[", "\\\\", "{"]', ['"[', "\\", "{"]),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
    ],
)
def test_what_is_taken(body, value):
    assert loads(body) == value


def test_a_mebibyte_is_taken_and_one_byte_more_is_not():
    body = b'"' + b"a" * (MAX_BYTES - 2) + b'"'
    assert loads(body) == "a" * (MAX_BYTES - 2)
    with pytest.raises(TooLarge):
        loads(body + b" ")


@given(VALUES)
def test_every_storable_value_comes_back(value):
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary(max_size=60) | st.text('[]{}":,\\u0de1x -.', max_size=60).map(str.encode))
@example(b'"\\')
@example(b'[{"\\')
def test_whatever_comes_is_a_value_or_a_problem(body):
    with suppress(Malformed, TooLarge):
        assert loads(body) == json.loads(body)


@given(VALUES, st.integers(1, 40))
def test_depth_is_the_depth_of_the_value_and_not_of_its_texts(value, levels):
    body = b"[" * levels + json.dumps([value, "]" * 40, '"\\[']).encode() + b"]" * levels
    deep = levels + 1 + _depth(value)
    if deep > MAX_DEPTH:
        with pytest.raises(TooLarge, match="body_too_deep"):
            loads(body)
    else:
        loads(body)


def _depth(value) -> int:
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, (dict, list)):
        return 1 + max(map(_depth, inner), default=0)
    return 0


LARGE = {
    "opening brackets": lambda size: b"[" * size,
    "closing brackets": lambda size: b"]" * size,
    "quotes": lambda size: b'"' * (size - 1),
    "backslashes": lambda size: b"\\" * size,
    "unterminated backslashes": lambda size: b'"' + b"\\" * (size - 2),
    "unterminated, escaped quotes": lambda size: b'"' + b'\\"' * (size // 2 - 1),
    "quote, backslash": lambda size: b'"\\' * (size // 2),
    "digits": lambda size: b"1" * size,
    "minus signs": lambda size: b"-" * size,
    "blanks": lambda size: b" " * size,
    "small lists": lambda size: b"[" + b"[]," * (size // 3 - 1) + b"1]",
    "names": lambda size: b"{" + b",".join(b'"%d":[]' % one for one in range(size // 12)) + b"}",
}


@pytest.mark.parametrize("name", LARGE)
def test_anything_is_read_in_linear_time(name):
    """Eight times the bytes: eight times the work where it is linear, 64 times were it not."""
    body = LARGE[name]
    small, large = _seconds(body(MAX_BYTES // 32)), _seconds(body(MAX_BYTES // 4))
    assert large < max(1.0, 32 * small), (small, large)


def _seconds(body: bytes) -> float:
    best = float("inf")
    for _ in range(2):
        begun = time.perf_counter()
        with suppress(Problem):
            loads(body)
        best = min(best, time.perf_counter() - begun)
    return best


# --- over HTTP ------------------------------------------------------------------------------


@pytest.fixture
def talent(client, world):
    return world.talent()


def test_hostile_bodies_are_turned_away_and_change_nothing(talent):
    """Every route that reads a body does it with the same reader; three of them stand for all."""
    key = {"Idempotency-Key": uuid4().hex}
    before = talent.get("/v1/me").json
    for name, (body, codes) in REFUSED.items():
        for send, path in (
            (talent.patch, "/v1/me"),
            (talent.post, "/v1/tickets"),
            (talent.client.post, "/v1/auth/wechat"),
        ):
            headers = key if path == "/v1/tickets" else {}
            answer = send(path, data=body, content_type="application/json", headers=headers)
            expected = {"body_too_large", "body_too_deep", "body_too_many_values"} & set(
                codes.split()
            )
            assert answer.status_code in ({400, 413} if expected else {400}), (name, path)
            assert answer.json["code"] in set(codes.split()), (name, path)
    assert talent.get("/v1/me").json == before
    assert talent.get("/v1/tickets").json["items"] == []


@pytest.mark.parametrize(
    "media",
    [
        None,
        "",
        "text/plain",
        "text/json",
        "application/jsonp",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem+json",
        "application",
        "a/b/c",
    ],
)
def test_another_media_type_is_refused(talent, media):
    answer = talent.patch("/v1/me", data=b'{"name": "A"}', content_type=media)
    assert answer.status_code == 415
    assert answer.json["code"] == "unsupported_media_type"
    assert talent.get("/v1/me").json["name"] == "张伟"


@pytest.mark.parametrize(
    "media", ["application/json", "Application/JSON", "application/json; charset=utf-8"]
)
def test_json_is_json_however_it_is_announced(talent, media):
    answer = talent.patch("/v1/me", data='{"name": "王芳"}'.encode(), content_type=media)
    assert answer.status_code == 200
    assert answer.json["name"] == "王芳"


def test_a_body_in_another_charset_is_refused(talent):
    """JSON is UTF-8 (RFC 8259); a charset parameter does not change that."""
    sent = '{"name": "王芳"}'
    for charset in ("gbk", "utf-16", "big5"):
        answer = talent.patch(
            "/v1/me",
            data=sent.encode(charset),
            content_type=f"application/json; charset={charset}",
        )
        assert answer.status_code == 400
        assert answer.json["code"] == "body_is_no_json"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"null", b"1", b"true", b"[[]]", b"0.5"])
def test_a_body_that_is_no_object_is_invalid(talent, body):
    for send, path in ((talent.patch, "/v1/me"), (talent.client.post, "/v1/auth/password")):
        answer = send(path, data=body, content_type="application/json")
        assert answer.status_code == 422, answer.json
        assert [(fault["path"], fault["code"]) for fault in answer.json["errors"]] == [
            ("", "not_an_object")
        ]


@pytest.mark.parametrize("length", [MAX_BYTES + 1, MAX_BYTES + 2, 2**40])
def test_a_body_said_to_be_longer_than_it_may_be_is_not_read(client, length):
    answer = client.post(
        "/v1/auth/wechat",
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": str(length)},
    )
    assert answer.status_code in ({400, 413} if length == MAX_BYTES + 1 else {413})
    if answer.status_code == 413:
        assert answer.json["code"] == "body_too_large"
        assert answer.json["params"] == {"maximum": MAX_BYTES}


def test_a_body_that_breaks_off_is_malformed(client):
    """The connection ends before as many bytes have come as were announced."""
    answer = client.post(
        "/v1/auth/wechat",
        data=b'{"code": "demo:a"}',
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "500"},
    )
    assert answer.status_code == 400


@pytest.mark.parametrize(("length", "status"), [(100, 422), (MAX_BYTES + 1, 413), (2**23, 413)])
def test_a_body_of_unannounced_length_is_read_as_far_as_it_may_be(client, length, status):
    """Chunked, as gunicorn hands it on: no Content-Length, and an end of its own."""
    stream = io.BytesIO(b'{"code": "' + b"a" * length + b'", "x": 1}')
    answer = client.post(
        "/v1/auth/wechat",
        input_stream=stream,
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert answer.status_code == status
    if status == 413:
        assert answer.json["code"] == "body_too_large"
    assert stream.tell() <= MAX_BYTES + 2**17, "what is too long is not read to its end"


def test_what_lies_behind_the_limit_is_not_simply_ignored(client):
    """A mebibyte that is a good body by itself, and then more."""
    good = b'{"code": "demo:smuggler"}'
    stream = io.BytesIO(good.ljust(MAX_BYTES) + b'{"code": "demo:another"}')
    answer = client.post(
        "/v1/auth/wechat",
        input_stream=stream,
        content_type="application/json",
        environ_overrides={"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"},
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "limit",
    ["1.9", "1_0", "１０", "٣", "+1", " 1", "1 ", "01", "0x1", "1e1", "true", "", "9" * 5000, "-1",
     "0", "101", "1\x00", "null", "１"],
)  # fmt: skip
def test_what_merely_resembles_an_integer_in_a_query(talent, limit):
    answer = talent.get("/v1/tickets", query_string={"limit": limit})
    assert answer.status_code == 422, limit
    assert [fault["path"] for fault in answer.json["errors"]] == ["limit"]
    assert answer.json["errors"][0]["code"] in {"not_an_integer", "number_out_of_bounds"}


@pytest.mark.parametrize(
    ("names", "status"), [(MAX_VALUES - 1, 422), (MAX_VALUES + 1, 413), (90_000, 413)]
)
def test_an_object_of_many_unknown_names_is_answered_soon_and_shortly(talent, names, status):
    body = b"{" + b",".join(b'"%06d":1' % number for number in range(names)) + b"}"
    begun = time.perf_counter()
    answer = talent.patch("/v1/me", data=body, content_type="application/json")
    assert answer.status_code == status
    assert len(answer.json["errors"]) in {0, 100}
    assert len(answer.data) < 64 * 1024
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    "body",
    [
        b'{"' + b"a" * 900_000 + b'": 1}',
        b'{"address": {"' + b"a" * 900_000 + b'": 1}}',
        json.dumps({"name": "\u674e" * 100_000}).encode(),
        json.dumps({"id_type": "x" * 900_000}).encode(),
    ],
)
def test_what_is_wrong_is_not_repeated_at_length(talent, body):
    answer = talent.patch("/v1/me", data=body, content_type="application/json")
    assert answer.status_code == 422
    assert len(answer.data) < 4096


class Broken:
    """A body whose chunks the server cannot read on."""

    def read(self, _size=-1):
        raise OSError("Invalid chunk size: b'zz'")

    readline = read


@pytest.mark.parametrize(
    ("path", "media", "key"),
    [
        ("/v1/eligibility", "application/json", None),
        ("/v1/tickets", "application/json", "k1"),
        ("/v1/materials", "multipart/form-data; boundary=a", None),
        ("/v1/materials", "multipart/form-data; boundary=a", "k2"),
        ("/v1/auth/refresh", "application/json", None),
    ],
)
def test_chunks_that_cannot_be_read_are_a_clients_fault(talent, path, media, key):
    answer = talent.post(
        path,
        content_type=media,
        headers={"Idempotency-Key": key} if key else {},
        environ_overrides={
            "wsgi.input": Broken(),
            "wsgi.input_terminated": True,
            "HTTP_TRANSFER_ENCODING": "chunked",
        },
    )
    assert answer.status_code == 400


def test_no_other_reader_of_json_stands_in_the_routes():
    """`request.json` and `get_json` would read with Flask's own rules."""
    service = Path(__file__).resolve().parents[2] / "service"
    for path in service.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "request.json" not in text, path
        assert ".get_json(" not in text, path


@pytest.mark.parametrize(
    ("text", "value"), [("1.0", 1), ("-2.0", -2), ("1e3", 1000), ("2026.0", 2026), ("0.0", 0)]
)
def test_a_whole_number_is_one_however_it_is_written(text, value):
    read = loads(text.encode())
    assert (read, type(read)) == (value, int)


@pytest.mark.parametrize("text", ["1.5", "1e300", "9007199254740993.0"])
def test_what_is_not_whole_or_not_exact_stays_a_fraction(text):
    assert type(loads(text.encode())) is float
