"""Questions that are meant to harm: named faults, never a crash.

What is drawn at random comes as JSON of any shape where answers, facts and family belong, and as
answers that a form takes although nobody would give them.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings

from tests.policies.asking import ask, born, refused
from tests.policies.drawn import KINDS, PACK, QUESTIONS, TAKEN

URL = "/v1/eligibility"


# --- as much as fits, and what nobody would give


@pytest.mark.parametrize(
    "stated",
    [
        {"sections": {f"s{number}": {} for number in range(2_000)}},
        {"sections": {"lease": {f"f{number}": 1 for number in range(2_000)}}},
        {"sections": {"lease": {"landlord": "长" * 300_000}}},
        {"sections": {"medical": {"services": ["priority_visit"] * 4_000}}},
        {"facts": [{"kind": "recognition", "value": {"class": ["A"] * 500}}] * 9},
        {"offerings": ["x"] * 4_900},
        {"family": [{"kinship": "child"}] * 1_500},
        {"sections": {"lease": json.loads('{"to": ' * 29 + "1" + "}" * 29)}},
        {"sections": {"\u202e\u0007": {}, "lease": {"to\u200b": "\u001b[31m"}}},
    ],
)
def test_a_body_full_of_faults_is_refused_with_a_hundred_of_them_at_most(guest, stated):
    assert 1 <= len(refused(guest, **stated)) <= 100


def test_everything_that_may_be_stated_can_be_stated_at_once(guest):
    stated = {
        "offerings": sorted(PACK.offerings),
        "together": sorted(PACK.offerings),
        "sections": {code: one.schema["examples"][0] for code, one in PACK.sections.items()},
        "facts": [{"kind": code, "value": one["examples"][0]} for code, one in KINDS.items()],
        "family": [{"kinship": "child", "birth_date": born(7)}] * 19 + [{"kinship": "spouse"}],
        "birth_date": born(40),
    }
    rows = ask(guest, **stated)
    assert len(rows) == len(PACK.offerings) + 18
    assert all(one["verdict"] != "unknown" for row in rows for one in row["criteria"])


RARELY = settings(
    max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=False
)


@RARELY
@given(QUESTIONS)
def test_no_json_whatever_breaks_it(app, stated):
    answer = app.test_client().post(URL, json=stated)
    assert answer.status_code in {200, 400, 413, 422}
    if answer.status_code == 422:
        assert answer.json["errors"]


@RARELY
@given(TAKEN)
def test_whatever_a_form_takes_has_one_of_three_answers(app, stated):
    answer = app.test_client().post(URL, json=stated)
    assert answer.status_code == 200, answer.json
    for row in answer.json["items"]:
        for one in row["criteria"]:
            assert {told["verdict"] for told in one["reasons"]} == {one["verdict"]}
