"""What follows from every event on the straight way, for every kind of stage."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from service.routing.context import Context, MissingContext
from service.routing.engine import advance, initial, replay
from service.routing.events import AcceptanceDeemed, Cancelled, Filed, NoticeEnded, Withdrawn
from service.routing.flow import Flow
from service.routing.states import OpenStage, Outcome
from tests.routing.flows import SMALL, WHEN, WHOLE, WIDE, flow_of, stage
from tests.routing.steps import NOTHING, after, parts, rows, says, stands, step

ACCEPTED = [Filed(), says("a", "accept")]
REVIEWED = [*ACCEPTED, says("papers", "pass"), says("visit", "pass")]
APPROVED = [*REVIEWED, says("d", "approve")]
BEGUN = ["close a.1 accept", "start", "open papers.1 papers_department"]


@pytest.mark.parametrize(
    ("before", "event", "stands_so", "effects"),
    [
        ([], Filed(), "acceptance", ["open a.1 a_department"]),
        ([], Withdrawn(), "ended withdrawn", ["end withdrawn"]),
        ([], Cancelled(), "ended cancelled", ["end cancelled"]),
        ([Filed()], says("a", "accept"), "processing", [
            *BEGUN, "open visit.1 visit_department",
        ]),
        ([Filed()], AcceptanceDeemed("a", 1), "processing", [
            *BEGUN, "open visit.1 visit_department",
        ]),
        ([Filed()], says("a", "not_accept"), "ended not_accepted", [
            "close a.1 not_accept", "end not_accepted",
        ]),
        ([Filed()], Withdrawn(), "ended withdrawn", ["drop a.1", "end withdrawn"]),
        ([Filed()], Cancelled(), "ended cancelled", ["drop a.1", "end cancelled"]),
        (ACCEPTED, says("papers", "pass"), "processing", ["close papers.1 pass"]),
        (ACCEPTED, says("papers", "reject"), "ended rejected", [
            "close papers.1 reject", "drop visit.1", "stop", "end rejected",
        ]),
        (ACCEPTED, Withdrawn(), "ended withdrawn", [
            "drop papers.1", "drop visit.1", "stop", "end withdrawn",
        ]),
        (ACCEPTED, Cancelled(), "ended cancelled", [
            "drop papers.1", "drop visit.1", "stop", "end cancelled",
        ]),
        ([*ACCEPTED, says("papers", "pass")], says("visit", "pass"), "processing", [
            "close visit.1 pass", "open d.1 d_department",
        ]),
        (REVIEWED, says("d", "reject"), "ended rejected", [
            "close d.1 reject", "stop", "end rejected",
        ]),
        (REVIEWED, says("d", "approve"), "fulfilment approved", [
            "close d.1 approve", "stop",
            "open payment.1 payment_department", "open letter.1 letter_department",
        ]),
        (APPROVED, says("letter", "pass"), "fulfilment approved", ["close letter.1 pass"]),
        ([*APPROVED, says("letter", "pass")], says("payment", "pass"), "ended approved", [
            "close payment.1 pass", "end approved",
        ]),
    ],
)  # fmt: skip
def test_what_follows_from_an_event(before, event, stands_so, effects):
    state, told = step(WIDE, before, event)
    assert stands(state) == stands_so
    assert told == effects


def test_without_fulfilment_the_approval_ends_the_item():
    state, told = step(SMALL, ACCEPTED, says("d", "approve"))
    assert stands(state) == "ended approved"
    assert told == ["close d.1 approve", "stop", "end approved"]


def between(kind: str, **more) -> Flow:
    """A flow with one stage of a kind between acceptance and decision, and a letter at its end."""
    return flow_of(
        stage("a", "acceptance"),
        stage("s", kind, ("a",), **more),
        stage("d", "decision", ("s",), gives=[{"fact": "degree", "value": {"level": 1}}]),
        stage("f", "fulfilment", ("d",)),
    )


@dataclass(frozen=True)
class Row:
    """One event on one kind of stage, and what it comes to."""

    kind: str
    before: list
    event: object
    effects: list[str]
    state: list[str]
    context: Context = field(default_factory=Context)


PASSED = Context(passed={"s.1": True})
FAILED = Context(passed={"s.1": False})
PASSES, OPENS = ["close s.1 pass", "open d.1 d_department"], ["a.1 closed accept", "s.1 open"]
WENT_ON = ["a.1 closed accept", "s.1 closed pass", "d.1 open"]
REJECTS = ["close s.1 reject", "stop", "end rejected"]
STOPPED = ["a.1 closed accept", "s.1 closed reject"]
TO_S = ["close a.1 accept", "start", "open s.1 s_department"]
DECIDED = [*ACCEPTED, says("s", "pass"), says("d", "approve")]


@pytest.mark.parametrize(
    "row",
    [
        Row("review", [Filed()], says("a", "accept"), TO_S, OPENS),
        Row("review", ACCEPTED, says("s", "pass"), PASSES, WENT_ON),
        Row("review", ACCEPTED, says("s", "reject"), REJECTS, STOPPED),
        Row("external", [Filed()], says("a", "accept"), TO_S, OPENS),
        Row("external", ACCEPTED, says("s", "pass"), PASSES, WENT_ON),
        Row("external", ACCEPTED, says("s", "reject"), REJECTS, STOPPED),
        Row("publicity", [Filed()], says("a", "accept"), TO_S, OPENS),
        Row("publicity", ACCEPTED, NoticeEnded("s", 1), PASSES, WENT_ON),
        Row("publicity", ACCEPTED, says("s", "pass"), PASSES, WENT_ON),
        Row("publicity", ACCEPTED, says("s", "reject"), REJECTS, STOPPED),
        Row("check", [Filed()], says("a", "accept"),
            ["close a.1 accept", "start", "check s.1 pass", "open d.1 d_department"],
            WENT_ON, PASSED),
        Row("check", [Filed()], says("a", "accept"),
            ["close a.1 accept", "start", "check s.1 reject", "stop", "end rejected"],
            STOPPED, FAILED),
        Row("review", [*ACCEPTED, says("s", "pass")], says("d", "approve"),
            ["close d.1 approve", "stop", "give d", "open f.1 f_department"],
            [*WENT_ON[:2], "d.1 closed approve", "f.1 open"]),
        Row("review", [*ACCEPTED, says("s", "pass")], says("d", "reject"),
            ["close d.1 reject", "stop", "end rejected"],
            [*WENT_ON[:2], "d.1 closed reject"]),
        Row("review", DECIDED, says("f", "pass"), ["close f.1 pass", "end approved"],
            [*WENT_ON[:2], "d.1 closed approve", "f.1 closed pass"]),
    ],
)  # fmt: skip
def test_every_kind_of_stage_is_passed_and_rejected(row):
    state, told = step(between(row.kind), row.before, row.event, row.context)
    assert told == row.effects
    assert rows(state) == row.state


SKIPPING = flow_of(
    stage("a", "acceptance"),
    stage("r", "review", ("a",), when=WHEN),
    stage("s", "check", ("r",), when=WHEN),
    stage("beside", "review", ("a",), when=WHEN),
    stage("d", "decision", ("s", "beside")),
    stage("f", "fulfilment", ("d",), when=WHEN),
    stage("g", "fulfilment", ("f",), when=WHEN),
)
ON = ["close a.1 accept", "start"]


@pytest.mark.parametrize(
    ("opened", "effects"),
    [
        ("", [*ON, "skip r.1", "skip s.1", "skip beside.1", "open d.1 d_department"]),
        ("r", [*ON, "open r.1 r_department", "skip beside.1"]),
        ("beside", [*ON, "skip r.1", "skip s.1", "open beside.1 beside_department"]),
        ("s", [*ON, "skip r.1", "check s.1 pass", "skip beside.1", "open d.1 d_department"]),
        ("r s beside", [*ON, "open r.1 r_department", "open beside.1 beside_department"]),
    ],
)
def test_what_is_not_needed_is_skipped_and_the_flow_goes_on(opened, effects):
    context = _opened(opened)
    state, told = step(SKIPPING, [Filed()], says("a", "accept"), context)
    assert told == effects
    assert stands(state) == "processing"


@pytest.mark.parametrize(
    ("opened", "stands_so", "effects"),
    [
        ("", "ended approved", ["skip f.1", "skip g.1", "end approved"]),
        ("g", "fulfilment approved", ["skip f.1", "open g.1 g_department"]),
        ("f g", "fulfilment approved", ["open f.1 f_department"]),
    ],
)
def test_fulfilment_is_skipped_as_well(opened, stands_so, effects):
    context = _opened(opened)
    state, told = step(SKIPPING, ACCEPTED, says("d", "approve"), context)
    assert told == ["close d.1 approve", "stop", *effects]
    assert stands(state) == stands_so


def _opened(names: str) -> Context:
    keys = {one: f"{one}.1" for one in ("r", "s", "beside", "f", "g")}
    opened = {key: one in names.split() for one, key in keys.items()}
    return Context(opened=opened, passed={"s.1": True})


def test_the_state_keeps_verdicts_and_what_was_cancelled():
    state = after(WIDE, [*ACCEPTED, says("visit", "reject")])
    assert rows(state) == ["a.1 closed accept", "papers.1 cancelled", "visit.1 closed reject"]
    assert parts(state, "papers") == ["papers_department cancelled"]


def test_silence_is_kept_as_an_acceptance():
    state = after(SMALL, [Filed(), AcceptanceDeemed("a", 1)])
    assert parts(state, "a") == ["a_department closed accept"]


def test_a_task_is_for_the_role_of_its_stage():
    flow = flow_of(stage("a", "acceptance", role="head"), stage("d", "decision", ("a",)))
    _, effects = advance(flow, initial(), Filed(), NOTHING)
    assert effects == (OpenStage("a", 1, ("a_department",), "head"),)


TABLE = {"by": {"field": "home.kind"}, "cases": {"flat": "east"}, "otherwise": "west"}


@pytest.mark.parametrize(("context", "chosen"), [
    (Context(chosen={"s.1": ("east",)}), ["east open"]),
    (Context(chosen={"s.2": ("east",)}), ["west open"]),
    (Context(), ["west open"]),
])  # fmt: skip
def test_the_context_chooses_the_department(context, chosen):
    state = after(between("review", department=TABLE), ACCEPTED, context)
    assert parts(state, "s") == chosen


def test_without_a_table_the_department_is_the_flows():
    context = Context(chosen={"s.1": ("east",)})
    assert parts(after(between("review"), ACCEPTED, context), "s") == ["s_department open"]


@pytest.mark.parametrize("flow", [between("review", when=WHEN), between("check")])
def test_a_replay_does_not_guess_what_was_not_stored(flow):
    with pytest.raises(MissingContext, match=r"s\.1"):
        replay(flow, [(event, NOTHING) for event in ACCEPTED])


def test_a_flow_with_everything_comes_to_its_end():
    context = Context(
        opened={"visit.1": True, "again.1": True, "letter.1": False},
        passed={"rules.1": True, "again.1": True},
    )
    events = [
        Filed(),
        says("a", "accept"),
        says("papers", "pass"),
        says("panel", "pass", of="west"),
        says("visit", "pass"),
        says("province", "pass"),
        NoticeEnded("notice", 1),
        says("d", "approve"),
        says("payment", "pass", of="till"),
    ]
    state = after(WHOLE, events, context)
    assert state.outcome is Outcome.APPROVED
    assert rows(state) == [
        "a.1 closed accept",
        "rules.1 closed pass",
        "papers.1 closed pass",
        "visit.1 closed pass",
        "panel.1 closed pass",
        "province.1 closed pass",
        "notice.1 closed pass",
        "again.1 closed pass",
        "d.1 closed approve",
        "payment.1 closed pass",
        "letter.1 skipped",
    ]
