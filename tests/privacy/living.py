"""The life of a ticket that is nothing but canaries, from its filing to its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID, uuid4

from service.kernel import clock
from service.local.story.papers import pdf
from tests.factories import World, citizen_id
from tests.materials.handing_in import form
from tests.privacy.desks import Desks, Todo
from tests.privacy.hearing import Ear
from tests.privacy.planting import Plant
from tests.tickets.acting import TIMERS, Acting

_TO_DO = """
    SELECT task.id, task.kind, task.stage_key, task.department, task.role, item.id, item.ordinal
    FROM tasks task JOIN items item ON item.id = task.item_id
    WHERE task.ticket_id = %s AND task.status IN ('open', 'claimed')
    ORDER BY task.opened_at, item.ordinal, task.stage_key, task.department
"""

_ASKED = ("account_number", "landlord")
"""What is to be corrected of a lease: what one stage may see, and what another may."""


class Life:
    """Of a talent and their ticket; `lines` are its logs, `tables` what is kept."""

    def __init__(self, world: World, superuser: Any, timer: Acting, plant: Plant) -> None:
        self.world, self.superuser, self.timer, self.plant = world, superuser, timer, plant
        self.ear = Ear(plant.canaries)
        self.desks = Desks(world, self.ear, plant)
        self.own, self.another = world.stranger(), world.talent()
        self.agent: Any = None
        self.ticket: dict[str, Any] = {}
        self.lines: list[str] = []
        self.tables: dict[str, str] = {}

    def talent(self, method: str, path: str, **sent: Any) -> Any:
        """The talent's own affairs."""
        answer = self.ear.ask("talent", self.own, method, f"/v1{path}", named=None, **sent)
        assert answer.status_code < 300 or answer.status_code in {409, 422}, answer.json
        return answer

    def introduce(self) -> None:
        """The talent says who they are."""
        number = self._number("applicant")
        phone = self.plant.canaries.note("13998989898", "applicant: phone")
        name = {"name": self.plant.canaries.text("applicant: name"), "phone": phone}
        self.talent("patch", "/me", json={**name, "id_type": "citizen_id", "id_number": number})

    def relative(
        self, kinship: str, label: str, age: int | None = None, *, abroad: bool = False
    ) -> str:
        """Somebody of the family, with a passport where they are from abroad; their person."""
        member = {"name": self.plant.canaries.text(f"{label}: name"), "kinship": kinship}
        number = self._passport(label) if abroad else self._citizen(label, age)
        told: str = self.talent("post", "/me/family", json=member | number).json["id"]
        self.plant.relatives[told] = label
        return told

    def _citizen(self, label: str, age: int | None) -> dict[str, str]:
        return {"id_type": "citizen_id", "id_number": self._number(label, age)}

    def _passport(self, label: str) -> dict[str, str]:
        number, born = f"E{uuid4().int % 10**8:08}", "1992-03-14"
        self.plant.canaries.note(number, f"{label}: id number")
        self.plant.canaries.note(born, f"{label}: birth date")
        self.plant.kept_back.add(f"{label}: id number")
        stated = {"id_country": "GBR", "birth_date": born}
        return {"id_type": "passport", "id_number": number} | stated

    def _number(self, label: str, age: int | None = None) -> str:
        number = self.plant.canaries.note(citizen_id(age=age), f"{label}: id number")
        self.plant.kept_back.add(f"{label}: id number")
        born = f"{number[6:10]}-{number[10:12]}-{number[12:14]}"
        self.plant.canaries.note(born, f"{label}: birth date")
        return number

    def hand_in(self, code: str, label: str) -> str:
        """A document whose name and content are canaries."""
        name, content = (
            self.plant.canaries.text(f"{label}: {part}") for part in ("name", "content")
        )
        file = pdf("".join(filter(str.isascii, content)))
        sent = form(code=code, file=file, name=f"{name}.pdf")
        kind = "multipart/form-data; boundary=cut"
        told: str = self.talent("post", "/materials", data=sent, content_type=kind).json["id"]
        self.plant.keep(code, label, told)
        return told

    def file(self, body: dict[str, Any]) -> None:
        """Keep it as a draft; file it with a fault, then as it is, twice with one key, and anew."""
        draft = body | {"file": False}
        self.talent("post", "/tickets", json=draft, headers={"Idempotency-Key": uuid4().hex})
        wrong = body | {"sections": body["sections"] | {"applicant": {"mobile": "金丝雀KNRAAA"}}}
        self.plant.canaries.note("KNRAAA", "a fault")
        self.plant.kept_back |= {"a fault", "an attempt"}
        one, other = uuid4().hex, uuid4().hex
        for filing, key, status in [
            (wrong, other, 422), (body, one, 201), (body, one, 201), (body, other, 409),
        ]:  # fmt: skip
            told = self.talent("post", "/tickets", json=filing, headers={"Idempotency-Key": key})
            assert told.status_code == status, told.json
            if status == 201:
                self.ticket = told.json
        for item, planting in zip(self.ticket["items"], self.plant.items, strict=True):
            planting.leave_out(item["left_out"])

    def to_the_end(self, choices: Mapping[str, dict[str, Any]]) -> None:
        """All departments do what there is to do; `choices`: of what they record, by offering."""
        returned = {"housing_rent"}
        while todo := next(self._todo(), None):
            seen = self.desks.look(todo)
            here = [one for one in self._open() if one.department == todo.department]
            self.desks.around(todo, here)
            self.desks.read(todo)
            self.desks.pry(todo)
            self.ear.ask("enterprise", self.agent, "get", f"/v1/enterprise/requests/{self.id}")
            if todo.item.offering in returned:
                returned.remove(todo.item.offering)
                self._mended(todo)
            elif todo.kind == "publicity":
                self._let_it_end(todo)
            else:
                self.desks.pass_on(todo, seen["passing"], choices.get(todo.item.offering, {}))
        assert self._now()["status"] == "completed"

    def _todo(self) -> Iterator[Todo]:
        """What is to be done, but no decision for which the item still waits."""
        waiting = {one["id"] for one in self._now()["items"] if one["waiting_for"]}
        for todo in self._open():
            if todo.kind != "decision" or str(todo.item_id) not in waiting:
                yield todo

    def _open(self) -> Iterator[Todo]:
        for row in self.superuser.execute(_TO_DO, [self.id]).fetchall():
            *columns, ordinal = row
            item = self.plant.items[ordinal - 1]
            yield Todo(*columns, item, item.stage(columns[2]))

    def _mended(self, todo: Todo) -> None:
        """It comes back once, for two fields and a document, which are given anew."""
        points = [{"section": "lease", "field": field} for field in _ASKED]
        points.append({"material": "lease_contract"})
        labels = [f"{todo.name}: point {one.get('field', 'material')}" for one in points]
        said = [
            {**point, "what": self.plant.canaries.text(label)}
            for point, label in zip(points, labels, strict=True)
        ]
        todo.item.points += [
            (todo.key, point, label) for point, label in zip(points, labels, strict=True)
        ]
        opinion = self.desks.decide(todo, "return", points=said)
        self.desks.look(todo, opinion, f"{todo.name}: reason")
        self._answer(todo)

    def _answer(self, todo: Todo) -> None:
        """A correction: the fields and the document, in place of those before."""
        lease = self.plant.again(todo.item, "lease", _ASKED)
        material = self.hand_in("lease_contract", "lease_contract again")
        seen = self.talent("get", f"/items/{todo.item_id}").headers["ETag"]
        answer = self.talent(
            "post",
            f"/items/{todo.item_id}/correction",
            json={
                "sections": {"lease": lease},
                "materials": [{"code": "lease_contract", "material": material}],
            },
            headers={"If-Match": seen},
        )
        assert answer.status_code == 200, answer.json

    def _let_it_end(self, todo: Todo) -> None:
        """A notice period is over at once."""
        self.superuser.execute(
            "UPDATE tasks SET due_at = now() - interval '1 second',"
            " next_alarm_at = now() - interval '1 second' WHERE id = %s",
            [todo.id],
        )
        ticket, act = UUID(self.ticket["id"]), TIMERS["alarms"].act
        assert self.timer(act, ticket_id=ticket, at=clock.now())
        self.desks.worked_on.add((todo.item.offering, todo.key))
        self.desks.look(todo)

    def _now(self) -> dict[str, Any]:
        told: dict[str, Any] = self.talent("get", f"/tickets/{self.id}").json
        return told

    @property
    def id(self) -> str:
        one: str = self.ticket["id"]
        return one

    def look_around(self) -> None:
        """Everybody once more, at everything there is."""
        self._own_things()
        self._strangers()
        employment = self.plant.items[0].planted["employment"]
        for path, named in [
            ("", {employment["employer_code"]}),
            ("/employees", {employment["contract_from"]}),
            ("/requests", set()),
        ]:
            self.ear.ask("enterprise", self.agent, "get", f"/v1/enterprise{path}", named=named)

    def _own_things(self) -> None:
        for path in ("", "/family", "/facts", "/consents"):
            self.talent("get", f"/me{path}")
        for path in ("/tickets", "/materials", "/notices"):
            self.talent("get", f"{path}?limit=100")
        self.talent("get", f"/tickets/{self.id}/timeline")
        self.talent("get", f"/bundles/arrival/form?offerings={self.plant.items[0].offering}")
        for item in self.ticket["items"]:
            self.talent("get", f"/items/{item['id']}")
            self.talent("get", f"/items/{item['id']}/due-changes")
            self.talent("get", f"/items/{item['id']}/form")
        for material in [*self.plant.replaced, *(one for _, one in self.plant.documents.values())]:
            self.talent("get", f"/materials/{material}/content")

    def _strangers(self) -> None:
        """Another talent, another employer's agent, and nobody in particular."""
        paths = [f"/tickets/{self.id}", f"/tickets/{self.id}/timeline"]
        paths += [f"/items/{item['id']}" for item in self.ticket["items"]]
        paths += [f"/materials/{one}/content" for _, one in self.plant.documents.values()]
        guest = self.world.client
        for path in paths:
            for who, signed in (("another talent", self.another), ("guest", guest)):
                told = self.ear.ask(who, signed, "get", f"/v1{path}")
                assert told.status_code in {401, 404}, path
        lists = ("/me/family", "/me/facts", "/tickets", "/materials", "/notices")
        for path in lists:
            self.ear.ask("another talent", self.another, "get", f"/v1{path}")
        for path in ("/offerings", "/bundles", "/bundles/arrival"):
            self.ear.ask("guest", guest, "get", f"/v1{path}")
        other, request = self.world.staff("agent.1"), f"/v1/enterprise/requests/{self.id}"
        assert self.ear.ask("another employer", other, "get", request).status_code == 404
