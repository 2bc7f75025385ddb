"""Programs that load while the database is being prepared, and begin when that is done.

The supervisor starts them with a pipe for standard input, and writes `GO` to it. Until then they
touch neither database nor port.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from flask import Flask

GO: Final = b"\n"
_STDIN: Final = 0


def wait_to_begin() -> None:
    """Return once the supervisor says so; raises `SystemExit` where it has gone without."""
    if os.read(_STDIN, 1) != GO:
        raise SystemExit("the database was not prepared")


def web() -> Flask:
    """What gunicorn serves here: `service.wsgi`, loaded except for what asks the database."""
    import service.app  # noqa: F401 - this is what takes long
    from service.kernel import migrations

    migrations.newest_revision()  # kept: else each process reads all revisions for its readiness
    wait_to_begin()
    from service.wsgi import app

    return app
