"""What gunicorn serves: `gunicorn -c config/gunicorn.conf.py service.wsgi:app`."""

from __future__ import annotations

from typing import Final

from flask import Flask

from service.app import create_app
from service.kernel import logs
from service.kernel.settings import load
from service.runtime import open_database

logs.configure()
_SETTINGS: Final = load()
_DATABASE: Final = open_database(_SETTINGS)
_DATABASE.verify()
_DATABASE.dispose()  # each process that gunicorn forks has connections of its own
app: Final[Flask] = create_app(_SETTINGS, _DATABASE)
