"""What goes over the wire to an employer: how its employees' tickets stand, and no more."""

from __future__ import annotations

from service.employers.rules import Awaited
from service.kernel.http import Schema, fields
from service.routing.states import Outcome, Phase
from service.tickets.rules.states import Light, TicketStatus
from service.tickets.schemas import CODE, PageIn


class RequestQuery(PageIn):
    """What an agent narrows the list to."""

    status = fields.Enum(TicketStatus, load_default=None)


class AwaitedOut(Schema):
    """What the employee has to do."""

    what = fields.Enum(Awaited, required=True)
    by = fields.Date(required=True, allow_none=True)


class RequestItemOut(Schema):
    """A service asked for, told once, whoever of a family it is for.

    Of what is private `waiting_for`, its titles and `awaiting` are empty.
    """

    offering = fields.String(required=True, metadata=CODE)
    title = fields.Texts(required=True)
    phase = fields.Enum(Phase, required=True)
    outcome = fields.Enum(Outcome, required=True, allow_none=True)
    ended_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "What was promised stays in `due_on`."},
    )
    due_on = fields.Date(required=True)
    light = fields.Enum(Light, required=True, allow_none=True)
    waiting_for = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The offerings of the ticket that have to come first."},
    )
    waiting_for_titles = fields.List(fields.Texts(), required=True)
    awaiting = fields.List(fields.Nested(AwaitedOut), required=True)


class RequestOut(Schema):
    """An employee's ticket, as far as their employer may know it."""

    id = fields.UUID(required=True)
    number = fields.String(required=True)
    employee = fields.String(required=True, shortest=0, metadata={"description": "Masked name."})
    status = fields.Enum(TicketStatus, required=True)
    filed_at = fields.DateTime(required=True)
    ended_at = fields.DateTime(
        required=True,
        allow_none=True,
        metadata={"description": "What was promised stays in `due_on`."},
    )
    due_on = fields.Date(required=True)
    items = fields.List(fields.Nested(RequestItemOut), required=True)


class RequestPageOut(Schema):
    """A page of employees' tickets, the newest first."""

    items = fields.List(fields.Nested(RequestOut), required=True)
    next = fields.String(required=True, allow_none=True)
