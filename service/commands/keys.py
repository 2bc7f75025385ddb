"""The key file, and what is sealed under its keys."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.commands import installation

if TYPE_CHECKING:
    from service.kernel.db import Database


@click.group()
def keys() -> None:
    """The key file, the keys of persons, and what is sealed under them."""


@keys.command("new")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def new_key_file(file: Path) -> None:
    """Write a new key file; refuses to overwrite one."""
    from service.kernel.keys import make_key_file

    try:
        make_key_file(file)
    except FileExistsError:
        raise click.ClickException(f"{file} is there already") from None


@keys.command("rotate")
def rotate_keys() -> None:
    """Wrap the keys of persons anew, under the active key of the key file."""
    from service.kernel import rotation
    from service.kernel.crypto import SealBroken

    with _keys_database() as database:
        done = 0
        try:
            for number in rotation.rotate(database):
                done += number
        except SealBroken as broken:
            click.echo(f"{done} keys wrapped anew")
            raise click.ClickException(f"{broken}: is its master key in the key file?") from None
        click.echo(f"{done} keys wrapped anew")
        for master, number in rotation.wrapped_by(database).items():
            click.echo(f"{number} keys are under {master}")


@keys.command("reseal")
def reseal_values() -> None:
    """Seal under their person's key what still lies under a key of the key file."""
    from service.kernel import rotation

    left = 0
    with _keys_database() as database:
        for table in rotation.reseal(database):
            click.echo(f"{table.table}: {table.values} values sealed anew, {table.left} rows left")
            left += table.left
    if left:
        raise click.ClickException(f"{left} rows were in use: run it again")


@contextmanager
def _keys_database() -> Iterator[Database]:
    """The installation's database, as the role that may change sealed columns and keys."""
    import service.app  # noqa: F401 - with it every model, and so every sealed column, is known
    from service.kernel import crypto, rotation
    from service.kernel.keys import load_keys

    settings = installation.settings()
    crypto.use(crypto.Keyring(load_keys(settings.keys_file)))
    database = rotation.connect_for_keys(settings)
    try:
        yield database
    finally:
        database.dispose()
