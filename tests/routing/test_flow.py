from __future__ import annotations

import pytest

from service.routing import Limit, MalformedFlow, Sees, StageKind, Verdict, parse_flow
from tests.routing.flows import SMALL, WIDE, raw_flow, stage


def test_a_stage_is_read_whole():
    sees = {"sections": {"applicant": ["name"], "residence": "all"}, "materials": ["lease"]}
    records = {"type": "object"}
    raw = stage("decision", "decision", ("a",), may=["approve"], sees=sees, records=records)
    flow = parse_flow(raw_flow(stage("a", "acceptance"), raw, promise=7))
    read = flow.by_key["decision"]
    assert flow.promise_working_days == 7
    assert (read.key, read.kind, read.after) == ("decision", StageKind.DECISION, ("a",))
    assert (read.department, read.role) == ("decision_department", "clerk")
    assert read.limit == Limit(working_days=1)
    assert read.may == {Verdict.APPROVE}
    assert read.records == records
    assert read.title == {"zh": "decision", "en": "decision"}
    assert read.sees == Sees({"applicant": frozenset({"name"}), "residence": "all"}, {"lease"})


def test_what_is_left_out_has_a_meaning():
    read = parse_flow(raw_flow(stage("a", "acceptance"))).by_key["a"]
    assert read.may == {Verdict.ACCEPT, Verdict.NOT_ACCEPT}
    assert read.records is None
    assert read.sees == Sees({}, frozenset())


def test_starts_and_successors():
    assert [one.key for one in WIDE.starts] == ["acceptance"]
    after = {key: [one.key for one in stages] for key, stages in WIDE.successors.items()}
    assert after == {
        "acceptance": ["papers", "visit"],
        "papers": ["decision"],
        "visit": ["decision"],
        "decision": ["payment", "letter"],
        "payment": [],
        "letter": [],
    }
    assert [one.key for one in SMALL.successors["acceptance"]] == ["decision"]


@pytest.mark.parametrize(
    ("section", "shown"),
    [
        ("applicant", {"name": "林岚"}),
        ("residence", {"name": "林岚", "phone": "13800000000"}),
        ("medical", {}),
    ],
)
def test_what_is_not_named_is_not_visible(section, shown):
    sees = Sees({"applicant": frozenset({"name", "absent"}), "residence": "all"})
    assert sees.visible(section, {"name": "林岚", "phone": "13800000000"}) == shown


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"promise": {"working_days": 5}},
        {"promise": 5, "stages": []},
        raw_flow({"key": "a"}),
        raw_flow(stage("a", "ceremony")),
        raw_flow(stage("a", "acceptance", may=["shrug"])),
        raw_flow(stage("a", "acceptance", sees={"sections": []})),
    ],
)
def test_another_shape_is_refused(raw):
    with pytest.raises(MalformedFlow):
        parse_flow(raw)
