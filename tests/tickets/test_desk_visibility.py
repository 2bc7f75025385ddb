"""Who sees a task, and how much of it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.identity.staff.actions import ensure_staff, publish_departments
from service.kernel import clock
from service.kernel.db import District, Scope
from service.kernel.etags import etag
from service.kernel.permissions import Role
from tests.conftest import PASSWORD
from tests.factories import RESULTS

pytestmark = pytest.mark.usefixtures("plain_flows")

POLICE, BUILDERS = "public_security", "construction"
DEPARTMENTS = {"settlement": POLICE, "housing_rent": BUILDERS}

LINE = {
    "id", "version", "etag", "state", "kind", "stage", "stage_title", "item", "item_number",
    "ticket_number", "filed_at", "applicant_name", "subject_name", "offering", "title",
    "department", "department_name", "role", "role_title", "assignee", "assignee_name", "mine",
    "opened_at", "due_at", "light", "verdict",
}  # fmt: skip
DETAIL = LINE | {
    "item_ended_at",
    "passing", "may", "records", "citations", "remedies", "applicant", "subject", "sections",
    "sections_shown", "facts", "materials", "history", "corrections", "opinion", "reason",
    "result", "result_shown",
}  # fmt: skip

# What the pack lets each stage read; the bank account is for the decision alone.
SEES = {
    ("settlement", "acceptance"): {
        "applicant": {"degree", "school", "graduated_on", "mobile"},
        "employment": {"employer", "employer_code", "contract_from"},
        "residence": {"basis", "address", "since"},
        "household": {"from_region", "from_address", "into", "with_spouse", "children"},
    },
    ("settlement", "decision"): {
        "applicant": {"degree", "school", "graduated_on"},
        "employment": {"employer", "employer_code", "contract_from", "insured_since"},
        "residence": {"basis", "address", "since"},
        "household": {"from_region", "from_address", "into", "with_spouse", "children"},
    },
    ("housing_rent", "acceptance"): {
        "applicant": {"degree", "school", "graduated_on", "mobile"},
        "employment": {
            "employer", "employer_code", "position", "contract_from", "contract_to",
            "insured_since",
        },
        "residence": {"basis", "address"},
        "lease": {
            "contract_number", "address", "landlord", "from", "to", "monthly_rent_fen",
            "no_home_here",
        },
    },
    ("housing_rent", "decision"): {
        "applicant": {"degree", "school", "graduated_on"},
        "employment": {
            "employer", "employer_code", "position", "contract_from", "contract_to",
            "insured_since",
        },
        "residence": {"basis", "address"},
        "lease": {
            "contract_number", "address", "landlord", "from", "to", "monthly_rent_fen",
            "no_home_here", "bank", "account_number",
        },
    },
}  # fmt: skip


def at_stage(world, offering, stage):
    """A ticket of one offering and its task at a stage, with who may claim it."""
    department = DEPARTMENTS[offering]
    clerk, reviewer = (world.staff(f"{role}.{department}") for role in ("clerk", "reviewer"))
    body = world.filing(offering)
    talent = world.talent()
    key = {"Idempotency-Key": uuid4().hex}
    ticket = talent.post("/v1/tickets", json=body, headers=key).json
    number = ticket["items"][0]["number"]
    who = clerk
    if stage == "decision":
        world.decide(clerk, world.claimed(clerk, number), "accept")
        who = reviewer
    return body, who, world.open_task(who, number), talent


@pytest.fixture
def task(world):
    return at_stage(world, "settlement", "acceptance")[2]


def routes(task_id):
    path = f"/v1/desk/tasks/{task_id}"
    decision = {
        "json": {"verdict": "accept", "opinion": "x"},
        "headers": {"If-Match": etag("task", task_id, 1)},
    }
    return [
        ("get", path, {}),
        ("post", f"{path}/claim", {}),
        ("post", f"{path}/release", {}),
        ("post", f"{path}/decision", decision),
    ]


@pytest.fixture
def far_away(world, database):
    """A clerk of the same department's namesake, in another district."""
    username, at = f"clerk.{uuid4().hex[:8]}", clock.now()
    with database.transaction(Scope.system("elsewhere")) as session:
        session.merge(District(id="elsewhere", name={}, settings={}))
        session.flush()
        department = {"code": POLICE, "name": {"zh": "公安", "en": "Police"}, "kind": "government"}
        publish_departments(session, departments=[department], at=at)
    with database.transaction(Scope.system("elsewhere")) as session:
        ensure_staff(
            session,
            username=username,
            display_name="王芳",
            password=PASSWORD,
            posts=[(POLICE, Role.CLERK)],
            at=at,
        )
    sent = {"username": username, "password": PASSWORD, "district": "elsewhere"}
    return world._signed(world.client.post("/v1/auth/password", json=sent))


@pytest.mark.parametrize("who", ["another department", "another district"])
def test_what_is_not_theirs_does_not_exist(world, far_away, task, footprint, who):
    stranger = far_away if who == "another district" else world.staff(f"clerk.{BUILDERS}")
    before = footprint()
    for real, absent in zip(routes(task["id"]), routes(uuid4()), strict=True):
        told = []
        for method, path, options in (real, absent):
            answer = getattr(stranger, method)(path, **options)
            assert answer.status_code == 404
            told.append({k: v for k, v in answer.json.items() if k != "request_id"})
        assert told[0] == told[1]
    assert footprint() == before
    listed = stranger.get("/v1/desk/tasks", query_string={"limit": "100"}).json["items"]
    assert task["id"] not in {one["id"] for one in listed}
    assert all(one["department"] == BUILDERS for one in listed)


@pytest.mark.parametrize("username", ["coordinator", "sysadmin", "secadmin", "auditor"])
def test_the_desk_is_not_for_those_who_steer(world, task, footprint, username):
    somebody, before = world.staff(username), footprint()
    for method, path, options in [("get", "/v1/desk/tasks", {}), *routes(task["id"])]:
        assert getattr(somebody, method)(path, **options).status_code == 403
    assert footprint() == before


def test_the_desk_is_not_for_talents_nor_strangers(client, world, task):
    talent = world.talent()
    for method, path, options in [("get", "/v1/desk/tasks", {}), *routes(task["id"])]:
        assert getattr(talent, method)(path, **options).status_code == 403
        assert getattr(client, method)(path, **options).status_code == 401


def test_a_head_sees_what_the_department_does(world, task):
    head = world.staff(f"head.{POLICE}")
    assert head.get(f"/v1/desk/tasks/{task['id']}").status_code == 200


@pytest.mark.parametrize(("offering", "stage"), SEES)
def test_a_stage_sees_what_it_names_and_no_more(world, offering, stage):
    body, who, task, _ = at_stage(world, offering, stage)
    assert set(task) == LINE
    detail = who.get(f"/v1/desk/tasks/{task['id']}").json
    assert set(detail) == DETAIL
    named = SEES[offering, stage]
    given = body["sections"] | body["items"][0]["sections"]
    assert detail["sections"] == {
        section: {field: value for field, value in given[section].items() if field in fields}
        for section, fields in named.items()
    }
    assert {name: set(seen) for name, seen in detail["sections"].items()} == named


@pytest.mark.parametrize(("offering", "stage"), SEES)
def test_what_is_not_named_is_in_no_answer(world, offering, stage):
    """Every answer that the stage may not read, looked for in all that it is sent."""
    body, who, task, _ = at_stage(world, offering, stage)
    department = DEPARTMENTS[offering]
    clerk, reviewer = (world.staff(f"{role}.{department}") for role in ("clerk", "reviewer"))
    path = f"/v1/desk/tasks/{task['id']}"
    sent = [who.get(path), who.get("/v1/desk/tasks?limit=100"), who.post(f"{path}/claim")]
    sent += [other.post(f"{path}/claim") for other in (clerk, reviewer)]
    seen = who.get(path).headers["ETag"]
    decision = {"verdict": "accept", "opinion": "x", "result": {"x": 1}}
    sent.append(who.post(f"{path}/decision", json=decision, headers={"If-Match": seen}))
    sent.append(who.post(f"{path}/release"))
    texts = "".join(answer.get_data(as_text=True) for answer in sent)
    given = body["sections"] | body["items"][0]["sections"]
    seen = {
        str(given[section][field])
        for section, fields in SEES[offering, stage].items()
        for field in fields
    }
    hidden = {
        str(value)
        for answers in given.values()
        for value in answers.values()
        if str(value) not in seen and len(str(value)) > 3
    }
    assert hidden
    assert not {value for value in hidden if value in texts}


def test_an_id_number_is_masked(world):
    _, who, task, talent = at_stage(world, "settlement", "acceptance")
    detail = who.get(f"/v1/desk/tasks/{task['id']}")
    applicant = detail.json["applicant"]
    assert set(applicant) == {"name", "id_type", "id_number", "id_country"}
    assert applicant["name"] == "张伟"
    own = talent.get("/v1/me").json["id_number"]
    assert applicant["id_number"] == own
    assert own.startswith("110***********")
    assert len(own) == 18


def test_what_is_to_be_recorded_is_told_before(world):
    _, who, task, _ = at_stage(world, "settlement", "decision")
    detail = who.get(f"/v1/desk/tasks/{task['id']}").json
    assert (detail["stage"], detail["kind"], detail["passing"]) == (
        "decision",
        "decision",
        "approve",
    )
    assert detail["may"] == ["approve", "reject"]
    assert set(detail["records"]["required"]) == {"permit_number", "valid_until"}
    assert (detail["opinion"], detail["result"]) == (None, None)


def test_opinion_and_result_are_sealed_and_read_back(world, tables_with):
    _, who, task, _ = at_stage(world, "settlement", "decision")
    path = f"/v1/desk/tasks/{task['id']}"
    seen = who.post(f"{path}/claim").headers["ETag"]
    opinion = "金丝雀意见"
    result = RESULTS["settlement"] | {"permit_number": f"CANARY-{uuid4().hex[:12].upper()}"}
    decided = who.post(
        f"{path}/decision",
        json={"verdict": "approve", "opinion": opinion, "result": result},
        headers={"If-Match": seen},
    )
    assert decided.status_code == 200
    for canary in (opinion, result["permit_number"]):
        assert not tables_with(canary)
    detail = who.get(path).json
    assert (detail["opinion"], detail["result"]) == (opinion, result)
    assert {name: set(seen) for name, seen in detail["sections"].items()} == SEES[
        "settlement", "decision"
    ]


def test_one_post_says_nothing_of_another_department(hire, world):
    """An auditor here who is a clerk there sees there, and here nothing."""
    ticket = world.ticket()
    both = hire(("public_security", "auditor"), ("construction", "clerk"))
    listed = both.get("/v1/desk/tasks?limit=100").json["items"]
    assert {task["department"] for task in listed} == {"construction"}
    hidden = world.open_task(world.staff("clerk.public_security"), ticket["items"][0]["number"])
    assert both.get(f"/v1/desk/tasks/{hidden['id']}").status_code == 404
