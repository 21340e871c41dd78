"""How many requests the timeline takes: Mastodon's documented limits, with its headers."""

from __future__ import annotations

import time
from datetime import UTC, datetime

WINDOWS = {"all": (300, 300.0), "delete": (30, 1800.0)}
"""Requests and seconds: 300 in five minutes, of which deletions 30 in half an hour."""


class RateLimit:
    """A window that begins anew when it is over."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._ends = 0.0
        self._used = 0

    def use(self) -> bool:
        """Counts a request; false where it is one too many."""
        now = time.time()
        if now >= self._ends:
            self._ends, self._used = now + self.seconds, 0
        self._used += 1
        return self._used <= self.most

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.most),
            "X-RateLimit-Remaining": str(max(0, self.most - self._used)),
            "X-RateLimit-Reset": iso(self._ends),
        }


def iso(seconds: float) -> str:
    """A time as Mastodon writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
