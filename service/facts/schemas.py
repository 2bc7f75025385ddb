"""What goes over the wire about facts."""

from __future__ import annotations

from service.facts.rules import FactState
from service.kernel.http import Schema, ShownOut, fields


class FactPageIn(Schema):
    """Which part of the list."""

    limit = fields.QueryInteger(load_default=25, minimum=1, maximum=100)
    after = fields.String(
        load_default=None, longest=512, metadata={"description": "`next` of the page before."}
    )


class FactOut(Schema):
    """What a department has established about the talent."""

    id = fields.UUID(required=True)
    kind = fields.String(
        required=True, metadata={"description": "A kind of fact of the district's pack."}
    )
    title = fields.Texts(required=True)
    value = fields.Object(
        required=True, metadata={"description": "Of the form that the kind declares."}
    )
    value_shown = fields.List(
        fields.Nested(ShownOut), required=True, metadata={"description": "The same in words."}
    )
    issuer = fields.String(required=True, metadata={"description": "The department's code."})
    issuer_name = fields.Texts(required=True)
    valid_from = fields.Date(required=True)
    valid_to = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "The last day, inclusive; null where it is open-ended."},
    )
    issued_at = fields.DateTime(required=True)
    revoked_at = fields.DateTime(required=True, allow_none=True)
    state = fields.Enum(
        FactState,
        required=True,
        metadata={"description": "Today in the district; `upcoming` is valid from a later day on."},
    )


class FactPageOut(Schema):
    """A page of facts, the newest first."""

    items = fields.List(fields.Nested(FactOut), required=True)
    next = fields.String(required=True, allow_none=True)


class FactRevocationIn(Schema):
    """Why a fact no longer holds."""

    reason = fields.String(required=True, longest=2000, lines=True)


class RevokedFactOut(Schema):
    """What the revocation made of the fact."""

    id = fields.UUID(required=True)
    kind = fields.String(required=True)
    issuer = fields.String(required=True)
    state = fields.Enum(FactState, required=True)
    revoked_at = fields.DateTime(required=True)
