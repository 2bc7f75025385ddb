"""Publishing a pack makes a release: what it names, when there is a new one, what its hash is."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, ProgrammingError

from service.catalogue.actions.files import load_pack, write_files
from service.catalogue.actions.installed import exported_files, installed_files
from service.catalogue.actions.publish import publish_pack
from service.catalogue.models import BundleVersion, OfferingVersion, PackRelease
from service.catalogue.queries import definitions
from service.catalogue.queries.releases import list_releases, newest_release
from service.catalogue.rules.difference import differences, files_of
from service.catalogue.rules.releases import (
    PLACE,
    canonical_bytes,
    manifest_of,
    release_hash,
)
from service.kernel.db import Scope
from tests.catalogue.packs import demo_pack

PACK = demo_pack()
AT = datetime(2099, 1, 5, 9, tzinfo=UTC)
LATER = AT + timedelta(days=1)
NEW = {"zh": "新", "en": "New"}


def with_title(pack, code, title=NEW):
    changed = replace(pack.offerings[code], title=title)
    return replace(pack, offerings=pack.offerings | {code: changed})


def without(pack, code):
    """The pack without an offering, which leaves its bundle with what waited for it."""
    offerings = {name: one for name, one in pack.offerings.items() if name != code}
    (bundle,) = pack.bundles.values()
    edges = [edge for edge in bundle.edges if code not in (edge["from"], edge["to"])]
    members = tuple(name for name in bundle.offerings if name != code)
    smaller = replace(bundle, offerings=members, edges=tuple(edges))
    return replace(pack, offerings=offerings, bundles={bundle.code: smaller})


def row_of(session, number, district="demo"):
    return session.scalars(
        select(PackRelease).where(PackRelease.district_id == district, PackRelease.number == number)
    ).one()


@pytest.fixture
def elsewhere(database):
    """A transaction of a district that has nothing yet, rolled back at the end."""
    session = database.open(Scope.system("elsewhere"))
    yield session
    session.close()


@pytest.fixture
def published(session):
    """A session in which the pack is in force, with what its publication said."""
    return session, publish_pack(session, PACK, at=AT)


class TestPublishing:
    def test_the_first_pack_of_a_district_is_release_one(self, elsewhere):
        assert newest_release(elsewhere, "elsewhere") is None
        first = publish_pack(elsewhere, replace(PACK, district="elsewhere"), at=AT)
        assert (first.release, first.is_new_release) == (1, True)
        (release,) = list_releases(elsewhere, "elsewhere")
        assert release.content_hash == first.content_hash == release_hash(manifest_of(PACK))
        assert release.published_at == AT

    def test_the_same_pack_again_makes_no_release(self, published):
        session, first = published
        again = publish_pack(session, PACK, at=LATER)
        assert not again.is_new_release
        assert (again.release, again.content_hash) == (first.release, first.content_hash)
        assert newest_release(session, "demo").published_at != LATER

    def test_a_changed_offering_makes_the_next_one(self, published):
        session, first = published
        before = newest_release(session, "demo")
        second = publish_pack(session, with_title(PACK, "medical"), at=LATER)
        assert (second.release, second.is_new_release) == (first.release + 1, True)
        after = newest_release(session, "demo")
        assert (after.number, after.published_at) == (second.release, LATER)
        changed = {
            code for code in after.offerings if after.offerings[code] != before.offerings[code]
        }
        assert changed == {"medical"}
        assert after.bundles == before.bundles
        was, now = (row_of(session, one.number).manifest for one in (before, after))
        assert {kind for kind in now if now[kind] != was[kind]} == {"offerings"}

    def test_a_retired_offering_is_not_in_the_next_one(self, published):
        session, first = published
        second = publish_pack(session, without(PACK, "medical"), at=LATER)
        assert second.release == first.release + 1
        assert "medical" not in newest_release(session, "demo").offerings
        assert "medical" not in row_of(session, second.release).manifest["offerings"]
        assert "medical" in row_of(session, first.release).manifest["offerings"]

    def test_what_was_in_force_before_is_a_release_of_its_own_with_the_same_hash(self, published):
        session, first = published
        publish_pack(session, with_title(PACK, "medical"), at=LATER)
        third = publish_pack(session, PACK, at=LATER)
        assert third.release == first.release + 2
        assert third.content_hash == first.content_hash
        releases = {one.number: one for one in list_releases(session, "demo")}
        assert releases[first.release].offerings != releases[third.release].offerings

    @pytest.mark.parametrize(
        "changes",
        [
            {"departments": PACK.departments[::-1]},
            {"departments": (replace(PACK.departments[0], name=NEW), *PACK.departments[1:])},
            {"settings": PACK.settings | {"zone": "Asia/Urumqi"}},
            {"settings": PACK.settings | {"office_hours": [["09:00", "17:00"]]}},
            {"facts": PACK.facts | {"kinship": replace(PACK.facts["kinship"], title=NEW)}},
            {"consents": (replace(PACK.consents[0], text=NEW), *PACK.consents[1:])},
        ],
        ids=lambda changes: next(iter(changes)),
    )
    def test_whatever_else_a_pack_changes_makes_a_release(self, published, changes):
        session, first = published
        other = replace(PACK, **changes)
        assert publish_pack(session, other, at=LATER).release == first.release + 1
        assert newest_release(session, "demo").content_hash == release_hash(manifest_of(other))

    def test_who_publishes_it_makes_none(self, published):
        session, _ = published
        settings = PACK.settings | {"administrative_code": "110000"}
        other = replace(PACK, title=NEW, settings=settings)
        assert not publish_pack(session, other, at=LATER).is_new_release
        found = differences(files_of(PACK), installed_files(session, "demo"))
        assert {one.key.partition(".")[0] for one in found} == {"title", "administrative_code"}
        assert {one.key.partition(".")[0] for one in found} < set(PLACE)

    def test_the_languages_of_a_text_have_no_order(self):
        turned = [replace(one, name=dict(reversed(one.name.items()))) for one in PACK.departments]
        other = replace(PACK, departments=tuple(turned))
        assert release_hash(manifest_of(other)) == release_hash(manifest_of(PACK))

    def test_another_order_of_the_fields_of_a_form_is_another_release(self):
        lease = PACK.sections["lease"]
        fields = dict(reversed(lease.schema["properties"].items()))
        turned = replace(lease, schema={**lease.schema, "properties": fields})
        other = replace(PACK, sections=PACK.sections | {"lease": turned})
        assert release_hash(manifest_of(other)) != release_hash(manifest_of(PACK))


class TestManifest:
    def test_it_names_everything_that_is_in_force_by_its_hash(self, published):
        session, done = published
        manifest = row_of(session, done.release).manifest
        assert set(manifest) == {
            *("format", "offerings", "bundles", "sections", "materials"),
            *("consents", "facts", "departments", "settings"),
        }
        for kind, model in (("offerings", OfferingVersion), ("bundles", BundleVersion)):
            rows = session.execute(
                select(model.code, model.content_hash).where(
                    model.district_id == "demo", model.retired_at.is_(None)
                )
            )
            assert manifest[kind] == dict(rows.all())
        assert set(manifest["facts"]) == set(PACK.facts)
        assert set(manifest["consents"]) == {one.ref for one in PACK.consents}
        assert manifest["settings"]["departments"] == [one.code for one in PACK.departments]
        assert set(manifest["departments"]) == set(manifest["settings"]["departments"])

    def test_the_versions_beside_it_are_those_in_force(self, published):
        session, _ = published
        release = newest_release(session, "demo")
        for ids, model in (
            (release.offerings, OfferingVersion),
            (release.bundles, BundleVersion),
        ):
            rows = session.execute(
                select(model.code, model.id).where(
                    model.district_id == "demo", model.retired_at.is_(None)
                )
            )
            assert ids == dict(rows.all())

    def test_the_hash_is_that_of_the_manifest_as_it_is_kept(self, published):
        session, done = published
        manifest = row_of(session, done.release).manifest
        assert release_hash(manifest) == done.content_hash
        assert done.content_hash == hashlib.sha256(canonical_bytes(manifest)).hexdigest()


class TestElsewhere:
    """Contents are the same everywhere, the identities of their versions nowhere."""

    def test_two_districts_with_the_same_pack_have_the_same_hash(self, published, elsewhere):
        session, done = published
        settings = PACK.settings | {"administrative_code": "110000"}
        there = replace(PACK, district="elsewhere", title=NEW, settings=settings)
        other = publish_pack(elsewhere, there, at=LATER)
        assert other.content_hash == done.content_hash
        here, there = newest_release(session, "demo"), newest_release(elsewhere, "elsewhere")
        assert row_of(session, here.number).manifest == (
            row_of(elsewhere, there.number, "elsewhere").manifest
        )
        assert not set(here.offerings.values()) & set(there.offerings.values())

    def test_what_was_exported_has_the_hash_of_its_release(self, published, elsewhere, tmp_path):
        session, done = published
        write_files(tmp_path / "out", exported_files(session, "demo"))
        pack = load_pack(tmp_path / "out")
        assert pack.origin.content_hash == release_hash(manifest_of(pack)) == done.content_hash
        assert not publish_pack(session, pack, at=LATER).is_new_release
        other = publish_pack(elsewhere, replace(pack, district="elsewhere"), at=LATER)
        assert other.content_hash == done.content_hash

    def test_what_is_not_published_is_not_in_the_hash(self, published):
        unused = {"unused": replace(PACK.sections["lease"], code="unused")}
        other = replace(PACK, sections=PACK.sections | unused)
        assert release_hash(manifest_of(other)) == published[1].content_hash


class TestPermanence:
    @pytest.mark.parametrize(
        "statement",
        [
            PackRelease.__table__.update().values(content_hash="0" * 64),
            PackRelease.__table__.update().values(published_at=LATER),
            PackRelease.__table__.delete(),
        ],
        ids=["hash", "time", "deleted"],
    )
    def test_the_application_cannot_change_a_release(self, published, statement):
        session, _ = published
        with pytest.raises(ProgrammingError, match="permission denied"):
            session.execute(statement)

    @pytest.mark.parametrize("changes", [{"number": 0}, {"content_hash": "abc"}, {}])
    def test_a_release_has_a_number_of_its_own_and_a_hash(self, published, changes):
        session, done = published
        values = {
            "district_id": "demo",
            "number": done.release,
            "manifest": {},
            "content_hash": "0" * 64,
            "versions": {},
            "published_at": AT,
        }
        with pytest.raises(IntegrityError):
            session.execute(PackRelease.__table__.insert().values(values | changes))

    def test_a_district_sees_its_own_releases_only(self, published, elsewhere):
        publish_pack(elsewhere, replace(PACK, district="elsewhere"), at=AT)
        everything = select(func.count()).select_from(PackRelease)
        assert elsewhere.scalar(everything) == 1
        assert newest_release(elsewhere, "demo") is None


class TestReading:
    def test_a_bundle_is_that_of_the_newest_release(self, published):
        session, first = published
        assert definitions.get_bundle(session, "demo", "arrival").release == first.release
        second = publish_pack(session, with_title(PACK, "medical"), at=LATER)
        bundle = definitions.get_bundle(session, "demo", "arrival")
        assert bundle.release == second.release
        assert bundle.offerings["medical"].title == NEW

    def test_a_release_that_was_rolled_back_leaves_nothing_behind(self, database):
        """The number is used again, by other contents."""
        titles = {}
        for word in ("one", "two"):
            session = database.open(Scope.system("demo"))
            other = with_title(PACK, "medical", {"zh": word, "en": word})
            number = publish_pack(session, other, at=AT).release
            bundle = definitions.get_bundle(session, "demo", "arrival")
            titles[word] = (number, bundle.offerings["medical"].title["en"])
            session.close()
        assert titles["one"] == (titles["two"][0], "one")
        assert titles["two"][1] == "two"


def test_two_publishers_make_two_releases(database):
    """Of one district they wait for each other: no number is given twice, none is left out."""
    go = Barrier(2)

    def publish(code):
        go.wait()
        with database.transaction(Scope.system("demo")) as session:
            return publish_pack(session, with_title(PACK, code), at=LATER).release

    with ThreadPoolExecutor(2) as threads:
        numbers = sorted(threads.map(publish, ["medical", "settlement"]))
    with database.transaction(Scope.system("demo")) as session:
        made = [release.number for release in list_releases(session, "demo")]
    assert numbers == [made[1], made[0]]
    assert made == list(range(len(made), 0, -1))


LEAVES = st.one_of(
    st.text(max_size=8), st.integers(0, 9), st.lists(st.text(max_size=5), max_size=3)
)
MANIFESTS = st.dictionaries(
    st.text(max_size=8), LEAVES | st.dictionaries(st.text(max_size=8), LEAVES, max_size=4)
)


def turned(value):
    """The same, every object's keys the other way round."""
    if isinstance(value, dict):
        return {key: turned(part) for key, part in reversed(value.items())}
    return value


@given(MANIFESTS)
def test_the_order_of_keys_does_not_matter_to_a_manifest(manifest):
    assert canonical_bytes(turned(manifest)) == canonical_bytes(manifest)


@given(MANIFESTS, MANIFESTS)
def test_different_manifests_have_different_bytes(one, other):
    assert (canonical_bytes(one) == canonical_bytes(other)) == (one == other)


@given(st.sets(st.sampled_from(sorted(PACK.offerings))), st.booleans())
def test_a_hash_is_another_exactly_where_a_difference_would_be_told(codes, renamed):
    """Wherever the packs differ but in the name of their place."""
    other = replace(PACK, title=NEW if renamed else PACK.title)
    for code in codes:
        other = with_title(other, code)
    told = [
        one
        for one in differences(files_of(PACK), files_of(other))
        if one.file != "pack.yaml" or one.key.partition(".")[0] not in PLACE
    ]
    same = release_hash(manifest_of(other)) == release_hash(manifest_of(PACK))
    assert same == (not told)
