"""Structured logs: JSON, one line each, on standard error.

No personal data: log calls give codes, ids and figures; the values of a request's body and query
never reach a logger, and an exception is logged with its type and place, not its message, because
a database driver's message repeats the row it refused.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any, Final

import orjson
import structlog

Logger = structlog.stdlib.BoundLogger

_FRAMES: Final = 12


def configure(level: int = logging.INFO) -> None:
    """Send structlog and the standard library's loggers through one pipeline."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _exception_without_message,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "procrastinate"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # how long each queue is


def logger(name: str) -> Any:
    """A logger whose calls take an event name and key-value pairs."""
    return structlog.get_logger(name)


def _exception_without_message(
    _logger: Any, _method: str, entry: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    caught = entry.pop("exc_info", None)
    if not caught:
        return entry
    kind, frames = _told(caught)
    entry["exception"] = kind
    entry["frames"] = frames
    return entry


def _told(caught: Any) -> tuple[str, list[str]]:
    """The exception's type and its innermost frames as `file:line function`."""
    error: BaseException | None
    error = caught if isinstance(caught, BaseException) else _current(caught)
    if error is None:
        return "unknown", []
    stack = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    names = [type(error).__name__]
    while (error := error.__cause__ or error.__context__) is not None:
        names.append(type(error).__name__)
    return " from ".join(names), [f"{f.filename}:{f.lineno} {f.name}" for f in stack]


def _current(
    caught: bool | tuple[type[BaseException], BaseException, TracebackType | None],
) -> BaseException | None:
    return caught[1] if isinstance(caught, tuple) else sys.exc_info()[1]


def _render(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> str:
    return orjson.dumps(dict(entry), default=repr).decode()
