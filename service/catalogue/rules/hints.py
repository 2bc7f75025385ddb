"""What is no fault of a pack, and seldom meant."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from service.catalogue.rules.pack import Pack
from service.identity.consents.rules import EMPLOYER_CODE, EMPLOYER_VIEW, EMPLOYMENT
from service.kernel.messages import Language, say
from service.routing.flow import parse_flow


@dataclass(frozen=True, slots=True)
class Hint:
    """A hint to who writes a pack: a code of `messages.toml`, and what its words name."""

    code: str
    params: tuple[tuple[str, str], ...]

    def told(self, language: Language) -> str:
        return say(self.code, language, dict(self.params))


def hints(pack: Pack) -> Iterator[Hint]:
    """What nobody can file, what nothing uses or publishes, and a consent that has no effect."""
    bundled = {code for bundle in pack.bundles.values() for code in bundle.offerings}
    asked = {code for one in pack.offerings.values() for code in one.sections}
    wanted = {one["code"] for offering in pack.offerings.values() for one in offering.materials}
    if pack.consents and not pack.bundles:
        yield Hint("pack_hint_no_bundle", ())
    yield from _unused("pack_hint_unbundled", pack.offerings, bundled)
    yield from _unused("pack_hint_unused_section", pack.sections, asked)
    yield from _unused("pack_hint_unused_material", pack.materials, wanted)
    lets_follow = any(consent.code == EMPLOYER_VIEW for consent in pack.consents)
    if lets_follow and not _asks_for_employer(pack):
        names = (("consent", EMPLOYER_VIEW), ("section", EMPLOYMENT), ("field", EMPLOYER_CODE))
        yield Hint("pack_hint_no_employer", names)


def _asks_for_employer(pack: Pack) -> bool:
    section = pack.sections.get(EMPLOYMENT)
    return section is not None and EMPLOYER_CODE in section.schema.get("properties", {})


def _unused(code: str, declared: Collection[str], used: Collection[str]) -> Iterator[Hint]:
    return (Hint(code, (("name", name),)) for name in sorted({*declared} - {*used}))


def unstaffed(pack: Pack, posts: Collection[tuple[str, str]]) -> Iterator[Hint]:
    """The roles in departments that a flow needs and nobody has; `posts`: department and role."""
    needed = {
        (department, str(stage.role))
        for offering in pack.offerings.values()
        for stage in parse_flow(offering.flow).stages
        for department in stage.choice.possible
    }
    for department, role in sorted(needed - {*posts}):
        yield Hint("pack_hint_unstaffed", (("department", department), ("role", role)))
