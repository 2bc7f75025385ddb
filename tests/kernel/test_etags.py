"""Tags: what is made is read back, what is not made here is not."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.kernel.etags import NO_VERSION, ETag, etag, read_etag

KINDS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=12)
VERSIONS = st.integers(1, 9_999_999_999)
ID = UUID("0199d3c2-7a52-7a10-8f2e-1d5b7c3e9a21")


@given(kind=KINDS, object_id=st.uuids(), version=VERSIONS, weak=st.sampled_from(["", "W/"]))
def test_what_is_made_is_read_back(kind, object_id, version, weak):
    tag = read_etag(weak + etag(kind, object_id, version))
    assert tag == ETag(kind, object_id, version)
    assert tag.version_of(kind, object_id) == version


@given(one=st.tuples(KINDS, st.uuids(), VERSIONS), other=st.tuples(KINDS, st.uuids(), VERSIONS))
def test_two_that_differ_in_anything_have_other_tags(one, other):
    assert (etag(*one) == etag(*other)) == (one == other)


def test_a_tag_passes_for_its_object_alone():
    tag = ETag("item", ID, 3)
    assert tag.version_of("ticket", ID) == tag.version_of("item", uuid4()) == NO_VERSION


@given(st.text(max_size=80))
def test_whatever_else_is_sent_is_no_tag(text):
    assert read_etag(text) is None


@pytest.mark.parametrize("text", ["*", f'"item.{ID}.3", "item.{ID}.4"', f"item.{ID}.3", ""])
def test_lists_and_what_matches_anything_are_no_tags(text):
    assert read_etag(text) is None
