"""What the routes of consents take and return."""

from __future__ import annotations

from service.identity.consents.rules import LegalBasis
from service.kernel.http import Schema, fields


class ConsentOut(Schema):
    """A consent to one version of a text."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    legal_basis = fields.Enum(LegalBasis, required=True)
    given_at = fields.DateTime(required=True)
    withdrawn_at = fields.DateTime(required=True, allow_none=True)


class ConsentIn(Schema):
    """A consent that is given, or taken back."""

    consent = fields.String(
        required=True, longest=64, metadata={"description": "`code@version` of the text."}
    )
    given = fields.Boolean(required=True)


class ConsentsOut(Schema):
    """The consents given in this district, the newest first."""

    items = fields.List(fields.Nested(ConsentOut), required=True)
