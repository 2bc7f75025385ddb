"""The page at `/`: a way to the documentation, in both languages, with nothing from outside."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from service.app import create_app
from service.kernel.settings import Environment, WechatMode

AUDIENCES = ("public", "talent", "desk", "enterprise")


def page_of(client):
    answer = client.get("/")
    assert answer.status_code == 200
    assert answer.content_type == "text/html; charset=utf-8"
    return answer


def test_the_page_leads_to_every_document_and_to_health(client):
    text = page_of(client).get_data(as_text=True)
    led = re.findall(r'href="([^"]+)"', text)
    for audience in AUDIENCES:
        assert {f"/docs/{audience}", f"/docs/{audience}.json"} <= set(led)
    for address in led:
        assert address.startswith("/")
        with client.get(address) as answer:
            assert answer.status_code == 200, address
    assert "接口文档" in text
    assert "Documentation" in text


def test_the_page_loads_its_style_alone_and_runs_nothing(client):
    answer = page_of(client)
    text = answer.get_data(as_text=True)
    assert re.findall(r'(?:src|rel="stylesheet" href)="([^"]+)"', text) == ["/home.css"]
    assert "<script" not in text
    assert "style=" not in text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'")
    assert "unsafe" not in policy


def test_a_demonstration_says_how_to_sign_in_and_what_it_says_works(client):
    text = page_of(client).get_data(as_text=True)
    (code,) = re.findall(r"demo:[^&]+(?=&quot;)", text)
    answer = client.post("/v1/auth/wechat", json={"code": code})
    assert answer.status_code == 200
    assert "var/demo-password" in text


def test_the_address_in_the_examples_is_what_the_reader_used(client):
    text = client.get("/", headers={"Host": "here.example:8443"}).get_data(as_text=True)
    assert "curl -s http://here.example:8443/v1/auth/wechat" in text
    text = client.get("/", headers={"Host": "a<b>"}).get_data(as_text=True)
    assert "a<b>" not in text


@pytest.mark.parametrize(
    "changed",
    [{"wechat_mode": WechatMode.LIVE}, {"environment": Environment.PRODUCTION}],
)
def test_elsewhere_nothing_is_said_of_demonstration(settings, database, changed):
    app = create_app(replace(settings, **changed), database)
    text = app.test_client().get("/").get_data(as_text=True)
    assert "/docs/talent" in text
    assert "demo" not in text


@pytest.mark.parametrize("path", ["/docs", "/docs/", "/v1", "/v1/"])
def test_who_looks_for_documentation_is_led_there(client, path):
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/"
