"""What the product's log said while something happened."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class _Events(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.events: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        if isinstance(record.msg, dict):
            self.events.append(record.msg)


@contextmanager
def log_events() -> Iterator[list[dict[str, Any]]]:
    """Collects each event that reaches the log, as its fields, until the block ends.

    It listens where the lines are written, and not inside structlog: a logger that was used once keeps the
    processors of its day, so ``structlog.testing.capture_logs`` misses it after logs were configured again.
    """
    handler, root = _Events(), logging.getLogger()
    root.addHandler(handler)
    try:
        yield handler.events
    finally:
        root.removeHandler(handler)
