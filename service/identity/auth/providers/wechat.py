"""WeChat sign-in: a mini-program's one-time code becomes an openid (`jscode2session`).

The app secret travels in the query string, as WeChat wants it: nothing here logs an address or
lets an exception that holds one escape. The session key of the answer is not kept.
"""

from __future__ import annotations

import re
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx
import orjson

from service.kernel.errors import Unauthenticated, Unavailable
from service.kernel.logs import logger
from service.kernel.settings import Settings, WechatMode

_LOG: Final = logger("identity.wechat")


_DEMO_CODE: Final = re.compile(r"demo:(?=.{1,40}\Z)[\w.-]+([ ·][\w.-]+)*")


_OPENID: Final = re.compile(r"[A-Za-z0-9_-]{1,128}")


_CODE_REFUSED: Final = (40029, 40163, 40226)  # wrong, used before, blocked user


_TIMEOUT: Final = httpx.Timeout(5.0, connect=2.0)


_DEADLINE_SECONDS: Final = 8.0


_LONGEST_ANSWER: Final = 64 * 1024


_PLAIN: Final = {"Accept-Encoding": "identity"}  # what is short stays short


_RETRY: Final = {"Retry-After": "5"}


_MOST_CALLS: Final = 2
_FAILURES: Final = 5
_PAUSE_SECONDS: Final = 10.0


class Line:
    """The way to WeChat of this process: a few calls at a time, and none while it is down.

    A call takes up to some eight seconds in one of the few threads that answer everybody. After
    some calls in a row that failed, one is let through every `pause` seconds until one succeeds.
    """

    def __init__(
        self,
        *,
        most: int = _MOST_CALLS,
        failures: int = _FAILURES,
        pause: float = _PAUSE_SECONDS,
    ) -> None:
        self._free = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._most_failures, self._pause = failures, pause
        self._failures = 0
        self._closed_until = 0.0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around a call; raises `Unavailable` at once where it is not to be made now."""
        if not self._is_open() or not self._free.acquire(blocking=False):
            raise Unavailable(headers=_RETRY)
        try:
            yield
        except Unavailable:
            self._note(failed=True)
            raise
        else:
            self._note(failed=False)
        finally:
            self._free.release()

    def _is_open(self) -> bool:
        with self._lock:
            if self._failures < self._most_failures:
                return True
            now = time.monotonic()
            if now < self._closed_until:
                return False
            self._closed_until = now + self._pause  # for the others, while this one tries
            return True

    def _note(self, *, failed: bool) -> None:
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if failed:
                self._closed_until = time.monotonic() + self._pause


line = Line()


class _Unreadable(Exception):
    """WeChat answered what it does not document."""


def openid_of(code: str, settings: Settings) -> str:
    """Who the code stands for; takes up to some eight seconds, so call it outside a transaction.

    In demo mode the code `demo:<name>` is its own openid, which no real one can equal; the name is
    one to forty letters, digits, `.`, `-`, `_`, single blanks and `·`, and neither width nor case
    tells two people apart. Raises `Unauthenticated` for a code that WeChat or the demonstration
    refuses, `Unavailable` when WeChat cannot say, or at once when `line` has no call to spare.
    """
    if settings.wechat_mode is WechatMode.DEMO:
        folded = unicodedata.normalize("NFKC", code).casefold()
        if not _DEMO_CODE.fullmatch(folded):
            raise Unauthenticated("demo_code_wrong")
        return folded
    with line.call():
        answer = _ask(code, settings)
    errcode = answer.get("errcode", 0)
    if errcode in _CODE_REFUSED:
        raise Unauthenticated("wechat_code_wrong")
    openid = answer.get("openid")
    if errcode != 0 or not isinstance(openid, str) or not _OPENID.fullmatch(openid):
        _LOG.warning("wechat_refused", errcode=errcode if isinstance(errcode, int) else None)
        raise Unavailable(headers=_RETRY)
    return openid


def _ask(code: str, settings: Settings) -> dict[str, Any]:
    query = {
        "appid": settings.wechat_app_id,
        "secret": settings.wechat_secret,
        "js_code": code,
        "grant_type": "authorization_code",
    }
    try:
        with (
            httpx.Client(base_url=settings.wechat_url, timeout=_TIMEOUT, headers=_PLAIN) as client,
            client.stream("GET", "/sns/jscode2session", params=query) as response,
        ):
            return _read(response)
    except (httpx.HTTPError, httpx.StreamError, _Unreadable) as error:
        _LOG.warning("wechat_unavailable", cause=type(error).__name__)
        raise Unavailable(headers=_RETRY) from None


def _read(response: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, whatever its Content-Type; short, soon, and status 200."""
    until = time.monotonic() + _DEADLINE_SECONDS
    body = b""
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > _LONGEST_ANSWER or time.monotonic() > until:
            raise _Unreadable
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise _Unreadable from None
    if response.status_code != httpx.codes.OK or not isinstance(answer, dict):
        raise _Unreadable
    return answer
