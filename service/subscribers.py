"""Who reacts to which events: the one table, by which events are enqueued and handed over.

Web, worker and commands all start with it. It knows no HTTP.
"""

from __future__ import annotations

from typing import Final

import service.calendars.vocabulary
import service.catalogue.vocabulary
import service.facts.vocabulary  # noqa: F401 - with the others: registers what can be emitted
from service.kernel.subscriptions import Inside, Outbound, Subscription
from service.materials.handlers import delete_content
from service.materials.vocabulary import EventKind as Material
from service.notifications.handlers import tell_applicant
from service.tickets.rules import Happening as Ticket
from service.tickets.vocabulary import KINDS  # noqa: F401

SUBSCRIPTIONS: Final[tuple[Subscription, ...]] = (
    Inside(
        name="applicant_notices",
        kinds=frozenset(
            {
                Ticket.TICKET_FILED,
                Ticket.ITEM_ACCEPTED,
                Ticket.ITEM_DEEMED_ACCEPTED,
                Ticket.ITEM_NOT_ACCEPTED,
                Ticket.ITEM_APPROVED,
                Ticket.ITEM_REJECTED,
                Ticket.ITEM_BEGUN,
                Ticket.ITEM_CANCELLED,
                Ticket.CHOICE_ASKED,
                Ticket.ITEM_RETURNED,
                Ticket.CORRECTION_DROPPED,
                Ticket.TICKET_COMPLETED,
                Ticket.TICKET_CLOSED,
            }
        ),
        handler=tell_applicant,
    ),
    Outbound(
        name="erased_contents",
        kinds=frozenset({Material.MATERIAL_ERASED}),
        handler=delete_content,
    ),
)
