"""What is entrusted to the service reaches those whom the pack names, and nobody and nothing else.

Every value of two filings is told from every other, and looked for in all that anybody is answered,
in the logs, and in the database.
"""

from __future__ import annotations

from datetime import date

import pytest

from tests.packs import whole_pack
from tests.privacy.canaries import Canaries

pytestmark = pytest.mark.slow


def test_what_is_found_and_what_is_not():
    """A canary by itself, in a sentence, in bytes, as the date of a moment; not a part of an id."""
    canaries = Canaries("430017", date(2026, 11, 24))
    name = canaries.text("a name")
    one = {"pattern": "^[1-9][0-9]{5}$", "type": "string"}
    region = canaries.value("a region", "region", one, None)
    day = canaries.value("a day", "since", {"format": "date"}, None)
    assert region == "430034"
    for text in (f'{{"x": "{name}"}}', f"unknown:{name}!", f"{name}.pdf"):
        assert canaries.found_in(text) == {"a name"}
    assert canaries.found_in(f"[{region}] {day}T00:00:00Z") == {"a region", "a day"}
    assert canaries.found_in(f"0{region} {region}-9 a{region} 1.{region} 7{day}") == set()
    assert canaries.found_in_bytes(f"\\x00{region.encode().hex()}ff") == {"a region"}


def test_every_stage_of_the_pack_is_looked_at(lives):
    """Of those on which somebody works."""
    declared = {
        (code, stage["key"])
        for code, offering in whole_pack().offerings.items()
        for stage in offering.flow["stages"]
        if stage["kind"] != "check"
    }
    assert set().union(*(life.desks.worked_on for life in lives.values())) == declared


def test_everybody_is_told_exactly_what_is_theirs(life):
    """A task what its stage names, a document itself, an employer who works there since when.

    Lists, timelines, verdicts, other departments, other talents, other employers, guests: nothing.
    """
    wrong = sorted({one.wrong for one in life.ear.heard if one.wrong})
    assert not wrong, "\n".join(wrong)


def test_the_talent_gets_back_all_that_is_theirs(life):
    """All but opinions and notes between departments, and numbers and what their own tells."""
    told = set().union(*(one.found for one in life.ear.heard if one.who == "talent"))
    assert set(life.plant.canaries.known.values()) - told == life.plant.kept_back
    assert told >= life.plant.results


def test_a_refusal_repeats_nothing(life):
    refused = [one for one in life.ear.heard if one.status >= 400]
    assert {one.status for one in refused} == {401, 404, 409, 422}
    assert [one for one in refused if one.found] == []


def test_no_log_has_a_word_of_it(life):
    text = "\n".join(life.lines)
    assert text.count('"event":"request"') >= len(life.ear.heard)
    assert life.plant.canaries.found_in(text) == set()


def test_the_database_keeps_it_sealed(life):
    """But for what is asked of the database itself: who works where since when, and how long facts
    are in force.
    """
    canaries = life.plant.canaries
    clear = {
        table: canaries.found_in(text) | canaries.found_in_bytes(text)
        for table, text in life.tables.items()
    }
    assert clear.keys() >= {"events", "audit_log", "procrastinate_jobs", "notices", "drafts"}
    employment = life.plant.items[0].planted["employment"]
    known = {
        "enterprises": {employment["employer_code"]},
        "employments": {employment["contract_from"]},
    } | ({"facts": life.plant.dates} if life.plant.dates else {})
    assert {table: found for table, found in clear.items() if found} == known
