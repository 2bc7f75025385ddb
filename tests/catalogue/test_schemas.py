"""What the public sees of a definition, down to the last key."""

from __future__ import annotations

from service.catalogue import schemas
from service.catalogue.rules import (
    bundle_content,
    compile_bundle,
    compile_offering,
    offering_content,
)
from service.kernel.ids import new_id
from tests.catalogue.packs import demo_pack

PACK = demo_pack()
OFFERINGS = {
    code: compile_offering(offering_content(PACK, code), version_id=new_id(), version=3)
    for code in PACK.bundles["arrival"].offerings
}
BUNDLE = compile_bundle(
    bundle_content(PACK, "arrival"), version_id=new_id(), version=2, offerings=OFFERINGS
)


def test_an_offering_as_everybody_sees_it():
    body = schemas.Offering().dump(OFFERINGS["settlement"])
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
        "working_days": 4,
    }
    assert body.pop("citations")[1]["article"] == {"zh": "第四条", "en": "article 4"}
    assert body.pop("summary")["zh"]
    assert body == {
        "code": "settlement",
        "version": 3,
        "title": {"zh": "人才落户", "en": "Household registration for talents"},
        "subject": "self",
        "promise_working_days": 5,
    }


def test_a_bundle_has_every_section_once():
    body = schemas.Bundle().dump(BUNDLE)
    assert set(body) == {
        "code",
        "version",
        "title",
        "summary",
        "consents",
        "offerings",
        "sections",
    }
    assert [one["ref"] for one in body["consents"]] == ["processing@1", "sensitive@1"]
    assert [(one["code"], one["sections"]) for one in body["offerings"]] == [
        ("settlement", ["applicant", "employment", "residence", "household"]),
        ("housing_rent", ["applicant", "employment", "residence", "lease"]),
    ]
    codes = [one["code"] for one in body["sections"]]
    assert codes == ["applicant", "employment", "residence", "household", "lease"]
