from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cachetools import LRUCache
from sqlalchemy import func, select

from service.catalogue.actions.installed import installed_files
from service.catalogue.actions.publish import publish_pack
from service.catalogue.models import BundleVersion, OfferingVersion
from service.catalogue.queries import definitions
from service.catalogue.rules.pack import Consent
from service.facts.models import FactKind
from service.facts.queries import fact_kinds_of
from service.kernel.db import District
from service.kernel.errors import NotFound
from service.kernel.ids import new_id
from tests.catalogue.packs import demo_files, demo_pack, plain, whole

PACK = demo_pack()
# Later than whatever the fixtures have published.
AT = datetime(2099, 1, 5, 9, tzinfo=UTC)
LATER = AT + timedelta(days=1)


def changed(pack, code, **changes):
    return replace(
        pack, offerings=pack.offerings | {code: replace(pack.offerings[code], **changes)}
    )


def codes(refs):
    return [ref.partition("@")[0] for ref in refs]


def versions(session, model, code):
    rows = session.execute(
        select(model.version, model.retired_at)
        .where(model.district_id == "demo", model.code == code)
        .order_by(model.version)
    )
    return [(version, retired_at) for version, retired_at in rows]


def forget_compiled():
    definitions.compiled_offerings.clear()
    definitions.compiled_bundles.clear()


@pytest.fixture(autouse=True)
def nothing_compiled():
    forget_compiled()


@pytest.fixture
def published(session):
    publish_pack(session, PACK, at=AT)
    return session


def test_publishing_twice_changes_nothing(published):
    again = publish_pack(published, PACK, at=LATER)
    assert (again.new, again.retired) == ((), ())
    assert {ref.split("@")[0] for ref in again.unchanged} == {
        *(f"offerings/{code}" for code in PACK.offerings),
        "bundles/arrival",
    }


def test_a_change_makes_a_version_and_retires_the_former(published):
    before = versions(published, OfferingVersion, "settlement")
    number = before[-1][0]
    other = changed(PACK, "settlement", title={"zh": "落户", "en": "Settling"})
    told = publish_pack(published, other, at=LATER)
    assert told.new == (f"offerings/settlement@{number + 1}",)
    assert told.retired == (f"offerings/settlement@{number}",)
    after = versions(published, OfferingVersion, "settlement")
    assert after == [*before[:-1], (number, LATER), (number + 1, None)]


def test_a_version_is_not_retired_before_it_was_published(session):
    """Published by a machine whose clock is ahead: the later moment counts."""
    publish_pack(session, PACK, at=LATER)
    publish_pack(session, changed(PACK, "settlement", title={"zh": "落户", "en": "X"}), at=AT)
    *_, (_, retired_at), (_, in_force) = versions(session, OfferingVersion, "settlement")
    assert retired_at >= LATER
    assert in_force is None


def test_a_changed_section_changes_the_offerings_that_ask_it(published):
    lease = replace(PACK.sections["lease"], title={"zh": "租约", "en": "Lease contract"})
    other = replace(PACK, sections=PACK.sections | {"lease": lease})
    told = publish_pack(published, other, at=LATER)
    assert [ref.split("@")[0] for ref in told.new] == ["offerings/housing_rent"]


def test_a_changed_material_or_fact_changes_the_offerings_that_name_it(published):
    card = replace(PACK.materials["medical_card"], most=7)
    other = replace(PACK, materials=PACK.materials | {"medical_card": card})
    assert codes(publish_pack(published, other, at=AT).new) == ["offerings/medical"]
    seat = replace(PACK.facts["school_seat"], title={"zh": "座位", "en": "Seat"})
    other = replace(other, facts=other.facts | {"school_seat": seat})
    assert codes(publish_pack(published, other, at=LATER).new) == ["offerings/schooling"]


def test_a_new_consent_changes_the_bundle_alone(published):
    more = Consent("photos", 1, {"zh": "照片", "en": "Photos"}, {"zh": "照片", "en": "Photos"})
    other = replace(PACK, consents=(*PACK.consents, more))
    assert codes(publish_pack(published, other, at=LATER).new) == ["bundles/arrival"]


def test_another_order_of_the_fields_is_another_version(published):
    lease = PACK.sections["lease"]
    fields = dict(reversed(lease.schema["properties"].items()))
    turned = replace(lease, schema={**lease.schema, "properties": fields})
    other = replace(PACK, sections=PACK.sections | {"lease": turned})
    assert codes(publish_pack(published, other, at=LATER).new) == ["offerings/housing_rent"]
    served = definitions.get_offering(published, "demo", "housing_rent").sections["lease"]
    assert list(served.schema["properties"]) == list(fields)


@pytest.mark.parametrize("code", sorted(PACK.sections))
def test_the_fields_of_a_form_are_served_in_the_order_of_the_pack(published, code):
    in_yaml = plain(f"sections/{code}.yaml", demo_files()[f"sections/{code}.yaml"])
    served = {
        form.code: form for form in definitions.get_bundle(published, "demo", "arrival").forms
    }[code]
    assert list(served.schema["properties"]) == list(in_yaml["schema"]["properties"])
    for name, field in served.schema["properties"].items():
        options = in_yaml["schema"]["properties"][name].get("x-options", {})
        assert list(field.get("x-options", {})) == list(options)


def test_kinds_of_facts_are_published_in_the_order_of_their_values(published):
    kinds = fact_kinds_of(published, "demo")
    assert set(PACK.facts) <= set(kinds)
    for code, kind in PACK.facts.items():
        assert (kinds[code].title, kinds[code].schema) == (kind.title, kind.schema)
        assert list(kinds[code].schema["properties"]) == list(kind.schema["properties"])


def test_a_kind_of_fact_that_has_not_changed_is_not_written(published):
    when = select(FactKind.code, FactKind.published_at).where(FactKind.district_id == "demo")
    before = dict(published.execute(when).all())
    seat = replace(PACK.facts["school_seat"], title={"zh": "座位", "en": "Seat"})
    publish_pack(published, replace(PACK, facts=PACK.facts | {"school_seat": seat}), at=LATER)
    after = dict(published.execute(when).all())
    assert {code for code in after if after[code] != before[code]} == {"school_seat"}


def test_a_kind_of_fact_that_leaves_the_pack_stays_for_the_facts_there_are(published):
    without = {code: kind for code, kind in PACK.facts.items() if code != "kinship"}
    offerings = {"settlement": PACK.offerings["settlement"]}
    bundle = replace(PACK.bundles["arrival"], offerings=("settlement",), edges=())
    other = replace(PACK, facts=without, offerings=offerings, bundles={"arrival": bundle})
    publish_pack(published, other, at=LATER)
    assert "kinship" in fact_kinds_of(published, "demo")
    assert "facts/kinship.yaml" not in installed_files(published, "demo")


def test_what_leaves_the_pack_is_retired_and_may_return(published):
    number = versions(published, OfferingVersion, "settlement")[-1][0]
    arrival = replace(PACK.bundles["arrival"], offerings=("housing_rent",), edges=())
    without = replace(
        PACK,
        offerings={"housing_rent": PACK.offerings["housing_rent"]},
        bundles={"arrival": arrival},
    )
    assert f"offerings/settlement@{number}" in publish_pack(published, without, at=AT).retired
    with pytest.raises(NotFound):
        definitions.get_offering(published, "demo", "settlement")
    assert f"offerings/settlement@{number + 1}" in publish_pack(published, PACK, at=LATER).new


def test_the_district_keeps_its_other_settings(published):
    district = published.get_one(District, "demo")
    district.settings = {**district.settings, "extra": 1}
    published.flush()
    published.expire_all()
    publish_pack(published, replace(PACK, settings={"zone": "Asia/Urumqi"}), at=LATER)
    settings = published.scalars(select(District.settings).where(District.id == "demo")).one()
    assert (settings["extra"], settings["zone"]) == (1, "Asia/Urumqi")
    assert settings["administrative_code"] == "350100"


def test_a_bundle_that_is_compiled_costs_one_statement(published, sql_count):
    for cost in (3, 1):
        with sql_count() as count:
            bundle = definitions.current_bundle(published, "demo", "arrival")
        assert count.total == cost
        assert list(bundle.offerings) == list(PACK.bundles["arrival"].offerings)
        assert bundle.consents == PACK.consents
        assert {form.code for form in bundle.forms} == set(PACK.sections)
        assert bundle.edges == whole(PACK).edges
    kept = bundle.offerings["settlement"]
    assert definitions.current_bundle(published, "demo", "arrival").offerings["settlement"] is kept


def test_what_was_filed_under_a_version_stays_under_it(published, sql_count):
    filed = definitions.get_offering(published, "demo", "settlement")
    publish_pack(published, changed(PACK, "settlement", title={"zh": "新", "en": "New"}), at=LATER)
    assert definitions.get_offering(published, "demo", "settlement").title["en"] == "New"
    with sql_count() as count:
        assert definitions.offering_definition(published, "demo", filed.version_id) is filed
    assert count.total == 0
    forget_compiled()
    with sql_count() as count:
        again = definitions.offering_definition(published, "demo", filed.version_id)
    assert count.total == 1
    assert (again.version, again.title) == (filed.version, filed.title)


def test_lists_show_what_is_in_force(published, sql_count):
    publish_pack(published, changed(PACK, "settlement", title={"zh": "新", "en": "New"}), at=LATER)
    with sql_count() as count:
        listed = definitions.list_offerings(published, "demo")
    assert count.total == 1
    titles = {one.code: one.title["en"] for one in listed}
    assert list(titles) == sorted(PACK.offerings)
    assert (titles["housing_rent"], titles["settlement"]) == ("Rent subsidy for talents", "New")
    assert [one.code for one in definitions.list_bundles(published, "demo")] == ["arrival"]


def test_what_is_unknown_is_not_found(published):
    assert definitions.current_bundle(published, "demo", "departure") is None
    for ask in (
        lambda: definitions.get_bundle(published, "demo", "departure"),
        lambda: definitions.get_offering(published, "demo", "departure"),
        lambda: definitions.offering_definition(published, "demo", new_id()),
        lambda: definitions.get_offering(published, "elsewhere", "settlement"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_what_is_compiled_is_read_and_compiled_once(published, sql_count):
    for cost in (2, 1):
        with sql_count() as count:
            offerings = definitions.offerings_in_force(published, "demo")
        assert count.total == cost
        assert [one.code for one in offerings] == sorted(PACK.offerings)
    with sql_count() as count:
        assert definitions.get_offering(published, "demo", "medical") in offerings
        definitions.current_bundle(published, "demo", "arrival")
    assert count.total == 3  # twice the release, and the bundle itself


def test_a_process_keeps_a_bounded_number_of_definitions(published, monkeypatch):
    monkeypatch.setattr(definitions, "compiled_offerings", LRUCache(1))
    first = definitions.get_offering(published, "demo", "settlement")
    definitions.get_offering(published, "demo", "housing_rent")
    assert ("demo", first.version_id) not in definitions.compiled_offerings
    assert len(definitions.compiled_offerings) == 1
    bundle = definitions.current_bundle(published, "demo", "arrival")
    assert list(bundle.offerings) == list(PACK.bundles["arrival"].offerings)


def test_one_version_of_a_code_is_in_force(published):
    for model in (OfferingVersion, BundleVersion):
        publish_pack(published, changed(PACK, "settlement", title={"zh": "x", "en": "x"}), at=AT)
        in_force = (
            select(func.count())
            .where(model.district_id == "demo", model.retired_at.is_(None))
            .group_by(model.code)
        )
        assert set(published.scalars(in_force)) == {1}
