"""What goes over the wire about an enterprise and its employees."""

from __future__ import annotations

from service.kernel.http import Schema, fields


class EnterpriseOut(Schema):
    """The enterprise that the agent acts for."""

    id = fields.UUID(required=True)
    name = fields.String(required=True)
    credit_code = fields.String(
        required=True, metadata={"description": "Unified social credit code, GB 32100-2015."}
    )


class EmployeePageIn(Schema):
    """Which part of the list."""

    limit = fields.QueryInteger(load_default=25, minimum=1, maximum=100)
    after = fields.String(
        load_default=None, longest=512, metadata={"description": "`next` of the page before."}
    )


class EmployeeOut(Schema):
    """Somebody who lets the enterprise follow."""

    name = fields.String(required=True, shortest=0, metadata={"description": "Masked."})
    since = fields.Date(
        required=True,
        allow_none=True,
        metadata={"description": "From when on the contract runs, as they stated it."},
    )


class EmployeePageOut(Schema):
    """A page of employees, the last confirmed first."""

    items = fields.List(fields.Nested(EmployeeOut), required=True)
    next = fields.String(required=True, allow_none=True)
