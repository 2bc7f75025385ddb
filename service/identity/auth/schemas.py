"""What the routes of sign-in take and return."""

from __future__ import annotations

from service.identity.auth.providers.password import LONGEST as LONGEST_PASSWORD
from service.identity.people.schemas import AccountOut
from service.kernel.http import Schema, fields


def _district() -> fields.String:
    return fields.String(
        longest=40, metadata={"description": "The district's code; the default one if left out."}
    )


class WechatLoginIn(Schema):
    """The one-time code of `wx.login()`."""

    code = fields.String(required=True, longest=128)
    district = _district()


class PasswordLoginIn(Schema):
    """Credentials of staff and of agents."""

    username = fields.String(required=True, longest=64)
    password = fields.String(required=True, longest=LONGEST_PASSWORD, pasted=True)
    district = _district()


class RefreshIn(Schema):
    """The refresh token of the last answer."""

    refresh_token = fields.String(required=True, longest=128)


class LoginOut(Schema):
    """A sign-in: send the access token with every request, keep the refresh token for the next."""

    access_token = fields.String(required=True, longest=4096)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(required=True, metadata={"description": "Seconds."})
    refresh_token = fields.String(required=True)
    account = fields.Nested(AccountOut, required=True)


class KeyOut(Schema):
    """A public key (RFC 8037)."""

    kty = fields.String(required=True)
    crv = fields.String(required=True)
    alg = fields.String(required=True)
    use = fields.String(required=True)
    kid = fields.String(required=True)
    x = fields.String(required=True)


class KeySetOut(Schema):
    """The keys that verify access tokens."""

    keys = fields.List(fields.Nested(KeyOut), required=True)
