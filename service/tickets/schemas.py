"""Parts of answers that several audiences of a ticket are shown alike."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from service.kernel.http import Schema, fields
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.states import Dropped

CODE = {"description": "A code of the district's pack."}
ETAG = {"description": "To be sent in If-Match, quotes and all, by whoever changes this."}


class HandedIn(Schema):
    """A document of one's own, as one of the materials that are asked for."""

    code = fields.String(required=True, longest=40, metadata=CODE)
    material = fields.UUID(required=True, metadata={"description": "The id of an upload."})

    @ma.post_load
    def build(self, values: dict[str, Any], **_options: Any) -> AttachedDocument:
        """The value the rules work on."""
        return AttachedDocument(**values)


class PageIn(Schema):
    """Which part of a list."""

    limit = fields.QueryInteger(load_default=25, minimum=1, maximum=100)
    after = fields.String(
        load_default=None, longest=512, metadata={"description": "`next` of the page before."}
    )


class PointOut(Schema):
    """One thing to correct."""

    what = fields.String(required=True)
    section = fields.String(required=True, allow_none=True)
    field = fields.String(required=True, allow_none=True)
    material = fields.String(required=True, allow_none=True)
    title = fields.Texts(
        required=True,
        metadata={"description": "What the field, else the section, or the document is called."},
    )


class CitedOut(Schema):
    """The rule that something rests on, and where in it."""

    title = fields.Texts(required=True)
    article = fields.Texts(required=True, allow_none=True)


class GivenReasonOut(Schema):
    """Why something was refused or returned; what a department wrote stands as it was written."""

    text = fields.Texts(required=True)
    citation = fields.Nested(
        CitedOut,
        required=True,
        allow_none=True,
        metadata={"description": "The rule; null where a check of an old version names none."},
    )
    remedies = fields.Texts(
        required=True,
        allow_none=True,
        metadata={
            "description": "What can be done against a refusal, where, and within which time."
        },
    )


class CorrectionOut(Schema):
    """What a department asked the applicant to correct."""

    asked_at = fields.DateTime(required=True)
    due_at = fields.DateTime(required=True)
    answered_at = fields.DateTime(required=True, allow_none=True)
    dropped_at = fields.DateTime(
        required=True, allow_none=True, metadata={"description": "It is not asked any more."}
    )
    dropped_because = fields.Enum(Dropped, required=True, allow_none=True)
    points = fields.List(fields.Nested(PointOut), required=True)
    reason = fields.Nested(
        GivenReasonOut,
        required=True,
        allow_none=True,
        metadata={"description": "Why it was returned, and by which rule."},
    )


class HappeningOut(Schema):
    """One line of a timeline."""

    seq = fields.Integer(required=True)
    at = fields.DateTime(required=True)
    kind = fields.String(required=True)
    item = fields.UUID(required=True, allow_none=True)
    text = fields.Texts(required=True)
    reason = fields.Nested(
        GivenReasonOut,
        required=True,
        allow_none=True,
        metadata={
            "description": "Why it was refused or returned; the applicant alone is shown it."
        },
    )


class TimelineOut(Schema):
    """What happened to a ticket, in order."""

    items = fields.List(fields.Nested(HappeningOut), required=True)
