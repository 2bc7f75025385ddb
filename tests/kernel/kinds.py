"""Kinds of events that only the tests of the kernel emit."""

from __future__ import annotations

from service.kernel.vocabulary import UNSET, Kind, Payload, Unset, register


class Tested(Payload, frozen=True, kw_only=True):
    code: str | Unset = UNSET
    times: int = 1


TESTED = Kind("tested", Tested)
OTHER = Kind("tested_otherwise")

register([TESTED, OTHER])
