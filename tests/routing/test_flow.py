from __future__ import annotations

import pytest

from service.routing.conditions.asked import Source, SourceKind, parse_condition
from service.routing.flow import (
    PASSING,
    VERDICTS,
    Choice,
    FactTemplate,
    Join,
    JoinKind,
    Limit,
    MalformedFlow,
    OnReject,
    Sees,
    StageKind,
    SubjectPart,
    Verdict,
    parse_flow,
)
from tests.routing.flows import ROUNDS, SMALL, WHEN, WIDE, back, raw_flow, stage


def read(kind: str = "review", **more):
    raw = stage("s", kind, ("a",), **more)
    return parse_flow(raw_flow(stage("a", "acceptance"), raw)).by_key["s"]


def test_a_flow_is_read_whole():
    flow = parse_flow(raw_flow(stage("a", "acceptance"), promise=7, statutory=20))
    assert (flow.promise_working_days, flow.statutory_working_days) == (7, 20)
    assert [one.key for one in flow.stages] == ["a"]
    assert parse_flow(raw_flow()).statutory_working_days is None


def test_a_stage_is_read_whole():
    template = {"fact": "degree", "about": "subject", "value": {"level": {"result": "level"}}}
    until = {"years": 3}
    one = read(
        "decision",
        role="head",
        limit={"working_hours": 4},
        may=["approve"],
        sees={
            "sections": {"applicant": ["name"], "home": "all"},
            "facts": ["degree"],
            "materials": "all",
            "subject": ["name"],
            "opinions": ["a"],
        },
        on_reject=back("s", 3),
        four_eyes=True,
        records={"type": "object"},
        gives=[{**template, "from": "2026-01-01", "until": until}],
    )
    assert (one.key, one.kind, one.after) == ("s", StageKind.DECISION, ("a",))
    assert one.title == {"zh": "s", "en": "s"}
    assert (one.department, one.role, one.limit) == (
        "s_department",
        "head",
        Limit(working_hours=4, in_hours=True),
    )
    assert one.may == {Verdict.APPROVE}
    sections = {"applicant": frozenset({"name"}), "home": "all"}
    assert one.sees == Sees(
        sections, frozenset({"degree"}), "all", frozenset({"name"}), frozenset({"a"})
    )
    assert (one.on_reject, one.four_eyes) == (OnReject("s", 3), True)
    assert one.records == {"type": "object"}
    assert one.gives == (FactTemplate("degree", "subject", template["value"], "2026-01-01", until),)


def test_conditions_and_an_authority_are_read():
    assert read(when=WHEN).when == parse_condition(WHEN)
    assert read("check", checks=WHEN).checks == parse_condition(WHEN)
    assert read("external", authority={"zh": "省厅", "en": "X"}).authority["zh"] == "省厅"


def test_what_is_left_out_has_a_meaning():
    one = read("check")
    assert (one.choice, one.department, one.role) == (Choice(()), None, "system")
    assert one.may == {Verdict.PASS, Verdict.REJECT}
    assert one.join == Join(JoinKind.ALL)
    assert (one.when, one.on_reject, one.four_eyes) == (None, None, False)
    assert (one.records, one.gives, one.authority) == (None, (), None)
    assert one.sees == Sees({}, frozenset(), frozenset(), frozenset())
    template = read("decision", gives=[{"fact": "degree", "value": {}}]).gives[0]
    assert template == FactTemplate("degree", "applicant", {}, None, None)


@pytest.mark.parametrize("kind", StageKind)
def test_every_kind_can_be_passed(kind):
    assert PASSING[kind] in VERDICTS[kind]
    assert read(kind.value).may == VERDICTS[kind]


TABLE = {"by": {"fact": "degree.level"}, "cases": {"1": "east", "true": "north"}}
TABLE["otherwise"] = "west"


@pytest.mark.parametrize(
    ("raw", "choice"),
    [
        ({"department": "east"}, Choice(("east",))),
        ({"departments": ["east", "west"]}, Choice(("east", "west"))),
        ({"department": TABLE}, Choice(("west",), Source(SourceKind.FACT, "degree.level"),
                                       TABLE["cases"])),
    ],
)  # fmt: skip
def test_departments_are_named_or_chosen(raw, choice):
    assert read(**raw).choice == choice


@pytest.mark.parametrize(
    ("value", "departments"),
    [
        (1, ("east",)),
        ("1", ("east",)),
        (True, ("north",)),
        ("true", ("north",)),
        (False, ("west",)),
        (2, ("west",)),
        (None, ("west",)),
    ],
)
def test_a_table_names_values_as_text(value, departments):
    assert read(department=TABLE).choice.of(value) == departments


def test_what_is_not_known_is_no_case_of_a_table():
    table = {**TABLE, "cases": {"None": "east", "none": "east"}}
    assert read(department=table).choice.of(None) == ("west",)


def test_every_department_that_may_be_chosen_is_known_once():
    table = {**TABLE, "cases": {"1": "east", "2": "west", "3": "east"}}
    assert read(department=table).choice.possible == ("west", "east")
    assert read(departments=["east", "west"]).choice.possible == ("east", "west")
    assert read(departments=["east", "west"]).choice.of("x") == ("east", "west")


@pytest.mark.parametrize(
    ("join", "needed"),
    [("all", {1: 1, 3: 3}), ("any", {1: 1, 3: 1}), ({"quorum": 2}, {2: 2, 3: 2})],
)
def test_a_join_needs_so_many_departments(join, needed):
    one = read(departments=["east", "west"], join=join)
    assert {number: one.join.needed(number) for number in needed} == needed


def test_what_no_flow_can_mean_is_refused_however_it_is_made():
    """Not only by the format of packs: what is stored is read without it."""
    for wrong in (lambda: Join(JoinKind.QUORUM, 0), lambda: OnReject("a", 0)):
        with pytest.raises(ValueError, match="at least"):
            wrong()
    assert Join(JoinKind.ANY, 0).needed(3) == 1
    assert OnReject("a", 1).rounds == 1


def test_starts_decision_and_what_lies_downstream():
    assert [one.key for one in WIDE.starts] == ["a"]
    assert WIDE.decision.key == "d"
    assert WIDE.downstream == {
        "a": {"a", "papers", "visit", "d", "payment", "letter"},
        "papers": {"papers", "d", "payment", "letter"},
        "visit": {"visit", "d", "payment", "letter"},
        "d": {"d", "payment", "letter"},
        "payment": {"payment"},
        "letter": {"letter"},
    }
    assert ROUNDS.downstream["papers"] == {"papers", "visit", "d"}
    assert SMALL.downstream["a"] == {"a", "d"}


def test_a_flow_tells_which_facts_it_looks_at():
    looks = {"any": [{"fact": "permit.on", "given": True}, {"field": "home.kind", "is": "flat"}]}
    flow = parse_flow(
        raw_flow(
            stage("a", "acceptance"),
            stage("r", "review", ("a",), when=looks, department=TABLE),
            stage("s", "review", ("a",), department={**TABLE, "by": {"field": "home.kind"}}),
            stage("c", "check", ("r",), checks={"not": {"fact": "record", "given": True}}),
        )
    )
    assert flow.looks_at_facts == {"permit", "degree", "record"}
    assert SMALL.looks_at_facts == set()


def test_a_cycle_has_a_downstream_as_well():
    raw = [stage("a", "review", ("b",)), stage("b", "review", ("a",))]
    assert parse_flow(raw_flow(*raw)).downstream == {"a": {"a", "b"}, "b": {"a", "b"}}


def test_what_lies_upstream():
    assert ROUNDS.upstream == {
        "a": set(),
        "papers": {"a"},
        "visit": {"a", "papers"},
        "beside": {"a"},
        "d": {"a", "papers", "visit", "beside"},
    }


@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        ({"working_days": 3}, Limit(working_days=3)),
        ({"working_hours": 3}, Limit(working_hours=3, in_hours=True)),
        ({"working_hours": 0}, Limit(in_hours=True)),
    ],
)
def test_a_limit_is_in_days_or_in_hours(raw, limit):
    assert read(limit=raw).limit == limit


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        ("applicant", {"name": "林岚"}),
        ("home", {"name": "林岚", "phone": "13800000000"}),
        ("medical", {}),
    ],
)
def test_what_is_not_named_is_not_visible(section, shown):
    sees = Sees({"applicant": frozenset({"name", "absent"}), "home": "all"})
    assert sees.visible(section, {"name": "林岚", "phone": "13800000000"}) == shown


@pytest.mark.parametrize(
    ("named", "shown"), [(None, False), ([], False), (["degree"], True), ("all", True)]
)
def test_facts_and_materials_are_shown_by_their_names(named, shown):
    raw = {"sections": {}} if named is None else {"facts": named, "materials": named}
    sees = read(sees={"sections": {}, **raw}).sees
    assert (sees.shows_fact("degree"), sees.shows_material("degree")) == (shown, shown)
    assert sees.shows_fact("permit") is sees.shows_material("permit") is (named == "all")


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        (None, set()),
        ([], set()),
        (["name", "birth_date"], {SubjectPart.NAME, SubjectPart.BIRTH_DATE}),
        ("all", set(SubjectPart)),
    ],
)
def test_of_the_subject_is_shown_what_is_named(named, shown):
    """Versions of before it could be named show nothing of it."""
    raw = {} if named is None else {"subject": named}
    sees = read(sees={"sections": {}, **raw}).sees
    assert {part for part in SubjectPart if sees.shows_of_subject(part)} == shown


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"promise": {"working_days": 5}},
        {"promise": 5, "stages": []},
        {"promise": {"working_days": "soon"}, "stages": []},
        {"promise": {"working_days": 5}, "stages": 5},
        {"promise": {"working_days": 5}, "stages": [], "statutory": {"days": 5}},
        raw_flow({"key": "a"}),
        *(
            raw_flow({**stage("a", "review"), **wrong})
            for wrong in (
                {"kind": "ceremony"},
                {"may": ["shrug"]},
                {"limit": {"days": 5}},
                {"limit": {"working_days": "few"}},
                {"sees": {"sections": []}},
                {"join": "most"},
                {"join": {"quorum": "most"}},
                {"join": {"quorum": 0}},
                {"join": {"quorum": -1}},
                {"join": {"majority": 2}},
                {"when": {"field": "home.kind"}},
                {"checks": 5},
                {"department": {"by": {}, "cases": {}, "otherwise": "x"}},
                {"department": {"by": {"colour": "x"}, "cases": {}, "otherwise": "x"}},
                {"department": {"by": {"field": "home.kind"}, "cases": {}}},
                {"on_reject": {"to": "a"}},
                {"on_reject": {"to": "a", "rounds": 0}},
                {"on_reject": {"to": "a", "rounds": -1}},
                {"on_reject": {"to": "a", "rounds": "2"}},
                {"gives": [{"value": {}}]},
            )
        ),
    ],
)
def test_another_shape_is_refused(raw):
    with pytest.raises(MalformedFlow, match="not a flow"):
        parse_flow(raw)
