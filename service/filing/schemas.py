"""What goes over the wire between a talent and their tickets."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from service.filing.rules.filing import Filing, RequestedItem
from service.kernel.http import Schema, fields
from service.tickets.rules.states import MOST_ITEMS
from service.tickets.schemas import CODE, HandedIn


class WishIn(Schema):
    """One item asked for."""

    offering = fields.String(required=True, longest=64, metadata=CODE)
    subject = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "The family member it is about, where the offering asks."},
    )
    sections = fields.Object(
        load_default=dict, metadata={"description": "Answers by section, for this item alone."}
    )
    materials = fields.List(
        fields.Nested(HandedIn),
        load_default=list,
        longest=100,
        metadata={"description": "Documents for this item alone."},
    )

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> RequestedItem:
        """The value the rules work on."""
        return RequestedItem(**values)


class AgentFilingIn(Schema):
    """A bundle's offerings, asked for together for somebody who consented to it before."""

    bundle = fields.String(required=True, longest=64, metadata=CODE)
    items = fields.List(fields.Nested(WishIn), required=True, shortest=1, longest=MOST_ITEMS)
    sections = fields.Object(
        load_default=dict, metadata={"description": "Answers by section, given once for all."}
    )
    materials = fields.List(
        fields.Nested(HandedIn),
        load_default=list,
        longest=100,
        metadata={"description": "Documents given once for all."},
    )

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> Any:
        """The value the rules work on."""
        return Filing(**{"consents": [], **values})


class FilingIn(AgentFilingIn):
    """A bundle's offerings, asked for together."""

    consents = fields.List(
        fields.String(longest=64),
        load_default=list,
        longest=20,
        metadata={"description": "`code@version` of every text the applicant agrees to."},
    )


class FiledOut(Schema):
    """What an agent is told of a ticket that they filed: that there is one, and by when."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    filed_at = fields.DateTime(required=True)
    due_on = fields.Date(required=True)


class TicketIn(FilingIn):
    """A ticket: filed at once, or kept as a draft, which need not be complete."""

    file = fields.Boolean(
        load_default=True, metadata={"description": "`false` keeps a draft instead of filing."}
    )
    items = fields.List(fields.Nested(WishIn), load_default=list, longest=MOST_ITEMS)

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> tuple[Filing, bool]:
        """The value the rules work on, and whether to file it."""
        files = values.pop("file")
        return Filing(**values), files


class DraftItemIn(Schema):
    """An item of a draft. Of one that is there already, what is left out stays."""

    offering = fields.String(required=True, longest=64, metadata=CODE)
    subject = fields.UUID(
        load_default=None,
        allow_none=True,
        metadata={"description": "The family member it is about, where the offering asks."},
    )
    sections = fields.Object(
        metadata={"description": "Sections to replace, by code; null removes one."}
    )
    materials = fields.List(fields.Nested(HandedIn), longest=100)


class DraftIn(Schema):
    """The parts of a draft to be changed; what is left out stays."""

    bundle = fields.String(longest=64, metadata=CODE)
    items = fields.List(
        fields.Nested(DraftItemIn),
        longest=MOST_ITEMS,
        metadata={"description": "All items that there are then, by offering and subject."},
    )
    sections = fields.Object(
        metadata={"description": "Sections to replace, by code; null removes one."}
    )
    materials = fields.List(fields.Nested(HandedIn), longest=100)
    consents = fields.List(fields.String(longest=64), longest=20)
