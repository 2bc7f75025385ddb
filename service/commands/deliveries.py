"""Deliveries that are dead, listed and sent again."""

from __future__ import annotations

from uuid import UUID

import click

from service.commands import installation


@click.group("deliveries")
def deliveries_() -> None:
    """What subscribers could not be handed, although it was tried as often as allowed."""


_SUBSCRIBER = click.option("--subscriber", metavar="NAME", help="Of this subscriber alone.")


@deliveries_.command("list")
@_SUBSCRIBER
def list_deliveries(subscriber: str | None) -> None:
    """List the dead deliveries of all districts, the oldest of each first."""
    from service.kernel import deliveries

    count = 0
    with installation.every_district() as districts:
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
        with installation.every_district() as districts:
            for district, session in districts:
                found += deliveries.send_again(
                    session, district=district, subscriber=subscriber, delivery_id=delivery
                )
        count += found
    click.echo(f"{count} sent again")
    if delivery is not None and not count:
        raise click.ClickException(f"there is no dead delivery {delivery}")
