"""A department, a kind of fact and an offering are added with YAML alone, and everything works."""

from __future__ import annotations

import shutil
from uuid import uuid4

import pytest
from click.testing import CliRunner

from service.cli import main
from service.identity.staff.actions import ensure_staff
from service.kernel import clock
from service.kernel.db import Scope
from service.kernel.permissions import Role
from tests.catalogue.library import DEPARTMENTS, FILES
from tests.catalogue.packs import DEMO
from tests.conftest import PASSWORD
from tests.materials.files import pdf, png
from tests.materials.handing_in import upload


@pytest.fixture(scope="module")
def published(settings, whole_district, tmp_path_factory):
    """The demonstration pack with more of everything, published by the command."""
    folder = shutil.copytree(DEMO, tmp_path_factory.mktemp("packs") / "demo")
    for file, text in FILES.items():
        (folder / file).write_text(text, "utf-8")
    pack = folder / "pack.yaml"
    pack.write_text(pack.read_text("utf-8").replace("departments:\n", DEPARTMENTS), "utf-8")
    told = CliRunner().invoke(main, ["pack", "publish", str(folder)], catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return told.output.splitlines()


@pytest.fixture
def hire(published, world, database):
    """Somebody new at a department, signed in."""

    def at(department, role):
        username = f"{role}.{department}.{uuid4().hex[:8]}"
        with database.transaction(Scope.system("demo")) as session:
            ensure_staff(
                session,
                username=username,
                display_name="王芳",
                password=PASSWORD,
                posts=[(department, Role(role))],
                at=clock.now(),
            )
        return world.staff(username)

    return at


def answers(world, section, **changes):
    bundle = world.client.get("/v1/bundles/reading").json
    form = next(one for one in bundle["sections"] if one["code"] == section)
    return form["schema"]["examples"][0] | changes


def file(world, talent, tongue="en", **changes):
    form = world.client.get("/v1/bundles/reading/form?offerings=reader_card").json
    handed = {scope: [] for scope in ("ticket", "item")}
    for one in form["materials"]:
        name, content = ("1.pdf", pdf()) if "pdf" in one["formats"] else ("1.png", png())
        document = upload(talent, code=one["code"], name=name, file=content)["id"]
        handed[one["scope"]].append({"code": one["code"], "material": document})
    body = {
        "bundle": "reading",
        "items": [
            {
                "offering": "reader_card",
                "sections": {"reading": answers(world, "reading", **changes)},
                "materials": handed["item"],
            }
        ],
        "sections": {"applicant": answers(world, "applicant")},
        "materials": handed["ticket"],
        "consents": [one["ref"] for one in form["consents"] if not one["optional"]],
    }
    headers = {"Idempotency-Key": uuid4().hex, "Accept-Language": tongue}
    return talent.post("/v1/tickets", json=body, headers=headers)


def done(world, staff, item, verdict, result=None):
    """The task that waits for them is claimed and decided; gives what they were shown."""
    task = world.claimed(staff, item["number"])
    shown = staff.get(f"/v1/desk/tasks/{task['id']}").json
    world.decide(staff, task, verdict, result)
    return shown


def now(talent, ticket):
    [item] = talent.get(f"/v1/tickets/{ticket['id']}").json["items"]
    return item


def states(item):
    return {stage["key"]: stage["state"] for stage in item["stages"]}


def test_what_was_there_already_keeps_its_version(published):
    new = [line.split()[1] for line in published if line.startswith("new")]
    assert new == ["offerings/reader_card@1", "bundles/reading@1"]
    assert not [line for line in published if line.startswith("retired")]


def test_everybody_can_read_what_is_asked_and_who_works_on_it(published, client):
    offering = client.get("/v1/offerings/reader_card").json
    assert offering["title"]["en"] == "Reader's card"
    assert [stage["key"] for stage in offering["stages"]][:3] == ["acceptance", "shelves", "vault"]
    reading = client.get("/v1/bundles/reading").json["sections"][-1]
    assert list(reading["schema"]["properties"]) == ["books", "branch", "manuscripts"]


def test_a_criterion_refuses_in_the_packs_words(published, world):
    talent = world.talent()
    [fault] = file(world, talent, books=21).json["errors"]
    assert (fault["path"], fault["code"]) == ("items.0", "criterion_not_met")
    assert fault["message"] == (
        "A criterion is not met: Twenty books a month at the most (Library rules, article 3)."
    )
    [fault] = file(world, talent, "zh-CN", books=21).json["errors"]
    assert "《图书馆借阅规则》第三条" in fault["message"]


def test_a_rule_between_fields_is_told_in_the_packs_words(published, world):
    talent = world.talent()
    for tongue, message in [
        ("zh-CN", "手稿只在总馆查阅"),
        ("en", "Manuscripts are at the main branch alone."),
    ]:
        [fault] = file(world, talent, tongue, manuscripts=True).json["errors"]
        assert fault == {
            "path": "items.0.sections.reading.manuscripts",
            "code": "rule_broken",
            "message": message,
        }


def test_it_is_filed_goes_through_every_stage_and_gives_its_fact(published, world, hire):
    talent = world.talent()
    ticket = file(world, talent).json
    [item] = ticket["items"]
    shown = done(world, hire("library", "clerk"), item, "accept")
    assert shown["sections"] == {"reading": {"branch": "harbour"}}
    assert states(now(talent, ticket)) == {
        "acceptance": "closed",
        "shelves": "open",
        "vault": "skipped",
    }
    done(world, hire("library", "reviewer"), item, "pass")
    assert states(now(talent, ticket))["shelves"] == "open"
    shown = done(world, hire("archive", "reviewer"), item, "pass")
    assert shown["sections"] == {"reading": {"books": 6, "branch": "harbour"}}
    done(world, hire("library", "head"), item, "approve", {"number": "R000042"})
    [fact] = talent.get("/v1/me/facts").json["items"]
    assert (fact["kind"], fact["value"]) == ("reader", {"branch": "harbour", "number": "R000042"})
    assert fact["title"] == {"zh": "读者证", "en": "Reader's card"}
    assert fact["issuer_name"] == {"zh": "图书馆", "en": "Library"}
    assert fact["state"] == "in_force"
    assert int(fact["valid_to"][:4]) == int(fact["valid_from"][:4]) + 2
    done(world, hire("library", "clerk"), item, "pass")
    ended = now(talent, ticket)
    assert (ended["phase"], ended["outcome"]) == ("ended", "approved")
    assert ended["result"] == {"number": "R000042"}
    assert states(ended) == {
        "acceptance": "closed",
        "shelves": "closed",
        "vault": "skipped",
        "one_card": "closed",
        "decision": "closed",
        "handing_out": "closed",
    }


def test_a_table_chooses_the_new_department_and_the_vault_is_asked(published, world, hire):
    talent = world.talent()
    ticket = file(world, talent, books=1, branch="main", manuscripts=True).json
    [item] = ticket["items"]
    done(world, hire("library", "clerk"), item, "accept")
    assert states(now(talent, ticket)) == {
        "acceptance": "closed",
        "shelves": "skipped",
        "vault": "open",
    }
    done(world, hire("archive", "head"), item, "pass")
    done(world, hire("library", "head"), item, "approve", {"number": "R000007"})
    done(world, hire("archive", "clerk"), item, "pass")
    assert now(talent, ticket)["outcome"] == "approved"


def test_who_has_the_fact_finds_it_filled_in_and_is_checked_by_it(published, world, hire):
    talent = world.talent()
    [item] = file(world, talent, books=1).json["items"]
    done(world, hire("library", "clerk"), item, "accept")
    done(world, hire("library", "head"), item, "approve", {"number": "R000042"})
    done(world, hire("library", "clerk"), item, "pass")
    form = talent.get("/v1/bundles/reading/form?offerings=reader_card").json
    assert form["sections"][-1]["prefilled"] == {"branch": "harbour"}
    assert [one["asked_by"][0]["need"] for one in form["materials"]] == ["always", "conditional"]
    again = file(world, talent, books=1).json
    done(world, hire("library", "clerk"), again["items"][0], "accept")
    ended = now(talent, again)
    assert (ended["phase"], ended["outcome"]) == ("ended", "rejected")
    assert len(talent.get("/v1/me/facts").json["items"]) == 1
