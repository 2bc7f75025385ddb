"""What WeChat may answer to a sign-in code, and what becomes of it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import httpx
import pytest
import respx

from service.identity.auth.providers import wechat as provider
from service.identity.auth.providers.wechat import Line, openid_of
from service.kernel.errors import Unauthenticated, Unavailable
from service.kernel.settings import WechatMode

HOST = "https://wechat.test"
SECRET = "canary-secret"
DEMO = SimpleNamespace(wechat_mode=WechatMode.DEMO)
LIVE = SimpleNamespace(
    wechat_mode=WechatMode.LIVE,
    wechat_url=HOST,
    wechat_app_id="wx0123456789",
    wechat_secret=SECRET,
)


@pytest.fixture(autouse=True)
def line(monkeypatch):
    """No test is refused for what another one had fail."""
    fresh = Line(most=2, failures=3, pause=0.3)
    monkeypatch.setattr(provider, "line", fresh)
    return fresh


@pytest.fixture
def wechat():
    with respx.mock(base_url=HOST) as mock:
        yield mock.get("/sns/jscode2session")


@pytest.mark.parametrize(
    ("code", "openid"),
    [
        ("demo:lina", "demo:lina"),
        ("demo:a.b_c-1", "demo:a.b_c-1"),
        ("demo:" + "x" * 40, "demo:" + "x" * 40),
        ("demo:王小明", "demo:王小明"),
        ("demo：王小明", "demo:王小明"),
        ("demo:Ｗａｎｇ", "demo:wang"),
        ("demo:Wang Fang", "demo:wang fang"),
        ("demo:阿依古丽·买买提", "demo:阿依古丽·买买提"),
        ("demo:𠮷田", "demo:𠮷田"),
    ],
)
def test_a_demo_code_is_a_name_of_any_script(code, openid):
    assert openid_of(code, DEMO) == openid


@pytest.mark.parametrize(
    "code",
    [
        "lina",
        "demo:",
        "demo: ",
        "demo:Li  Na",
        "demo: lina",
        "demo:" + "x" * 41,
        "demo:lina\n",
        "demo:li\u200bna",
        "demo:<name>",
        "",
    ],
)
def test_what_is_no_demo_code(code):
    with pytest.raises(Unauthenticated, match="demo_code_wrong"):
        openid_of(code, DEMO)


def test_the_question_asked(wechat):
    wechat.respond(json={"openid": "oABC_-1", "session_key": "x"})
    assert openid_of("0a&b=c", LIVE) == "oABC_-1"
    asked = wechat.calls.last.request.url.params
    assert dict(asked) == {
        "appid": "wx0123456789",
        "secret": SECRET,
        "js_code": "0a&b=c",
        "grant_type": "authorization_code",
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"openid": "o1", "session_key": "x", "errcode": 0, "errmsg": "ok"}},
        {"text": '{"openid": "o1", "unionid": "u"}', "headers": {"Content-Type": "text/plain"}},
        {"text": '{"openid": "o1"}', "headers": {"Content-Type": "text/html; charset=gbk"}},
    ],
)
def test_good_answers_of_any_content_type(wechat, answer):
    wechat.respond(**answer)
    assert openid_of("code", LIVE) == "o1"


@pytest.mark.parametrize("errcode", [40029, 40163, 40226])
def test_codes_that_are_refused(wechat, errcode):
    wechat.respond(json={"errcode": errcode, "errmsg": "invalid code, rid: 1"})
    with pytest.raises(Unauthenticated, match="wechat_code_wrong"):
        openid_of("code", LIVE)


@pytest.mark.parametrize(
    "answer",
    [
        {"json": {"errcode": -1, "errmsg": "system error"}},
        {"json": {"errcode": 45011, "errmsg": "api minute-quota reach limit"}},
        {"json": {"errcode": 40125, "errmsg": "invalid appsecret"}},
        {"json": {"errcode": "40029"}},
        {"json": {"errcode": [40029]}},
        {"json": {}},
        {"json": []},
        {"json": {"openid": 7}},
        {"json": {"openid": ""}},
        {"json": {"openid": "demo:lina"}},
        {"json": {"openid": "x" * 129}},
        {"json": {"openid": "o1"}, "status_code": 502},
        {"text": "<html>bad gateway</html>"},
        {"text": '{"openid": "o1"'},
        {"content": b"\xff\xfe"},
        {"content": b" " * 70_000 + b'{"openid": "o1"}'},
        {"text": ""},
        {"status_code": 302, "headers": {"Location": "https://elsewhere.test/"}},
    ],
)
def test_answers_that_are_none(wechat, answer):
    wechat.respond(**answer)
    with pytest.raises(Unavailable) as caught:
        openid_of("code", LIVE)
    assert caught.value.headers == {"Retry-After": "5"}


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError]
)
def test_no_answer(wechat, fault, capsys, caplog):
    wechat.mock(side_effect=fault(f"{HOST}?secret={SECRET}"))
    with pytest.raises(Unavailable) as caught:
        openid_of("code", LIVE)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    out = capsys.readouterr()
    assert SECRET not in out.out + out.err + caplog.text


# --- a WeChat that is slow or down ----------------------------------------------------------


def test_a_slow_wechat_is_waited_for_by_few_and_the_rest_are_told_at_once(wechat):
    let_go, asked = threading.Event(), []

    def slow(request):
        asked.append(request)
        let_go.wait(5)
        return httpx.Response(200, json={"openid": "o1"})

    wechat.side_effect = slow
    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(openid_of, "code", LIVE) for _ in range(2)]
        while len(asked) < 2:
            time.sleep(0.01)
        begun = time.monotonic()
        for _ in range(20):
            with pytest.raises(Unavailable) as refused:
                openid_of("code", LIVE)
            assert int(refused.value.headers["Retry-After"]) >= 1
        assert time.monotonic() - begun < 1
        let_go.set()
        assert [one.result() for one in held] == ["o1", "o1"]
    assert len(asked) == 2
    assert openid_of("code", LIVE) == "o1"


def test_a_wechat_that_is_down_is_asked_now_and_then(wechat):
    wechat.mock(side_effect=httpx.ConnectError)
    for _ in range(10):
        with pytest.raises(Unavailable):
            openid_of("code", LIVE)
    assert len(wechat.calls) == 3
    time.sleep(0.35)
    for _ in range(5):
        with pytest.raises(Unavailable):
            openid_of("code", LIVE)
    assert len(wechat.calls) == 4
    time.sleep(0.35)
    wechat.mock(return_value=httpx.Response(200, json={"openid": "o1"}))
    assert [openid_of("code", LIVE) for _ in range(5)] == ["o1"] * 5


def test_a_code_that_is_refused_is_no_sign_of_a_wechat_that_is_down(wechat):
    wechat.respond(json={"errcode": 40029, "errmsg": "invalid code"})
    for _ in range(10):
        with pytest.raises(Unauthenticated):
            openid_of("code", LIVE)
    assert len(wechat.calls) == 10
