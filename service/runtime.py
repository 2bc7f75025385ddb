"""What web, worker and commands all start from: settings turned into keys, storage, a database."""

from __future__ import annotations

from functools import partial

from service.kernel import crypto, deliveries, storage, subscriptions
from service.kernel.db import Database, connect
from service.kernel.keys import load_keys
from service.kernel.settings import Settings, SettingsError
from service.materials.actions import hold_by
from service.subscribers import SUBSCRIPTIONS
from service.tickets.queries.documents import document_hold


def open_database(settings: Settings) -> Database:
    """A pool whose transactions write their events and enqueue what delivers them.

    The process's keyring, storage, table of subscriptions and what holds documents are set too.

    No connection is opened before the first transaction. Raises `SettingsError` where the key file
    or the folder of the storage cannot be used.
    """
    crypto.use(crypto.Keyring(load_keys(settings.keys_file)))
    try:
        storage.use(storage.FolderStorage(settings.storage_dir))
    except OSError as error:
        raise SettingsError(f"settings: TALENT_STORAGE_DIR: {error.strerror}") from None
    database = connect(settings)
    subscriptions.use(SUBSCRIPTIONS)
    hold_by(partial(document_hold, years=settings.material_retention_years))
    database.before_commit.append(deliveries.write_pending)
    return database
