"""Nobody waits for somebody else's slowness: bounds on what the script measures."""

from __future__ import annotations

import pytest

from tests.faults.slow_clients import ALL_AT_ONCE, ATTACKS, HEADING, measure, running

SECOND = 1000.0
"""Milliseconds."""
LAST_SECONDS = 24.0
"""When the last slow connection has been ended: two spans of ten seconds, and a busy machine."""


@pytest.mark.slow
def test_others_are_answered_within_a_second_whatever_clients_do():
    with running() as port:
        found = list(measure(port))
    print(HEADING, *(outcome.line() for outcome in found), sep="\n")
    for outcome in found:
        assert outcome.unanswered == 0, outcome.line()
        assert outcome.worst < SECOND, outcome.line()
    together = found[-1]
    assert together.name == ALL_AT_ONCE
    assert len(together.ended) == together.connections, together.line()
    assert max(together.ended) < LAST_SECONDS
    assert set(together.answers) == {"408", "closed", "200"}
    unfinished = sum(attack.connections for attack in ATTACKS if attack.first and attack.reads)
    assert together.answers["408"] == unfinished
