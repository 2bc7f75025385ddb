"""What the public sees of a definition, down to the last key."""

from __future__ import annotations

from service.catalogue import schemas
from tests.catalogue.packs import compiled, demo_pack, whole

PACK = demo_pack()


def test_an_offering_as_everybody_sees_it():
    body = schemas.Offering().dump(compiled(PACK, "settlement"))
    sections = body.pop("sections")
    assert [(one["code"], one["scope"]) for one in sections] == [
        ("applicant", "ticket"),
        ("employment", "ticket"),
        ("residence", "ticket"),
        ("household", "item"),
    ]
    assert sections[0]["schema"]["properties"]["school"]["x-title"]["zh"] == "毕业院校"
    stages = body.pop("stages")
    assert stages[1] == {
        "key": "decision",
        "kind": "decision",
        "title": {"zh": "审批", "en": "Decision"},
        "department": "public_security",
        "departments": ["public_security"],
        "working_days": 4,
        "working_hours": 0,
    }
    citations = body.pop("citations")
    assert citations[2]["article"] == {"zh": "第四条", "en": "article 4"}
    criteria = body.pop("criteria")
    assert [(one["code"], one["binding"]) for one in criteria] == [
        ("talent", "refuse"),
        ("employed", "refuse"),
        ("address", "advise"),
    ]
    assert criteria[0]["citation"] == citations[2]["title"]
    assert criteria[0]["article"] == {"zh": "第四条第一项", "en": "article 4, item 1"}
    assert body.pop("summary")["zh"]
    assert body.pop("remedies")["zh"]
    assert body.pop("departments") == [
        {
            "code": "public_security",
            "name": {"zh": "公安分局", "en": "Public Security Branch"},
        }
    ]
    assert body == {
        "code": "settlement",
        "version": 1,
        "title": {"zh": "人才落户", "en": "Household registration for talents"},
        "subject": "self",
        "promise_working_days": 5,
    }


def test_a_stage_names_everybody_who_may_come_to_work_on_it():
    stages = schemas.Offering().dump(compiled(PACK, "medical"))["stages"]
    assert stages[-1]["departments"] == ["hospital_alliance", "health"]
    assert (stages[-1]["working_days"], stages[-1]["working_hours"]) == (0, 15)
    stages = schemas.Offering().dump(compiled(PACK, "housing_purchase"))["stages"]
    assert stages[3]["departments"] == ["construction", "human_resources", "finance"]
    assert (stages[4]["department"], stages[4]["departments"]) == (None, [])


def test_a_bundle_has_every_section_once():
    body = schemas.Bundle().dump(whole(PACK))
    assert set(body) == {
        "code",
        "version",
        "title",
        "summary",
        "consents",
        "offerings",
        "sections",
        "edges",
    }
    assert [(one["ref"], one["optional"]) for one in body["consents"]] == [
        ("processing@1", False),
        ("sensitive@1", False),
        ("enterprise@2", True),
    ]
    offerings = {one["code"]: one["sections"] for one in body["offerings"]}
    assert list(offerings) == list(PACK.bundles["arrival"].offerings)
    assert offerings["housing_rent"] == ["applicant", "employment", "residence", "lease"]
    codes = [one["code"] for one in body["sections"]]
    assert codes == list(dict.fromkeys(code for one in offerings.values() for code in one))
    assert len(codes) == len(PACK.sections)


def test_a_bundle_says_which_offering_waits_for_which():
    edges = schemas.Bundle().dump(whole(PACK))["edges"]
    assert {"from": "settlement", "to": "schooling", "kind": "soft"} in edges
    assert {"from": "recognition", "to": "medical", "kind": "hard"} in edges
    assert len(edges) == len(PACK.bundles["arrival"].edges)
