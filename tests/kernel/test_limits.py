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
