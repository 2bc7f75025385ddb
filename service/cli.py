"""The `talent` command. Each command calls one action; imports come late to keep `--help` quick."""

from __future__ import annotations

import click

from service.commands.database import check, migrate
from service.commands.deliveries import deliveries_
from service.commands.documents import spec
from service.commands.keys import keys
from service.commands.packs import pack
from service.commands.running import demo, prepare, up, worker
from service.commands.samples import sample


@click.group()
def main() -> None:
    """The talent service: one joint ticket through every department responsible."""


for _command in (up, demo, sample, migrate, check, prepare, worker, deliveries_, pack, keys, spec):
    main.add_command(_command)


if __name__ == "__main__":
    main()
