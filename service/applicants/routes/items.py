"""What a talent's mini-program asks of one item of a ticket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from service.applicants.actions import choose, correct, withdraw
from service.applicants.queries.items import DueChangeView, ItemDetail, due_change_view, item_detail
from service.applicants.queries.tickets import (
    due_changes_for,
    item_for,
    recorded_results,
    ticket_for,
    version_of,
)
from service.applicants.queries.views import (
    ItemConsequence,
    TicketView,
    definitions_of,
    ticket_view,
    withdrawal_view,
)
from service.applicants.schemas import (
    ChoiceIn,
    ConsequencesOut,
    CorrectionIn,
    DueChangesOut,
    ItemDetailOut,
    TicketOut,
)
from service.catalogue.queries.definitions import offering_definition
from service.catalogue.queries.form import FiledFormView, filed_form
from service.catalogue.schemas import FiledForm
from service.kernel import clock, http
from service.kernel.http.examples import recorded
from service.kernel.permissions import Permission
from service.kernel.views import Listing
from service.tickets.queries.cases import answers_of
from service.tickets.queries.documents import documents_of
from service.tickets.queries.rows import corrections_of
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.states import Choice, Tagged

blp = http.Blueprint(
    "items", __name__, url_prefix="/v1/items", description="One service of a joint ticket."
)


@blp.get("/<uuid:item_id>", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, ItemDetailOut, example=recorded("item"))
def get_item(item_id: UUID) -> ItemDetail:
    """Show one of my items with my answers and everything I was asked to correct."""
    session, actor = http.session(), http.actor()
    rows, item = item_for(session, actor, item_id)
    definitions = definitions_of(session, rows)
    return item_detail(
        session,
        rows,
        item,
        definitions,
        recorded_results(session, actor, rows).get(item_id, ()),
        corrections_of(session, item),
        answers_of(session, item),
        documents_of(session, item, definitions[item.offering_version_id]),
        clock.now(),
    )


@blp.get("/<uuid:item_id>/form", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, FiledForm, example=recorded("item_form"))
def get_item_form(item_id: UUID) -> FiledFormView:
    """Show the form under which one of my items was filed, and by which it is corrected."""
    version = version_of(http.session(), http.actor(), item_id)
    return filed_form(offering_definition(http.session(), http.actor().district, version))


@blp.get("/<uuid:item_id>/due-changes", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, DueChangesOut, example=recorded("due_changes"))
def list_due_changes(item_id: UUID) -> Listing[DueChangeView]:
    """Tell what moved the deadline of one of my items."""
    found = due_changes_for(http.session(), http.actor(), item_id)
    return Listing([due_change_view(one) for one in found])


@blp.post(
    "/<uuid:item_id>/correction",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["nothing_to_correct"], 422: ["section_missing"]},
)
@blp.arguments(CorrectionIn, as_kwargs=True, example=recorded("correction"))
@blp.response(200, TicketOut, example=recorded("ticket"))
def correct_item(
    item_id: UUID, sections: Mapping[str, Any], materials: list[AttachedDocument]
) -> TicketView:
    """Answer everything I was asked to correct, in one go; If-Match names the item."""
    session, actor = http.session(), http.actor()
    ticket = correct.correct_item(
        session,
        actor,
        item_id=item_id,
        version=http.if_match(Tagged.ITEM, item_id),
        sections=sections,
        materials=materials,
        at=clock.now(),
    )
    return ticket_view(session, actor, ticket_for(session, actor, ticket.id), clock.now())


@blp.post(
    "/<uuid:item_id>/choice",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["nothing_to_choose"]},
)
@blp.arguments(ChoiceIn, as_kwargs=True, example={"choice": "proceed"})
@blp.response(200, TicketOut, example=recorded("ticket"))
def choose_item(item_id: UUID, choice: Choice) -> TicketView:
    """Go on without what an item waited for, or let it be closed; If-Match names the item."""
    session, actor = http.session(), http.actor()
    ticket = choose.choose_item(
        session,
        actor,
        item_id=item_id,
        version=http.if_match(Tagged.ITEM, item_id),
        proceed=choice is Choice.PROCEED,
        at=clock.now(),
    )
    return ticket_view(session, actor, ticket_for(session, actor, ticket.id), clock.now())


@blp.get("/<uuid:item_id>/withdrawal", allow=Permission.TICKET_READ, audiences=("talent",))
@blp.response(200, ConsequencesOut, example=recorded("consequences"))
def preview_item_withdrawal(item_id: UUID) -> Listing[ItemConsequence]:
    """Tell what withdrawing an item would come to; nothing is done."""
    rows, item = item_for(http.session(), http.actor(), item_id)
    return withdrawal_view(http.session(), http.actor(), rows, {item.id})


@blp.post(
    "/<uuid:item_id>/withdrawal",
    allow=Permission.TICKET_FILE,
    audiences=("talent",),
    versioned=True,
    problems={409: ["item_decided"]},
)
@blp.response(200, TicketOut, example=recorded("ticket"))
def withdraw_item(item_id: UUID) -> TicketView:
    """Withdraw an item that is not decided yet; If-Match names the item."""
    session, actor = http.session(), http.actor()
    ticket = withdraw.withdraw_item(
        session, actor, item_id=item_id, version=http.if_match(Tagged.ITEM, item_id), at=clock.now()
    )
    return ticket_view(session, actor, ticket_for(session, actor, ticket.id), clock.now())
