"""The departments work on a filing of canaries, looked at by everybody who may and some who not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from service.kernel.etags import etag
from service.kernel.ids import new_id
from tests.factories import Signed, World
from tests.packs import whole_pack
from tests.privacy.hearing import Ear
from tests.privacy.planting import Plant, Planting, Said, Stage

ROLES = ("clerk", "reviewer", "head")
NAME = "applicant: name"


@dataclass(frozen=True)
class Todo:
    """A task, with what is known of its item and what the pack declares of its stage."""

    id: UUID
    kind: str
    key: str
    department: str
    role: str
    item_id: UUID
    item: Planting
    stage: Stage

    @property
    def path(self) -> str:
        return f"/v1/desk/tasks/{self.id}"

    @property
    def name(self) -> str:
        return f"{self.item.name} {self.key} {self.department}"


class Desks:
    """Those who work for the departments."""

    def __init__(self, world: World, ear: Ear, plant: Plant) -> None:
        self.world, self.ear, self.plant = world, ear, plant
        self.worked_on: set[tuple[str, str]] = set()
        self.in_vain = plant.canaries.text("an attempt")

    def look(self, todo: Todo, *more: str) -> dict[str, Any]:
        """At a task, by the whole department; `more` is in it besides what its stage names."""
        named = self.plant.readable(todo.item, todo.stage) | {NAME, *more}
        named |= todo.item.heard(todo.stage, todo.department, todo.id)
        for who, signed in self._department(todo):
            told = self.ear.ask(who, signed, "get", todo.path, named=named)
        seen: dict[str, Any] = told.json
        return seen

    def around(self, todo: Todo, listed: Iterable[Todo]) -> None:
        """At what the department is told besides: its list, and what happened to the item.

        A list names the applicants, and members of the family where the stage may read their names.
        """
        names = set().union(*(self.names(one) for one in listed))
        for who, signed in self._department(todo):
            self.ear.ask(who, signed, "get", "/v1/desk/tasks?limit=100", named=names)
            self.ear.ask(who, signed, "get", f"{todo.path}/form")
            self.ear.ask(who, signed, "get", f"/v1/desk/items/{todo.item_id}/timeline")

    def names(self, todo: Todo) -> set[str]:
        """Whom a line of a list names."""
        about = self.plant.readable(todo.item, todo.stage) & self.plant.names_of(todo.item)
        return {NAME} | about

    def read(self, todo: Todo) -> None:
        """The item's documents, of which the stage may see some; then others, of which none."""
        seen = self.plant.papers(todo.item, todo.stage)
        for code in self.plant.asked(todo.item):
            label, material = self.plant.documents[code]
            parts = {f"{label}: name", f"{label}: content"} if code in seen else set()
            self._ask(todo, "get", f"/materials/{material}/content", named=parts)
        for material in self.plant.others(todo.item):
            self._ask(todo, "get", f"/materials/{material}/content")

    def pry(self, todo: Todo) -> None:
        """Clerks of all other departments try, one of them to decide."""
        others = [one.code for one in whole_pack().departments if one.code != todo.department]
        for code in others:
            who = f"clerk.{code}"
            self.ear.ask(who, self.world.staff(who), "get", todo.path)
        attempt = self._attempt()
        self.ear.ask(who, self.world.staff(who), "post", f"{todo.path}/decision", **attempt)

    def decide(self, todo: Todo, verdict: str, result: Any = None, points: Any = ()) -> str:
        """Claim and decide, after an attempt that is wrong; gives what the opinion stands for."""
        seen = self._ask(todo, "post", "/claim", named=self.names(todo)).headers["ETag"]
        opinion = f"{todo.name} {len(self.ear.heard)}: opinion"
        body = {"verdict": verdict, "opinion": self.plant.canaries.text(opinion)}
        labels = {opinion}
        if verdict == "return":
            why = f"{todo.name}: reason"
            reason = {"text": self.plant.canaries.text(why), "citation": {"code": "rules"}}
            body["reason"] = reason
            labels.add(why)
        wrong = body | {"result": {"x": self.in_vain}}
        right = body | {"result": result, "corrections": list(points)}
        for sent, status in [(wrong, 422), (right, 200)]:
            match = {"If-Match": seen}
            done = self._ask(todo, "post", "/decision", json=sent, headers=match)
            assert done.status_code == status, done.json
        self.plant.kept_back.add(opinion)
        said = Said(todo.id, todo.key, todo.department, verdict == "return", frozenset(labels))
        todo.item.said.append(said)
        self.worked_on.add((todo.item.offering, todo.key))
        return opinion

    def pass_on(self, todo: Todo, passing: str, choices: dict[str, Any]) -> None:
        """Decide with what the stage records, as canaries; then look at what was decided."""
        records, result, planted = todo.stage.get("records"), None, {}
        if records:
            known = records["properties"].keys()
            result = records["examples"][0] | {k: v for k, v in choices.items() if k in known}
            planted = self.plant.into(result, records, f"{todo.name} result")
        opinion = self.decide(todo, passing, result)
        self.plant.give(todo.item, todo.stage, planted)
        last = todo.item.said[-1]
        todo.item.said[-1] = replace(last, labels=last.labels | set(planted.values()))
        told = todo.kind in {"decision", "fulfilment"}
        (self.plant.results if told else self.plant.kept_back).update(planted.values())
        self.look(todo, opinion, *planted.values())

    def _attempt(self) -> dict[str, Any]:
        body = {"verdict": "reject", "opinion": self.in_vain, "result": {"x": self.in_vain}}
        return {"json": body, "headers": {"If-Match": etag("task", new_id(), 987654)}}

    def _ask(self, todo: Todo, method: str, path: str, **sent: Any) -> Any:
        one = f"{todo.role}.{todo.department}"
        who = f"{one} of {todo.name}"
        return self.ear.ask(who, self.world.staff(one), method, f"{todo.path}{path}", **sent)

    def _department(self, todo: Todo) -> Iterator[tuple[str, Signed]]:
        for role in ROLES:
            one = f"{role}.{todo.department}"
            yield f"{one} of {todo.name}", self.world.staff(one)
