"""The schema of the database, and who may do what in it."""

from __future__ import annotations

import click

from service.commands import installation


@click.command()
@click.option("--sql", is_flag=True, help="Print the statements instead of running them.")
def migrate(sql: bool) -> None:
    """Bring the database to the newest schema, as its owner (DATABASE_OWNER_URL)."""
    from service.kernel import migrations

    if sql:
        migrations.print_sql()
    else:
        migrations.upgrade(installation.settings().database_owner_url)
