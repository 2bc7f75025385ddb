"""Nobody waits for somebody else's slowness: bounds on what the script measures."""

from __future__ import annotations

import pytest

from tests.faults.slow_clients import ALL_AT_ONCE, ATTACKS, HEADING, measure, running

SECOND = 1000.0
"""Milliseconds."""


@pytest.mark.slow
def test_others_are_answered_within_a_second_whatever_clients_do():
    with running() as port:
        found = list(measure(port))
    print(HEADING, *(outcome.line() for outcome in found), sep="\n")
    *single, together = found
    for outcome in found:
        assert outcome.unanswered == 0, outcome.line()
    for outcome in single:
        assert outcome.worst < SECOND, outcome.line()
    assert together.name == ALL_AT_ONCE
    assert together.median < SECOND, together.line()
    # Who reads nothing is reset when two spans have passed since their last answer was made.
    unread = sum(attack.connections for attack in ATTACKS if not attack.reads)
    assert len(together.ended) >= together.connections - unread, together.line()
    unfinished = sum(attack.connections for attack in ATTACKS if attack.first and attack.reads)
    assert together.answers["408"] == unfinished
