"""The `talent` command. Each command calls one action; imports come late to keep `--help` quick."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from service.catalogue.rules.pack import Pack
    from service.kernel.db import Database
    from service.kernel.messages import Language
    from service.kernel.settings import Settings


@click.group()
def main() -> None:
    """The talent service: one joint ticket through every department responsible."""


@main.command()
@click.option("--port", type=click.IntRange(1, 65535), envvar="TALENT_HTTP_PORT", default=8000)
@click.option("--var", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
def up(port: int, var: Path) -> None:
    """Run the whole service on this machine, servers included, with demonstration data."""
    from service.local.up import up as run

    sys.exit(run(var, http_port=port))


@main.command()
@click.option("--language", type=click.Choice(["zh", "en"]), default="zh", show_default=True)
@click.option("--var", type=click.Path(path_type=Path), default=Path("var"), show_default=True)
def demo(language: Language, var: Path) -> None:
    """Tell the story of one family against the service that runs here (`talent up`)."""
    from service.local.story import StoryBroken, tell

    try:
        tell(var, language=language, say=click.echo)
    except StoryBroken as broken:
        raise click.ClickException(str(broken)) from None


@main.command()
@click.option("--sql", is_flag=True, help="Print the statements instead of running them.")
def migrate(sql: bool) -> None:
    """Bring the database to the newest schema, as its owner (DATABASE_OWNER_URL)."""
    from service.kernel import migrations

    if sql:
        migrations.print_sql()
    else:
        migrations.upgrade(_settings().database_owner_url)


@main.command()
def prepare() -> None:
    """Migrate, publish the demonstration district, make its accounts; for `up`."""
    from service.local.demonstration import prepare as run

    run(_settings())


@main.command()
def worker() -> None:
    """Deliver events and run the timers until told to stop."""
    from service.kernel import logs
    from service.kernel.settings import SettingsError
    from service.worker import WorkerLost, run

    logs.configure()
    try:
        run(_settings())
    except (SettingsError, WorkerLost) as lost:
        raise click.ClickException(str(lost)) from None


@main.group("deliveries")
def deliveries_() -> None:
    """What subscribers could not be handed, although it was tried as often as allowed."""


_SUBSCRIBER = click.option("--subscriber", metavar="NAME", help="Of this subscriber alone.")


@deliveries_.command("list")
@_SUBSCRIBER
def list_deliveries(subscriber: str | None) -> None:
    """List the dead deliveries of all districts, the oldest of each first."""
    from service.kernel import deliveries

    count = 0
    with _every_district() as districts:
        for district, session in districts:
            for dead in deliveries.dead_deliveries(
                session, district=district, subscriber=subscriber
            ):
                count += 1
                click.echo(
                    f"{dead.id}  {district}  {dead.subscriber}  event {dead.event_id}"
                    f"  ticket {dead.ticket_id or '-'}  {dead.tries} tries  {dead.cause}"
                    f"  {dead.at:%Y-%m-%dT%H:%M:%SZ}"
                )
    click.echo(f"{count} dead")


@deliveries_.command("retry")
@_SUBSCRIBER
@click.argument("delivery", type=click.UUID, required=False)
def retry_deliveries(subscriber: str | None, delivery: UUID | None) -> None:
    """Send dead deliveries again, with all their tries: all, a subscriber's, or one by its id."""
    from service.kernel import deliveries

    count, found = 0, 1
    while found:
        found = 0
        with _every_district() as districts:
            for district, session in districts:
                found += deliveries.send_again(
                    session, district=district, subscriber=subscriber, delivery_id=delivery
                )
        count += found
    click.echo(f"{count} sent again")
    if delivery is not None and not count:
        raise click.ClickException(f"there is no dead delivery {delivery}")


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


@main.group()
def pack() -> None:
    """A district's whole service as files."""


@pack.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@_LANGUAGE
def check(folder: Path, language: Language) -> None:
    """List everything wrong with a pack, by file, line and key; or print its hash."""
    from service.catalogue.rules.hints import hints
    from service.catalogue.rules.releases import manifest_of, release_hash

    read = _read_pack(folder, language)
    for hint in hints(read):
        click.echo(f"hint: {hint.told(language)}", err=True)
    content_hash = release_hash(manifest_of(read))
    click.echo("nothing wrong")
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
    from service.catalogue.actions.publish import hold_back, set_up_district
    from service.catalogue.rules.hints import hints, unstaffed
    from service.catalogue.rules.publication import PublicationRefused
    from service.identity.staff.queries import posts_held
    from service.kernel import clock

    read, at = _read_pack(folder, language), clock.now()
    try:
        with _district_session(read.district) as session:
            hold_back(session, read, district=district, retire=retire, recode=recode)
            published = set_up_district(session, read, at=at)
            posts = posts_held(session, read.district, on=at.date())
    except PublicationRefused as refused:
        for refusal in refused.refusals:
            click.echo(refusal.told(language), err=True)
        raise click.ClickException("nothing was published") from None
    for hint in (*hints(read), *unstaffed(read, posts)):
        click.echo(f"hint: {hint.told(language)}", err=True)
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

    read = _read_pack(folder, language)
    try:
        with _district_session(read.district) as session:
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
        with _district_session(district) as session:
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

    with _district_session(district) as session:
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


@main.group()
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


@main.group()
def spec() -> None:
    """The OpenAPI documents in api_specs/."""


@spec.command()
def write() -> None:
    """Write the documents of all audiences."""
    for file, text in _written_documents().items():
        file.write_text(text, encoding="utf-8")


@spec.command("check")
def check_documents() -> None:
    """Fail where a committed document is not what the routes say."""
    for file, text in _written_documents().items():
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            raise click.ClickException(f"{file.name} is out of date: make spec")


def _written_documents() -> dict[Path, str]:
    from service.app import api_documents
    from service.kernel.http.documentation import as_yaml
    from service.kernel.settings import ROOT

    return {
        ROOT / "api_specs" / f"{audience}.yaml": as_yaml(document)
        for audience, document in api_documents().items()
    }


def _settings() -> Settings:
    """The installation's settings; where none are given, those of the service that runs here."""
    from service.kernel.settings import SettingsError, load
    from service.local.environment import read_environment

    if "DATABASE_URL" not in os.environ:
        os.environ.update(read_environment(Path("var")))
    try:
        return load()
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _every_district() -> Iterator[Iterator[tuple[str, Session]]]:
    """Every district with a transaction in its scope, which commits when the next one is asked."""
    from service.kernel.db import Scope, districts
    from service.runtime import open_database

    database = open_database(_settings())

    def opened() -> Iterator[tuple[str, Session]]:
        for district in districts(database):
            with database.transaction(Scope.system(district)) as session:
                yield district, session

    try:
        yield opened()
    finally:
        database.dispose()


@contextmanager
def _district_session(district: str) -> Iterator[Session]:
    """A transaction in the scope of a district, on the installation's database."""
    from service.kernel.db import Scope
    from service.runtime import open_database

    database = open_database(_settings())
    try:
        with database.transaction(Scope.system(district)) as session:
            yield session
    finally:
        database.dispose()


@contextmanager
def _keys_database() -> Iterator[Database]:
    """The installation's database, as the role that may change sealed columns and keys."""
    import service.app  # noqa: F401 - with it every model, and so every sealed column, is known
    from service.kernel import crypto, rotation
    from service.kernel.keys import load_keys

    settings = _settings()
    crypto.use(crypto.Keyring(load_keys(settings.keys_file)))
    database = rotation.connect_for_keys(settings)
    try:
        yield database
    finally:
        database.dispose()


def _read_pack(folder: Path, language: Language) -> Pack:
    from service.catalogue.actions.files import load_pack
    from service.catalogue.rules.faults import FaultyPack

    try:
        return load_pack(folder)
    except FaultyPack as faulty:
        for fault in faulty.faults:
            click.echo(fault.told(language), err=True)
        raise click.ClickException(f"{len(faulty.faults)} faults") from None


if __name__ == "__main__":
    main()
