"""An agent's enterprise and its employees over HTTP."""

from __future__ import annotations

from typing import Final

from service.enterprises import queries, schemas
from service.enterprises.models import Enterprise
from service.kernel import clock, http
from service.kernel.permissions import Permission
from service.kernel.views import PageOf

blp = http.Blueprint(
    "enterprise",
    __name__,
    url_prefix="/v1/enterprise",
    description="The employer, and who lets it follow.",
)

_ID: Final = "0199d3c2-7a56-7f10-8b44-2d6e9c1a3f71"
_ENTERPRISE: Final = {
    "id": _ID,
    "name": "东湾海芯科技有限公司",
    "credit_code": "91350100M000100Y43",
}
_PAGE: Final = {"items": [{"name": "张*", "since": "2025-07-15"}], "next": None}
_NONE: Final = {403: ["no_enterprise_in_district"]}


@blp.get("", allow=Permission.ENTERPRISE_READ, audiences=("enterprise",), problems=_NONE)
@blp.response(200, schemas.EnterpriseOut, example=_ENTERPRISE)
def get_enterprise() -> Enterprise:
    """Tell which enterprise I act for in this district."""
    return _enterprise()


@blp.get("/employees", allow=Permission.ENTERPRISE_READ, audiences=("enterprise",), problems=_NONE)
@blp.arguments(schemas.EmployeePageIn, location="query", as_kwargs=True)
@blp.response(200, schemas.EmployeePageOut, example=_PAGE)
def list_employees(limit: int, after: str | None) -> PageOf[queries.Employee]:
    """List the employees who let us follow, the last confirmed first.

    Who has withdrawn their consent is not in the list, from the next request on.
    """
    session, actor, enterprise = http.session(), http.actor(), _enterprise()
    filters = {"list": "employees", "enterprise": enterprise.id}
    page = http.Page(limit, after, account=actor.account, filters=filters)
    before = page.behind_id
    found = queries.employees_for(session, actor, enterprise, before=before, limit=limit)
    return page.answer(found, lambda employee: employee, lambda employee: [employee.id])


def _enterprise() -> Enterprise:
    session, actor = http.session(), http.actor()
    return queries.enterprise_for(session, actor, on=actor.local_date(clock.now()))
