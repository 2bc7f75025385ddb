"""What publishing one pack over another would change, key by key."""

from __future__ import annotations

import copy
from dataclasses import replace

import orjson
import pytest

from service.catalogue.rules.difference import differences, files_of
from tests.catalogue.packs import demo_pack

PACK = demo_pack()
FILES = files_of(PACK)
CONSENT = PACK.consents[0].text["en"]
TABLE = orjson.dumps(PACK.offerings["medical"].flow["stages"][4]["department"]).decode()


def changed(file, change):
    """The files of the pack, one of them changed in place."""
    files = copy.deepcopy(FILES)
    change(files[file])
    return files


def decision(offering):
    return offering["flow"]["stages"][-1]


def fields(section):
    return section["schema"]["properties"]


def found(after, before=FILES):
    return [str(one) for one in differences(before, after)]


def test_a_pack_is_no_different_from_itself():
    assert found(files_of(demo_pack())) == []
    assert set(FILES) == {
        "pack.yaml",
        *(f"sections/{code}.yaml" for code in PACK.sections),
        *(f"facts/{code}.yaml" for code in PACK.facts),
        *(f"materials/{code}.yaml" for code in PACK.materials),
        *(f"offerings/{code}.yaml" for code in PACK.offerings),
        *(f"bundles/{code}.yaml" for code in PACK.bundles),
    }


@pytest.mark.parametrize(
    ("file", "change", "told"),
    [
        (
            "pack.yaml",
            lambda it: it.update(zone="Asia/Urumqi"),
            ["~ pack.yaml: zone: Asia/Shanghai → Asia/Urumqi"],
        ),
        (
            "pack.yaml",
            lambda it: it["departments"].pop(0),
            ["- pack.yaml: departments.office"],
        ),
        (
            "pack.yaml",
            lambda it: it["consents"][0]["text"].update(en="Agreed?"),
            [f"~ pack.yaml: consents.processing.text.en: {CONSENT[:100]}… → Agreed?"],
        ),
        (
            "sections/lease.yaml",
            lambda it: it["title"].update(en="Lease contract"),
            ["~ sections/lease.yaml: title.en: Lease → Lease contract"],
        ),
        (
            "sections/lease.yaml",
            lambda it: it["schema"]["properties"].update(pets={"type": "integer"}),
            ["+ sections/lease.yaml: schema.properties.pets"],
        ),
        (
            "sections/lease.yaml",
            lambda it: it["schema"]["properties"].pop("bank"),
            ["- sections/lease.yaml: schema.properties.bank"],
        ),
        (
            "sections/lease.yaml",
            lambda it: it["schema"]["examples"][0].update(bank="东湾银行"),
            ["~ sections/lease.yaml: schema.examples.0.bank: 东湾银行高新支行 → 东湾银行"],
        ),
        (
            "sections/lease.yaml",
            lambda it: it["rules"].pop(),
            ["- sections/lease.yaml: rules.1"],
        ),
        (
            "materials/cv.yaml",
            lambda it: it["formats"].append("png"),
            ["+ materials/cv.yaml: formats.png"],
        ),
        (
            "facts/degree.yaml",
            lambda it: it["schema"]["properties"]["school"].update(maxLength=100),
            ["~ facts/degree.yaml: schema.properties.school.maxLength: 80 → 100"],
        ),
        (
            "offerings/settlement.yaml",
            lambda it: it["criteria"][0].update(binding="advise"),
            ["+ offerings/settlement.yaml: criteria.talent.binding: advise"],
        ),
        (
            "offerings/housing_rent.yaml",
            lambda it: (it["flow"]["stages"].pop(2), decision(it).update(after=["review"])),
            [
                "- offerings/housing_rent.yaml: flow.stages.publicity",
                "- offerings/housing_rent.yaml: flow.stages.decision.after.publicity",
                "+ offerings/housing_rent.yaml: flow.stages.decision.after.review",
            ],
        ),
        (
            "offerings/medical.yaml",
            lambda it: it["flow"]["stages"][4].update(department="health"),
            [f"~ offerings/medical.yaml: flow.stages.opening.department: {TABLE[:100]}… → health"],
        ),
        (
            "offerings/settlement.yaml",
            lambda it: it["materials"][0].update(optional=True),
            ["+ offerings/settlement.yaml: materials.id_card.optional: true"],
        ),
        (
            "bundles/arrival.yaml",
            lambda it: it["edges"][0].update(otherwise="proceed"),
            ["~ bundles/arrival.yaml: edges.recognition-settlement.otherwise: close → proceed"],
        ),
        (
            "bundles/arrival.yaml",
            lambda it: it["edges"].pop(0),
            ["- bundles/arrival.yaml: edges.recognition-settlement"],
        ),
        (
            "bundles/arrival.yaml",
            lambda it: it["edges"].insert(0, it["edges"][0] | {"from": "medical", "to": "spouse"}),
            ["+ bundles/arrival.yaml: edges.medical-spouse"],
        ),
    ],
)
def test_what_is_changed_is_told_by_file_and_key(file, change, told):
    assert found(changed(file, change)) == told


def test_what_is_added_one_way_is_removed_the_other_way():
    less = changed("sections/lease.yaml", lambda it: it["schema"]["properties"].pop("bank"))
    assert found(FILES, before=less) == ["+ sections/lease.yaml: schema.properties.bank"]


def test_files_come_and_go_as_a_whole():
    offerings = {code: one for code, one in PACK.offerings.items() if code != "medical"}
    bundle = PACK.bundles["arrival"]
    shorter = replace(
        bundle,
        offerings=tuple(code for code in bundle.offerings if code != "medical"),
        edges=tuple(edge for edge in bundle.edges if edge["to"] != "medical"),
    )
    without = files_of(replace(PACK, offerings=offerings, bundles={"arrival": shorter}))
    gone = [
        "materials/medical_card.yaml",
        "offerings/medical.yaml",
        "sections/medical.yaml",
    ]
    told = differences(FILES, without)
    assert [one.file for one in told if one.kind == "removed" and not one.key] == gone
    assert {one.file for one in told} == {*gone, "bundles/arrival.yaml"}
    back = differences(without, FILES)
    assert [one.file for one in back if one.kind == "added" and not one.key] == gone


def test_everything_is_new_where_there_was_nothing():
    assert found(FILES, before={}) == [f"+ {file}" for file in sorted(FILES)]
    assert found({}, before=FILES) == [f"- {file}" for file in sorted(FILES)]


def told(before, after):
    return [str(one) for one in differences({"a.yaml": before}, {"a.yaml": after})]


def test_an_option_that_leaves_an_enum_is_told_by_what_it_is():
    assert told({"enum": ["a", "b", "c"]}, {"enum": ["b", "c"]}) == ["- a.yaml: enum.a"]
    assert told({"enum": ["a", True, 1]}, {"enum": ["a", 2]}) == [
        "- a.yaml: enum.true",
        "- a.yaml: enum.1",
        "+ a.yaml: enum.2",
    ]


def test_values_are_told_in_a_line_and_cut_where_they_are_long():
    assert told({"n": "a\n b"}, {"n": [1, {"b": True}]}) == ['~ a.yaml: n: a b → [1,{"b":true}]']
    [line] = told({"n": "x" * 500}, {"n": "y"})
    assert line == f"~ a.yaml: n: {'x' * 100}… → y"


def test_another_order_is_a_change_without_values():
    assert told({"of": ["a", "b"]}, {"of": ["b", "a"]}) == ["~ a.yaml: of"]


def test_lists_are_compared_by_code_by_key_by_value_or_by_place():
    assert told({"of": [[1], [2]]}, {"of": [[1], [3], [4]]}) == [
        "- a.yaml: of.1.2",
        "+ a.yaml: of.1.3",
        "+ a.yaml: of.2: [4]",
    ]
    for name in ("code", "key"):
        before, after = [{name: "a", "n": 1}, {name: "b"}], [{name: "b"}, {name: "a", "n": 2}]
        assert told({"of": before}, {"of": after}) == ["~ a.yaml: of", "~ a.yaml: of.a.n: 1 → 2"]


def test_a_list_in_which_a_code_comes_twice_changes_as_a_whole():
    twice = [{"code": "a", "n": 1}, {"code": "a", "n": 2}]
    [line] = told({"of": twice}, {"of": twice[:1]})
    assert line.startswith("~ a.yaml: of: [")


def test_a_value_of_another_kind_changes_as_a_whole():
    assert told({"department": "a"}, {"department": {"by": 1}}) == [
        '~ a.yaml: department: a → {"by":1}'
    ]
    assert told({"limit": None}, {"limit": {}}) == ["~ a.yaml: limit: null → {}"]


def turned(fields):
    items = list(fields.items())
    fields.clear()
    fields.update(reversed(items))


@pytest.mark.parametrize(
    ("file", "change"),
    [
        ("sections/lease.yaml", lambda it: turned(fields(it))),
        ("sections/lease.yaml", lambda it: fields(it)["no_home_here"].update(const=1)),
        ("sections/applicant.yaml", lambda it: turned(fields(it)["degree"]["x-options"])),
        ("offerings/settlement.yaml", lambda it: it["citations"].reverse()),
        ("offerings/settlement.yaml", lambda it: it["sections"].reverse()),
    ],
)
def test_whatever_would_make_another_version_is_a_difference(file, change):
    assert {one.file for one in differences(FILES, changed(file, change))} == {file}
