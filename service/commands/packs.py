"""Packs: checked, compared, published, exported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from service.commands import installation

if TYPE_CHECKING:
    from service.catalogue.rules.hints import Hint
    from service.catalogue.rules.pack import Pack
    from service.kernel.messages import Language


def _of_locale() -> str:
    """The language of whoever types, as their locale says it: Chinese, or English."""
    words = [os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG")]
    return "zh" if next(filter(None, words), "").startswith("zh") else "en"


_LANGUAGE = click.option(
    "--language",
    type=click.Choice(["zh", "en"]),
    default=_of_locale,
    help="Of what is wrong; by default that of the locale.",
)


@click.group()
def pack() -> None:
    """A district's whole service as files."""


@pack.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_LANGUAGE
def check(folder: Path, language: Language) -> None:
    """List everything wrong with a pack, by file, line and key; or print its hash."""
    from service.catalogue.rules.hints import hints
    from service.catalogue.rules.releases import manifest_of, release_hash
    from service.kernel.messages import say

    read = read_pack(folder, language)
    for hint in hints(read):
        _hint(hint, language)
    content_hash = release_hash(manifest_of(read))
    click.echo(say("check_in_order", language))
    click.echo(f"hash {content_hash}")
    if read.origin is not None:
        same = "is" if read.origin.content_hash == content_hash else "is no longer"
        click.echo(f"{same} release {read.origin.number} of {read.origin.district}")


@pack.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--district", metavar="CODE", help="Refuse a pack of another district.")
@click.option("--retire", is_flag=True, help="Even if more than a third of the offerings goes.")
@click.option("--recode", is_flag=True, help="Even if the administrative code is another.")
@_LANGUAGE
def publish(
    folder: Path, district: str | None, retire: bool, recode: bool, language: Language
) -> None:
    """Check a pack and publish what has changed, all of it or nothing."""
    from service.calendars.queries import calendar_for
    from service.catalogue.actions.publish import hold_back, set_up_district
    from service.catalogue.rules.hints import hints, unstaffed
    from service.catalogue.rules.publication import PublicationRefused
    from service.identity.staff.queries import posts_held
    from service.kernel import clock
    from service.kernel.messages import say

    read, at = read_pack(folder, language), clock.now()
    try:
        with installation.district_session(read.district) as session:
            hold_back(session, read, district=district, retire=retire, recode=recode)
            published = set_up_district(session, read, at=at)
            today = calendar_for(session, read.district).local_date(at)
            posts = posts_held(session, read.district, on=today)
    except PublicationRefused as refused:
        for refusal in refused.refusals:
            click.echo(refusal.told(language), err=True)
        raise click.ClickException(say("publish_nothing", language)) from None
    for hint in (*hints(read), *unstaffed(read, posts)):
        _hint(hint, language)
    for name in published.new:
        click.echo(f"new      {name}")
    for name in published.retired:
        click.echo(f"retired  {name}")
    click.echo(f"{len(published.unchanged)} unchanged")
    news = "new" if published.is_new_release else "as before"
    click.echo(f"release {published.release} ({news}), hash {published.content_hash}")


@pack.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_LANGUAGE
def diff(folder: Path, language: Language) -> None:
    """Tell what publishing a pack would change in its district, key by key."""
    from service.catalogue.actions.installed import installed_files
    from service.catalogue.rules.difference import differences, files_of
    from service.kernel.errors import NotFound

    read = read_pack(folder, language)
    try:
        with installation.district_session(read.district) as session:
            before = installed_files(session, read.district)
    except NotFound:
        before = {}
    found = differences(before, files_of(read))
    for difference in found:
        click.echo(difference)
    click.echo(f"{len(found)} differences")


@pack.command()
@click.argument("district")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def export(district: str, folder: Path) -> None:
    """Write the pack that is in force in a district into a new folder."""
    from service.catalogue.actions.files import write_files
    from service.catalogue.actions.installed import exported_files
    from service.catalogue.rules.checks import MAIN
    from service.kernel.errors import NotFound

    try:
        with installation.district_session(district) as session:
            files = exported_files(session, district)
        write_files(folder, files)
    except NotFound:
        raise click.ClickException(f"no pack is published in {district}") from None
    except FileExistsError:
        raise click.ClickException(f"{folder} is not empty") from None
    release = files[MAIN]["release"]
    click.echo(f"{len(files)} files: release {release['number']}, hash {release['hash']}")


@pack.command()
@click.argument("district")
def releases(district: str) -> None:
    """List the releases of a district, the newest first: number, time, hash."""
    from service.catalogue.queries.releases import list_releases

    with installation.district_session(district) as session:
        found = list_releases(session, district)
    for release in found:
        when = release.published_at.isoformat(timespec="seconds")
        click.echo(f"{release.number:>6}  {when}  {release.content_hash}")
    if not found:
        raise click.ClickException(f"no pack is published in {district}")


@pack.command("schema")
@click.option("--check", "only_check", is_flag=True, help="Fail where a file is out of date.")
def pack_schema(only_check: bool) -> None:
    """Write config/schema/: by it an editor completes and checks a pack's files."""
    from service.catalogue.actions.files import format_files
    from service.kernel.settings import ROOT

    for file, content in format_files(ROOT / "config" / "schema").items():
        if not only_check:
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
        elif not file.exists() or file.read_bytes() != content:
            raise click.ClickException(f"{file.name} is out of date: make spec")


def _hint(hint: Hint, language: Language) -> None:
    from service.kernel.messages import say

    click.echo(say("check_hint", language, {"hint": hint.told(language)}), err=True)


def read_pack(folder: Path, language: Language = "en") -> Pack:
    """The pack of a folder; what is wrong with it is listed, and that is the end."""
    from service.catalogue.actions.files import load_pack
    from service.catalogue.rules.faults import FaultyPack
    from service.kernel.messages import say

    try:
        return load_pack(folder)
    except FaultyPack as faulty:
        for fault in faulty.faults:
            click.echo(fault.told(language), err=True)
        counted = {"number": len(faulty.faults)}
        raise click.ClickException(say("check_faults", language, counted)) from None
