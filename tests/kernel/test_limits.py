"""Limits go on without Redis, and count the address that is really the client's."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
from flask import request
from flask.testing import FlaskClient

from service.app import create_app

# In a process of its own: the limiter is one of a kind, and this one's store is not there.
WITHOUT_REDIS = """
import json, time
from service.app import create_app
from service.kernel import logs
from service.kernel.settings import load
logs.configure()
client = create_app(load()).test_client()
body = {"username": "nobody", "password": "wrong" * 4}
begun = time.monotonic()
answers = [client.post("/v1/auth/password", json=body) for _ in range(5)]
print(json.dumps({
    "statuses": [answer.status_code for answer in answers],
    "retry": answers[-1].headers.get("Retry-After"),
    "offerings": client.get("/v1/offerings").status_code,
    "ready": client.get("/readyz").status_code,
    "seconds": time.monotonic() - begun,
}))
client.application.extensions["talent"].database.dispose()
"""


def test_without_redis_the_service_goes_on_and_signing_in_stays_limited(settings):
    environment = {
        **os.environ,
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "TALENT_LIMIT_LOGIN_PER_ADDRESS": "3 per minute",
    }
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_REDIS],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert found["statuses"] == [401, 401, 401, 429, 429]
    assert 0 < int(found["retry"]) <= 60
    assert (found["offerings"], found["ready"]) == (200, 200)
    assert found["seconds"] < 10
    for line in told.stderr.splitlines():
        assert json.loads(line)["level"] in {"info", "warning", "error"}
    assert "127.0.0.1" not in told.stderr


# In a process of its own, for the same reason. Frozen, Redis takes connections and says nothing.
WHILE_REDIS_IS_FROZEN = """
import json, os, signal, sys, tempfile
from pathlib import Path
from service.local.valkey import ValkeyServer
with tempfile.TemporaryDirectory() as folder, ValkeyServer(Path(folder, "valkey.log")) as valkey:
    os.environ["REDIS_URL"] = valkey.url
    from service.app import create_app
    from service.kernel import logs
    from service.kernel.settings import load
    logs.configure()
    app = create_app(load())
    client = app.test_client()

    def ask(number):
        body = {"username": f"nobody.{number}", "password": "wrong" * 4}
        return client.post("/v1/auth/password", json=body)

    def freeze(response):
        if number == 2:  # after it was counted, before the client is told
            os.kill(valkey.pid, signal.SIGSTOP)
        return response

    app.after_request_funcs[None].append(freeze)  # runs before those that stand before it
    answers = []
    for number in range(9):
        answers.append(ask(number))
    os.kill(valkey.pid, signal.SIGCONT)
    print(json.dumps([answer.status_code for answer in answers]))
    app.extensions["talent"].database.dispose()
"""


def test_while_redis_is_frozen_nobody_gets_a_500_and_every_request_is_logged(settings):
    told = subprocess.run(
        [sys.executable, "-W", "error", "-c", WHILE_REDIS_IS_FROZEN],
        env={**os.environ, "TALENT_LIMIT_LOGIN_PER_ADDRESS": "6 per minute"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    statuses = json.loads(told.stdout)
    # Three were counted in Redis; in the process itself they are counted from nought again.
    assert statuses == [401] * 9
    lines = [json.loads(line) for line in told.stderr.splitlines()]
    assert len([line for line in lines if line["event"] == "request"]) == 9
    degraded = [line for line in lines if line["level"] == "warning"]
    assert 1 <= len(degraded) <= 2
    assert "127.0.0.1" not in told.stderr


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (0, "127.0.0.1", "192.0.2.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.7, 203.0.113.9", "198.51.100.7"),
        (2, "203.0.113.9", "192.0.2.1"),
    ],
)
def test_a_forwarded_address_is_believed_as_far_as_there_are_proxies(
    settings, database, proxies, forwarded, address
):
    app = create_app(replace(settings, proxies=proxies), database)
    app.add_url_rule("/seen", view_func=lambda: request.remote_addr)
    app.test_client_class = FlaskClient
    answer = app.test_client().get(
        "/seen",
        headers={"X-Forwarded-For": forwarded},
        environ_overrides={"REMOTE_ADDR": "192.0.2.1"},
    )
    assert answer.get_data(as_text=True) == address
