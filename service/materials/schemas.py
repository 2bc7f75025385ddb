"""What goes over the wire about materials."""

from __future__ import annotations

from service.kernel.http import Schema, fields
from service.materials.rules import MediaType

_CODE = "[a-z][a-z0-9_]{0,39}"
_WHAT = {"description": "What the document is: the code of a material of the district's pack."}


class UploadIn(Schema):
    """A form with one file, and what it is."""

    code = fields.String(required=True, pattern=_CODE, metadata=_WHAT)
    file = fields.File(required=True)


class MaterialPageIn(Schema):
    """Which part of the list."""

    limit = fields.QueryInteger(load_default=25, minimum=1, maximum=100)
    after = fields.String(
        load_default=None, longest=512, metadata={"description": "`next` of the page before."}
    )
    code = fields.String(load_default=None, pattern=_CODE, metadata=_WHAT)


class MaterialOut(Schema):
    """A file that the talent has handed in."""

    id = fields.UUID(required=True)
    code = fields.String(required=True, metadata=_WHAT)
    name = fields.String(
        required=True,
        metadata={"description": "As it was sent, without paths and characters nobody sees."},
    )
    media_type = fields.Enum(MediaType, required=True)
    size = fields.Integer(
        required=True,
        metadata={"description": "Bytes, as it is kept: images lose what is not seen."},
    )
    sha256 = fields.String(
        required=True,
        attribute="digest",
        metadata={"description": "Of the content as it is kept, in hexadecimal."},
    )
    pages = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "One of an image; null of an office file."},
    )
    uploaded_at = fields.DateTime(required=True)


class MaterialPageOut(Schema):
    """A page of materials, the newest first."""

    items = fields.List(fields.Nested(MaterialOut), required=True)
    next = fields.String(required=True, allow_none=True)
