"""The `talent` command. Each command calls one action; imports come late to keep `--help` quick."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from service.commands.database import check, migrate
from service.commands.deliveries import deliveries_
from service.commands.documents import spec
from service.commands.keys import keys
from service.commands.packs import pack
from service.commands.running import demo, prepare, up, worker
from service.commands.samples import sample


class Commands(click.Group):
    """Tells an operator that a database or a file is out of reach, without a traceback."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; raises `ClickException` for what is out of reach."""
        try:
            return super().invoke(context)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # click ends quietly where nobody reads on
            raise click.ClickException(str(error)) from error
        except Exception as error:
            psycopg = sys.modules.get("psycopg")  # what is not loaded has not raised
            told = getattr(error, "orig", error)
            if psycopg is not None and isinstance(told, psycopg.OperationalError):
                raise click.ClickException(f"the database: {str(told).strip()}") from error
            raise


@click.group(cls=Commands)
def main() -> None:
    """The talent service: one joint ticket through every department responsible."""


for _command in (up, demo, sample, migrate, check, prepare, worker, deliveries_, pack, keys, spec):
    main.add_command(_command)


if __name__ == "__main__":
    main()
