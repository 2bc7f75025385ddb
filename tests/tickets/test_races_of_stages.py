"""Departments, successors and timers of one ticket at the same moment: a hundred rounds each."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

import pytest

from service.routing.flow import Verdict
from tests.packs import plain_pack, publish, with_flow
from tests.tickets import invariants
from tests.tickets.acting import TIMERS
from tests.tickets.racing import FORGET, reviews, short

pytestmark = pytest.mark.slow

ROUNDS = 100
PARALLEL = 50
CHILDREN = 9
BUILDERS, PEOPLE, MONEY = "construction", "human_resources", "finance"
PASS, REJECT = Verdict.PASS, Verdict.REJECT
CERTIFICATE = {"class": "D", "certificate_number": "RC-2026-000318"}
_WAIT_UNTIL = "SELECT next_at + interval '1 second' FROM edges WHERE ticket_id = %s"


class TestDepartmentsOfOneStage:
    @pytest.fixture
    def begun(self, wide, filed, held, left):
        """Tickets of a flow of the rent subsidy, accepted."""

        def of(flow):
            publish(wide, with_flow(plain_pack(), "housing_rent", flow))
            ticket = filed("housing_rent")()
            (acceptance,) = left(ticket)
            held(acceptance)(Verdict.ACCEPT)
            return ticket

        return of

    def test_both_pass(self, begun, held, left, wide, at_once):
        flow = reviews([f"review_{n}" for n in range(PARALLEL)], [BUILDERS, PEOPLE])
        for _ in range(ROUNDS // PARALLEL):
            ticket = begun(flow) if _ == 0 else begun({**flow, "promise": {"working_days": 21}})
            todo = left(ticket)
            for pair in zip(todo[::2], todo[1::2], strict=True):
                assert len({task.key for task in pair}) == 1
                assert at_once(*(partial(held(task), PASS) for task in pair)) == ["done", "done"]
            assert [task.kind for task in left(ticket)] == ["decision"]
            assert invariants.check(wide, [ticket]) == 1

    @pytest.mark.parametrize("second", [PASS, REJECT])
    def test_one_rejects(self, begun, held, left, wide, at_once, second):
        """Every rejection leads to another round of the stage, and opens it once."""
        rounds = ROUNDS + (second is PASS)
        ticket = begun(reviews(["review"], [BUILDERS, PEOPLE], rounds=rounds))
        told = Counter()
        for _ in range(ROUNDS):
            one, other = left(ticket)
            codes = at_once(partial(held(one), REJECT), partial(held(other), second))
            told[tuple(codes)] += 1
        expected = {("done", "task_closed"), ("done" if second is PASS else "task_closed", "done")}
        assert set(told) <= expected
        (story,) = invariants.stories(wide, [ticket])
        rounds = [stage.round for stage in story.stages if stage.key == "review"]
        assert rounds == list(range(1, ROUNDS + 1 + (second is PASS)))
        assert bool(left(ticket)) == (second is PASS)
        assert story.kinds().count("stage_rejected") == ROUNDS
        assert invariants.check(wide, [ticket]) == 1

    def test_three_of_which_two_are_enough(self, begun, held, left, wide, at_once):
        names, departments = [f"quorum_{n}" for n in range(ROUNDS)], [BUILDERS, PEOPLE, MONEY]
        ticket = begun(reviews(names, departments, join={"quorum": 2}))
        todo = left(ticket)
        for three in zip(todo[::3], todo[1::3], todo[2::3], strict=True):
            codes = at_once(*(partial(held(task), PASS) for task in three))
            assert sorted(codes) == ["done", "done", "task_closed"]
        assert [task.kind for task in left(ticket)] == ["decision"]
        assert invariants.check(wide, [ticket]) == 1


class TestAlongAnEdge:
    @pytest.fixture
    def edge(self, wide):
        """Places at school wait for the recognition; all three ways are short."""

        def put(otherwise):
            pack = short(short(plain_pack(), "recognition"), "schooling")
            rule = {"kind": "soft", "on": "approved", "otherwise": otherwise}
            edges = ({"from": "recognition", "to": "schooling", **rule},)
            bundle = replace(pack.bundles["arrival"], edges=edges)
            publish(wide, replace(pack, bundles={"arrival": bundle}))

        return put

    def test_an_outcome_and_the_end_of_the_waiting(
        self, filed, held, left, alarm, superuser, wide, at_once
    ):
        """Whichever comes first settles the edge, and the item is freed once."""
        publish(wide, short(plain_pack(), "recognition"))
        again, tickets = filed("recognition", "housing_rent"), []
        give_up = TIMERS["alarms"].act
        for number in range(ROUNDS):
            tickets.append(ticket := again())
            for task in left(ticket):
                held(task)(Verdict.ACCEPT)
            (recognition,) = left(ticket)
            said = (Verdict.APPROVE, CERTIFICATE) if number % 2 else (Verdict.REJECT,)
            ((late,),) = superuser.execute(_WAIT_UNTIL, (ticket,)).fetchall()
            codes = at_once(
                partial(held(recognition), *said),
                partial(alarm, give_up, ticket_id=ticket, at=late),
            )
            assert codes == ["done", "done"]
            held(left(ticket)[0])(Verdict.REJECT)  # so that it may be filed again,
            superuser.execute(FORGET)  # and has to wait again
        statuses = Counter()
        for story in invariants.stories(wide, tickets):
            approved = story.item("recognition").outcome == "approved"
            statuses[approved, story.edges[0].status.value] += 1
            assert story.kinds().count("item_freed") == story.kinds().count("edge_settled") == 1
        assert set(statuses) <= {(False, "waived"), (True, "waived"), (True, "met")}
        assert invariants.check(wide, tickets) == ROUNDS

    def test_an_approval_and_the_acceptances_of_what_waits_for_it(
        self, edge, filed, held, left, wide, at_once
    ):
        """Each decision opens once: at the acceptance or, where that was first, at the approval."""
        edge("proceed")
        family = partial(filed, "recognition", children=CHILDREN)
        tickets = [family()() for _ in range(-(-ROUNDS // CHILDREN))]
        for ticket in tickets:
            held(left(ticket)[0])(Verdict.ACCEPT)
            *acceptances, decision = left(ticket)
            codes = at_once(
                partial(held(decision), Verdict.APPROVE, CERTIFICATE),
                *(partial(held(one), Verdict.ACCEPT) for one in acceptances),
            )
            assert codes == ["done"] * (1 + CHILDREN)
            assert [task.kind for task in left(ticket)] == ["decision"] * CHILDREN
        assert invariants.check(wide, tickets) == len(tickets)

    def test_a_rejection_that_closes_and_the_acceptances_of_what_it_closes(
        self, edge, filed, held, left, wide, at_once
    ):
        """Accepted a moment before, or no more: closed either way."""
        edge("close")
        family = partial(filed, "recognition", children=CHILDREN)
        tickets, told = [family()() for _ in range(-(-ROUNDS // CHILDREN))], Counter()
        for ticket in tickets:
            recognition, *acceptances = left(ticket)
            first, *others = at_once(
                partial(held(recognition), Verdict.NOT_ACCEPT),
                *(partial(held(one), Verdict.ACCEPT) for one in acceptances),
            )
            assert first == "done"
            told.update(others)
            assert left(ticket) == []
        assert set(told) <= {"done", "task_closed"}
        assert told.total() >= ROUNDS
        assert invariants.check(wide, tickets) == len(tickets)
