"""What races have in common: a ticket read and its tasks taken past everything that the service
does for it, so that the time goes into the race.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.applicants.actions import correct, withdraw
from service.catalogue.rules.pack import Pack
from service.kernel.actor import Actor
from service.kernel.errors import Stale
from service.tickets.models.filed import Ticket
from service.tickets.rules.corrections import Point
from tests.packs import plain_pack, with_flow
from tests.tickets.acting import Acting
from tests.tickets.walking import MONDAY

OPEN = """
SELECT tasks.id, tasks.item_id, tasks.department, tasks.role, tasks.offering_code, tasks.kind,
    stages.key
FROM tasks JOIN stages ON stages.id = tasks.stage_id
WHERE ticket_id = %s AND tasks.status IN ('open', 'claimed') ORDER BY tasks.id
"""
CLAIM = """
UPDATE tasks SET status = 'claimed', assignee = %s, claimed_at = now(), version = version + 1
WHERE id = %s RETURNING version
"""
FORGET = """
UPDATE facts SET revoked_at = now(), revoked_by = id, revocation_reason = ''
WHERE revoked_at IS NULL
"""
ITEMS = """
SELECT id, version, offering_code, phase, outcome, decision_waits, hold FROM items
WHERE ticket_id = %s ORDER BY ordinal
"""
LAST = "SELECT last_seq FROM tickets WHERE id = %s"
HAPPENED = "SELECT kind FROM events WHERE ticket_id = %s AND seq > %s ORDER BY seq"
SHARED = "employment"
ASKED = [Point("请核对后重新填写", section=SHARED)]
"""What a department returns a stage for: a section that the items of a ticket share."""
keys = count()


@dataclass(frozen=True)
class Filer:
    """A talent who files the same again and again, and what else they do with it."""

    acting: Acting
    body: dict[str, Any]

    def __call__(self) -> UUID:
        """File; gives the ticket."""
        return self.acting.file(self.body, key=f"key-{next(keys)}", at=MONDAY).ticket.id

    def withdraws(self, item: Any, *, at: Any = MONDAY) -> partial[Any]:
        """Takes back an item as they saw it, when the time comes."""
        about = {"item_id": item.id, "version": item.version}
        return partial(self.acting, withdraw.withdraw_item, **about, at=at)

    def withdraws_all(self, ticket: UUID, *, at: Any = MONDAY) -> Callable[[], Any]:
        """Takes back the whole ticket, and if it has moved meanwhile, looks and does so again."""

        def withdraws() -> Any:
            while True:
                seq = self.acting(last_seq_of, ticket_id=ticket)
                about = {"ticket_id": ticket, "seq": seq, "at": at}
                with suppress(Stale):
                    return self.acting(withdraw.withdraw_ticket, **about)

        return withdraws

    def answers(self, item: Any, *sections: str, at: Any = MONDAY) -> partial[Any]:
        """Answers what was asked of an item, which was right all the time."""
        answers = {code: self.body["sections"][code] for code in sections}
        about = {"item_id": item.id, "version": item.version}
        return partial(self.acting, correct.correct_item, **about, sections=answers, at=at)


def last_seq_of(session: Session, _actor: Actor, *, ticket_id: UUID) -> int:
    """How far a ticket has come, as its applicant sees it."""
    return session.execute(select(Ticket.last_seq).where(Ticket.id == ticket_id)).scalar_one()


def short(pack: Pack, offering: str) -> Pack:
    """The pack in which an offering goes from its acceptance straight to its decision."""
    flow = pack.offerings[offering].flow
    stages = {stage["key"]: stage for stage in flow["stages"]}
    decision = stages["decision"] | {"after": ["acceptance"]}
    return with_flow(pack, offering, {**flow, "stages": [stages["acceptance"], decision]})


def recorded(pack: Pack, offering: str) -> dict[str, Any]:
    """What an approval of an offering records, as the pack shows it."""
    stages = {stage["key"]: stage for stage in pack.offerings[offering].flow["stages"]}
    return stages["decision"]["records"]["examples"][0]


def reviews(
    names: Sequence[str],
    departments: Sequence[str],
    *,
    offering: str = "housing_rent",
    rounds: int = 0,
    **more: Any,
) -> dict[str, Any]:
    """The flow of an offering with these joint reviews between acceptance and decision.

    `rounds`: so often a review that is rejected is done; without, it ends the item.
    """
    flow = short(plain_pack(), offering).offerings[offering].flow
    acceptance, decision = flow["stages"]
    joint = [
        {
            "key": name,
            "kind": "review",
            "title": {"zh": "审核", "en": "Review"},
            "departments": list(departments),
            "role": "clerk",
            "after": ["acceptance"],
            "limit": {"working_days": 1},
            **({"on_reject": {"to": name, "rounds": rounds}} if rounds else {}),
            **more,
        }
        for name in names
    ]
    return {**flow, "stages": [acceptance, *joint, decision | {"after": list(names)}]}
