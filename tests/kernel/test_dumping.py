"""Answers are what marshmallow would make of read models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import marshmallow as ma
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.app import BLUEPRINTS
from service.kernel.http import fields


class Colour(StrEnum):
    """Some codes."""

    RED = "red"
    GREEN = "green"


class InnerOut(fields.Schema):
    """Something within."""

    title = fields.Texts(required=True)
    day = fields.Date(allow_none=True, required=True)


class WholeOut(fields.Schema):
    """One field of each kind."""

    id = fields.UUID(required=True)
    name = fields.String(required=True, allow_none=True)
    number = fields.Integer(required=True)
    yes = fields.Boolean(required=True)
    at = fields.DateTime(required=True)
    colour = fields.Enum(Colour, required=True, allow_none=True)
    inner = fields.Nested(InnerOut, required=True, allow_none=True)
    several = fields.List(fields.Nested(InnerOut), required=True)
    codes = fields.List(fields.Enum(Colour), required=True)
    anything = fields.Object(required=True)
    by_colour = ma.fields.Dict(
        keys=fields.Enum(Colour), values=fields.Nested(InnerOut), required=True
    )
    renamed = fields.String(required=True, data_key="else")
    below = fields.String(attribute="anything.deep", dump_only=True)


@dataclass(frozen=True)
class Inner:
    title: Mapping[str, str]
    day: date | None


@dataclass(frozen=True)
class Whole:
    id: UUID
    name: str | None
    number: int
    yes: bool
    at: datetime
    colour: Colour | None
    inner: Inner | None
    several: tuple[Inner, ...]
    codes: frozenset[Colour]
    anything: dict[str, Any]
    by_colour: Mapping[Colour, Inner]
    renamed: str = "r"
    unseen: str = field(default="never shown", repr=False)


zones = st.sampled_from([UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-3, minutes=30))])
inners = st.builds(
    Inner,
    title=st.fixed_dictionaries({"zh": st.text(), "en": st.text()}).map(MappingProxyType),
    day=st.none() | st.dates(),
)
wholes = st.builds(
    Whole,
    id=st.uuids(),
    name=st.none() | st.text(),
    number=st.integers(-(2**53), 2**53),
    yes=st.booleans(),
    at=st.datetimes(
        min_value=datetime(1900, 1, 1),  # noqa: DTZ001 - the zone is drawn
        timezones=zones,
    ),
    colour=st.none() | st.sampled_from(Colour),
    inner=st.none() | inners,
    several=st.lists(inners, max_size=3).map(tuple),
    codes=st.frozensets(st.sampled_from(Colour), max_size=1),
    anything=st.dictionaries(st.text(), st.integers(-9, 9) | st.text() | st.none()),
    by_colour=st.dictionaries(st.sampled_from(Colour), inners).map(MappingProxyType),
    renamed=st.text(),
)


def written(found: Any) -> Any:
    return orjson.loads(orjson.dumps(found))


@given(wholes)
def test_it_is_what_marshmallow_would_make_of_it(whole):
    assert written(WholeOut().dump(whole)) == written(ma.Schema.dump(WholeOut(), whole))


@given(st.lists(inners, max_size=3))
def test_several_at_once(several):
    assert written(InnerOut(many=True).dump(several)) == written(
        ma.Schema.dump(InnerOut(), several, many=True)
    )


def test_of_a_mapping_what_it_has():
    assert InnerOut().dump({"day": date(2026, 3, 2), "more": 1}) == {"day": date(2026, 3, 2)}


def test_what_is_read_is_an_attribute_of_an_attribute_too():
    whole = {"id": uuid4(), "anything": {"deep": "down"}}
    assert WholeOut().dump(whole)["below"] == "down"


def test_a_field_of_which_nothing_is_known_has_no_way_out():
    class Odd(fields.Schema):
        """A field that turns values into others."""

        odd = ma.fields.Function(lambda _whole: 1)

    with pytest.raises(LookupError, match="Function"):
        Odd().dump({"odd": 1})


def test_every_answer_of_the_service_has_a_plan():
    answers = {
        type(answer)
        for blueprint in BLUEPRINTS
        for operations in blueprint._docs.values()
        for operation in operations.values()
        if isinstance(operation, dict)
        for responses in operation.get("response", {}).get("responses", {}).values()
        for response in responses
        if isinstance(answer := response.get("schema"), fields.Schema)
    }
    assert len(answers) > 40
    for answer in answers:
        assert answer()._plan
