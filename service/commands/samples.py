"""What a newcomer has not at hand: a document that is one, an identity number that is right."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from pathlib import Path

import click


@click.group()
def sample() -> None:
    """Fictional things to try the interface with."""


@sample.command("pdf")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def sample_pdf(file: Path) -> None:
    """Write a PDF of one page, to hand in as any document; refuses to overwrite a file."""
    from service.local.story.papers import pdf

    try:
        with file.open("xb") as new:
            new.write(pdf("sample"))
    except FileExistsError:
        raise click.ClickException(f"{file} is there already") from None


@sample.command("id")
@click.option(
    "--born",
    type=click.DateTime(["%Y-%m-%d"]),
    help="The date of birth in it; by default that of somebody some thirty years old.",
)
def sample_id(born: datetime | None) -> None:
    """Print a fictional number of a resident identity card (GB 11643), another one each time."""
    from service.kernel import clock
    from service.local.story.people import id_number

    adult = date(clock.now().year - 30, secrets.randbelow(12) + 1, secrets.randbelow(28) + 1)
    click.echo(id_number(adult if born is None else born.date()))
