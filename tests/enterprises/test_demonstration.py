"""The demonstration has an agent, and says so."""

from __future__ import annotations

from service.catalogue.actions.files import load_pack
from service.local.demonstration import PACK, demonstration_accounts
from service.local.notice import Notice, docs_of


def test_the_agent_is_among_the_accounts():
    accounts = demonstration_accounts(load_pack(PACK))
    assert accounts[-1] == {
        "username": "agent.1",
        "kind": "agent",
        "department": None,
        "roles": [],
    }
    notice = Notice("http://127.0.0.1:1", docs_of("http://127.0.0.1:1"), accounts[-1:], "p", {})
    assert notice.docs["enterprise"] == "http://127.0.0.1:1/docs/enterprise"
    assert [line.split() for line in notice.for_people().splitlines() if "agent.1" in line] == [
        ["agent.1", "agent"]
    ]


def test_the_document_of_agents_is_served(client):
    told = client.get("/docs/enterprise.json").json
    ids = {
        operation["operationId"]
        for methods in told["paths"].values()
        for operation in methods.values()
        if isinstance(operation, dict)
    }
    assert ids == {
        "get_enterprise",
        "list_employees",
        "list_employee_requests",
        "get_employee_request",
        "list_authorities",
        "upload_employee_material",
        "file_for_employee",
        "get_me",
        "list_words",
        "get_districts",
        "login_password",
        "refresh_session",
        "logout",
    }
    assert client.get("/docs/enterprise").status_code == 200
