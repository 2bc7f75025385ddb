"""The demonstration pack as tests publish it: plain where it is not what they are about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from service.catalogue.actions.files import load_pack
from service.catalogue.actions.publish import publish_pack
from service.catalogue.rules.pack import Pack
from service.kernel import clock
from service.kernel.db import Database, Scope
from service.local.demonstration import PACK
from service.materials.rules import MediaType


@cache
def whole_pack() -> Pack:
    """The demonstration pack as it is."""
    return load_pack(PACK)


@cache
def demo_pack() -> Pack:
    """The demonstration pack, whose offerings ask for no documents.

    Most tests are not about what is handed in: they file without. Those that are publish the
    `whole_pack`, and the journeys run on it.
    """
    return paperless(whole_pack())


def paperless(pack: Pack) -> Pack:
    """The pack with offerings that ask for no documents."""
    offerings = {code: replace(one, materials=()) for code, one in pack.offerings.items()}
    return replace(pack, offerings=offerings)


def every_format(pack: Pack) -> Pack:
    """The pack in which each document is taken in whatever format files are taken at all."""
    formats = tuple(sorted({media_type.ending for media_type in MediaType}))
    materials = {code: replace(one, formats=formats) for code, one in pack.materials.items()}
    return replace(pack, materials=materials)


def with_flow(pack: Pack, offering: str, flow: Mapping[str, Any]) -> Pack:
    """The pack with another flow for one of its offerings."""
    changed = replace(pack.offerings[offering], flow=flow)
    return replace(pack, offerings={**pack.offerings, offering: changed})


def plain_pack() -> Pack:
    """The pack in which both `settlement` and `housing_rent` go from acceptance to decision.

    The rent subsidy skips the joint review and the publicity; what its two other stages may see
    and record is what they do in the demonstration.
    """
    pack = demo_pack()
    flow = pack.offerings["housing_rent"].flow
    stages = {stage["key"]: stage for stage in flow["stages"]}
    decision = stages["decision"] | {"after": ["acceptance"], "limit": {"working_days": 15}}
    return with_flow(pack, "housing_rent", {**flow, "stages": [stages["acceptance"], decision]})


def publish(database: Database, pack: Pack) -> None:
    """Make a pack what its district offers from now on."""
    with database.transaction(Scope.system(pack.district)) as session:
        assert publish_pack(session, pack, at=clock.now()).new
