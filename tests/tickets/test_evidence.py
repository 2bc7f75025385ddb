"""How long a document has to stay, as a table."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.materials.rules import Hold
from service.routing.states import Outcome
from service.tickets.rules.evidence import DECIDED, Use, hold_of

TODAY = date(2026, 11, 24)
ENDED = date(2016, 2, 29)
FOREVER = Hold("material_proves_fact")


def evidence(year):
    return Hold("material_is_evidence", date(year, 12, 31))


@pytest.mark.parametrize(
    ("uses", "hold"),
    [
        ([], None),
        ([Use(None, None)], Hold("material_in_use")),
        ([Use(None, Outcome.APPROVED)], Hold("material_in_use")),
        ([Use(ENDED, Outcome.APPROVED), Use(None, None)], Hold("material_in_use")),
        ([Use(ENDED, Outcome.APPROVED)], evidence(2026)),
        ([Use(ENDED, Outcome.REJECTED)], evidence(2026)),
        ([Use(ENDED, Outcome.NOT_ACCEPTED)], evidence(2026)),
        ([Use(ENDED, Outcome.WITHDRAWN)], None),
        ([Use(TODAY, Outcome.LAPSED), Use(TODAY, Outcome.CANCELLED)], None),
        ([Use(date(2015, 12, 31), Outcome.APPROVED)], None),
        ([Use(ENDED, Outcome.WITHDRAWN), Use(TODAY, Outcome.REJECTED)], evidence(2036)),
        ([Use(ENDED, Outcome.REJECTED), Use(TODAY, Outcome.REJECTED)], evidence(2036)),
        ([Use(ENDED, Outcome.APPROVED, (None,))], FOREVER),
        ([Use(date(1990, 1, 1), Outcome.APPROVED, (None,))], FOREVER),
        ([Use(ENDED, Outcome.APPROVED, (date(2031, 6, 1), TODAY))], evidence(2041)),
        ([Use(ENDED, Outcome.APPROVED, (date(2014, 6, 1),))], evidence(2026)),
        ([Use(ENDED, Outcome.APPROVED, (date.max,))], evidence(9999)),
    ],
)
def test_what_keeps_a_document(uses, hold):
    assert hold_of(uses, years=10, today=TODAY) == hold


def test_the_last_day_is_the_last_on_which_it_is_kept():
    uses = [Use(date(2020, 6, 1), Outcome.APPROVED)]
    assert hold_of(uses, years=10, today=date(2030, 12, 31)) == evidence(2030)
    assert hold_of(uses, years=10, today=date(2031, 1, 1)) is None


ENDS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
USES = st.builds(
    Use,
    st.none() | ENDS,
    st.sampled_from(Outcome),
    st.lists(st.none() | ENDS, max_size=2).map(tuple),
)


@given(st.lists(USES, max_size=4), USES, st.integers(1, 100), ENDS)
def test_another_use_never_shortens_how_long(uses, one_more, years, today):
    before = hold_of(uses, years=years, today=today)
    after = hold_of([*uses, one_more], years=years, today=today)
    assert after is not None or before is None
    if before and after and before.until and after.until:
        assert after.until >= before.until
    decided = one_more.outcome in DECIDED
    if decided and one_more.ended_on and (one_more.ended_on.year + years) >= today.year:
        assert after is not None
