"""What publishing a pack may not do unasked: values in, values out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from service.catalogue.rules.contents import consent_content
from service.catalogue.rules.pack import Pack
from service.kernel.messages import Language, say

_SHARE: Final = 3
"""More than one offering in three that goes is more likely a wrong folder than a decision."""


@dataclass(frozen=True)
class Installed:
    """What a district has before a publication.

    `offerings`: the codes in force. `consents`: every text there ever was, by code and version.
    `administrative_code` is None where the district is new; `elsewhere`: the districts that have
    the code of the pack.
    """

    offerings: frozenset[str] = frozenset()
    consents: Mapping[tuple[str, int], Mapping[str, Any]] = field(default_factory=dict)
    administrative_code: str | None = None
    elsewhere: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a pack is not published: a code of `messages.toml`, and what its words name."""

    code: str
    params: Mapping[str, Any]

    def told(self, language: Language) -> str:
        return say(self.code, language, self.params)


class PublicationRefused(Exception):
    """The pack has no fault, but would do what nobody asked for; `refusals` has all of it."""

    def __init__(self, refusals: Collection[Refusal]) -> None:
        super().__init__([one.code for one in refusals])
        self.refusals = tuple(refusals)


def refusals(
    pack: Pack,
    installed: Installed,
    *,
    district: str | None = None,
    retire: bool = False,
    recode: bool = False,
) -> Iterator[Refusal]:
    """What keeps a pack from being published.

    `district`: the one that is meant, where somebody said so. `retire` lets more than a third of
    the offerings go, `recode` another administrative code take the place of the former.
    """
    if district not in (None, pack.district):
        params = {"asked": district, "found": pack.district}
        yield Refusal("publish_other_district", params)
    gone = installed.offerings - pack.offerings.keys()
    if not retire and len(gone) * _SHARE > len(installed.offerings):
        names = ", ".join(sorted(gone))
        counted = {"number": len(gone), "of": len(installed.offerings), "names": names}
        yield Refusal("publish_retires_many", counted)
    yield from _of_consents(pack, installed)
    code, before = pack.settings["administrative_code"], installed.administrative_code
    if not recode and before not in (None, code):
        yield Refusal("publish_other_code", {"before": before, "after": code})
    if installed.elsewhere:
        names = ", ".join(sorted(installed.elsewhere))
        yield Refusal("publish_code_taken", {"code": code, "districts": names})


def _of_consents(pack: Pack, installed: Installed) -> Iterator[Refusal]:
    """What somebody agreed to under a version stays to be told: its words never change."""
    for one in pack.consents:
        known = [version for code, version in installed.consents if code == one.code]
        if known and one.version < max(known):
            params = {"consent": one.ref, "newest": max(known)}
            yield Refusal("publish_consent_older", params)
        elif installed.consents.get((one.code, one.version), consent_content(one)) != (
            consent_content(one)
        ):
            yield Refusal("publish_consent_changed", {"consent": one.ref})
