"""What goes over the wire about authorities."""

from __future__ import annotations

from service.kernel.http import Schema, fields


class AuthorityIn(Schema):
    """Whose agents may file, and what the person agrees to with it."""

    credit_code = fields.String(
        required=True,
        longest=40,
        metadata={"description": "The employer's unified social credit code, GB 32100-2015."},
    )
    consents = fields.List(
        fields.String(longest=64),
        load_default=list,
        longest=20,
        metadata={"description": "`code@version` of every text that filings will rest on."},
    )


class AuthorityOut(Schema):
    """An authority as the person who gave it sees it."""

    id = fields.UUID(required=True)
    enterprise = fields.String(required=True, metadata={"description": "The employer's name."})
    given_at = fields.DateTime(required=True)
    revoked_at = fields.DateTime(required=True, allow_none=True)


class AuthoritiesOut(Schema):
    """The authorities given in this district, the newest first."""

    items = fields.List(fields.Nested(AuthorityOut), required=True)


class AuthorisedPageIn(Schema):
    """Which part of the list."""

    limit = fields.QueryInteger(load_default=25, minimum=1, maximum=100)
    after = fields.String(
        load_default=None, longest=512, metadata={"description": "`next` of the page before."}
    )


class AuthorisedOut(Schema):
    """Somebody for whom the enterprise's agents may file."""

    id = fields.UUID(required=True, metadata={"description": "Of the authority."})
    employee = fields.String(required=True, shortest=0, metadata={"description": "Masked name."})
    given_at = fields.DateTime(required=True)


class AuthorisedPageOut(Schema):
    """A page of those who let the enterprise file, the last given first."""

    items = fields.List(fields.Nested(AuthorisedOut), required=True)
    next = fields.String(required=True, allow_none=True)
