"""Values with their words, in answers."""

from __future__ import annotations

from service.kernel.http import fields
from service.kernel.http.fields import Schema


class ShownOut(Schema):
    """A value with what it is called and what it says, to be shown as it stands."""

    code = fields.String(required=True)
    title = fields.Texts(required=True)
    value = fields.Plain(required=True, allow_none=True)
    text = fields.Texts(required=True)


class ShownSectionOut(Schema):
    """A section of a form, answered."""

    code = fields.String(required=True)
    title = fields.Texts(required=True)
    fields_ = fields.List(fields.Nested(ShownOut), required=True, data_key="fields")
