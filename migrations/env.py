"""How Alembic reaches the database: as its owner, one transaction for each revision."""

from alembic import context
from sqlalchemy import NullPool, create_engine, make_url

import service.authorities.models
import service.calendars.models
import service.catalogue.models
import service.enterprises.models
import service.facts.models
import service.identity.auth.models
import service.identity.consents.models
import service.identity.people.models
import service.identity.staff.models
import service.kernel.audit
import service.kernel.deliveries
import service.kernel.events
import service.kernel.idempotency
import service.kernel.person_keys
import service.kernel.sweeping
import service.materials.models
import service.notifications.models
import service.tickets.models.filed
import service.tickets.models.items
import service.tickets.models.stages  # noqa: F401 - importing the models is what fills the metadata
from service.kernel.db import Base

# A migration waits no longer than this for a table that is in use, and runs no longer than that.
_PATIENCE = ("SET lock_timeout = '5s'", "SET statement_timeout = '10min'")


def run() -> None:
    config = context.config
    if context.is_offline_mode():
        _print_sql()
        return
    connection = config.attributes.get("connection")
    if connection is not None:
        _migrate(connection)
        return
    url = make_url(config.attributes["owner_url"]).set(drivername="postgresql+psycopg")
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        for setting in _PATIENCE:
            connection.exec_driver_sql(setting)
        connection.commit()
        _migrate(connection)
    engine.dispose()


def _migrate(connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        include_name=_ours,
    )
    with context.begin_transaction():
        context.run_migrations()


def _print_sql() -> None:
    """What an upgrade would run, without its BEGIN and COMMIT: for reading and for squawk."""
    context.configure(
        dialect_name="postgresql", target_metadata=Base.metadata, transactional_ddl=False
    )
    with context.begin_transaction():
        for setting in _PATIENCE:
            context.execute(setting)
        context.run_migrations()


def _ours(name, type_, _parents) -> bool:
    """Leave out what the models do not know: procrastinate's tables and the partitions."""
    if type_ != "table":
        return True
    return not name.startswith(("procrastinate_", "events_", "audit_log_"))


run()
