"""Departments and posts, as an installation sets them up."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from service.identity.auth.models import Account
from service.identity.staff.actions import ensure_staff, publish_departments
from service.identity.staff.models import Department, StaffPost
from service.kernel.errors import Conflict, Invalid
from service.kernel.permissions import Role
from tests.identity.conftest import PASSWORD

AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)  # the 23rd already in Beijing
TODAY = date(2026, 11, 23)


def department(code: str, **changes) -> dict:
    name = {"zh": "测试办公室", "en": "Test office"}
    return {"code": code, "name": name, "kind": "government"} | changes


def settle(session, *posts, at=AT, **changes):
    settled = {"username": "head.a", "display_name": "王芳", "password": PASSWORD} | changes
    return ensure_staff(session, posts=posts, at=at, **settled)


def posts_of(session, account_id) -> set[tuple]:
    rows = session.execute(
        select(
            StaffPost.department, StaffPost.role, StaffPost.valid_from, StaffPost.valid_to
        ).where(StaffPost.account_id == account_id)
    )
    return set(map(tuple, rows))


@pytest.fixture
def offices(session):
    publish_departments(session, departments=[department("a"), department("b")], at=AT)


def test_departments_are_brought_up_to_date(session, offices):
    renamed = department("a", name={"zh": "新名", "en": "New name"}, kind="company")
    publish_departments(session, departments=[renamed, department("c")], at=AT)
    publish_departments(session, departments=[], at=AT)
    found = session.execute(
        select(Department.code, Department.kind).where(Department.code.in_(["a", "b", "c"]))
    )
    assert set(map(tuple, found)) == {
        ("a", "company"),
        ("b", "government"),
        ("c", "government"),
    }


def test_posts_begin_and_end_by_the_date_of_the_district(session, offices):
    account = settle(session, ("a", Role.HEAD), ("a", Role.CLERK))
    assert posts_of(session, account) == {
        ("a", Role.HEAD, TODAY, None),
        ("a", Role.CLERK, TODAY, None),
    }
    # On the same day a post that was never worked goes; later it ends with the day before.
    assert settle(session, ("a", Role.HEAD)) == account
    assert posts_of(session, account) == {("a", Role.HEAD, TODAY, None)}
    later = AT + timedelta(days=10)
    settle(session, ("b", Role.HEAD), at=later)
    settle(session, ("b", Role.HEAD), at=later)
    assert posts_of(session, account) == {
        ("a", Role.HEAD, TODAY, TODAY + timedelta(days=9)),
        ("b", Role.HEAD, TODAY + timedelta(days=10), None),
    }


def test_an_account_is_brought_up_to_date(session, offices):
    account = settle(session, ("a", Role.HEAD))
    assert settle(session, ("a", Role.HEAD), display_name="王芳芳", renamed=True) == account
    assert session.scalar(select(Account.display_name).where(Account.id == account)) == "王芳芳"


def test_whoever_follows_somebody_does_not_get_their_account(session, offices):
    """They would find what the other has claimed, and be shown as having decided it."""
    account = settle(session, ("a", Role.HEAD))
    with pytest.raises(Conflict, match="account_of_another"):
        settle(session, ("a", Role.HEAD), display_name="李娜")
    assert session.scalar(select(Account.display_name).where(Account.id == account)) == "王芳"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"username": "Head A"}, "username"),
        ({"username": ""}, "username"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 201}, "password"),
    ],
)
def test_accounts_of_another_form(session, offices, changes, path):
    with pytest.raises(Invalid) as caught:
        settle(session, ("a", Role.HEAD), **changes)
    assert [error.path for error in caught.value.errors] == [path]
    assert PASSWORD not in str(caught.value.errors)


def test_a_post_needs_its_department(session, offices):
    with pytest.raises(IntegrityError, match="fk_posts_district_id_department"):
        settle(session, ("nowhere", Role.HEAD))
