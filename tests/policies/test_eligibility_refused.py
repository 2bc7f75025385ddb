"""Questions that are wrong: every fault by its path, and nothing is written, whatever is asked."""

from __future__ import annotations

import re

import pytest
from psycopg import sql

import service.worker  # noqa: F401 - fills the metadata with every slice's tables
from service.kernel.db import Base
from tests.policies.asking import RECOGNISED, add_member, ago, ask, born, refused

URL = "/v1/eligibility"
TABLES = sorted(table.name for table in Base.metadata.tables.values())


@pytest.fixture
def rows_kept(superuser):
    """How many rows every table has."""

    def count():
        return {
            name: superuser.execute(
                sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(name))
            ).fetchone()[0]
            for name in TABLES
        }

    return count


# --- what is wrong, by its path


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({"offerings": ["pension"]}, [("offerings.0", "offering_unknown")]),
        ({"together": ["medical", "pension"]}, [("together.1", "offering_unknown")]),
        ({"offerings": "medical"}, [("offerings", "not_a_list")]),
        ({"offerings": [1]}, [("offerings.0", "not_a_string")]),
        ({"offerings": ["a" * 41]}, [("offerings.0", "length_out_of_bounds")]),
        ({"offerings": ["medical"] * 51}, [("offerings", "length_out_of_bounds")]),
        ({"together": None}, [("together", "null_not_allowed")]),
        ({"together": ["medi\tcal\u0007"]}, [("together.0", "control_character")]),
        ({"sections": []}, [("sections", "not_an_object")]),
        ({"sections": {"pension": {}}}, [("sections.pension", "section_not_expected")]),
        ({"sections": {"lease": "x"}}, [("sections.lease", "not_an_object")]),
        (
            {"sections": {"lease": {"to": "2025-02-30", "floor": 3}}},
            [("sections.lease.floor", "unknown_field"), ("sections.lease.to", "wrong_pattern")],
        ),
        ({"facts": {}}, [("facts", "not_a_list")]),
        ({"facts": [None]}, [("facts.0", "null_not_allowed")]),
        ({"facts": ["recognition"]}, [("facts.0", "not_an_object")]),
        ({"facts": [{"kind": "pension", "value": {}}]}, [("facts.0.kind", "fact_unknown")]),
        ({"facts": [{"kind": "recognition"}]}, [("facts.0.value", "required")]),
        ({"facts": [{"value": {}}]}, [("facts.0.kind", "required")]),
        ({"facts": [{"kind": "recognition", "value": []}]}, [("facts.0.value", "not_an_object")]),
        (
            {"facts": [RECOGNISED, {"kind": "recognition", "value": {"class": "Z"}}]},
            [("facts.1.value.class", "not_one_of")],
        ),
        ({"facts": [RECOGNISED | {"issuer": "x"}]}, [("facts.0.issuer", "unknown_field")]),
        ({"facts": [RECOGNISED] * 51}, [("facts", "length_out_of_bounds")]),
        ({"family": [{}]}, [("family.0.kinship", "required")]),
        ({"family": [{"kinship": "self"}]}, [("family.0.kinship", "wrong_pattern")]),
        (
            {"family": [{"kinship": "child", "birth_date": "2025-02-30"}]},
            [("family.0.birth_date", "not_a_date")],
        ),
        ({"family": [{"kinship": "child", "born": ago()}]}, [("family.0.born", "unknown_field")]),
        ({"family": [{"kinship": "child"}] * 21}, [("family", "length_out_of_bounds")]),
        ({"birth_date": "0000-01-01"}, [("birth_date", "not_a_date")]),
        ({"birth_date": "-2000-01-01"}, [("birth_date", "not_a_date")]),
        ({"birth_date": "+2000-01-01"}, [("birth_date", "not_a_date")]),
        ({"birth_date": "２０００-01-01"}, [("birth_date", "not_a_date")]),
        ({"birth_date": "1899-12-31"}, [("birth_date", "birth_date_too_early")]),
        ({"birth_date": ago(days=-1)}, [("birth_date", "birth_date_in_future")]),
        (
            {"family": [{"kinship": "child", "birth_date": ago(days=-1)}]},
            [("family.0.birth_date", "birth_date_in_future")],
        ),
        ({"birth_date": 20200101}, [("birth_date", "not_a_date")]),
        ({"district": "demo"}, [("district", "unknown_field")]),
        (
            {"subject": "x", "born": ago()},
            [("subject", "unknown_field"), ("born", "unknown_field")],
        ),
        (
            {
                "offerings": ["pension"],
                "together": ["pension"],
                "sections": {"lease": {"from": 1}},
                "facts": [{"kind": "pension", "value": {}}],
            },
            [
                ("offerings.0", "offering_unknown"),
                ("together.0", "offering_unknown"),
                ("sections.lease.from", "wrong_type"),
                ("facts.0.kind", "fact_unknown"),
            ],
        ),
    ],
)
def test_what_is_wrong_is_told_by_its_path(guest, stated, told):
    assert sorted(refused(guest, **stated)) == sorted(told)


@pytest.mark.parametrize("body", ["[]", "null", "1", '"x"', "true"])
def test_a_question_is_an_object(guest, body):
    answer = guest.post(URL, data=body, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["code"] == "not_an_object"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "body_is_no_json"),
        (b"{", 400, "body_is_no_json"),
        (b'{"sections": {"lease": {"to": NaN}}}', 400, "body_is_no_json"),
        (b'{"sections": {}, "sections": {}}', 400, "duplicate_key"),
        (b'{"sections": {"lease": {"landlord": "\\u0000"}}}', 400, "unstorable_character"),
        (b'{"sections": {"lease": {"landlord": "\\ud800"}}}', 400, "unstorable_character"),
        (b'{"sections": {"lease": {"monthly_rent_fen": 1' + b"0" * 30 + b"}}}", 400, None),
        (b'{"sections": ' + b'{"lease": ' * 33 + b"1" + b"}" * 34, 413, "body_too_deep"),
        (b'{"facts": ' + b"[" * 100_000, 413, "body_too_deep"),
        (b'{"offerings": ["' + b"a" * 1_100_000 + b'"]}', 413, "body_too_large"),
    ],
)
def test_what_cannot_be_read_is_turned_away(guest, body, status, code):
    answer = guest.post(URL, data=body, content_type="application/json")
    assert answer.status_code == status
    assert answer.json["code"] == (code or "number_too_long")


def test_a_question_is_json(guest):
    assert guest.post(URL, data={"offerings": "medical"}).status_code == 415


# --- nothing is kept


def test_nothing_is_written_whoever_asks_and_whatever(guest, world, rows_kept, sql_count):
    talent = world.talent()
    add_member(talent, "child", born(7))
    before = rows_kept()
    with sql_count() as sent:
        for who in (guest, talent):
            ask(who, facts=[RECOGNISED], sections={"lease": {"to": ago()}})
            refused(who, offerings=["pension"])
            refused(who, sections={"lease": []})
            refused(who, birth_date="2025-02-30")
            assert who.get("/v1/bundles/arrival/form").status_code == 200
    assert rows_kept() == before
    assert sent.total > 0
    assert not [text for text in sent.texts if re.search(r"\b(INSERT|UPDATE|DELETE)\b", text)]


def test_an_idempotency_key_keeps_nothing_either(world, rows_kept):
    talent = world.talent()
    before = rows_kept()
    key = {"Idempotency-Key": "asked-once"}
    for degree in ("master", "college"):
        body = {"sections": {"applicant": {"degree": degree}}}
        assert talent.post(URL, json=body, headers=key).status_code == 200
    assert rows_kept() == before
