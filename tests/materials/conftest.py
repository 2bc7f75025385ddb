from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from service.kernel.actor import Actor
from tests.acting import bearer
from tests.conftest import url_of
from tests.factories import Signed
from tests.packs import every_format, publish, whole_pack


@pytest.fixture(scope="module")
def settings(settings, tmp_path_factory):
    """This module's own storage."""
    from dataclasses import replace

    return replace(settings, storage_dir=tmp_path_factory.mktemp("files"))


@pytest.fixture(scope="module", autouse=True)
def whatever_is_a_document(database) -> None:
    """In these modules offerings ask for documents, and take them in every format."""
    publish(database, every_format(whole_pack()))


@pytest.fixture
def blobs(settings) -> Callable[[], set[Path]]:
    """Every file that the storage has now."""
    return lambda: {path for path in settings.storage_dir.rglob("*") if path.is_file()}


@pytest.fixture
def talent(world) -> Signed:
    return world.stranger()


@pytest.fixture
def actor_of(app) -> Callable[[Signed], Actor]:
    """Whoever is signed in, as an actor."""

    def actor(signed: Signed) -> Actor:
        token = signed.headers["Authorization"].removeprefix("Bearer ")
        return bearer(app.extensions["talent"], token)

    return actor


@pytest.fixture(scope="module")
def superuser(database_name) -> Iterator[psycopg.Connection]:
    """A connection that row-level security does not hold; every statement commits."""
    with psycopg.connect(url_of("superuser", database_name), autocommit=True) as connection:
        yield connection
