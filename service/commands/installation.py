"""The installation that a command works on: its settings, its database."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.kernel.settings import DatabaseSettings, Settings

Read = TypeVar("Read")


def settings() -> Settings:
    """The installation's settings; where none are given, those of the service that runs here."""
    from service.kernel.settings import load

    return _read(load)


def database_settings() -> DatabaseSettings:
    """As `settings`, but of the database alone; the others need not be there."""
    from service.kernel.settings import load_database

    return _read(load_database)


def _read(load: Callable[[], Read]) -> Read:
    from service.kernel.settings import SettingsError
    from service.local.environment import read_environment

    if "DATABASE_URL" not in os.environ:
        os.environ.update(read_environment(Path("var")))
    try:
        return load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def every_district() -> Iterator[Iterator[tuple[str, Session]]]:
    """Every district with a transaction in its scope, which commits when the next one is asked."""
    from service.kernel.db import Scope, districts
    from service.runtime import open_database

    database = open_database(settings())

    def opened() -> Iterator[tuple[str, Session]]:
        for district in districts(database):
            with database.transaction(Scope.system(district)) as session:
                yield district, session

    try:
        yield opened()
    finally:
        database.dispose()


@contextmanager
def district_session(district: str) -> Iterator[Session]:
    """A transaction in the scope of a district, on the installation's database."""
    from service.kernel.db import Scope
    from service.runtime import open_database

    database = open_database(settings())
    try:
        with database.transaction(Scope.system(district)) as session:
            yield session
    finally:
        database.dispose()
