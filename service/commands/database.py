"""The schema of the database, and who may do what in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from service.commands import installation

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from service.kernel.settings import DatabaseSettings


@click.command()
@click.option("--sql", is_flag=True, help="Print the statements instead of running them.")
@click.option("--down-to", metavar="REVISION", help="Take the schema back to an older revision.")
@click.option("--yes", is_flag=True, help="With --down-to: ask nothing.")
def migrate(sql: bool, down_to: str | None, yes: bool) -> None:
    """Bring the database to the newest schema, as its owner (DATABASE_OWNER_URL)."""
    from service.kernel import migrations

    if sql:
        migrations.print_sql()
        return
    settings = installation.database_settings()
    present = _revision_here(settings)
    if down_to is None:
        migrations.upgrade(settings.database_owner_url)
        click.echo(f"the schema is at {migrations.newest_revision()}")
        _report_access(settings)
        return
    if present is None or down_to not in migrations.revisions_up_to(present):
        raise click.ClickException(f"{down_to} is not among the revisions up to {present}")
    if not yes:
        click.confirm(
            f"Take the schema from {present} to {down_to}? What {down_to} cannot hold is lost.",
            abort=True,
        )
    migrations.downgrade(settings.database_owner_url, down_to)
    click.echo(f"the schema is at {down_to}")


@click.group()
def check() -> None:
    """Whether the installation is as this release needs it."""


@check.command("database")
def check_database() -> None:
    """Compare schema, roles, grants and policies of the database with what this release needs."""
    from service.kernel import migrations
    from service.kernel.db import connect
    from service.kernel.settings import SettingsError

    settings = installation.database_settings()
    present = _revision_here(settings)
    newest = migrations.newest_revision()
    if present != newest:
        raise click.ClickException(
            f"the schema is at {present or 'nothing'}, not at {newest}: run talent migrate"
        )
    click.echo(f"the schema is at {newest}")
    _report_access(settings)
    database = connect(settings)
    try:
        database.verify()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    finally:
        database.dispose()
    click.echo(f"connections work as {settings.database_role}")


def _revision_here(settings: DatabaseSettings) -> str | None:
    """The revision of the database; where it is newer than this release, that is the end."""
    from service.kernel import migrations

    with _as_owner(settings) as connection:
        present = migrations.revision_of(connection)
    if migrations.standing(present) is migrations.Standing.NEWER:
        newest = migrations.newest_revision()
        raise click.ClickException(
            f"the schema is at {present}, and this release knows none after {newest}: run the"
            f" newer release, or take the schema back with its talent migrate --down-to {newest}"
        )
    return present


def _report_access(settings: DatabaseSettings) -> None:
    from service.kernel import access

    with _as_owner(settings) as connection:
        missing, beyond = access.missing(connection), access.beyond(connection)
    for line in beyond:
        click.echo(f"not needed: {line}", err=True)
    for line in missing:
        click.echo(f"missing: {line}", err=True)
    if missing:
        raise click.ClickException(
            f"{len(missing)} of {len(access.needed())} rights are missing: was the dump restored"
            " before its roles were made? See Backups in docs/operations.md"
        )
    click.echo(f"all {len(access.needed())} rights and policies are there")


@contextmanager
def _as_owner(settings: DatabaseSettings) -> Iterator[Connection]:
    """A connection of the owner's; one clear line where there is none to be had."""
    from sqlalchemy import NullPool, create_engine, exc, make_url

    url = make_url(settings.database_owner_url).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    except exc.OperationalError as error:
        raise click.ClickException(f"DATABASE_OWNER_URL: {str(error.orig).strip()}") from None
    finally:
        engine.dispose()
