"""Logs: one JSON object a line on standard error, from our own code and from the libraries alike.

An exception is written as its class and where it was raised. Its message is left out: a driver quotes rows of the
database in it, an HTTP client the address it called.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from typing import Any

import structlog

from dispatcher.web.access import masked

Event = MutableMapping[str, Any]

FRAMES = 12
# Django tells these with the address or host as the visitor sent it; our own pages write a line for each.
_TOLD_ELSEWHERE = ("django.request", "django.security")


def configure(settings: Mapping[str, str]) -> None:
    """Sends structlog and the standard library's loggers through one set of processors.

    Django calls it with ``LOGGING``: its ``level`` is the least that is written, such as ``INFO``.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        failure,
        mask,
    ]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings["level"])
    logging.getLogger("django").handlers.clear()
    for name in _TOLD_ELSEWHERE:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # It tells every address that it calls, and those of outlets may hold a secret.
    logging.getLogger("httpx").setLevel(logging.WARNING)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def failure(_: object, __: str, event: Event) -> Event:
    """Writes ``exc_info`` as ``error`` (the class) and ``where`` (the innermost frames, outermost first)."""
    given = event.pop("exc_info", None)
    kind, _, raised = (
        (type(given), given, given.__traceback__)
        if isinstance(given, BaseException)
        else given
        if isinstance(given, tuple)
        else sys.exc_info()
    )
    if given and kind is not None:
        frames = traceback.extract_tb(raised)[-FRAMES:]
        event.setdefault("error", kind.__name__)
        event["where"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    return event


def mask(_: object, __: str, event: Event) -> Event:
    """Takes tokens and keys out of every text of a line, wherever a library quotes one of our addresses."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = masked(value)
    return event
