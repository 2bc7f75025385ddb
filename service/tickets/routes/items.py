"""What a talent's mini-program asks of one item of a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from service.catalogue.queries import offering_definition
from service.kernel import clock, http
from service.kernel.permissions import Permission
from service.tickets import actions
from service.tickets.queries import cases, documents, shapes, talent
from service.tickets.routes.talent import foreseen, shaped
from service.tickets.rules import Choice, Handed
from service.tickets.schemas import (
    ChoiceIn,
    ConsequencesOut,
    CorrectionIn,
    DueChangesOut,
    ItemDetailOut,
    TicketOut,
    examples,
)

blp = http.Blueprint(
    "items", __name__, url_prefix="/v1/items", description="One service of a joint ticket."
)


@blp.get("/<uuid:item_id>", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, ItemDetailOut, example=examples.ITEM)
def get_item(item_id: UUID) -> dict[str, Any]:
    """Show one of my items with my answers and everything I was asked to mend."""
    session, actor = http.session(), http.actor()
    rows, item = talent.item_for(session, actor, item_id)
    definition = offering_definition(session, actor.district, item.offering_version_id)
    return shapes.item_detail(
        rows,
        item,
        definition,
        talent.recorded_results(session, actor, rows).get(item_id, ()),
        talent.corrections_of(session, item),
        cases.answers_of(session, item),
        documents.documents_of(session, item, definition),
        clock.now(),
    )


@blp.get("/<uuid:item_id>/due-changes", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, DueChangesOut, example=examples.DUE_CHANGES)
def list_due_changes(item_id: UUID) -> dict[str, Any]:
    """Tell what moved the deadline of one of my items."""
    found = talent.due_changes_for(http.session(), http.actor(), item_id)
    return {"items": [shapes.due_change_shape(one) for one in found]}


@blp.post(
    "/<uuid:item_id>/correction",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["nothing_to_correct"], 422: ["section_missing"]},
)
@blp.arguments(CorrectionIn, as_kwargs=True, example=examples.CORRECTION)
@blp.response(200, TicketOut, example=examples.TICKET)
def correct_item(
    item_id: UUID, sections: Mapping[str, Any], materials: list[Handed]
) -> dict[str, Any]:
    """Answer everything I was asked to mend, in one go; If-Match names the item."""
    session, actor = http.session(), http.actor()
    ticket = actions.correct_item(
        session,
        actor,
        item_id=item_id,
        version=http.if_match(),
        sections=sections,
        materials=materials,
        at=clock.now(),
    )
    return shaped(talent.ticket_for(session, actor, ticket.id))


@blp.post(
    "/<uuid:item_id>/choice",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["nothing_to_choose"]},
)
@blp.arguments(ChoiceIn, as_kwargs=True, example={"choice": "proceed"})
@blp.response(200, TicketOut, example=examples.TICKET)
def choose_item(item_id: UUID, choice: Choice) -> dict[str, Any]:
    """Go on without what an item waited for, or let it be closed; If-Match names the item."""
    session, actor = http.session(), http.actor()
    ticket = actions.choose_item(
        session,
        actor,
        item_id=item_id,
        version=http.if_match(),
        proceed=choice is Choice.PROCEED,
        at=clock.now(),
    )
    return shaped(talent.ticket_for(session, actor, ticket.id))


@blp.get("/<uuid:item_id>/withdrawal", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, ConsequencesOut, example=examples.CONSEQUENCES)
def preview_item_withdrawal(item_id: UUID) -> dict[str, Any]:
    """Tell what withdrawing an item would come to; nothing is done."""
    rows, item = talent.item_for(http.session(), http.actor(), item_id)
    return foreseen(rows, {item.id})


@blp.post(
    "/<uuid:item_id>/withdrawal",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["item_decided"]},
)
@blp.response(200, TicketOut, example=examples.TICKET)
def withdraw_item(item_id: UUID) -> dict[str, Any]:
    """Withdraw an item that is not decided yet; If-Match names the item."""
    session, actor = http.session(), http.actor()
    ticket = actions.withdraw_item(
        session, actor, item_id=item_id, version=http.if_match(), at=clock.now()
    )
    return shaped(talent.ticket_for(session, actor, ticket.id))
