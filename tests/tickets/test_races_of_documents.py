"""A document is erased at the very moment at which something is filed with it."""

from __future__ import annotations

from functools import partial
from itertools import count
from uuid import UUID

import pytest

from service.applicants.actions import correct
from service.filing.actions import file
from service.filing.schemas import FilingIn
from service.kernel import clock
from service.kernel.db import scope_of
from service.materials import actions as materials
from service.materials.queries import handed_in
from service.routing.flow import Verdict
from service.tickets.rules.applicant import Applicant
from service.tickets.rules.attached import AttachedDocument
from service.tickets.rules.corrections import Point
from tests.local.conftest import eventually
from tests.materials.handing_in import upload
from tests.packs import demo_pack, publish, whole_pack
from tests.papers import with_documents
from tests.tickets.acting import Acting, active_tasks, outcome

keys = count()
WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


@pytest.fixture(scope="module", autouse=True)
def documents_are_asked(app, database):
    publish(database, whole_pack())
    yield
    publish(database, demo_pack())


@pytest.fixture
def talent(world):
    return world.talent()


@pytest.fixture
def owner(talent, acting, wide):
    return Acting(wide, acting(talent).actor)


@pytest.fixture
def body(world, talent):
    return with_documents(
        world.filing("housing_rent"), lambda code: upload(talent, code=code)["id"]
    )


@pytest.fixture
def first_then(wide, threads, superuser, owner):
    """One use case has done its work and not committed; another waits for it, and goes on then.

    Returns what became of the other; `undone`: the first does not commit at all.
    """

    def run(first, then, *, undone=False):
        session = wide.open(scope_of(owner.actor))
        try:
            first(session, owner.actor)
            other = threads.submit(outcome, partial(owner, then))
            waits = eventually(lambda: superuser.execute(WAITING).fetchone() == (1,), 5)
            if not undone:
                wide.commit(session)
        finally:
            session.close()
        assert waits, other.result()
        return other.result()

    return run


def erasing(material):
    return partial(materials.erase_material, material_id=UUID(material), at=clock.now())


def filing(owner, body):
    return partial(
        file.file_ticket,
        applicant=Applicant.themselves(owner.actor.person),
        filing=FilingIn().load(body),
        key=f"doc-race-{next(keys)}",
        digest=b"body",
        at=clock.now(),
    )


@pytest.fixture
def sound(rows):
    """No document that something was filed with has been erased."""

    def look():
        return (
            rows(
                "SELECT material_id FROM ticket_materials JOIN materials"
                " ON materials.id = material_id WHERE erased_at IS NOT NULL"
            )
            == []
        )

    return look


def used_in(body):
    return body["materials"][0]["material"]


def test_what_is_being_filed_is_not_erased(owner, body, first_then, sound):
    erase, file_it = erasing(used_in(body)), filing(owner, body)
    assert first_then(file_it, erase) == "material_in_use"
    assert sound()


def test_what_is_being_erased_is_not_filed(owner, body, first_then, sound):
    erase, file_it = erasing(used_in(body)), filing(owner, body)
    assert first_then(erase, file_it) == "invalid"
    assert sound()


def test_an_erasure_goes_on_where_the_filing_comes_to_nothing(owner, body, first_then):
    erase = erasing(used_in(body))
    assert first_then(filing(owner, body), erase, undone=True) == "done"


def test_a_filing_goes_on_where_the_erasure_comes_to_nothing(owner, body, first_then):
    erase, file_it = erasing(used_in(body)), filing(owner, body)
    assert first_then(erase, file_it, undone=True) == "done"


@pytest.fixture
def corrected(owner, body, somebody, talent):
    """The answer to a return, with another document; and that document."""
    ticket = owner.file(body, key=f"doc-race-{next(keys)}", at=clock.now()).ticket
    (task,) = active_tasks(owner.database, ticket.id)
    clerk = somebody(f"{task.role}.{task.department}")
    claimed = clerk.claim(task.id)
    asked = Point("缺少第二页", material="lease_contract")
    clerk.decide(task.id, claimed.version, Verdict.RETURN, points=[asked])
    handed_in = upload(talent, code="lease_contract")["id"]
    item = talent.get(f"/v1/items/{task.item_id}").json
    answer = partial(
        correct.correct_item,
        item_id=task.item_id,
        version=int(item["etag"].strip('"').rsplit(".", 1)[1]),
        sections={},
        materials=[AttachedDocument("lease_contract", UUID(handed_in))],
        at=clock.now(),
    )
    return answer, handed_in


def test_what_a_correction_is_being_answered_with_is_not_erased(corrected, first_then, sound):
    answer, handed_in = corrected
    assert first_then(answer, erasing(handed_in)) == "material_in_use"
    assert sound()


def test_what_is_being_erased_answers_no_correction(corrected, first_then, sound):
    answer, handed_in = corrected
    assert first_then(erasing(handed_in), answer) == "invalid"
    assert sound()


def test_two_filings_use_one_document_at_once(world, owner, talent, body, wide, threads):
    """The share of one does not hold up the other."""
    session = wide.open(scope_of(owner.actor))
    try:
        ids = {UUID(one["material"]) for one in body["materials"]}
        person = owner.actor.person
        assert len(handed_in(session, owner.actor, ids=ids, person=person)) == len(ids)
        assert outcome(partial(owner, filing(owner, body))) == "done"
    finally:
        session.close()


def test_files_and_erasures_at_once_come_to_one_of_the_two(world, owner, talent, at_once, sound):
    for _ in range(8):
        body = with_documents(
            world.filing("settlement"), lambda code: upload(talent, code=code)["id"]
        )
        erase, file_it = erasing(used_in(body)), filing(owner, body)
        told = at_once(partial(owner, file_it), partial(owner, erase))
        assert tuple(told) in {("done", "material_in_use"), ("invalid", "done")}
        assert sound()
        if told[0] == "done":
            for ticket in talent.get("/v1/tickets").json["items"]:
                etag = {"If-Match": ticket["etag"]}
                talent.post(f"/v1/tickets/{ticket['id']}/withdrawal", headers=etag)
