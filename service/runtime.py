"""What web, worker and commands all start from: settings turned into keys, storage, a database."""

from __future__ import annotations

from service.kernel import crypto, deliveries, storage, subscriptions
from service.kernel.db import Database, connect
from service.kernel.keys import load_keys
from service.kernel.settings import Settings, SettingsError
from service.subscribers import SUBSCRIPTIONS


def open_database(settings: Settings) -> Database:
    """A pool whose transactions write their events and enqueue what delivers them.

    The process's keyring, storage and table of subscriptions are set too.

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
    database.before_commit.append(deliveries.write_pending)
    return database
