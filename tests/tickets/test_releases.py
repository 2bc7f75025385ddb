"""A ticket names the release it was filed under, and with it the form that was filled in."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from service.catalogue.models import OfferingVersion, PackRelease
from service.catalogue.queries.releases import list_releases
from service.kernel.db import Scope
from service.tickets.models.filed import Ticket
from service.tickets.models.items import Item
from tests.packs import demo_pack, publish, whole_pack


@pytest.fixture
def releases(database):
    def by_number():
        with database.transaction(Scope.system("demo")) as session:
            return {release.number: release for release in list_releases(session, "demo")}

    return by_number


@pytest.fixture
def row(database):
    def of(ticket):
        with database.transaction(Scope.system("demo")) as session:
            return session.scalars(select(Ticket).where(Ticket.id == UUID(ticket["id"]))).one()

    return of


@pytest.fixture
def republished(database):
    """Publishes another form, the pack with documents; the plain one again at the end."""
    done = []

    def go():
        publish(database, whole_pack())
        done.append(True)

    yield go
    if done:
        publish(database, demo_pack())


def test_it_is_the_newest_when_it_is_filed(world, row, releases):
    assert row(world.ticket(None, "settlement")).release_number == max(releases())


def test_it_stays_when_another_is_published(world, row, releases, republished):
    ticket = world.ticket(None, "settlement")
    filed_under = row(ticket).release_number
    republished()
    assert max(releases()) == filed_under + 1
    assert row(ticket).release_number == filed_under


def test_it_determines_the_form_that_was_filled_in(world, database, row, releases, republished):
    ticket = world.ticket(None, "settlement", "housing_rent")
    republished()
    filed = row(ticket)
    release = releases()[filed.release_number]
    assert release.bundles["arrival"] == filed.bundle_version_id
    with database.transaction(Scope.system("demo")) as session:
        items = session.execute(
            select(Item.offering_code, Item.offering_version_id).where(Item.ticket_id == filed.id)
        ).all()
        contents = dict(
            session.execute(
                select(OfferingVersion.code, OfferingVersion.content_hash).where(
                    OfferingVersion.id.in_(release.offerings.values())
                )
            ).all()
        )
        manifest = session.scalars(
            select(PackRelease.manifest).where(PackRelease.number == release.number)
        ).one()
    assert dict(tuple(item) for item in items).items() <= release.offerings.items()
    assert contents == manifest["offerings"]


def test_it_names_one_that_there_is(world, database, row):
    ticket = row(world.ticket(None, "settlement"))
    with database.transaction(Scope.system("demo")) as session:
        kept = session.get_one(Ticket, ("demo", ticket.id))
        kept.release_number = 1_000_000
        with pytest.raises(IntegrityError):
            session.flush()
        session.rollback()
