"""What the routes of sign-in and of one's own affairs take and give."""

from __future__ import annotations

from service.identity.providers.password import LONGEST as LONGEST_PASSWORD
from service.identity.rules import LONGEST_NAME, AccountKind, IdType, Kinship, LegalBasis
from service.kernel.http import Schema, fields
from service.kernel.permissions import Role

_LONGEST_NUMBER = 40


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
    password = fields.String(required=True, longest=LONGEST_PASSWORD)
    district = _district()


class RefreshIn(Schema):
    """The refresh token of the last answer."""

    refresh_token = fields.String(required=True, longest=128)


class PostOut(Schema):
    """A department and what one is in it."""

    department = fields.String(required=True)
    roles = fields.List(fields.Enum(Role), required=True)


class AccountOut(Schema):
    """Who is signed in, and where."""

    id = fields.UUID(required=True)
    kind = fields.Enum(AccountKind, required=True)
    display_name = fields.String(
        required=True,
        shortest=0,
        metadata={"description": "Empty while a talent has given no name."},
    )
    district = fields.String(required=True)
    posts = fields.List(fields.Nested(PostOut), required=True)


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


class MeOut(AccountOut):
    """One's own account; the last five are null for all but talents. Numbers are masked."""

    name = fields.String(required=True, allow_none=True)
    id_type = fields.Enum(IdType, required=True, allow_none=True)
    id_number = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    complete = fields.Boolean(
        required=True,
        allow_none=True,
        metadata={"description": "Whether name and id number are given, as filing demands."},
    )


class MeIn(Schema):
    """What a talent says of themselves; what is left out stays."""

    name = fields.String(longest=LONGEST_NAME)
    id_type = fields.Enum(IdType)
    id_number = fields.String(longest=_LONGEST_NUMBER)
    phone = fields.String(longest=24)


class FamilyMemberIn(Schema):
    """A spouse or child."""

    name = fields.String(required=True, longest=LONGEST_NAME)
    kinship = fields.Enum(Kinship, required=True)
    id_type = fields.Enum(IdType, required=True)
    id_number = fields.String(required=True, longest=_LONGEST_NUMBER)


class FamilyMemberOut(Schema):
    """A family member; `id` is what a ticket's item names as its subject."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    kinship = fields.Enum(Kinship, required=True)
    id_type = fields.Enum(IdType, required=True)
    id_number = fields.String(required=True, metadata={"description": "Masked."})
    birth_date = fields.Date(required=True, allow_none=True)


class FamilyOut(Schema):
    """The family, in the order in which they were added."""

    items = fields.List(fields.Nested(FamilyMemberOut), required=True)


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
