from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.dates import Span, shifted, whole_years
from tests.routing.cases import unhurried

DAYS = st.dates()
SPANS = st.builds(Span, st.integers(0, 3000), st.integers(0, 40_000))


@pytest.mark.parametrize(
    ("raw", "span"),
    [
        ({}, Span(0, 0)),
        ({"years": 2}, Span(24, 0)),
        ({"months": 5}, Span(5, 0)),
        ({"days": 9}, Span(0, 9)),
        ({"years": 1, "months": 2, "days": 3}, Span(14, 3)),
    ],
)
def test_a_span_is_months_and_days(raw, span):
    assert Span.of(raw) == span


@pytest.mark.parametrize(
    ("day", "raw", "later", "earlier"),
    [
        ("2026-07-10", {}, "2026-07-10", "2026-07-10"),
        ("2026-07-10", {"days": 1}, "2026-07-11", "2026-07-09"),
        ("2026-07-10", {"months": 6}, "2027-01-10", "2026-01-10"),
        ("2026-07-10", {"years": 1}, "2027-07-10", "2025-07-10"),
        ("2026-12-31", {"months": 2}, "2027-02-28", "2026-10-31"),
        ("2024-02-29", {"years": 1}, "2025-02-28", "2023-02-28"),
        ("2024-02-29", {"years": 4}, "2028-02-29", "2020-02-29"),
        ("2026-03-31", {"months": 1}, "2026-04-30", "2026-02-28"),
        ("2026-01-31", {"months": 1, "days": 1}, "2026-03-01", "2025-12-30"),
        ("2026-01-01", {"months": 12}, "2027-01-01", "2025-01-01"),
        ("9999-12-31", {"days": 1}, "9999-12-31", "9999-12-30"),
        ("9999-12-31", {"months": 1}, "9999-12-31", "9999-11-30"),
        ("0001-01-01", {"days": 1}, "0001-01-02", "0001-01-01"),
        ("0001-01-31", {"months": 1}, "0001-02-28", "0001-01-01"),
        ("2026-01-01", {"years": 10**6}, "9999-12-31", "0001-01-01"),
        ("2026-01-01", {"days": 10**12}, "9999-12-31", "0001-01-01"),
    ],
)
def test_a_day_so_much_later_and_earlier(day, raw, later, earlier):
    assert shifted(day, Span.of(raw)) == later
    assert shifted(day, Span.of(raw), back=True) == earlier


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "2026-13-01", "0000-01-01"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        shifted(text, Span(1, 0))


@unhurried
@given(DAYS, SPANS, st.booleans())
def test_the_way_is_always_a_date_on_the_right_side(day, span, back):
    moved = date.fromisoformat(shifted(day.isoformat(), span, back=back))
    assert moved <= day if back else moved >= day


@unhurried
@given(DAYS, DAYS, SPANS, st.booleans())
def test_who_starts_later_is_not_earlier_afterwards(one, other, span, back):
    first, second = sorted((one, other))
    moved = [shifted(day.isoformat(), span, back=back) for day in (first, second)]
    assert moved == sorted(moved)


@unhurried
@given(st.dates(date(200, 1, 1), date(9000, 1, 1)), st.integers(0, 40_000))
def test_days_alone_are_days(day, number):
    moved = shifted(day.isoformat(), Span(0, number))
    assert date.fromisoformat(moved) - day == timedelta(days=number)


@pytest.mark.parametrize(
    ("born", "today", "years"),
    [
        ("1990-05-20", "2026-05-19", 35),
        ("1990-05-20", "2026-05-20", 36),
        ("1990-05-20", "2026-05-21", 36),
        ("2004-02-29", "2026-02-28", 21),
        ("2004-02-29", "2026-03-01", 22),
        ("2004-02-29", "2024-02-28", 19),
        ("2004-02-29", "2024-02-29", 20),
        ("2026-05-20", "2026-05-20", 0),
        ("2026-05-20", "2026-05-19", -1),
    ],
)
def test_years_of_age_are_completed_ones(born, today, years):
    assert whole_years(date.fromisoformat(born), date.fromisoformat(today)) == years


@unhurried
@given(DAYS, st.integers(0, 120))
def test_a_birthday_makes_a_year_older(born, years):
    birthday = date.fromisoformat(shifted(born.isoformat(), Span(12 * years, 0)))
    if birthday < date.max and (birthday.month, birthday.day) == (born.month, born.day):
        assert whole_years(born, birthday) == birthday.year - born.year
        assert whole_years(born, birthday + timedelta(days=1)) == birthday.year - born.year
