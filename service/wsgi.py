"""What gunicorn serves: `gunicorn -c config/gunicorn.conf.py service.wsgi:app`."""

from __future__ import annotations

from typing import Final

from flask import Flask

from service.app import create_app
from service.kernel import logs
from service.kernel.settings import load

logs.configure()
app: Final[Flask] = create_app(load())
