"""A filing in which everything that can be is a canary, and what of it a stage may read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from service.routing.flow import parse_flow
from tests.packs import whole_pack
from tests.privacy.canaries import Canaries

Stage = Mapping[str, Any]
"""A stage as its pack declares it."""
Planted = dict[str, dict[str, str]]
"""By section and field, what the canary stands for that was filed there."""


@dataclass(frozen=True)
class Said:
    """What a task said and recorded, for departments: what its words and values stand for."""

    task: UUID
    stage: str
    department: str
    returned: bool
    labels: frozenset[str]


@dataclass
class Planting:
    """An item, as far as it is known what a department may find in it."""

    name: str
    offering: str
    person: str
    answers: dict[str, Any]
    planted: Planted
    points: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    """By which stage, about what, and what the words stand for."""
    said: list[Said] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    """The codes of documents whose condition does not hold: they are not kept with the item."""

    def leave_out(self, named: Iterable[Mapping[str, str]]) -> None:
        """What the answer to the filing says is not kept."""
        for one in named:
            if one.get("material"):
                self.left_out.add(one["material"])
            else:
                self.planted[one["section"]].pop(one["field"], None)

    def heard(self, stage: Stage, department: str, task: UUID) -> set[str]:
        """What a task may read of what was said before it: by its own department, by the stages
        that its own names, and where it decides by all.
        """
        flow = parse_flow(whole_pack().offerings[self.offering].flow)
        named = "all" if stage["kind"] == "decision" else stage["sees"].get("opinions", ())
        return {
            label
            for one in self.said
            if one.task != task
            and (one.stage in flow.upstream[stage["key"]] or one.returned)
            and (one.department == department or shows(named, one.stage))
            for label in one.labels
        }

    def stage(self, key: str) -> Stage:
        stages = whole_pack().offerings[self.offering].flow["stages"]
        return next(one for one in stages if one["key"] == key)


@dataclass
class Fact:
    """What a department has established of somebody, and which canaries it repeats."""

    kind: str
    person: str
    repeats: set[str]


def _schema(section: str) -> Mapping[str, Any]:
    return whole_pack().sections[section].schema


def shows(selection: Any, name: str) -> bool:
    return selection == "all" or name in selection


class Plant:
    """What was filed: the items, the documents that are handed in, the facts that came of it."""

    def __init__(self, canaries: Canaries) -> None:
        self.canaries = canaries
        self.items: list[Planting] = []
        self.relatives: dict[str, str] = {}
        self.documents: dict[str, tuple[str, str]] = {}
        self.replaced: list[str] = []
        self.facts: list[Fact] = []
        self.results: set[str] = set()
        self.kept_back: set[str] = set()
        self.dates: set[str] = set()

    def sow(self, body: dict[str, Any]) -> None:
        """Put a canary wherever a filing has room for one."""
        shared = self._sections(body["sections"], "ticket")
        for number, item in enumerate(body["items"], 1):
            name = f"{item['offering']} {number}"
            planted = shared | self._sections(item["sections"], name)
            person = item.get("subject", "applicant")
            self.items.append(Planting(name, item["offering"], person, item["sections"], planted))

    def again(self, item: Planting, section: str, fields: Collection[str]) -> dict[str, Any]:
        """Other answers to these fields of a section, which from now on are those that count."""
        asked = {name: item.answers[section][name] for name in fields}
        schema = _schema(section)
        properties = {name: schema["properties"][name] for name in fields}
        owner = f"{item.name} again: {section}"
        item.planted[section] |= self.into(asked, {**schema, "properties": properties}, owner)
        return item.answers[section] | asked

    def keep(self, code: str, label: str, material: str) -> None:
        """A document that is handed in, in place of the one before."""
        if code in self.documents:
            self.replaced.append(self.documents[code][1])
        self.documents[code] = label, material

    def _sections(self, sections: dict[str, Any], owner: str) -> Planted:
        return {
            code: self.into(answers, _schema(code), f"{owner}: {code}")
            for code, answers in sections.items()
        }

    def into(
        self, answers: dict[str, Any], schema: Mapping[str, Any], owner: str
    ) -> dict[str, str]:
        """Put canaries into the answers of a form; gives what each stands for, by field."""
        planted = {}
        for name, one in schema["properties"].items():
            stands_for = f"{owner}.{name}"
            example = answers.get(name)
            value = self.canaries.value(stands_for, name, one, example)
            if value is not None:
                answers[name] = value
            if stands_for in self.canaries.known.values():
                planted[name] = stands_for
        return planted

    def give(self, item: Planting, stage: Stage, result: Mapping[str, str]) -> None:
        """What follows from an approval: the facts that the stage declares."""
        for one in stage.get("gives", ()):
            person = "applicant" if one["about"] == "applicant" else item.person
            dates = self._from(item, [one.get("from"), one.get("until")], result)
            values = self._from(item, one["value"].values(), result)
            self.facts.append(Fact(one["fact"], person, values | dates))
            self.dates |= dates

    def _from(self, item: Planting, sources: Iterable[Any], result: Mapping[str, str]) -> set[str]:
        """What these stand for, where they are taken from the form or the result."""
        fields = {
            f"{section}.{name}": stands_for
            for section, planted in item.planted.items()
            for name, stands_for in planted.items()
        }
        given = [one for one in sources if isinstance(one, dict)]
        found = {fields.get(one.get("field")) or result.get(one.get("result")) for one in given}
        return {one for one in found if one is not None}

    def readable(self, item: Planting, stage: Stage) -> set[str]:
        """All that the stage names: of the form, facts, the subject, documents, what is asked."""
        sees = stage["sees"]
        named = {
            stands_for
            for section, selection in sees["sections"].items()
            for name, stands_for in item.planted.get(section, {}).items()
            if shows(selection, name)
        }
        for fact in self.facts:
            if fact.person in {item.person, "applicant"} and shows(
                sees.get("facts", ()), fact.kind
            ):
                named |= fact.repeats
        named |= self._of_subject(item, sees.get("subject", ()))
        named |= {f"{self.documents[code][0]}: name" for code in self.papers(item, stage)}
        named |= {
            stands_for
            for asked_by, point, stands_for in item.points
            if asked_by == stage["key"] or _may_read(sees, point)
        }
        return named

    def _of_subject(self, item: Planting, selection: Any) -> set[str]:
        """What is named of a member of the family; their number is never told whole."""
        if item.person not in self.relatives:
            return set()
        parts = {"name": "name", "birth_date": "birth date"}
        label = self.relatives[item.person]
        return {f"{label}: {part}" for one, part in parts.items() if shows(selection, one)}

    def names_of(self, item: Planting) -> set[str]:
        """What the name of the member of the family stands for, whom an item is about."""
        return {f"{self.relatives[item.person]}: name"} if item.person in self.relatives else set()

    def asked(self, item: Planting) -> list[str]:
        """The codes of the documents that an item asks for, as it was filed."""
        codes = [one["code"] for one in whole_pack().offerings[item.offering].materials]
        return [code for code in codes if code not in item.left_out]

    def others(self, item: Planting) -> list[str]:
        """A document that the item does not ask for, and all that count no more."""
        code = next(code for code in self.documents if code not in self.asked(item))
        return [self.documents[code][1], *self.replaced]

    def papers(self, item: Planting, stage: Stage) -> list[str]:
        """The codes of the documents that the stage may read."""
        seen = stage["sees"].get("materials", ())
        return [code for code in self.asked(item) if shows(seen, code)]


def _may_read(sees: Mapping[str, Any], point: dict[str, str]) -> bool:
    if "material" in point:
        return shows(sees.get("materials", ()), point["material"])
    return shows(sees["sections"].get(point["section"], ()), point["field"])
