"""The form of a bundle: what the offerings chosen ask, each thing once, for everybody to read."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import pytest

from service.catalogue.actions.publish import publish_pack
from service.catalogue.queries.form import bundle_form
from service.kernel import clock
from service.kernel.actor import guest as as_guest
from service.kernel.errors import Invalid
from tests.packs import publish, whole_pack
from tests.policies.asking import DISTRICT

PACK = whole_pack()
ARRIVAL = PACK.bundles["arrival"]
PAIRS = [list(pair) for pair in combinations(ARRIVAL.offerings, 2)]


@pytest.fixture(scope="module", autouse=True)
def documents_are_asked(app, database):
    """The pack with what it asks to be handed in."""
    publish(database, PACK)


def read(who, *offerings, bundle="arrival", **query):
    if offerings:
        query["offerings"] = ",".join(offerings)
    return who.get(f"/v1/bundles/{bundle}/form", query_string=query)


def form(who, *offerings, **query):
    answer = read(who, *offerings, **query)
    assert answer.status_code == 200, answer.json
    return answer.json


def codes(rows):
    return [row["code"] for row in rows]


def chosen(*offerings):
    """The offerings of the pack that are chosen, in the order of the bundle."""
    return [PACK.offerings[code] for code in ARRIVAL.offerings if code in offerings]


def once(*parts):
    return list(dict.fromkeys(code for part in parts for code in part))


# --- what is asked


def test_without_a_choice_it_is_the_form_of_all(guest):
    whole = form(guest)
    assert whole["bundle"] == "arrival"
    assert codes(whole["offerings"]) == list(ARRIVAL.offerings)
    assert whole == form(guest, *ARRIVAL.offerings)
    assert set(codes(whole["sections"])) == set(PACK.sections)
    assert set(codes(whole["materials"])) == set(PACK.materials)


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_each_section_and_material_of_two_offerings_is_there_once(guest, pair):
    first, second = chosen(*pair)
    found = form(guest, *pair)
    assert codes(found["sections"]) == once(first.sections, second.sections)
    asked = ([one["code"] for one in each.materials] for each in (first, second))
    assert codes(found["materials"]) == once(*asked)


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_each_is_asked_by_the_chosen_that_ask_it(guest, pair):
    found = form(guest, *pair)
    for section in found["sections"]:
        asking = [one.code for one in chosen(*pair) if section["code"] in one.sections]
        assert section["asked_by"] == asking
    for material in found["materials"]:
        asking = [
            one.code
            for one in chosen(*pair)
            if material["code"] in {asked["code"] for asked in one.materials}
        ]
        assert [one["offering"] for one in material["asked_by"]] == asking


def test_a_choice_has_no_order_and_repeats_nothing(guest):
    asked = ("medical", "settlement", "recognition", "medical")
    found = form(guest, *asked)
    assert codes(found["offerings"]) == ["recognition", "settlement", "medical"]
    assert found == form(guest, "settlement", "recognition", "medical")


def test_sections_are_told_as_the_pack_has_them(guest):
    for told in form(guest)["sections"]:
        section = PACK.sections[told["code"]]
        assert (told["scope"], told["title"]) == (section.scope, section.title)
        assert told["schema"] == section.schema


def test_rules_between_fields_are_shown_with_their_words(guest):
    told = {one["code"]: one["rules"] for one in form(guest)["sections"]}
    assert len(told["lease"]) == 2
    for code, section in PACK.sections.items():
        wanted = [{"at": one["at"], "message": one["message"]} for one in section.rules]
        assert told[code] == wanted


def test_materials_are_told_as_the_pack_has_them(guest):
    for told in form(guest)["materials"]:
        material = PACK.materials[told["code"]]
        assert (told["scope"], told["title"]) == (material.scope, material.title)
        assert (told["note"], told["most"]) == (material.note, material.most)
        assert tuple(told["formats"]) == material.formats


# --- who needs what


def needs(who, material, *offerings):
    [found] = [one for one in form(who, *offerings)["materials"] if one["code"] == material]
    return {one["offering"]: (one["need"], one["when"]) for one in found["asked_by"]}


def test_a_material_is_needed_always_or_where_a_condition_holds_or_not_at_all(guest):
    degree = {"field": "applicant.degree", "in": ["doctor", "master", "bachelor"]}
    assert needs(guest, "degree_certificate", "recognition", "settlement") == {
        "recognition": ("always", None),
        "settlement": ("conditional", degree),
    }
    assert needs(guest, "insurance_record", "housing_rent") == {"housing_rent": ("optional", None)}
    married = needs(guest, "marriage_certificate")
    assert {code: need for code, (need, _) in married.items()} == {
        "settlement": "conditional",
        "housing_purchase": "optional",
        "purchase_discount": "optional",
        "spouse": "always",
        "medical": "conditional",
    }
    assert married["medical"][1] == {"field": "medical.covers_spouse", "is": True}


def test_every_need_is_that_of_the_pack(guest):
    for told in form(guest)["materials"]:
        for asked in told["asked_by"]:
            offered = PACK.offerings[asked["offering"]]
            [wanted] = [one for one in offered.materials if one["code"] == told["code"]]
            conditional = "conditional" if "when" in wanted else "always"
            assert asked["need"] == ("optional" if wanted.get("optional") else conditional)
            assert asked["when"] == wanted.get("when")


# --- edges and consents


@pytest.mark.parametrize("pair", PAIRS, ids=" and ".join)
def test_edges_are_those_between_the_chosen(guest, pair):
    found = form(guest, *pair)["edges"]
    wanted = [one for one in ARRIVAL.edges if {one["from"], one["to"]} == set(pair)]
    assert found == [{name: one[name] for name in ("from", "to", "kind")} for one in wanted]


def test_all_edges_stand_in_their_order(guest):
    told = [(one["from"], one["to"]) for one in form(guest)["edges"]]
    assert told == [(one["from"], one["to"]) for one in ARRIVAL.edges]
    assert form(guest, "schooling")["edges"] == []


def test_consents_do_not_depend_on_the_choice(guest):
    refs = [one["ref"] for one in form(guest, "medical")["consents"]]
    assert refs == [one.ref for one in PACK.consents]


# --- what is wrong


@pytest.mark.parametrize(
    ("offerings", "paths"),
    [
        (["pension"], ["offerings.0"]),
        (["medical", "pension", "settlement", "a1_"], ["offerings.1", "offerings.3"]),
        (["pension", "pension"], ["offerings.0", "offerings.1"]),
    ],
)
def test_what_is_not_in_the_bundle_is_refused_by_its_place(guest, offerings, paths):
    answer = read(guest, *offerings)
    assert answer.status_code == 422
    told = [(one["path"], one["code"]) for one in answer.json["errors"]]
    assert told == [(path, "offering_not_in_bundle") for path in paths]
    assert all(one["message"] for one in answer.json["errors"])


def test_an_offering_of_another_bundle_is_not_in_this_one(session):
    small = replace(ARRIVAL, code="small", offerings=("medical",), edges=())
    pack = replace(PACK, bundles={**PACK.bundles, "small": small})
    publish_pack(session, pack, at=clock.now())

    def ask(*offerings):
        actor, at = as_guest(DISTRICT), clock.now()
        return bundle_form(session, actor, DISTRICT, "small", offerings=offerings, at=at)

    assert [one.code for one in ask().offerings] == ["medical"]
    with pytest.raises(Invalid) as refused:
        ask("medical", "settlement")
    assert [one.path for one in refused.value.errors] == ["offerings.1"]


@pytest.mark.parametrize("bundle", ["departure", "settlement", "ARRIVAL", "arrival%20", "%00"])
def test_a_bundle_that_is_not_there_is_not_found(guest, bundle):
    assert read(guest, bundle=bundle).status_code == 404
    assert read(guest, "pension", bundle=bundle).status_code == 404


@pytest.mark.parametrize(
    "offerings",
    ["", ",", "medical,", ",medical", "medical,,spouse", "medical spouse", "medical;spouse",
     "Medical", "1", "_a", "medical\n", "医疗", "medical, spouse", "'", "a" * 2001, "a,", "\x07"],
)  # fmt: skip
def test_a_choice_that_is_no_list_of_codes_is_refused(guest, offerings):
    answer = read(guest, offerings=offerings)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["path"] == "offerings"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("offerings=medical&offerings=spouse", "given_twice"),
        ("offering=medical", "unknown_field"),
        ("district=", "length_out_of_bounds"),
        ("district=" + "a" * 41, "length_out_of_bounds"),
    ],
)
def test_a_query_that_is_not_understood_is_refused(guest, query, code):
    answer = guest.get(f"/v1/bundles/arrival/form?{query}")
    assert answer.status_code == 422
    assert [one["code"] for one in answer.json["errors"]] == [code]


def test_as_many_codes_as_fit_are_read(guest):
    answer = read(guest, *["a"] * 1000)
    assert answer.status_code == 422
    assert len(answer.json["errors"]) == 100


# --- districts


def test_another_districts_form_may_be_asked_for(guest, elsewhere):
    there = form(guest, district=elsewhere)
    assert codes(there["offerings"]) == [one for one in ARRIVAL.offerings if one != "recognition"]
    assert [(one["from"], one["to"]) for one in there["edges"]] == [("settlement", "schooling")]
    assert read(guest, "recognition", district=elsewhere).status_code == 422


@pytest.mark.parametrize("district", ["nowhere", "Demo", "demo'--"])
def test_a_district_that_is_not_there_is_refused(guest, district):
    refused = read(guest, district=district)
    assert refused.status_code == 422
    assert [(one["path"], one["code"]) for one in refused.json["errors"]] == [
        ("district", "district_unknown")
    ]
