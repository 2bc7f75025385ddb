"""What goes over the wire about notices."""

from __future__ import annotations

from service.kernel.http import Schema, fields


class ReadIn(Schema):
    """Which notices have been read."""

    ids = fields.List(
        fields.UUID(),
        load_default=None,
        shortest=1,
        longest=100,
        metadata={"description": "Either these, or `until`."},
    )
    until = fields.UUID(
        load_default=None,
        metadata={"description": "All up to this one: the newest of the page that was shown."},
    )


class CountOut(Schema):
    """A count that says whether it is exact."""

    value = fields.Integer(required=True)
    exact = fields.Boolean(
        required=True, metadata={"description": "False: there are more than `value`."}
    )


class UnreadOut(Schema):
    """What is left to read."""

    unread = fields.Nested(CountOut, required=True)


class NoticeOut(Schema):
    """One thing told to the talent."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    at = fields.DateTime(required=True)
    read_at = fields.DateTime(required=True, allow_none=True)
    ticket = fields.UUID(required=True)
    item = fields.UUID(required=True, allow_none=True)
    number = fields.String(
        required=True, metadata={"description": "Of the item where it is about one."}
    )
    title = fields.Texts(required=True)


class NoticePageOut(Schema):
    """A page of notices, the newest first, and how many of all are unread."""

    items = fields.List(fields.Nested(NoticeOut), required=True)
    next = fields.String(required=True, allow_none=True)
    unread = fields.Nested(CountOut, required=True)
