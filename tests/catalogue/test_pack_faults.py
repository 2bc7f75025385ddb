"""Every check of a pack: one slip in the demonstration pack, the fault at file, line and key."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest

from service.catalogue import rules
from service.catalogue.actions.files import load_pack
from service.catalogue.rules.checks import parse_pack
from service.catalogue.rules.faults import CODES, FaultyPack, PackFault
from service.catalogue.rules.pack import Scope, Subject
from service.catalogue.rules.reading import read_document
from service.catalogue.rules.shape import FORMAT
from service.kernel.permissions import Role
from service.routing import bundle, check
from service.routing.flow import StageKind, SubjectPart, Verdict
from tests.catalogue import faulty_conditions as conditions
from tests.catalogue import faulty_files as files
from tests.catalogue import faulty_flows as flows
from tests.catalogue import faulty_offerings as offerings
from tests.catalogue.packs import DEMO, demo_files, edited, faults_of

SLIPS = [
    *(files.SHAPES + files.SCHEMAS + files.NAMES),
    *(offerings.NAMES + offerings.DEPARTMENTS + offerings.SIGHTS + offerings.GIFTS),
    *(conditions.CLAUSES + conditions.PLACES + conditions.EDGES),
    *(flows.STAGES + flows.KEYS + flows.WAYS + flows.TIMES),
]


def test_the_demonstration_pack_has_no_fault():
    pack = load_pack(DEMO)
    assert pack.district == "demo"
    assert set(pack.offerings) == {
        "recognition",
        "settlement",
        "housing_rent",
        "housing_purchase",
        "purchase_discount",
        "schooling",
        "spouse",
        "medical",
    }
    refs = [consent.ref for consent in pack.consents]
    assert refs == ["processing@1", "sensitive@1", "enterprise@2"]


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_each_slip_is_told_with_file_line_and_key(slip):
    found = faults_of(slip.files)
    assert slip.told in found
    assert sorted(code for *_, code in found) == sorted((slip.code, *slip.also))


IN_ENGLISH = re.compile(r"\b(it|is|the|are|has|of|than|must|not)\b")


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip.name)
def test_each_is_told_in_chinese_wholly(slip):
    """But for codes, values, and what the parser of expressions says."""
    with pytest.raises(FaultyPack) as faulty:
        parse_pack(slip.files)
    for fault in faulty.value.faults:
        words = fault.told("zh").partition(f" {fault.key or '（整个文件）'}: ")[2]
        assert re.search("[\u4e00-\u9fff]", words), words
        if "不是 CEL：" not in words:
            assert not IN_ENGLISH.search(words), words


@pytest.mark.parametrize(("year", "told"), [
    ("{type: integer, minimum: 2000, maximum: 2100}", []),
    ("{type: integer, minimum: 2000}", ["wrong_clause"]),
    ("{type: string, format: date}", []),
    ("{type: string, pattern: '^[0-9]{4}$'}", []),
    ("{type: string, pattern: '^20[0-9]{2}$'}", []),
    ("{type: string, pattern: '20[0-9]{2}'}", ["wrong_clause"]),
    ("{type: string, minLength: 4, maxLength: 4}", ["wrong_clause"]),
    ("{enum: ['2026', '2027'], x-options: {'2026': {zh: 甲, en: A}, '2027': {zh: 乙, en: B}}}", []),
    ("{type: string}", ["wrong_clause"]),
])  # fmt: skip
def test_a_day_of_each_year_is_of_a_field_that_takes_years_alone(year, told):
    """Whatever its examples are."""
    example = "2026" if "integer" in year else "2026-08-31" if "date" in year else '"2026"'
    section = (
        "code: extra\nscope: item\ntitle: {zh: 甲, en: A}\nschema:\n  type: object\n"
        "  additionalProperties: false\n  properties:\n    born: {x-title: {zh: 甲, en: A},"
        " type: string, format: date}\n"
        f"    year: {{x-title: {{zh: 甲, en: A}}, {year[1:]}\n"
        f"  examples:\n    - {{year: {example}, born: 2000-01-01}}\n"
        "rules:\n  - at: born\n    must: {field: extra.born, at_least_ago: {years: 6},"
        " on: {each_year: 08-31, of: {field: extra.year}}}\n    message: {zh: 甲, en: A}\n"
    )
    found = faults_of(demo_files() | {"sections/extra.yaml": section.encode()})
    assert [code for *_, code in found] == told


@pytest.mark.parametrize(("changes", "told"), files.WHOLE, ids=lambda one: str(one)[:50])
def test_what_is_no_file_of_a_pack_is_told_and_never_raised(changes, told):
    changed = {name: one for name, one in (demo_files() | changes).items() if one is not None}
    assert faults_of(changed) == [told]


def test_every_fault_that_can_be_told_has_its_slip():
    slipped = {slip.code for slip in SLIPS} | {told[3] for _, told in files.WHOLE}
    assert CODES - slipped == set()


def test_what_is_said_names_what_is_wrong():
    with pytest.raises(FaultyPack) as faulty:
        parse_pack(edited((flows.RENT, "limit: {working_days: 8}", "limit: {working_days: 11}")))
    assert str(faulty.value) == (
        "offerings/housing_rent.yaml:79: flow.promise.working_days:"
        " the longest way to the decision takes 21 working days, 20 are promised"
    )


@pytest.mark.parametrize(("hours", "days"), [(15, 2), (16, 3), (22, 3), (23, 4)])
def test_started_hours_count_as_days_of_the_office(hours, days):
    found = edited(
        (flows.DISCOUNT, "limit: {working_hours: 4}", f"limit: {{working_hours: {hours}}}"),
        (flows.DISCOUNT, "promise: {working_days: 8}", "promise: {working_days: 4}"),
    )
    with pytest.raises(FaultyPack, match=f" takes {days + 5} working days, 4 are promised"):
        parse_pack(found)


def test_what_a_stage_sees_is_asked_for():
    whole = "sections: [applicant, employment, residence, household]"
    found = faults_of(edited((flows.SETTLEMENT, whole, whole.replace("residence, ", ""))))
    assert [(key, code) for _, _, key, code in found] == [
        ("criteria.2.met_when.any.1.all.1.field", "section_not_asked"),
        ("criteria.2.met_when.any.2.all.1.field", "section_not_asked"),
        ("flow.stages.0.sees.sections.residence", "section_not_asked"),
        ("flow.stages.1.sees.sections.residence", "section_not_asked"),
    ]


def test_words_mean_what_they_mean_in_json():
    words = edited(
        (files.LEASE, "bank: 东湾银行高新支行", "bank: no"),
        (files.LEASE, "landlord: 陈某", "landlord: 12:30"),
    )
    assert faults_of(words) == []


def test_a_folder_without_a_pack(tmp_path):
    with pytest.raises(
        FaultyPack, match=r"pack\.yaml:1: \(whole file\): the pack has no such file"
    ):
        load_pack(tmp_path)


def test_all_faults_come_at_once_in_reading_order():
    found = faults_of(
        edited(
            (
                conditions.ARRIVAL,
                "  [recognition, settlement,",
                "  [recognition, nobility, settlement,",
            ),
            (files.APPLICANT, "degree: bachelor", "degree: genius"),
            (flows.RENT, "role: reviewer", "role: auditor"),
            (flows.SETTLEMENT, "promise: {working_days: 5}", "promise: {working_days: 3}"),
            (files.RECOGNISED, "type: string", "type: strin"),
        )
    )
    assert [fault[::3] for fault in found] == [
        (conditions.ARRIVAL, "unknown_offering"),
        (files.RECOGNISED, "bad_schema"),
        (flows.RENT, "wrong_value"),
        (flows.SETTLEMENT, "limits_exceed_promise"),
        (files.APPLICANT, "example_invalid"),
    ]


@pytest.mark.parametrize(
    "edit",
    [
        (files.APPLICANT, "scope: ticket", "scope: family"),
        (files.PACK, "zone:", "zones:"),
        (files.RECOGNISED, "title: {zh: 人才类别认定,", "title: {cn: 人才类别认定,"),
        (files.CV, "scope: item", "scope: family"),
        (flows.SETTLEMENT, "subject: self", "subject: neighbour"),
    ],
)
def test_one_slip_in_a_file_raises_no_fault_in_those_that_name_it(edit):
    found = faults_of(edited(edit))
    assert {fault[0] for fault in found} == {edit[0]}


def test_a_fault_reads_as_a_line_of_a_compiler():
    fault = PackFault("pack.yaml", 7, "zone", "unknown_zone", (("name", "Mars"),))
    assert str(fault) == fault.told("en") == "pack.yaml:7: zone: there is no time zone Mars"
    assert fault.told("zh") == "pack.yaml:7: zone: 没有时区 Mars"
    whole = PackFault("pack.yaml", 1, "", "missing_file")
    assert whole.told("zh") == "pack.yaml:1: （整个文件）: 配置包缺少此文件"


def test_the_format_knows_what_the_code_knows():
    stage = FORMAT["$defs"]["stage"]["properties"]
    edge = FORMAT["$defs"]["edge"]["properties"]
    assert stage["kind"]["enum"] == list(StageKind)
    assert stage["may"]["items"]["enum"] == list(Verdict)
    assert FORMAT["$defs"]["section"]["properties"]["scope"]["enum"] == list(Scope)
    assert FORMAT["$defs"]["offering"]["properties"]["subject"]["enum"] == list(Subject)
    assert edge["kind"]["enum"] == list(bundle.EdgeKind)
    assert edge["on"]["enum"] == list(bundle.EdgeOn)
    assert set(stage["role"]["enum"]) < set(Role)
    parts = stage["sees"]["properties"]["subject"]["else"]["items"]["enum"]
    assert parts == list(SubjectPart)


def test_every_fault_that_the_code_names_has_its_words():
    sources = [*Path(rules.__file__).parent.glob("*.py"), Path(check.__file__)]
    sources.append(Path(bundle.__file__))
    calls = [
        node
        for source in sources
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) in {"fault", "FlowFault"}
    ]
    named = {
        part.value
        for call in calls
        for part in ast.walk(call.args[1])
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
    }
    assert len(named) > 50
    assert named <= CODES
    assert set(check._MISPLACED.values()) <= CODES


@pytest.mark.parametrize(
    ("options", "titles", "told"),
    [
        ("[1.10, 1.1]", ["1.10", "1.1"], ["option_repeated", "title_of_no_option"]),
        ("[true, 1, 1.0]", ["true", "1"], ["option_repeated"]),
        ('[1, "1"]', ["1"], ["option_repeated"]),
        ("[a, b, a]", ["a", "b"], ["option_repeated"]),
        ("[a, b]", ["a", "b", "c"], ["title_of_no_option"]),
        ("[true, 1]", ["true", "1"], []),
    ],
)
def test_options_stand_once_and_are_told_apart_by_their_titles(options, titles, told):
    named = "".join(f'        "{one}": {{zh: 甲, en: A}}\n' for one in titles)
    section = (
        "code: extra\nscope: item\ntitle: {zh: 甲, en: A}\nschema:\n  type: object\n"
        "  additionalProperties: false\n  properties:\n    kind:\n"
        "      x-title: {zh: 甲, en: A}\n"
        f"      enum: {options}\n      x-options:\n{named}"
        f"  examples:\n    - kind: {options[1:-1].split(',')[0]}\n"
    )
    found = faults_of(demo_files() | {"sections/extra.yaml": section.encode()})
    assert [code for *_, code in found] == told


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("9007199254740993.0", None),
        ("1.10", 1.1),
        ("2.50", 2.5),
        ("0.1", 0.1),
        ("-0", 0),
        ("+7", 7),
    ],
)
def test_a_number_is_kept_exactly_or_told(number, value):
    document = read_document("x.yaml", f"a: {number}\n".encode())
    if value is None:
        assert [(one.line, one.key, one.code) for one in document.faults] == [
            (1, "a", "number_not_exact")
        ]
    else:
        assert (document.value["a"], document.faults) == (value, [])


@pytest.mark.parametrize("file", ["offerings/settlement.yaml", "sections/applicant.yaml"])
def test_what_follows_from_a_file_that_cannot_be_read_is_not_repeated(file):
    """Neither by its own code, nor where that can only be told from its name."""
    broken = demo_files()[file] + b"\nx: [\n"
    assert [code for *_, code in faults_of(demo_files() | {file: broken})] == ["unreadable"]
    assert [code for *_, code in faults_of(demo_files() | {file: b"\xff"})] == ["unreadable"]


def test_hidden_files_are_no_part_of_a_pack(tmp_path):
    folder = shutil.copytree(DEMO, tmp_path / "demo")
    (folder / ".gitignore").write_text("*.bak\n")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    assert load_pack(folder) == load_pack(DEMO)
    (folder / "README.md").write_text("x")
    with pytest.raises(FaultyPack, match="is no file of a pack"):
        load_pack(folder)
