"""What the service logs, as text, while a test listens."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import structlog

import service.app
import service.worker
from service.kernel import logs
from service.kernel.http import problems


@contextmanager
def listening() -> Iterator[Callable[[], list[str]]]:
    """Everything that is logged, down to DEBUG; whatever was configured before is put back."""
    root, written = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers[:], root.level
    configured = structlog.get_config()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", written)
        logs.configure(logging.DEBUG)
        structlog.configure(cache_logger_on_first_use=False)
        for module in (service.app, service.worker, problems):  # they keep their first one
            patch.setattr(module, "_LOG", logs.logger("http"))
        for name in ("httpx", "httpcore", "hypothesis", "asyncio"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            yield lambda: written.getvalue().splitlines()
        finally:
            structlog.configure(**configured)
            root.handlers[:] = handlers
            root.setLevel(level)
