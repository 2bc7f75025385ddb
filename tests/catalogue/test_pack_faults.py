"""Every check of a pack: one change to the demonstration pack, the fault at file, line and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.catalogue.actions import load_pack
from service.catalogue.rules import FaultyPack, PackFault, Scope, Subject
from service.catalogue.rules.faults import MESSAGES
from service.catalogue.rules.shape import FORMAT
from service.kernel.permissions import Role
from service.routing import StageKind, Verdict, check
from tests.catalogue.packs import DEMO, demo_files, edited, faults_of, line_of

SETTLEMENT = "offerings/settlement.yaml"
RENT = "offerings/housing_rent.yaml"
APPLICANT = "sections/applicant.yaml"
LEASE = "sections/lease.yaml"
ARRIVAL = "bundles/arrival.yaml"


def test_the_demonstration_pack_has_no_fault():
    pack = load_pack(DEMO)
    assert pack.district == "demo"
    assert set(pack.offerings) == {"settlement", "housing_rent"}
    assert [consent.ref for consent in pack.consents] == ["processing@1", "sensitive@1"]


# file, text, its replacement, the text on the line of the fault, key, code
CASES = [
    # the shape of a file
    ("pack.yaml", "zone: Asia/Shanghai\n", "", "district: demo", "zone", "missing_key"),
    ("pack.yaml", "office_hours:", "office_ours:", "office_ours", "office_ours", "unknown_key"),
    ("pack.yaml", "{zh: 建设局, en: Construction Bureau}", "{zh: 建设局}", "zh: 建设局",
     "departments.2.name.en", "missing_language"),
    ("pack.yaml", '"350100"', "350100", "350100", "administrative_code", "wrong_type"),
    ("pack.yaml", '"350100"', '"35"', "administrative", "administrative_code", "wrong_value"),
    ("pack.yaml", "Asia/Shanghai", "Asia/Atlantis", "Atlantis", "zone", "unknown_zone"),
    ("pack.yaml", "13:30", "11:30", "office_hours", "office_hours", "hours_disordered"),
    (APPLICANT, "scope: ticket", "scope: family", "family", "scope", "wrong_value"),
    (APPLICANT, "additionalProperties: false", "additionalProperties: true", "additionalPr",
     "schema.additionalProperties", "wrong_value"),
    (APPLICANT, "      x-title: {zh: 毕业院校, en: Graduated from}\n", "", "school:",
     "schema.properties.school.x-title", "missing_key"),
    (SETTLEMENT, "summary:\n  zh: 在本区", "summary:\n  cn: 在本区", "cn: 在本区", "summary.cn",
     "unknown_key"),
    (SETTLEMENT, "subject: self", "subject: neighbour", "neighbour", "subject", "wrong_value"),
    (SETTLEMENT, "promise: {working_days: 5}", "promise: {working_days: soon}", "soon",
     "flow.promise.working_days", "wrong_type"),
    (RENT, "[basis, address]\n          lease: all", "[size]\n          lease: all", "[size]",
     "flow.stages.1.sees.sections.residence.0", "unknown_field"),
    # schemas and their examples
    (APPLICANT, "format: date", "format: dat", "format: dat",
     "schema.properties.graduated_on.format", "bad_schema"),
    (LEASE, "^[0-9]{12,19}$", "^(?=1)[0-9]$", "^(?=1)", "schema.properties.account_number.pattern",
     "bad_schema"),
    (APPLICANT, "degree: bachelor", "degree: genius", "genius", "schema.examples.1.degree",
     "example_invalid"),
    (LEASE, "no_home_here: true\n", "no_home_here: false\n", "no_home_here: false",
     "schema.examples.0.no_home_here", "example_invalid"),
    (APPLICANT, "      email: lin.lan@example.com\n", "", "examples:", "schema.examples",
     "example_incomplete"),
    (APPLICANT, "        college: {zh: 大专, en: College diploma}\n", "", "x-options",
     "schema.properties.degree.x-options", "option_untitled"),
    (SETTLEMENT, "valid_until: 2026-12-31", "valid_until: later", "later",
     "flow.stages.1.records.examples.0.valid_until", "example_invalid"),
    # what the files say of each other
    (SETTLEMENT, "sections: [applicant, employment, residence, household]",
     "sections: [applicant, employment, residence, household, shoe_size]", "shoe_size",
     "sections.4", "unknown_section"),
    (RENT, "construction\n      role: reviewer", "health\n      role: reviewer", "health",
     "flow.stages.1.department", "unknown_department"),
    (RENT, "role: reviewer", "role: auditor", "auditor", "flow.stages.1.role", "wrong_value"),
    (ARRIVAL, "[settlement, housing_rent]", "[settlement, spouse]", "spouse", "offerings.1",
     "unknown_offering"),
    # flows
    (RENT, "after: [acceptance]", "after: [reception]", "reception", "flow.stages.1.after.0",
     "unknown_stage"),
    (RENT, "after: [acceptance]", "after: [decision]", "after", "flow.stages.1.after", "cycle"),
    (RENT, "      after: [acceptance]\n", "", "key: decision", "flow.stages.1",
     "start_not_acceptance"),
    (RENT, "kind: decision", "kind: review", "stages:", "flow.stages", "decision_missing"),
    (RENT, "may: [approve, reject]", "may: [approve, pass]", "approve", "flow.stages.1.may",
     "verdict_not_allowed"),
    (RENT, "limit: {working_days: 15}", "limit: {working_days: 0}", "working_days: 0",
     "flow.stages.1.limit.working_days", "limit_not_positive"),
    (RENT, "limit: {working_days: 15}", "limit: {working_days: 21}", "promise",
     "flow.promise.working_days", "limits_exceed_promise"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "key", "code"),
    CASES,
)
def test_each_fault_is_told_with_file_line_and_key(file, old, new, line, key, code):
    files = edited((file, old, new))
    assert (file, line_of(files, file, line), key, code) in faults_of(files)


def test_what_a_stage_sees_is_asked_for():
    whole = "sections: [applicant, employment, residence, household]"
    files = edited((SETTLEMENT, whole, "sections: [applicant, employment, residence]"))
    assert [(key, code) for _, _, key, code in faults_of(files)] == [
        ("flow.stages.0.sees.sections.household", "section_not_asked"),
        ("flow.stages.1.sees.sections.household", "section_not_asked"),
    ]


def test_a_code_is_taken_once():
    files = edited((RENT, "code: housing_rent", "code: settlement"))
    assert (SETTLEMENT, 1, "code", "duplicate_code") in faults_of(files)


def test_a_department_is_named_once():
    files = edited(("pack.yaml", "code: construction", "code: office"))
    key = ("departments.2.code", "duplicate_code")
    assert key in [(key, code) for _, _, key, code in faults_of(files)]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"code: [applicant\n", 2),
        (b"code: applicant\n\tscope: item\n", 2),
        (b"code: applicant\ncode: other\n", 2),
        (b"a: &x 1\nb: *x\n", 1),
        (b"when: !!python/object:os.system x\n", 1),
        (b"code: a\nwhen: !!set {x}\n", 2),
        (b"? [a, b]\n: c\n", 1),
        (b"a: 1\n---\nb: 2\n", 2),
        (b'title: "\\0"\n', 1),
        (b"\xff\xfe\n", 1),
        (b"a: " + b"[" * 60 + b"]" * 60, 1),
        (b"[" * 200_000, 1),
        (b"a: " + b"x" * 600_000, 1),
        (b"", 1),
        (b"just words", 1),
        (b"- a list", 1),
    ],
)
def test_what_is_no_file_of_a_pack_is_told_and_never_raised(content, line):
    files = demo_files() | {"sections/extra.yaml": content}
    found = [fault for fault in faults_of(files) if fault[0] == "sections/extra.yaml"]
    assert found
    assert found[0][1] == line


def test_words_mean_what_they_mean_in_json():
    files = edited(
        (LEASE, "bank: 东湾银行高新支行", "bank: no"),
        (LEASE, "landlord: 陈某", "landlord: 12:30"),
    )
    assert faults_of(files) == []


def test_files_where_none_belong_are_told(tmp_path):
    files = demo_files() | {"offering/typo.yaml": b"code: typo\n", "offerings/late.yml": b""}
    assert [fault[::3] for fault in faults_of(files)] == [
        ("offering/typo.yaml", "unexpected_file"),
        ("offerings/late.yml", "unexpected_file"),
    ]
    with pytest.raises(
        FaultyPack, match=r"pack\.yaml:1: \(whole file\): the pack has no such file"
    ):
        load_pack(tmp_path)


def test_all_faults_come_at_once_in_reading_order():
    files = edited(
        (ARRIVAL, "[settlement, housing_rent]", "[spouse]"),
        (APPLICANT, "degree: bachelor", "degree: genius"),
        (RENT, "role: reviewer", "role: auditor"),
        (SETTLEMENT, "promise: {working_days: 5}", "promise: {working_days: 1}"),
    )
    assert [fault[::3] for fault in faults_of(files)] == [
        (ARRIVAL, "unknown_offering"),
        (RENT, "wrong_value"),
        (SETTLEMENT, "limits_exceed_promise"),
        (APPLICANT, "example_invalid"),
    ]


def test_one_slip_in_a_section_raises_no_fault_elsewhere():
    files = edited((APPLICANT, "scope: ticket", "scope: family"))
    assert len(faults_of(files)) == 1
    files = edited(("pack.yaml", "office_hours:", "office_ours:"))
    assert {fault[0] for fault in faults_of(files)} == {"pack.yaml"}


def test_a_fault_reads_as_a_line_of_a_compiler():
    fault = PackFault("pack.yaml", 7, "zone", "missing_key", "is missing")
    assert str(fault) == "pack.yaml:7: zone: is missing"


FILES = demo_files()


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_random_edits_are_accepted_or_told_never_raised(data):
    file = data.draw(st.sampled_from(sorted(FILES)))
    lines = FILES[file].decode().splitlines()
    place = data.draw(st.integers(0, len(lines) - 1))
    other = data.draw(st.sampled_from([*lines, "", "  - x", "key: {", "null", "'", "code: 1.5"]))
    edit = data.draw(st.sampled_from(["replace", "insert", "cut", "indent"]))
    if edit == "replace":
        lines[place] = other
    elif edit == "insert":
        lines.insert(place, other)
    elif edit == "cut":
        del lines[place : place + data.draw(st.integers(1, 5))]
    else:
        lines[place] = "  " + lines[place]
    for _, line, _, code in faults_of(FILES | {file: "\n".join(lines).encode()}):
        assert line >= 1
        assert code in MESSAGES


def test_the_format_knows_what_the_code_knows():
    stage = FORMAT["$defs"]["stage"]["properties"]
    assert stage["kind"]["enum"] == list(StageKind)
    assert stage["may"]["items"]["enum"] == list(Verdict)
    assert FORMAT["$defs"]["section"]["properties"]["scope"]["enum"] == list(Scope)
    assert FORMAT["$defs"]["offering"]["properties"]["subject"]["enum"] == list(Subject)
    assert set(stage["role"]["enum"]) < set(Role)


def test_every_fault_of_a_flow_has_its_words():
    source = Path(check.__file__).read_text(encoding="utf-8")
    codes = set(re.findall(r'"([a-z]+(?:_[a-z]+)+|cycle|unreachable)"', source))
    assert codes - {"working_days"} <= set(MESSAGES)
