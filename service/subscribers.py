"""Who reacts to which events: the one table, by which events are enqueued and handed over.

Web, worker and commands all start with it. It knows no HTTP.
"""

from __future__ import annotations

from typing import Final

import service.calendars.vocabulary
import service.catalogue.vocabulary
import service.facts.vocabulary
import service.identity.staff.vocabulary
import service.materials.vocabulary
import service.tickets.vocabulary  # noqa: F401 - with the others: registers what can be emitted
from service.desk.handlers import give_back
from service.identity.staff.vocabulary import StaffEvent
from service.kernel.subscriptions import Inside, Outbound, Subscription
from service.materials.handlers import delete_content
from service.materials.rules import MaterialEvent
from service.notifications.handlers import tell_applicant, tell_applicants
from service.tickets.rules.states import TicketEvent

SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Inside(
        name="applicant_notices",
        kinds=frozenset(
            {
                TicketEvent.TICKET_FILED,
                TicketEvent.ITEM_ACCEPTED,
                TicketEvent.ITEM_DEEMED_ACCEPTED,
                TicketEvent.ITEM_NOT_ACCEPTED,
                TicketEvent.ITEM_APPROVED,
                TicketEvent.ITEM_REJECTED,
                TicketEvent.ITEM_BEGUN,
                TicketEvent.ITEM_CANCELLED,
                TicketEvent.CHOICE_ASKED,
                TicketEvent.ITEM_RETURNED,
                TicketEvent.CORRECTION_DROPPED,
                TicketEvent.TICKET_COMPLETED,
                TicketEvent.TICKET_CLOSED,
            }
        ),
        handler=tell_applicant,
        together=tell_applicants,
    ),
    Inside(
        name="claims_given_back",
        kinds=frozenset({StaffEvent.POSTS_ENDED}),
        handler=give_back,
    ),
    Outbound(
        name="erased_contents",
        kinds=frozenset({MaterialEvent.MATERIAL_ERASED}),
        handler=delete_content,
    ),
)
