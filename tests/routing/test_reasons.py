"""What an answer rests on, what a condition looks at, and what is no condition."""

from __future__ import annotations

import pytest

from service.routing.conditions.answered import Finding, evaluate
from service.routing.conditions.asked import (
    CelClause,
    MalformedCondition,
    Source,
    SourceKind,
    Truth,
    cel_names,
    parse_condition,
    sources,
)
from service.routing.conditions.known import Known, first_value
from tests.routing.cases import CASE, TODAY

MET, NOT_MET, UNKNOWN = Truth.MET, Truth.NOT_MET, Truth.UNKNOWN
FEW = Known(TODAY, facts=CASE.facts, facts_complete=False)


def truth(raw, known=CASE):
    return evaluate(parse_condition(raw), known).truth


def test_an_answer_rests_on_its_clause():
    answer = evaluate(parse_condition({"field": "home.rooms", "at_least": 4}), CASE)
    source = Source(SourceKind.FIELD, "home.rooms")
    assert answer.reasons == (Finding(source, ("at_least", 4), NOT_MET),)
    assert answer.missing == ()


@pytest.mark.parametrize(
    ("raw", "missing"),
    [
        ({"field": "home.absent", "is": 1}, ("field:home.absent",)),
        ({"field": "home.rooms", "at_least": {"field": "lease.absent"}}, ("field:lease.absent",)),
        ({"field": "a.x", "at_least": {"field": "b.x"}}, ("field:a.x",)),
        ({"fact": "absent.level", "is": 1}, ("fact:absent.level",)),
        ({"age": "subject", "at_least": 1}, ("age:subject",)),
        ({"field": "nowhere.x", "given": True}, ("field:nowhere.x",)),
        ({"stage": "later", "is": "passed"}, ()),
        ({"all": [{"field": "a.x", "is": 1}, {"field": "b.x", "is": 1}, {"field": "a.x", "is": 2}]},
         ("field:a.x", "field:b.x")),
        ({"any": [{"field": "a.x", "is": 1}, {"field": "home.rooms", "is": 3}]}, ()),
        ({"not": {"field": "a.x", "is": 1}}, ("field:a.x",)),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_once(raw, missing):
    assert evaluate(parse_condition(raw), CASE).missing == missing


def test_of_facts_not_all_known_the_kind_is_missing():
    answer = evaluate(parse_condition({"fact": "absent", "given": True}), FEW)
    assert answer.missing == ("fact:absent",)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("field", "home.kind", "flat"),
        ("field", "home.gone", None),
        ("fact", "degree.level", 1),
        ("fact", "degree.on", "2020-02-29"),
        ("fact", "absent.level", None),
        ("age", "applicant", 22),
        ("requested", "schooling", True),
    ],
)
def test_of_several_values_the_newest_counts(kind, name, value):
    assert first_value(Source(SourceKind(kind), name), CASE) == value


@pytest.mark.parametrize(
    ("raw", "named"),
    [
        ({"field": "home.kind", "is": "flat"}, ["field:home.kind"]),
        ({"field": "home.since", "at_least": {"field": "lease.ends", "plus": {"days": 1}}},
         ["field:home.since", "field:lease.ends"]),
        ({"fact": "degree", "given": True}, ["fact:degree"]),
        ({"requested": "medical"}, ["requested:medical"]),
        ({"all": [{"age": "subject", "is": 1}, {"not": {"stage": "papers", "is": "passed"}}]},
         ["age:subject", "stage:papers"]),
        ({"any": [{"fact": "a.b", "is": 1}, {"fact": "a.b", "is": 2}]}, ["fact:a.b", "fact:a.b"]),
        ({"cel": "a.b == 1", "needs": [{"field": "a.b"}, {"fact": "c.d"}]},
         ["field:a.b", "fact:c.d"]),
    ],
)  # fmt: skip
def test_a_condition_tells_what_it_looks_at(raw, named):
    found = sources(parse_condition(raw))
    assert [f"{one.kind}:{one.name}" for one in found] == named


SIZE = {"cel": "home.rooms * 2 > facts.degree.level", "needs": [{"field": "home.rooms"}]}
SIZE["needs"] += [{"fact": "degree.level"}]


@pytest.mark.parametrize(
    ("raw", "expected", "missing"),
    [
        (SIZE, MET, ()),
        ({**SIZE, "cel": "home.rooms == 4"}, NOT_MET, ()),
        ({"cel": "lease.rooms == 3", "needs": [{"field": "lease.rooms"}]}, MET, ()),
        ({**SIZE, "cel": "facts.degree.level == 1"}, MET, ()),
        ({**SIZE, "cel": "facts.degree.level == 3"}, MET, ()),
        ({**SIZE, "cel": "facts.degree.level == 2"}, NOT_MET, ()),
        ({**SIZE, "cel": "today == '2026-06-01'"}, MET, ()),
        ({**SIZE, "cel": "home.rooms / 0 == 1"}, UNKNOWN, ("field:home.rooms",)),
        ({**SIZE, "cel": "home.rooms + 1"}, UNKNOWN, ("field:home.rooms",)),
        ({"cel": "a.b == 1", "needs": [{"field": "home.rooms"}, {"field": "a.b"}]}, UNKNOWN,
         ("field:a.b",)),
        ({"cel": "true", "needs": [{"fact": "record.on"}]}, UNKNOWN, ("fact:record.on",)),
        ({"cel": "home.kind == 'flat' && home.rooms == 3",
          "needs": [{"field": "home.kind"}, {"field": "home.rooms"}]}, MET, ()),
    ],
)  # fmt: skip
def test_an_expression_is_unknown_where_it_lacks_something_or_fails(raw, expected, missing):
    answer = evaluate(parse_condition(raw), CASE)
    assert (answer.truth, answer.missing) == (expected, missing)
    assert answer.reasons[0].asked == ("is", raw["cel"])
    assert answer.reasons[0].source == Source(SourceKind.CEL, "")


BOTH = {
    "cel": "facts.degree.level >= 3 && facts.degree.kind == 'arts'",
    "needs": [{"fact": "degree.level"}, {"fact": "degree.kind"}],
}
PERMIT = {
    "cel": "facts.degree.level == 3 && facts.permit.kind == 'stay'",
    "needs": [{"fact": "degree.level"}, {"fact": "permit.kind"}],
}
LOW_ARTS, HIGH_LAW = {"level": 1, "kind": "arts"}, {"level": 3, "kind": "law"}
HIGH_ARTS, HIGH = {"level": 3, "kind": "arts"}, {"level": 3}


@pytest.mark.parametrize(
    ("raw", "facts", "expected", "missing"),
    [
        (BOTH, {"degree": [HIGH_ARTS]}, MET, ()),
        # a level of one and a kind of another make no degree
        (BOTH, {"degree": [LOW_ARTS, HIGH_LAW]}, NOT_MET, ()),
        (BOTH, {"degree": [HIGH, LOW_ARTS]}, NOT_MET, ()),
        # one for which all of it holds is enough, whatever is newer
        (BOTH, {"degree": [LOW_ARTS, HIGH_ARTS]}, MET, ()),
        (BOTH, {"degree": [HIGH, HIGH_ARTS]}, MET, ()),
        # none has all of it
        (BOTH, {"degree": [HIGH, {"kind": "arts"}]}, UNKNOWN, ("fact:degree.kind",)),
        (BOTH, {"degree": []}, UNKNOWN, ("fact:degree.level",)),
        (BOTH, {}, UNKNOWN, ("fact:degree.level",)),
        # each of one kind beside each of another
        (PERMIT, {"degree": [LOW_ARTS, HIGH], "permit": [{"kind": "work"}, {"kind": "stay"}]},
         MET, ()),
        (PERMIT, {"degree": [LOW_ARTS], "permit": [{"kind": "stay"}]}, NOT_MET, ()),
        (PERMIT, {"degree": [HIGH], "permit": [{}]}, UNKNOWN, ("fact:permit.kind",)),
        # a fact on which it fails leaves open what another may bring
        ({**BOTH, "cel": "3 / facts.degree.level == 1"},
         {"degree": [{"level": 0, "kind": "x"}, {"level": 2, "kind": "x"}]}, MET, ()),
        ({**BOTH, "cel": "3 / facts.degree.level == 9"},
         {"degree": [{"level": 0, "kind": "x"}, {"level": 2, "kind": "x"}]}, UNKNOWN,
         ("fact:degree.level",)),
    ],
)  # fmt: skip
def test_an_expression_looks_at_one_fact_of_a_kind_at_a_time(raw, facts, expected, missing):
    answer = evaluate(parse_condition(raw), Known(TODAY, facts=facts))
    assert (answer.truth, answer.missing) == (expected, missing)


def test_clauses_each_look_for_a_fact_of_their_own():
    """`all` combines answers: that one fact meets all of it is for an expression to ask."""
    parts = [{"fact": "degree.level", "at_least": 3}, {"fact": "degree.kind", "is": "arts"}]
    known = Known(TODAY, facts={"degree": [LOW_ARTS, HIGH_LAW]})
    assert truth({"all": parts}, known) is MET
    assert truth(BOTH, known) is NOT_MET


def test_an_expression_names_what_it_needs():
    condition = parse_condition(SIZE)
    assert isinstance(condition, CelClause)
    assert cel_names(condition.needs) == ("today", "home.rooms", "facts.degree.level")


def nested(depth, around):
    raw = {"requested": "schooling"}
    for _ in range(depth - 1):
        raw = around(raw)
    return raw


@pytest.mark.parametrize(
    "around",
    [lambda raw: {"not": {"not": raw}}, lambda raw: {"all": [raw]}, lambda raw: {"any": [raw]}],
    ids=["not", "all", "any"],
)
def test_conditions_are_nested_so_deep_and_no_deeper(around):
    assert truth(nested(4, around)) is MET
    with pytest.raises(MalformedCondition, match="8 deep"):
        parse_condition(nested(9, around))


@pytest.mark.parametrize("word", ["all", "any"])
def test_eight_are_not_too_many(word):
    assert truth(nested(8, lambda raw: {word: [raw]})) is MET
    assert truth(nested(8, lambda raw: {"not": raw})) is NOT_MET


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"is": 1},
        {"field": "home.kind"},
        {"field": "home.kind", "is": 1, "in": [1]},
        {"colour": "red", "is": 1},
        {"all": 5},
        {"all": "text"},
        {"any": [5]},
        {"any": [{}]},
        {"not": None},
        {"cel": "true"},
        {"cel": "true", "needs": 5},
        {"cel": 5, "needs": []},
        {"cel": "true", "needs": [{"is": 1}]},
        {"cel": "home.rooms == 1", "needs": [{"field": "home.kind"}]},
        {"cel": "true &&", "needs": [{"field": "home.kind"}]},
        [],
        ["all"],
        None,
    ],
)
def test_another_shape_is_no_condition(raw):
    with pytest.raises(MalformedCondition):
        parse_condition(raw)
