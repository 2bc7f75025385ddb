"""A small vocabulary of what may be known of a case, and strategies for questions about it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from service.routing.conditions.known import Known

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""For properties: a busy machine fails none of them."""

TODAY = date(2026, 6, 1)
CASE = Known(
    today=TODAY,
    answers={
        "home": {"rooms": 3, "kind": "flat", "owned": True, "since": "2024-06-01", "gone": None},
        "lease": {"begins": "2025-07-10", "ends": "2026-07-09", "rooms": 3.0, "zero": "0000-01-01"},
        "empty": {},
    },
    facts={
        "degree": [{"level": 1, "kind": "arts"}, {"level": 3, "on": "2020-02-29"}],
        "permit": [{"on": "2026-05-01"}],
        "record": [],
    },
    born={"applicant": date(2004, 2, 29), "subject": None},
    outcomes={"papers": "passed", "visit": "rejected"},
    requested=frozenset({"schooling"}),
)
"""A case by hand: of everything something, of some things nothing."""

NUMBERS = st.integers(0, 4)
CHOICES = st.sampled_from(["flat", "house", "boat"])
YES_NO = st.booleans()
DAYS = st.dates(date(2023, 12, 1), date(2026, 12, 31))
DATES = DAYS.map(date.isoformat)
PEOPLE = ("applicant", "subject")
OFFERINGS = ("schooling", "medical")
CAME_TO = st.sampled_from(["passed", "rejected", "skipped"])

_SORTS = {"number": NUMBERS, "choice": CHOICES, "yes_no": YES_NO, "date": DATES}
SOURCES: Mapping[str, str] = {
    "field:home.rooms": "number",
    "field:home.kind": "choice",
    "field:home.owned": "yes_no",
    "field:home.since": "date",
    "field:lease.rooms": "number",
    "field:lease.until": "date",
    "fact:degree.level": "number",
    "fact:degree.kind": "choice",
    "fact:permit.on": "date",
    "age:applicant": "number",
    "age:subject": "number",
}
"""What clauses look at, as a finding would name it, and of which sort it is."""


def values_of(source: str) -> st.SearchStrategy[Any]:
    return _SORTS[SOURCES[source]]


def plain_source(source: str) -> dict[str, Any]:
    """`field:home.rooms` in its plain form."""
    kind, _, name = source.partition(":")
    return {kind: name}


SPANS = st.builds(
    lambda unit, number: {unit: number},
    st.sampled_from(["years", "months", "days"]),
    st.integers(0, 30),
)


def clauses(stages: tuple[str, ...] = (), *, given: bool = True) -> st.SearchStrategy[Any]:
    """One clause in its plain form, which fits what it looks at."""
    options = [_compared(source) for source in SOURCES]
    options.append(st.sampled_from(OFFERINGS).map(lambda name: {"requested": name}))
    options.append(st.sampled_from(EXPRESSIONS))
    if given:
        named = [plain_source(one) for one in SOURCES if not one.startswith("age")]
        named += [{"fact": "degree"}, {"fact": "permit"}]
        asked = st.tuples(st.sampled_from(named), YES_NO)
        options.append(asked.map(lambda pair: {**pair[0], "given": pair[1]}))
    if stages:
        asked = st.tuples(st.sampled_from(stages), CAME_TO)
        options.append(asked.map(lambda pair: {"stage": pair[0], "is": pair[1]}))
    return st.one_of(options)


def conditions(stages: tuple[str, ...] = (), *, given: bool = True) -> st.SearchStrategy[Any]:
    """Any condition in its plain form: clauses, combined."""
    return st.recursive(
        clauses(stages, given=given),
        lambda parts: st.one_of(
            st.builds(
                lambda word, several: {word: several},
                st.sampled_from(["all", "any"]),
                st.lists(parts, min_size=1, max_size=3),
            ),
            parts.map(lambda part: {"not": part}),
        ),
        max_leaves=8,
    )


def _compared(source: str) -> st.SearchStrategy[Any]:
    sort, values, plain = SOURCES[source], values_of(source), plain_source(source)
    ways = [
        values.map(lambda value: {**plain, "is": value}),
        st.lists(values, min_size=1, max_size=3).map(lambda several: {**plain, "in": several}),
    ]
    if sort in {"number", "date"}:
        ordered = st.sampled_from(["at_least", "at_most"])
        bounds = values | st.sampled_from(_fields_of(sort))
        if sort == "date":
            bounds |= st.builds(
                lambda field, way, span: {**field, way: span},
                st.sampled_from(_fields_of(sort)),
                st.sampled_from(["plus", "minus"]),
                SPANS,
            )
        ways.append(st.builds(lambda op, bound: {**plain, op: bound}, ordered, bounds))
    if sort == "date":
        dated = st.sampled_from(["within_last", "at_least_ago"])
        ways.append(st.builds(lambda op, span: {**plain, op: span}, dated, SPANS))
    return st.one_of(ways)


def _fields_of(sort: str) -> list[dict[str, Any]]:
    return [
        plain_source(source)
        for source, its in SOURCES.items()
        if its == sort and source.startswith("field")
    ]


EXPRESSIONS = (
    {
        "cel": "home.rooms > 1 && facts.degree.level >= 2",
        "needs": [{"field": "home.rooms"}, {"fact": "degree.level"}],
    },
    {"cel": "6 / lease.rooms > 2", "needs": [{"field": "lease.rooms"}]},
    {"cel": "lease.until > today", "needs": [{"field": "lease.until"}]},
)


def _some(kind: str) -> dict[str, dict[str, st.SearchStrategy[Any]]]:
    """By section or kind of fact, the values that may be in it."""
    homes: dict[str, dict[str, st.SearchStrategy[Any]]] = {}
    for source in SOURCES:
        its, _, name = source.partition(":")
        if its == kind:
            home, _, value = name.partition(".")
            homes.setdefault(home, {})[value] = values_of(source)
    return homes


_SECTIONS = {
    code: st.fixed_dictionaries({}, optional={name: st.none() | one for name, one in some.items()})
    for code, some in _some("field").items()
}
_FACTS = {
    kind: st.lists(st.fixed_dictionaries({}, optional=some), max_size=3)
    for kind, some in _some("fact").items()
}
_BIRTHS = st.none() | st.dates(date(2021, 1, 1), date(2026, 12, 31))


def cases(stages: tuple[str, ...] = ()) -> st.SearchStrategy[Known]:
    """What may be known of a case."""
    return st.builds(
        Known,
        today=DAYS,
        answers=st.fixed_dictionaries({}, optional=_SECTIONS),
        facts=st.fixed_dictionaries({}, optional=_FACTS),
        facts_complete=YES_NO,
        born=st.fixed_dictionaries({}, optional=dict.fromkeys(PEOPLE, _BIRTHS)),
        outcomes=st.fixed_dictionaries({}, optional=dict.fromkeys(stages, CAME_TO)),
        requested=st.none() | st.frozensets(st.sampled_from(OFFERINGS)),
    )
