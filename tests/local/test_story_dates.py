"""The examples of the demonstration's pack do not grow old for those who tell stories with them."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.catalogue.rules.definitions import Binding
from service.local.story.dates import renewed, school_year
from tests.packs import publish, whole_pack

DAYS = [
    date(2026, 11, 24),
    date(2027, 2, 8),
    date(2027, 12, 31),
    date(2028, 2, 29),
    date(2028, 7, 20),
    date(2030, 1, 1),
]
EXAMPLES = {code: section.schema["examples"][0] for code, section in whole_pack().sections.items()}


@pytest.fixture(scope="module", autouse=True)
def _published(database):
    publish(database, whole_pack())


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("offering", sorted(whole_pack().offerings))
def test_on_no_day_an_example_is_refused(client, wall_clock, day, offering):
    wall_clock.set(datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=3))
    asked = whole_pack().offerings[offering].sections
    sections = {code: renewed(EXAMPLES[code], day) for code in asked}
    body = {"offerings": [offering], "sections": sections}
    answer = client.post("/v1/eligibility", json=body)
    assert answer.status_code == 200, answer.json
    for criterion in answer.json["items"][0]["criteria"]:
        refused = criterion["binding"] == Binding.REFUSE and criterion["verdict"] == "not_met"
        by_facts = {reason["source"] for reason in criterion["reasons"]} & {"fact", "requested"}
        assert not refused or by_facts, criterion


def test_what_lies_between_two_dates_of_an_example_stays():
    example = {"contract_from": "2025-07-15", "of": ["2025-07", {"contract_to": "2028-07-14"}]}
    assert renewed(example, date(2028, 2, 29)) == {
        "contract_from": "2027-06-15",
        "of": ["2027-06", {"contract_to": "2030-06-14"}],
    }


@given(st.dates(date(2026, 3, 1), date(2090, 12, 31)))
def test_whatever_was_past_is_past(today):
    for example in ("2026-02-10", "2025-06-30", "2024-02-29"):
        later = renewed(example, today)
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", later)
        assert date.fromisoformat(later) < today


@given(st.integers() | st.booleans() | st.text().filter(lambda text: "-" not in text))
def test_what_is_no_date_stays(value):
    assert renewed({"a": [value]}, date(2030, 1, 1)) == {"a": [value]}
    assert renewed("ZL-2025-001873", date(2030, 1, 1)) == "ZL-2025-001873"


@pytest.mark.parametrize(
    ("today", "year"),
    [(date(2026, 1, 1), 2026), (date(2026, 8, 31), 2026), (date(2026, 9, 1), 2027)],
)
def test_a_school_year_is_the_next_to_begin(today, year):
    assert school_year(today) == year
    assert renewed({"school_year": "2026"}, today) == {"school_year": str(year)}
