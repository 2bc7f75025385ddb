"""Every rule of the URL map says who may call it, and holds them to it."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from service.kernel import http
from service.kernel.http.blueprint import AUDIENCES, Policy
from service.kernel.permissions import (
    AGENT,
    GRANTS,
    PUBLIC,
    STAFF,
    TALENT,
    Permission,
    Role,
    granted,
)

# What no policy governs: health for the machines that watch, documentation for everybody.
OPEN = {
    "/",
    "/home.css",
    "/docs",
    "/docs/",
    "/v1",
    "/v1/",
    "/livez",
    "/readyz",
    "/metrics",
    "/docs/<string:audience>",
    "/docs/<string:audience>.json",
    "/docs/assets/<string:name>",
}


def rules_without_policy(app) -> set[str]:
    return {
        rule.rule
        for rule in app.url_map.iter_rules()
        if not isinstance(getattr(app.view_functions[rule.endpoint], "policy", None), Policy)
    }


def guarded(app):
    """`(rule, method, policy)` of every route that a policy governs."""
    for rule in app.url_map.iter_rules():
        policy = getattr(app.view_functions[rule.endpoint], "policy", None)
        if policy is not None:
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield rule.rule, method, policy


def path_of(rule: str) -> str:
    return re.sub("<uuid:[^>]+>", str(uuid4()), re.sub("<string:[^>]+>", "arrival", rule))


def test_every_rule_has_a_policy(app):
    assert rules_without_policy(app) == OPEN


def test_a_rule_without_a_policy_is_noticed(settings, database):
    from service.app import create_app

    app = create_app(settings, database)
    app.add_url_rule("/v1/forgotten", view_func=lambda: "everything")
    assert rules_without_policy(app) == {*OPEN, "/v1/forgotten"}


def test_a_route_cannot_be_written_without_saying_who_may_call_it():
    blueprint = http.Blueprint("forgetful", __name__)
    with pytest.raises(TypeError, match="allow"):
        blueprint.get("/v1/forgotten", audiences=("public",))
    with pytest.raises(TypeError, match="audiences"):
        blueprint.get("/v1/forgotten", allow=PUBLIC)


def test_policies_are_whole(app):
    found = list(guarded(app))
    assert len(found) > 20
    for rule, method, policy in found:
        assert policy.allow == PUBLIC or isinstance(policy.allow, Permission), rule
        assert policy.audiences, rule
        assert set(policy.audiences) <= set(AUDIENCES), rule
        if method == "GET":
            assert policy.keyed is http.Keyed.NO, rule
            assert not policy.versioned, rule


def test_only_what_is_meant_to_be_public_is(app):
    assert {(method, rule) for rule, method, policy in guarded(app) if policy.allow == PUBLIC} == {
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/v1/bundles"),
        ("GET", "/v1/bundles/<string:code>"),
        ("GET", "/v1/bundles/<string:code>/form"),
        ("GET", "/v1/districts"),
        ("GET", "/v1/offerings"),
        ("GET", "/v1/offerings/<string:code>"),
        ("GET", "/v1/words"),
        ("POST", "/v1/auth/password"),
        ("POST", "/v1/auth/refresh"),
        ("POST", "/v1/auth/wechat"),
        ("POST", "/v1/eligibility"),
    }


def test_a_stranger_is_asked_to_sign_in_everywhere_else(app, client):
    """Before anything of the request is looked at: body, versions and keys are missing here."""
    for rule, method, policy in guarded(app):
        if policy.allow == PUBLIC:
            continue
        answer = client.open(path_of(rule), method=method)
        assert answer.status_code == 401, (method, rule)
        assert answer.json["code"] == "unauthenticated"
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        answer = client.open(
            path_of(rule), method=method, headers={"Authorization": "Bearer a.b.c"}
        )
        assert answer.status_code == 401, (method, rule)
        assert answer.json["code"] == "token_invalid"


def test_nobody_gets_further_than_their_permissions(app, client, world):
    """Every route × a talent and a member of staff of every role that the demonstration has."""
    people = [
        (world.talent(), TALENT),
        (world.staff("agent.1"), AGENT),
        (world.staff("clerk.construction"), granted([Role.CLERK])),
        (world.staff("coordinator"), granted([Role.COORDINATOR])),
        (world.staff("sysadmin"), granted([Role.SYSADMIN])),
        (world.staff("secadmin"), granted([Role.SECADMIN])),
        (world.staff("auditor"), granted([Role.AUDITOR])),
    ]
    refused = 0
    for rule, method, policy in guarded(app):
        if policy.allow == PUBLIC or rule == "/v1/auth/logout":
            continue
        for person, permissions in people:
            answer = client.open(path_of(rule), method=method, headers=person.headers)
            audience = {TALENT: "talent", AGENT: "enterprise"}.get(permissions, "desk")
            if policy.allow in permissions and audience in policy.audiences:
                assert answer.status_code not in {401, 403}, (method, rule, person.account)
            elif policy.allow not in permissions:
                assert answer.status_code == 403, (method, rule, person.account)
                assert answer.json["code"] == "forbidden"
                refused += 1
    assert refused > 50


def test_the_three_administrators_share_nothing_with_each_other_or_the_desk():
    roles = (Role.SYSADMIN, Role.SECADMIN, Role.AUDITOR)
    desk = granted([Role.CLERK, Role.REVIEWER, Role.HEAD])
    for role in roles:
        others = granted([other for other in roles if other is not role])
        assert granted([role]) & (others | desk) == STAFF
    assert set(GRANTS) == set(Role)
    assert granted([]) == STAFF
    assert not granted(Role) & (TALENT - STAFF - {Permission.PROFILE_READ})
