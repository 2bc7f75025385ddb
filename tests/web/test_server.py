"""What a client may do to a server, and what it may not do to the others."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import suppress

import pytest

from service.kernel.http.problems import REFUSAL
from service.kernel.storage import BrokenOff
from service.web import server as server_module
from tests.web.serving import GET, everything, one_answer, serving, status

POST = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


def echo(environ, start_response):
    """Says what it was handed; where the server refuses the request, the code of the refusal."""
    refusal = environ.get(REFUSAL)
    seen = {name: environ.get(name) for name in ("PATH_INFO", "SCRIPT_NAME", "REMOTE_ADDR")}
    seen |= {name: value for name, value in environ.items() if name.startswith("HTTP_X_")}
    seen |= {"code": refusal and refusal.code, "body": environ["wsgi.input"].read().decode()}
    body = json.dumps(seen).encode()
    answer = "200 OK" if refusal is None else f"{refusal.status} Refused"
    start_response(answer, [("Content-Length", str(len(body)))])
    return [body]


def told(answer: bytes) -> dict:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@pytest.mark.parametrize(
    "sent",
    [
        b"G",
        b"GET / HTTP/1.1\r\nX-A: ",
        POST + b"Content-Length: 100\r\n\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\nff\r\n{",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5",
    ],
)
@pytest.mark.parametrize("drip", [b"", b"1"])
def test_a_request_that_does_not_come_is_answered_with_408(sent, drip):
    with serving(echo) as one, one.connect(sent) as client:
        begun = time.monotonic()
        client.settimeout(0.1)
        answer = b""
        while not answer and time.monotonic() < begun + 5:
            try:
                answer = one_answer(client)
            except TimeoutError:
                client.sendall(drip)
        assert status(answer) == 408
        assert told(answer)["code"] == "request_timeout"
        assert b"Connection: close" in answer
        assert 0.5 < time.monotonic() - begun < 3


def test_a_body_that_comes_slowly_enough_is_served():
    with serving(echo) as one, one.connect(POST + b"Content-Length: 6000\r\n\r\n") as client:
        for _ in range(12):
            client.sendall(b"a" * 500)
            time.sleep(0.12)  # 1.4 seconds: more than two of its spans
        assert told(one_answer(client))["body"] == "a" * 6000


def test_a_connection_on_which_nothing_comes_is_closed():
    with serving(echo) as one, one.connect() as client:
        assert everything(client) == b""


def test_a_connection_is_kept_for_the_next_request():
    with serving(echo) as one, one.connect(GET % b"/a") as client:
        assert status(one_answer(client)) == 200
        time.sleep(1)  # longer than a silent newcomer is given
        client.sendall(GET % b"/b")
        assert told(one_answer(client))["PATH_INFO"] == "/b"
        assert everything(client) == b""


@pytest.mark.parametrize(
    ("sent", "code", "answered"),
    [
        (POST + b"Content-Length: 100001\r\n\r\n{", "body_too_large", 413),
        (
            POST.replace(b"application/json", b"multipart/form-data; boundary=a")
            + b"Content-Length: 400001\r\n\r\n--a",
            "body_too_large",
            413,
        ),
        (
            POST + b"Transfer-Encoding: chunked\r\n\r\n" + b"4000\r\n%s\r\n" % (b" " * 0x4000) * 7,
            "body_too_large",
            413,
        ),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000, "header_too_large", 431),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", "transfer_coding_unknown", 501),
    ],
)
def test_what_is_too_large_is_refused_before_it_has_come(sent, code, answered):
    with serving(echo) as one, one.connect(sent) as client:
        answer = one_answer(client)
        assert (status(answer), told(answer)["code"]) == (answered, code)


def test_a_refused_client_that_still_sends_gets_its_answer():
    size = 20_000_000
    with serving(echo) as one, one.connect(POST + b"Content-Length: %d\r\n\r\n" % size) as client:
        sent = 0
        try:
            while sent < size:
                sent += client.send(b" " * 65536)
        except OSError:
            pytest.fail(f"reset after {sent} bytes")
        assert status(one_answer(client)) == 413


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"-5\r\n",
        b"2;" + b"a" * 100_000,
        b"2\r\n{}XX",
        b"0\r\n" + b"a: b\r\n" * 2000,
        b"+2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
    ],
)
def test_malformed_chunks_are_a_clients_fault(body):
    with serving(echo) as one, one.connect() as client:
        client.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + body)
        assert status(one_answer(client)) in {400, 431}


@pytest.mark.parametrize(
    "sent",
    [
        POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}1",
        POST + b"Content-Length: +2\r\n\r\n{}",
        b"GET / HTTP/1.1\r\nAuthorization Bearer secret\r\n\r\n",
        b"GET /\xe5\xbc\xa0 x HTTP/1.1\r\n\r\n",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(sent):
    with serving(echo) as one:
        answer = one.ask(sent + GET % b"/smuggled")
        assert status(answer) == 400
        assert answer.count(b"HTTP/1.1 ") + answer.count(b"HTTP/1.0 ") == 1


@pytest.mark.parametrize(
    ("behind_proxy", "seen"), [(False, {}), (True, {"HTTP_X_FORWARDED_FOR": "203.0.113.9"})]
)
def test_headers_do_not_change_where_a_request_goes(behind_proxy, seen):
    sent = (
        b"GET //v1/me HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /v1\r\nScript-Name: /v1\r\n"
        b"X-Forwarded-For: 203.0.113.9\r\nConnection: close\r\n\r\n"
    )
    with serving(echo, behind_proxy=behind_proxy) as one:
        answer = told(one.ask(sent))
    assert answer["SCRIPT_NAME"] == ""
    assert answer["PATH_INFO"] == "//v1/me"
    assert answer["REMOTE_ADDR"] == "127.0.0.1"
    forwarded = {name: answer[name] for name in answer if name.startswith("HTTP_X_FORWARDED")}
    assert forwarded == seen


def read_up(client) -> bytes:
    """What there is, until it ends or is cut off."""
    received = b""
    with suppress(ConnectionError):
        while chunk := client.recv(1 << 20):
            received += chunk
    return received


def test_who_does_not_read_their_answer_holds_no_thread():
    large = b"a" * 30_000_000

    def application(environ, start_response):
        body = large if environ["PATH_INFO"] == "/large" else b"small"
        start_response("200 OK", [("Content-Length", str(len(body)))])
        return [body]

    with serving(application, threads=1) as one:
        slow = [one.connect(GET % b"/large") for _ in range(4)]
        begun = time.monotonic()
        for _ in range(5):
            assert one.get(b"/").endswith(b"small")
        assert time.monotonic() - begun < 2
        time.sleep(2)
        for client in slow:
            with client:
                assert len(read_up(client)) < len(large)


class Stuck:
    """An application whose threads wait, but for paths that need nobody."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.begun = 0

    def __call__(self, environ, start_response):
        if environ.get(REFUSAL) is None and environ["PATH_INFO"] == "/stuck":
            self.begun += 1
            self.free.wait(20)
        return echo(environ, start_response)


@pytest.fixture
def stuck(monkeypatch):
    monkeypatch.setattr(server_module, "STALLED_SECONDS", 0.5)
    application = Stuck()
    with serving(application) as one:
        yield one, application
        application.free.set()


def test_where_all_threads_are_stuck_others_are_refused_at_once(stuck):
    one, application = stuck
    held = [one.connect(GET % b"/stuck") for _ in range(2)]
    while application.begun < 2:
        time.sleep(0.01)
    waiting = one.connect(GET % b"/v1/me")
    answer = one_answer(waiting)
    assert (status(answer), told(answer)["code"]) == (503, "unavailable")
    begun = time.monotonic()
    assert status(one.get(b"/v1/me")) == 503
    assert status(one.get(b"/livez")) == 200
    assert status(one.get(b"/readyz")) == 200
    assert time.monotonic() - begun < 0.5
    application.free.set()
    for client in held:
        assert status(one_answer(client)) == 200
        client.close()
    waiting.close()
    assert status(one.get(b"/v1/me")) == 200


def test_one_thread_that_is_free_is_enough(stuck):
    one, application = stuck
    with one.connect(GET % b"/stuck"):
        time.sleep(0.7)
        assert status(one.get(b"/v1/me")) == 200
        application.free.set()


def test_pipelined_requests_are_answered_in_order():
    paths = [b"/livez", b"/a", b"/livez", b"/readyz", b"/b"] * 30
    with serving(echo) as one, one.connect(b"".join(GET % path for path in paths)) as client:
        client.shutdown(socket.SHUT_WR)
        answers = everything(client).split(b"HTTP/1.1 200 OK")[1:]
    assert [told(answer)["PATH_INFO"].encode() for answer in answers] == paths


def test_beyond_the_most_connections_the_oldest_idle_one_goes():
    with serving(echo, connections=3) as one:
        clients = [one.connect() for _ in range(3)]
        time.sleep(0.1)
        assert status(one.get(b"/a")) == 200
        assert clients[0].recv(1) == b""
        for client in clients:
            client.close()


def test_bodies_together_are_bounded(monkeypatch):
    with serving(echo) as one:
        one.server.sizes = type(one.server.sizes)(body=100_000, form=400_000, together=150_000)
        header = POST + b"Content-Length: 90000\r\n\r\n"
        with one.connect(header), one.connect(header + b" ") as second:
            answer = one_answer(second)
            assert (status(answer), told(answer)["code"]) == (503, "unavailable")
            assert (
                status(one.ask(POST + b"Content-Length: 2\r\nConnection: close\r\n\r\n{}")) == 200
            )


def test_a_server_that_ends_answers_what_has_come(stuck):
    """Begun, queued behind it, half arrived, kept alive, and waiting to be accepted."""
    one, application = stuck
    begun = [one.connect(GET % b"/stuck") for _ in range(2)]
    kept = one.connect(GET % b"/livez")
    assert status(one_answer(kept)) == 200
    queued = one.connect(GET % b"/queued")
    half = one.connect(b"GET /half HTTP/1.1\r\n")
    time.sleep(0.1)
    one.stop.set()
    half.sendall(b"Host: a\r\n\r\n")
    time.sleep(0.2)
    application.free.set()
    for client in (*begun, queued, half):
        answer = everything(client)
        assert status(answer) == 200
        assert b"Connection: close" in answer
        client.close()
    assert everything(kept) == b""
    kept.close()


TOO_LARGE = POST + b"Content-Length: 99999999\r\n\r\n"


@pytest.mark.parametrize("path", [b"/livez", b"/readyz", b"/a"])
def test_a_refused_request_behind_others_runs_none_of_them_twice(path):
    """Sent in one go, so that the second is refused while the first still waits to be answered."""
    seen = []

    def counting(environ, start_response):
        seen.append(environ["PATH_INFO"])
        time.sleep(0.05)
        return echo(environ, start_response)

    with serving(counting) as one:
        for _ in range(20):
            seen.clear()
            answers = one.ask(GET % path + TOO_LARGE).split(b"HTTP/1.1 ")[1:]
            assert [answer[:3] for answer in answers] == [b"200", b"413"]
            assert seen == [path.decode(), "/echo"]
        assert status(one.get(b"/livez")) == 200


def test_a_body_is_read_once_where_a_refused_request_follows_it():
    with serving(echo) as one:
        for _ in range(20):
            body = b"a" * 50_000
            first = POST + b"Content-Length: %d\r\n\r\n" % len(body) + body
            answer, refusal = one.ask(first + TOO_LARGE).split(b"HTTP/1.1 ")[1:]
            assert (answer[:3], refusal[:3]) == (b"200", b"413")
            assert told(answer)["body"] == body.decode()


def test_an_answer_that_breaks_off_is_short_and_logged(caplog):
    def broken(_environ, start_response):
        start_response("200 OK", [("Content-Length", "100")])
        yield b"x"
        raise BrokenOff

    with serving(broken) as one, one.connect(GET % b"/a") as client:
        assert everything(client).endswith(b"\r\n\r\nx")
    assert [record.exc_info[0] for record in caplog.records] == [BrokenOff]


@pytest.mark.parametrize(
    ("header", "answered"),
    [
        (b"Content-Length: abc\r\n", 400),
        (b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400),
        (b"Content-Length: 99999999\r\n", 413),
        (b"Transfer-Encoding: gzip\r\n", 501),
    ],
)
def test_who_asks_whether_to_go_on_is_refused_without_a_yes(header, answered):
    with (
        serving(echo) as one,
        one.connect(POST + b"Expect: 100-continue\r\n" + header + b"\r\n") as client,
    ):
        assert status(one_answer(client)) == answered


def test_who_asks_whether_to_go_on_is_told_so():
    sent = POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with serving(echo) as one, one.connect(sent) as client:
        assert client.recv(25).startswith(b"HTTP/1.1 100 Continue")
        client.sendall(b"{}")
        assert told(one_answer(client))["body"] == "{}"


def test_a_target_that_is_no_uri_is_answered():
    with (
        serving(echo) as one,
        one.connect(b"GET http://[::1/x HTTP/1.1\r\nHost: a\r\n\r\n") as client,
    ):
        assert status(one_answer(client)) == 400


def test_empty_lines_are_no_request_that_comes():
    with serving(echo) as one, one.connect() as client:
        begun = time.monotonic()
        client.settimeout(0.1)
        with suppress(OSError):
            while time.monotonic() < begun + 5:
                client.sendall(b"\r\n\r\n")
                with suppress(TimeoutError):
                    if not client.recv(1):
                        break
        assert time.monotonic() - begun < 4


def test_room_is_asked_for_a_body_behind_another_request():
    with serving(echo) as one:
        one.server.sizes = type(one.server.sizes)(body=100_000, form=400_000, together=150_000)
        large = POST + b"Content-Length: 90000\r\n\r\n"
        small = POST + b"Content-Length: 2\r\n\r\n{"
        with one.connect(large), one.connect(small) as second:
            time.sleep(0.1)
            second.sendall(b"}" + large)
            assert status(one_answer(second)) == 200
            assert status(one_answer(second)) == 503


def test_what_is_on_its_way_in_is_not_what_makes_room():
    with serving(echo, connections=3) as one:
        upload = one.connect(POST + b"Content-Length: 3000\r\n\r\n")
        time.sleep(0.05)
        others = [one.connect() for _ in range(2)]
        time.sleep(0.05)
        assert status(one.get(b"/a")) == 200
        upload.sendall(b"a" * 3000)
        assert status(one_answer(upload)) == 200
        for client in (upload, *others):
            client.close()
