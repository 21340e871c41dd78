"""Finds pool processes that have frozen. SQLite lets nobody write while a frozen process holds a transaction.

Every pool process touches ``<data>/run/heartbeats/<process id>`` each second (``dispatching.liveness``). What counts
is how long *we* have not seen a file change, on a clock that stands still while the machine sleeps: neither a clock
that is set nor a laptop that wakes up looks like a frozen worker.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(slots=True)
class Heartbeats:
    """Remembers when each heartbeat last moved. ``limit`` is in seconds."""

    folder: Path
    limit: float
    _moved: dict[int, tuple[int, float]] = field(default_factory=dict)  # pid: (mtime, when we saw it change)

    def frozen(self, now: float) -> list[int]:
        """The process ids whose heartbeat has stood still for longer than the limit, at the monotonic time ``now``."""
        seen: dict[int, tuple[int, float]] = {}
        for pid, modified in self._files():
            before = self._moved.get(pid)
            seen[pid] = before if before and before[0] == modified else (modified, now)
        self._moved = seen
        return [pid for pid, (_, since) in seen.items() if now - since > self.limit]

    def forget(self, pid: int) -> None:
        """Drops the heartbeat of a process that is gone."""
        self._moved.pop(pid, None)
        (self.folder / str(pid)).unlink(missing_ok=True)

    def alive_under(self, parent: int) -> bool:
        """Whether a process under ``parent`` has a heartbeat: its pool has started."""
        return any(parent in ancestors(pid) for pid, _ in self._files())

    def _files(self) -> list[tuple[int, int]]:
        found = []
        for file in self.folder.iterdir():
            with suppress(OSError, ValueError):  # not a heartbeat, or gone meanwhile
                found.append((int(file.name), file.stat().st_mtime_ns))
        return found


def ancestors(pid: int) -> Collection[int]:
    """The process ids above ``pid``; empty if it is gone."""
    try:
        return [process.pid for process in psutil.Process(pid).parents()]
    except (psutil.Error, ValueError):
        return []
