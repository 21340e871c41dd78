"""Keeps the processes of one installation running, and leaves nothing behind when it stops.

Guarantees: a child that ends unasked is started again; a pool process that froze is killed once its heartbeat has
stood still for the limit; at the end children get SIGTERM, time to hand back what they hold, and then SIGKILL for
their whole process group. If the supervisor itself is killed, its children die with it (Linux), and the next start
ends whatever is left (``leftovers``).
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import secrets
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

from . import leftovers, state
from .child import Child, Program, rotate
from .heartbeats import Heartbeats, ancestors
from .layout import Layout, cannot_write
from .leftovers import TOKEN

WATCH_SECONDS = 0.5


class Supervisor:
    """The children of one installation. Use it as an async context manager: leaving it stops them all.

    ``environment`` is what every child gets. ``frozen_after`` is the age in seconds at which a heartbeat means that
    its process is frozen; ``None`` leaves frozen processes alone.
    """

    def __init__(self, layout: Layout, environment: Mapping[str, str], *, frozen_after: float | None) -> None:
        self.layout = layout
        self.token = secrets.token_hex(16)
        self.urls: dict[str, str] = {}
        self.ports: dict[str, int] = {}
        self.children: dict[str, Child] = {}
        self.heartbeats = Heartbeats(layout.heartbeats, frozen_after or 0)
        self._environment = {**environment, TOKEN: self.token}
        self._watches = frozen_after is not None
        self._watch: asyncio.Task[None] | None = None
        self._started_at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._log = logging.Logger("omroeper.supervisor", logging.INFO)  # one each: tests run several side by side

    async def __aenter__(self) -> Supervisor:
        log_file = self.layout.logs / "supervisor.log"
        rotate(log_file)
        try:
            handler = logging.FileHandler(log_file)
        except OSError as error:
            raise cannot_write(self.layout.data, error) from error
        formatter = logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        formatter.converter = time.gmtime  # Django changes this process's time zone while we run
        handler.setFormatter(formatter)
        self._log.addHandler(handler)
        self._log.info("supervisor starts, process %d", os.getpid())
        if self._watches:
            self._watch = asyncio.create_task(self._watch_heartbeats(), name="heartbeats")
        return self

    async def __aexit__(self, *_: object) -> None:
        self._log.info("stopping")
        await self.stop()
        await asyncio.to_thread(leftovers.end_carrying, self.token)
        if self._watch is not None:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        self.layout.state.unlink(missing_ok=True)
        self._log.info("supervisor ends: %s", ", ".join(f"{c.program.name} {c.restarts}×" for c in self._all()) or "-")
        for handler in list(self._log.handlers):
            handler.close()
            self._log.removeHandler(handler)

    async def start(self, *programs: Program) -> None:
        """Starts programs side by side and returns when all are ready; also those that were stopped before.

        Raises:
            CannotStart: if one of them does not become ready; the others go on until ``stop``.
        """
        for program in programs:
            if program.name not in self.children:
                self.children[program.name] = Child(program, self.layout, self._environment, self.publish, self._log)
        results = await asyncio.gather(
            *(self.children[program.name].start() for program in programs), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result
        self._log.info("ready: %s", ", ".join(f"{p.name} ({self.children[p.name].pid})" for p in programs))

    async def stop(self, grace: float | None = None) -> None:
        """Stops all children, highest rank first. ``grace`` overrides the programs' own; 0 kills at once."""
        by_rank = sorted(self._all(), key=lambda child: -child.program.rank)
        for _, group in itertools.groupby(by_rank, key=lambda child: child.program.rank):
            await asyncio.gather(*(child.stop(grace) for child in group))

    def kill(self) -> None:
        """Kills all children now, with what they started; for somebody who will not wait for ``stop``."""
        for child in self._all():
            child.kill()

    def publish(self) -> None:
        """Writes the state file. A full disk costs the file, not the installation."""
        found = state.State(
            pid=os.getpid(),
            token=self.token,
            started_at=self._started_at,
            urls=self.urls,
            ports=self.ports,
            children=[child.report() for child in self._all()],
        )
        try:
            state.write(self.layout.state, found)
        except OSError as error:
            self._log.error("the state file cannot be written: %s", error.strerror)

    def _all(self) -> list[Child]:
        return list(self.children.values())

    async def _watch_heartbeats(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                frozen = self.heartbeats.frozen(time.monotonic())
            except OSError as error:
                self._log.error("heartbeats cannot be read: %s", error.strerror)
                continue
            for pid in frozen:
                self._end_frozen(pid)

    def _end_frozen(self, pid: int) -> None:
        above = ancestors(pid)
        owner = next((child for child in self._all() if child.pid in above), None)
        if owner is not None:
            self._log.warning("%s: pool process %d gives no sign of life and is killed", owner.program.name, pid)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.heartbeats.forget(pid)
