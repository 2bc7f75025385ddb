"""Conditions as a whole: Kleene's logic, what decides, and what holds of any of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.routing.conditions.answered import evaluate
from service.routing.conditions.asked import Truth, parse_condition, sources
from service.routing.conditions.known import Known
from tests.routing.cases import CASE, SOURCES, cases, clauses, conditions, unhurried

MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN
OPPOSITE = {MET: NOT_MET, NOT_MET: MET, UNKNOWN: UNKNOWN}
SURE = {
    MET: {"requested": "schooling"},
    NOT_MET: {"requested": "medical"},
    UNKNOWN: {"field": "home.absent", "is": 1},
}
"""For each answer a clause that comes to it."""
STRENGTH = [NOT_MET, UNKNOWN, MET]


def answer(raw, known=CASE):
    return evaluate(parse_condition(raw), known)


def truth(raw, known=CASE):
    return answer(raw, known).truth


@pytest.mark.parametrize("whole", Truth)
def test_a_clause_is_sure_and_its_opposite_too(whole):
    assert truth(SURE[whole]) is whole
    assert truth({"not": SURE[whole]}) is OPPOSITE[whole]
    assert truth({"not": {"not": SURE[whole]}}) is whole


@pytest.mark.parametrize("truths", [*product(Truth, repeat=2), *product(Truth, repeat=3)])
def test_all_is_the_weakest_and_any_the_strongest(truths):
    parts = [SURE[one] for one in truths]
    assert truth({"all": parts}) is min(truths, key=STRENGTH.index)
    assert truth({"any": parts}) is max(truths, key=STRENGTH.index)


@pytest.mark.parametrize(("word", "whole"), [("all", MET), ("any", NOT_MET)])
def test_of_nothing_all_are_met_and_none_is(word, whole):
    assert (answer({word: []}).truth, answer({word: []}).reasons) == (whole, ())


@pytest.mark.parametrize(
    ("raw", "whole", "reasons"),
    [
        ({"all": [SURE[MET], SURE[UNKNOWN], SURE[NOT_MET], SURE[NOT_MET]]}, NOT_MET,
         ["requested:medical", "requested:medical"]),
        ({"all": [SURE[MET], SURE[UNKNOWN]]}, UNKNOWN, ["field:home.absent"]),
        ({"all": [SURE[MET], SURE[MET]]}, MET, ["requested:schooling", "requested:schooling"]),
        ({"any": [SURE[NOT_MET], SURE[MET], SURE[UNKNOWN]]}, MET, ["requested:schooling"]),
        ({"any": [SURE[NOT_MET], SURE[UNKNOWN]]}, UNKNOWN, ["field:home.absent"]),
        ({"any": [SURE[NOT_MET]]}, NOT_MET, ["requested:medical"]),
        ({"not": {"any": [SURE[NOT_MET], SURE[MET]]}}, NOT_MET, ["requested:schooling"]),
        ({"all": [{"any": [SURE[NOT_MET], SURE[UNKNOWN]]}, {"not": SURE[MET]}]}, NOT_MET,
         ["requested:schooling"]),
    ],
)  # fmt: skip
def test_the_parts_that_decide_are_the_reasons(raw, whole, reasons):
    found = answer(raw)
    assert found.truth is whole
    assert [f"{one.source.kind}:{one.source.name}" for one in found.reasons] == reasons
    assert {one.truth for one in found.reasons} == {whole}


@unhurried
@given(conditions(("papers",)), cases(("papers",)))
def test_every_condition_has_an_answer_with_reasons(raw, known):
    found = answer(raw, known)
    assert found.reasons
    assert {one.truth for one in found.reasons} == {found.truth}
    assert not (found.missing and found.truth is not UNKNOWN)
    condition = parse_condition(raw)
    looked_at = {f"{one.kind}:{one.name}" for one in sources(condition)}
    assert looked_at.issuperset(found.missing)


@unhurried
@given(st.lists(conditions(), min_size=1, max_size=3), cases())
def test_de_morgan(parts, known):
    opposites = [{"not": one} for one in parts]
    assert answer({"not": {"all": parts}}, known) == answer({"any": opposites}, known)
    assert answer({"not": {"any": parts}}, known) == answer({"all": opposites}, known)
    assert answer({"not": {"not": parts[0]}}, known) == answer(parts[0], known)


@unhurried
@given(st.lists(conditions(), min_size=1, max_size=4), cases(), st.data())
def test_the_order_of_the_parts_does_not_matter(parts, known, data):
    mixed = data.draw(st.permutations(parts))
    for word in ("all", "any"):
        one, other = answer({word: parts}, known), answer({word: mixed}, known)
        assert one.truth is other.truth
        assert set(one.missing) == set(other.missing)


@unhurried
@given(conditions(("papers",)), cases(("papers",)), cases(("papers",)))
def test_an_answer_depends_on_what_the_condition_looks_at_alone(raw, known, other):
    """Whatever else is known, of other things, changes neither the answer nor its reasons."""
    condition = parse_condition(raw)
    looked_at = {(one.kind.value, one.name) for one in sources(condition)}
    requested = known if any(kind == "requested" for kind, _ in looked_at) else other
    mixed = replace(
        known,
        answers=_mixed("field", known.answers, other.answers, looked_at),
        facts=_mixed("fact", known.facts, other.facts, looked_at),
        born=_others("age", other.born, looked_at) | _own("age", known.born, looked_at),
        outcomes=_others("stage", other.outcomes, looked_at)
        | _own("stage", known.outcomes, looked_at),
        requested=requested.requested,
    )
    assert evaluate(condition, mixed) == evaluate(condition, known)


def _mixed(kind, mine, theirs, looked_at):
    """Mine of the sections or kinds of facts that are looked at, otherwise theirs."""
    homes = {name.partition(".")[0] for its, name in looked_at if its == kind}
    mixed = {home: value for home, value in theirs.items() if home not in homes}
    return mixed | {home: value for home, value in mine.items() if home in homes}


def _own(kind, values, looked_at):
    return {name: value for name, value in values.items() if (kind, name) in looked_at}


def _others(kind, values, looked_at):
    return {name: value for name, value in values.items() if (kind, name) not in looked_at}


NAMES = st.lists(st.sampled_from([*SOURCES, "requested"]), unique=True)


def without(known: Known, names: list[str]) -> Known:
    """The case, where these things are not known at all."""
    lost = {(kind, *name.split(".")) for kind, _, name in (one.partition(":") for one in names)}
    return replace(
        known,
        answers={
            code: {name: v for name, v in section.items() if ("field", code, name) not in lost}
            for code, section in known.answers.items()
        },
        facts={
            kind: [
                {name: v for name, v in fact.items() if ("fact", kind, name) not in lost}
                for fact in facts
            ]
            for kind, facts in known.facts.items()
        },
        born={who: day for who, day in known.born.items() if ("age", who) not in lost},
        requested=None if "requested" in names else known.requested,
    )


@unhurried
@given(conditions(given=False), cases(), NAMES)
def test_what_becomes_known_never_turns_an_answer_round(raw, known, names):
    """Where nothing was known, a value makes sure what was unknown, and changes nothing else.

    Not so for `given`, which asks just that, and not for a second fact: with a higher degree,
    somebody whose degree was too low meets a condition.
    """
    before, now = truth(raw, without(known, names)), truth(raw, known)
    assert before in (UNKNOWN, now)


def test_a_second_fact_may_turn_an_answer_round():
    raw = {"fact": "degree.level", "at_least": 3}
    low = replace(CASE, facts={"degree": [{"level": 1}]})
    high = replace(CASE, facts={"degree": [{"level": 3}, {"level": 1}]})
    assert (truth(raw, low), truth(raw, high)) == (NOT_MET, MET)
    assert (truth({"not": raw}, low), truth({"not": raw}, high)) == (MET, NOT_MET)


@unhurried
@given(clauses(given=False), cases(), cases())
def test_a_fact_that_meets_a_clause_meets_it_beside_any_other(raw, known, other):
    if truth(raw, known) is not MET:
        return
    kinds = known.facts.keys() | other.facts.keys()
    more = {kind: [*other.facts.get(kind, []), *known.facts.get(kind, [])] for kind in kinds}
    assert truth(raw, replace(known, facts=more)) is MET
