"""What runs: all of it on one machine, or the worker alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.commands import installation
from service.commands.packs import read_pack

if TYPE_CHECKING:
    from service.kernel.messages import Language


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), envvar="TALENT_HTTP_PORT", default=8000)
@click.option("--var", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
@click.option(
    "--pack",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="TALENT_PACK",
    help="Show the district of this pack instead of the demonstration's.",
)
def up(port: int, var: Path, folder: Path | None) -> None:
    """Run the whole service on this machine, servers included, with demonstration data."""
    from service.local.up import OwnPack
    from service.local.up import up as run

    own = None
    if folder is not None:
        own = OwnPack(folder.resolve(), read_pack(folder).district)
    sys.exit(run(var, http_port=port, pack=own))


@click.command()
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--var", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
def demo(language: Language, var: Path) -> None:
    """Tell the story of one family against the service that runs here (`talent up`)."""
    from service.local.story import StoryBroken, tell

    try:
        tell(var, language=language, say=click.echo)
    except StoryBroken as broken:
        raise click.ClickException(str(broken)) from None


@click.command()
def prepare() -> None:
    """Migrate, publish the demonstration district, make its accounts; for `up`."""
    from service.kernel import loading

    loading.begin()
    from service.local.demonstration import PACK
    from service.local.demonstration import prepare as run

    loading.end()
    run(installation.settings(), Path(os.environ.get("TALENT_DEMO_PACK", PACK)))


@click.command()
@click.option("--held", is_flag=True, hidden=True, help="For `up`: begin when it says so.")
def worker(held: bool) -> None:
    """Deliver events and run the timers until told to stop."""
    from service.kernel import loading

    loading.begin()
    from service.kernel import logs
    from service.kernel.settings import SettingsError
    from service.worker import WorkerLost, run

    loading.end()
    if held:
        from service.local.held import wait_to_begin

        wait_to_begin()
    logs.configure()
    try:
        run(installation.settings())
    except (SettingsError, WorkerLost) as lost:
        raise click.ClickException(str(lost)) from None
