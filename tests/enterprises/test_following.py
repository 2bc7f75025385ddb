"""What an agent sees of employees' tickets, of whom, and for how long, over HTTP."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.kernel import clock
from tests.enterprises.conftest import (
    OURS,
    THEIRS,
    look,
    numbers_of,
    paths,
    requests_of,
    sees,
)

pytestmark = pytest.mark.dated

ITEM = {"offering", "title", "title.zh", "title.en", "phase", "outcome", "ended_at", "due_on",
        "light",
        "waiting_for", "waiting_for_titles", "waiting_for_titles.zh", "waiting_for_titles.en",
        "awaiting"}  # fmt: skip
AWAITED = {"awaiting.what", "awaiting.by"}
REQUEST = {"id", "number", "employee", "status", "filed_at", "ended_at", "due_on", "items"}
WHOLE = REQUEST | {f"items.{name}" for name in ITEM | AWAITED}
CANARY = "不可外传"


@pytest.fixture
def asked(employee):
    """An employee of whom everything is filed that can be, and who has to choose."""
    someone = employee("张伟")
    children = [someone.relative("child", f"{CANARY}甲"), someone.relative("child", f"{CANARY}乙")]
    spouse = someone.relative("spouse", f"{CANARY}丙")
    body = someone.body(
        "recognition", "settlement", "housing_purchase", "medical",
        schooling=children, spouse=[spouse],
    )  # fmt: skip
    for section in [body["sections"], *(item["sections"] for item in body["items"])]:
        for answers in section.values():
            for name in ("position", "school", "address", "contact_wish", "skills"):
                if name in answers:
                    answers[name] = f"{CANARY}{name}"
    for item in body["items"]:
        if item["offering"] == "medical":
            item["sections"]["medical"]["contact_wish"] = f"{CANARY}病情"
    someone.send(body)
    return someone


def item_of(ticket, offering):
    return next(item for item in ticket["items"] if item["offering"] == offering)


# --- what is told


def test_the_exact_members_of_every_answer(agent, asked, walk):
    walk(item_of(asked.ticket, "recognition"), steps=1, verdict="not_accept")
    assert paths(agent.get("/v1/enterprise").json) == {"id", "name", "credit_code"}
    employees = agent.get("/v1/enterprise/employees").json
    assert paths(employees) == {"items", "next", "items.name", "items.since"}
    listed = agent.get("/v1/enterprise/requests").json
    assert paths(listed) == {"items", "next"} | {f"items.{name}" for name in WHOLE}
    assert paths(look(agent, asked.ticket).json) == WHOLE


def test_a_request(agent, asked):
    told = look(agent, asked.ticket).json
    own = asked.signed.get(f"/v1/tickets/{asked.ticket['id']}").json
    same = ("id", "number", "status", "filed_at", "ended_at", "due_on")
    assert {name: told[name] for name in same} == {name: own[name] for name in same}
    assert told["employee"] == "张*"
    assert told in requests_of(agent)
    for item in told["items"]:
        mine = item_of(own, item["offering"])
        same = ("offering", "title", "phase", "outcome", "ended_at", "light")
        assert {name: item[name] for name in same} == {name: mine[name] for name in same}
    assert item_of(told, "housing_purchase")["waiting_for"] == ["recognition"]


def test_a_family_is_not_to_be_counted(agent, asked):
    told = look(agent, asked.ticket).json["items"]
    assert len(asked.ticket["items"]) == len(told) + 1
    assert [item["offering"] for item in told] == [
        "recognition", "settlement", "housing_purchase", "medical", "schooling", "spouse",
    ]  # fmt: skip
    assert asked.ticket["items"][0]["number"] not in str(told)


def test_of_what_is_private_it_is_told_how_it_stands_and_no_more(agent, asked):
    """Schooling waits for two others, and so does medical for recognition."""
    told, own = look(agent, asked.ticket).json, asked.ticket
    for offering in ("schooling", "spouse", "medical"):
        assert item_of(own, offering)["waiting_for"]
        item = item_of(told, offering)
        assert (item["waiting_for"], item["awaiting"]) == ([], [])
        assert item["title"] == item_of(own, offering)["title"]


def test_what_the_employee_has_to_do(agent, asked, walk):
    before = item_of(look(agent, asked.ticket).json, "housing_purchase")
    assert (before["waiting_for"], before["awaiting"]) == (["recognition"], [])
    walk(item_of(asked.ticket, "recognition"), steps=1, verdict="not_accept")
    own = asked.signed.get(f"/v1/tickets/{asked.ticket['id']}").json
    (edge,) = [one for one in own["edges"] if one["state"] == "asked"]
    told = look(agent, asked.ticket).json
    assert item_of(told, "housing_purchase")["awaiting"] == [
        {"what": "choice", "by": edge["next_at"][:10]}
    ]
    item = item_of(own, "housing_purchase")
    answer = asked.signed.post(
        f"/v1/items/{item['id']}/choice",
        json={"choice": "proceed"},
        headers={"If-Match": item["etag"]},
    )
    assert answer.status_code == 200
    after = item_of(look(agent, asked.ticket).json, "housing_purchase")
    assert (after["waiting_for"], after["awaiting"]) == ([], [])


def test_nothing_personal_is_in_any_answer(agent, asked, walk, superuser):
    """Answers of the form, names, ids of the family, results, opinions, facts: none of it."""
    results = []
    for offering in ("recognition", "settlement", "medical"):
        walk(item_of(asked.ticket, offering))
        own = asked.signed.get(f"/v1/tickets/{asked.ticket['id']}").json
        result = item_of(own, offering)["result"]
        assert result, offering
        results += [str(value) for value in result.values() if len(str(value)) > 4]
    # The day of the request stands in every answer, whatever a result says of it.
    results = [value for value in results if value != f"{clock.now():%Y-%m-%d}"]
    answers = [
        agent.get(f"/v1/enterprise{path}").get_data(as_text=True)
        for path in ("", "/employees", "/requests", f"/requests/{asked.ticket['id']}")
    ]
    ids = superuser.execute(
        "SELECT person_id::text, account_id::text FROM tickets WHERE id = %s",
        (asked.ticket["id"],),
    ).fetchone()
    family = asked.signed.get("/v1/me/family").json["items"]
    secrets = [CANARY, "张伟", "同意", "first_hospital", "A35010012", "芯片", *results, *ids]
    secrets += [asked.signed.get("/v1/me").json["id_number"], *(one["id"] for one in family)]
    secrets += [item[name] for item in asked.ticket["items"] for name in ("id", "number")]
    assert [secret for secret in secrets for answer in answers if secret in answer] == []
    told = look(agent, asked.ticket).json
    assert item_of(told, "medical")["outcome"] == "approved"


# --- of whom


def test_without_the_consent_nothing_is_seen(agent, employee):
    someone = employee()
    ticket = someone.file(follows=False)
    assert not sees(agent, ticket)
    # The consent to a later filing opens that one, and not the one before.
    later = someone.file("housing_rent")
    assert sees(agent, later)
    assert not sees(agent, ticket)


def test_a_consent_given_by_itself_opens_nothing_that_was_filed_without_it(agent, employee):
    someone = employee()
    ticket = someone.file(follows=False)
    assert someone.consent(given=True).status_code == 200
    assert not sees(agent, ticket)


def test_withdrawing_acts_on_the_next_request_and_giving_again_shows_again(agent, employee):
    someone, other = employee(), employee()
    ticket, theirs = someone.file(), other.file()
    for _ in range(2):
        assert sees(agent, ticket)
        assert someone.consent(given=False).status_code == 200
        assert not sees(agent, ticket)
        assert sees(agent, theirs)
        assert someone.consent(given=True).status_code == 200
    assert sees(agent, ticket)


def test_the_list_of_employees_follows_the_consents(hire, employee):
    agent = hire(THEIRS)
    before = agent.get("/v1/enterprise/employees").json["items"]
    someone, silent = employee("欧阳明月"), employee("李雷")
    someone.file(employer=THEIRS)
    silent.file(employer=THEIRS, follows=False)
    row = {"name": "欧***", "since": "2025-07-15"}
    assert agent.get("/v1/enterprise/employees").json["items"] == [row, *before]
    someone.consent(given=False)
    assert agent.get("/v1/enterprise/employees").json["items"] == before


def test_another_enterprises_agent_sees_nothing(agent, hire, employee):
    ticket = employee().file()
    theirs = employee().file(employer=THEIRS)
    other = hire(THEIRS)
    assert sees(agent, ticket)
    assert not sees(other, ticket)
    assert sees(other, theirs)
    assert not sees(agent, theirs)


def test_an_absent_and_a_foreign_ticket_are_answered_alike(agent, employee):
    foreign = look(agent, employee().file(follows=False))
    absent = look(agent, {"id": str(uuid4())})
    told = [(one.status_code, one.json | {"request_id": ""}) for one in (foreign, absent)]
    assert told[0] == told[1]


def test_who_works_there_no_longer_is_no_longer_followed(agent, employee, superuser, actor_of):
    someone = employee()
    ticket = someone.file()
    superuser.execute(
        "UPDATE employments SET ended_on = '2026-11-24' WHERE person_id = %s",
        (actor_of(someone.signed).person,),
    )
    assert not sees(agent, ticket)


def test_an_employer_that_is_not_known_stops_no_filing(agent, employee, superuser):
    ticket = employee().file(employer="91110000600037341L")
    assert not sees(agent, ticket)
    found = superuser.execute("SELECT employer_id FROM tickets WHERE id = %s", (ticket["id"],))
    assert found.fetchone() == (None,)


def test_a_code_in_another_writing_is_the_same_employer(agent, employee):
    assert sees(agent, employee().file(employer=" 91350100-m000100y43 "))


def test_a_ticket_keeps_the_employer_it_was_filed_with(agent, hire, employee):
    someone, other = employee(), hire(THEIRS)
    first, second = someone.file(), someone.file("housing_rent", employer=THEIRS)
    assert (sees(agent, first), sees(agent, second)) == (True, False)
    assert (sees(other, first), sees(other, second)) == (False, True)


# --- employments


def employments(superuser, person):
    return superuser.execute(
        "SELECT credit_code, since::text, source, ended_on FROM employments employment"
        " JOIN enterprises enterprise ON enterprise.id = employment.enterprise_id"
        " WHERE person_id = %s ORDER BY employment.id",
        (person,),
    ).fetchall()


def test_an_employment_is_confirmed_once(employee, superuser, actor_of):
    someone = employee()
    body = someone.body("settlement")
    someone.send(body)
    later = someone.body("housing_rent")
    later["sections"]["employment"]["contract_from"] = "2025-10-01"
    someone.send(later)
    person = actor_of(someone.signed).person
    assert employments(superuser, person) == [(OURS, "2025-07-15", "filing", None)]


def test_none_is_confirmed_without_the_consent_or_by_a_filing_that_fails(
    employee, superuser, actor_of, hire
):
    hire(THEIRS)
    someone = employee()
    someone.file(follows=False)
    body = someone.body("settlement", employer=THEIRS)  # open already
    answer = someone.signed.post("/v1/tickets", json=body, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 409
    assert employments(superuser, actor_of(someone.signed).person) == []


def test_after_an_end_it_begins_anew(employee, superuser, actor_of):
    someone = employee()
    someone.file()
    person = actor_of(someone.signed).person
    superuser.execute("UPDATE employments SET ended_on = now() WHERE person_id = %s", (person,))
    someone.file("housing_rent")
    assert [row[3] is None for row in employments(superuser, person)] == [False, True]


# --- the list


def test_pages_follow_each_other_without_a_gap(hire, employee):
    agent = hire(THEIRS)
    filed = [employee().file(employer=THEIRS)["number"] for _ in range(5)]
    whole = numbers_of(agent)
    assert whole[:5] == filed[::-1]
    page = agent.get("/v1/enterprise/requests", query_string={"limit": 2})
    assert 'rel="next"' in page.headers["Link"]
    assert numbers_of(agent, limit=2) == whole
    assert numbers_of(agent, limit=1) == whole
    people = agent.get("/v1/enterprise/employees", query_string={"limit": 2}).json
    assert len(people["items"]) == 2
    rest = agent.get(
        "/v1/enterprise/employees", query_string={"limit": 100, "after": people["next"]}
    ).json
    every = agent.get("/v1/enterprise/employees", query_string={"limit": 100}).json
    assert people["items"] + rest["items"] == every["items"]


def test_a_status_narrows_the_list(hire, employee, walk):
    agent = hire(THEIRS)
    ended, running = (employee().file(employer=THEIRS) for _ in range(2))
    walk(ended["items"][0], steps=1, verdict="not_accept")
    assert ended["number"] in numbers_of(agent, status="closed")
    assert running["number"] in numbers_of(agent, status="in_progress")
    assert running["number"] not in numbers_of(agent, status="closed")
    assert ended["number"] not in numbers_of(agent, status="in_progress")
    assert sees(agent, ended)


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "101"}, {"status": "open"}, {"q": "x"}, {"after": "x"}]
)
def test_what_is_no_page_is_refused(agent, query):
    assert agent.get("/v1/enterprise/requests", query_string=query).status_code == 422


def test_a_cursor_is_of_no_use_elsewhere(hire, employee):
    agent, colleague = hire(THEIRS), hire(THEIRS)
    for _ in range(2):
        employee().file(employer=THEIRS)
    lists = [f"/v1/enterprise/{name}" for name in ("requests", "employees")]
    for path, other in (lists, lists[::-1]):
        after = agent.get(path, query_string={"limit": 1}).json["next"]
        assert after
        for who, where, query in (
            (colleague, path, {}),
            (agent, other, {}),
            (agent, lists[0], {"status": "in_progress"}),
        ):
            answer = who.get(where, query_string={"after": after} | query)
            assert answer.status_code == 422
            assert answer.json["errors"][0]["code"] == "cursor_invalid"


def test_the_name_stays_as_it_was_when_the_employee_filed(agent, employee, superuser):
    someone = employee("张伟")
    before = someone.file()
    assert someone.signed.patch("/v1/me", json={"name": "李娜"}).status_code == 200
    after = someone.file("housing_rent")
    names = {one["id"]: one["employee"] for one in requests_of(agent)}
    assert (names[before["id"]], names[after["id"]]) == ("张*", "李*")
    superuser.execute("UPDATE tickets SET filed_applicant = NULL WHERE id = %s", (before["id"],))
    names = {one["id"]: one["employee"] for one in requests_of(agent)}
    assert (names[before["id"]], names[after["id"]]) == ("李*", "李*")
