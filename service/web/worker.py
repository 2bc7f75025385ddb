"""A process of gunicorn's: its master starts it, watches it, replaces it; here it serves."""

from __future__ import annotations

import os
import resource
import time
from typing import Any, Final, cast

from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker

from service.kernel.http.files import AROUND
from service.kernel.http.strict_json import MAX_BYTES
from service.kernel.settings import load
from service.web.channels import Sizes
from service.web.server import Server

_TURN_SECONDS: Final = 1.0
_FILES: Final = 8192


class Lines(Logger):  # type: ignore[misc]  # gunicorn has no types
    """What gunicorn says of its processes, through the one pipeline of `kernel.logs`."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn, in the master."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


class ChannelWorker(Worker):  # type: ignore[misc]  # gunicorn has no types
    """Serves until the master wants it to stop, or its share of requests is answered.

    Then it accepts nothing more, finishes what has begun to arrive, within gunicorn's
    `graceful_timeout`, and ends.
    """

    def run(self) -> None:
        """Called by gunicorn when the process is ready."""
        _allow_files()
        settings = load()
        server = Server(
            self.wsgi,
            self.sockets[0].sock,
            threads=settings.http_threads,
            sizes=Sizes(body=MAX_BYTES, form=settings.material_bytes + AROUND),
            behind_proxy=settings.proxies > 0,
        )
        while self.alive and server.served < self.max_requests and os.getppid() == self.ppid:
            self.notify()
            server.turn(_TURN_SECONDS)
        stopped = not self.alive
        server.stop_accepting(backlog=stopped)
        deadline = time.monotonic() + cast("float", self.cfg.graceful_timeout) - 1

        def over() -> bool:
            self.notify()
            return time.monotonic() > deadline

        server.drain(over)


def _allow_files() -> None:
    """As many connections as the system lets us have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _FILES if hard == resource.RLIM_INFINITY else min(_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
