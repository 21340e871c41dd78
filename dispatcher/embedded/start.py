"""One command, one installation: everything that a small machine needs, started and stopped together.

``run`` is what ``omroeper run`` calls; tests use ``Embedded`` itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from dispatcher.config import installation
from dispatcher.config.environment import data_folder, lease_seconds

from . import database, doorbell, far_sides, given, leftovers, ports, programs
from .child import Child, Program
from .far_sides import FAR_SIDES
from .layout import Layout, claim, prepare
from .supervisor import Supervisor

WEB_PORT = 8700
PRACTICE_PORTS = {"town": 8701, "smtp": 8725, "timeline": 8702, "push": 8703, "colleagues": 8704}
"""The practice town's ports by what is there: its pages, its mail server, and each far side that speaks HTTP."""
PARTS = ("practice", "web", *programs.POOLS, "beat")


@dataclass(frozen=True, slots=True)
class Options:
    """What to start, and where.

    ``port`` is the web server's: ``None`` takes 8700 or the next free one, 0 any free one (for the practice town too).
    ``parts`` are started at once; the others can be started later by name. ``environment`` is added to what the
    children get. ``end_frozen`` kills pool processes whose heartbeat has stood still for two leases.
    """

    data: Path = field(default_factory=data_folder)
    port: int | None = None
    parts: Collection[str] = PARTS
    environment: Mapping[str, str] = field(default_factory=dict)
    migrate: bool = True
    end_frozen: bool = True


class Embedded:
    """A running installation, as an async context manager: leaving it stops every process that it started.

    ``environment`` is what Django needs to work on this installation from another process; ``urls`` has ``site`` and,
    with the practice town, ``town`` (its pages), ``mailbox`` and ``FAR_SIDES``; ``ports`` has ``web`` and
    ``PRACTICE_PORTS``.

    Raises:
        CannotStart: on entering, with the sentence for the person at the terminal.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.urls: dict[str, str] = {}
        self.ports: dict[str, int] = {}
        self.environment: dict[str, str] = {}
        self.layout: Layout
        self._supervisor: Supervisor | None = None
        self._programs: dict[str, Program] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            self.layout = prepare(self.options.data)
            stack.enter_context(claim(self.layout))
            await asyncio.to_thread(leftovers.end, self.layout)
            await asyncio.to_thread(given.check, self.options.environment)
            self._choose_ports()
            self._describe()
            self._supervisor = await stack.enter_async_context(self._make_supervisor())
            await self._start()
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    @property
    def supervisor(self) -> Supervisor:
        assert self._supervisor is not None, "not started"
        return self._supervisor

    def child(self, name: str) -> Child:
        """A part that has been started, by name: ``redis``, ``practice``, ``web``, ``w-urgent``, …"""
        return self.supervisor.children[name]

    async def start(self, *names: str) -> None:
        """Starts parts, side by side, and returns when they are ready."""
        await self.supervisor.start(*(self._programs[name] for name in names))

    async def stop(self, *names: str, grace: float | None = None) -> None:
        """Stops parts; they stay down until they are started again. ``grace`` 0 kills."""
        await asyncio.gather(*(self.child(name).stop(grace) for name in names))

    def hurry(self) -> None:
        """Kills every child now, for somebody who will not wait for the end in good order."""
        if self._supervisor is not None:
            self._supervisor.kill()

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Sends a signal to the main process of a part; the supervisor starts it again if it ends."""
        self.child(name).signal(number)

    def _choose_ports(self) -> None:
        wanted, exactly = (WEB_PORT, False) if self.options.port is None else (self.options.port, True)
        self.ports["web"] = ports.choose(wanted, exactly=exactly, what="the website", option="--port")
        if self._practises:
            for name, usual in PRACTICE_PORTS.items():
                near = 0 if self.options.port == 0 else usual
                self.ports[name] = ports.choose(
                    near, exactly=False, what="the practice town", option="--port", besides=self.ports.values()
                )

    @property
    def _practises(self) -> bool:
        return self._setting("OMROEPER_PRACTICE", "1") == "1"

    def _setting(self, name: str, default: str) -> str:
        installed = installation.given(self.options.data)
        return self.options.environment.get(name) or os.environ.get(name) or installed.get(name) or default

    def _describe(self) -> None:
        self.urls["site"] = self._setting("OMROEPER_BASE_URL", f"http://localhost:{self.ports['web']}").rstrip("/")
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "dispatcher.config.settings",
            "OMROEPER_DATA": str(self.layout.data),
            "OMROEPER_BASE_URL": self.urls["site"],
            "PYTHONUNBUFFERED": "1",
        }
        if not self._setting("REDIS_URL", "") and not self._setting("REDIS_URL_FILE", ""):
            self.environment["REDIS_URL"] = doorbell.url(self.layout)
            self._programs["redis"] = doorbell.program(self.layout)
        self.environment.update(self.options.environment)
        if self._practises:
            self._describe_practice()

    def _describe_practice(self) -> None:
        """Where the practice town is."""
        for name in ("town", *FAR_SIDES):
            self.urls[name] = f"http://localhost:{self.ports[name]}"
        self.urls["mailbox"] = f"{self.urls['town']}/mailbox"
        egress = self._setting("OMROEPER_EGRESS", "")
        self.environment.update(far_sides.environment(self.ports, self.urls["site"], egress))

    def _make_supervisor(self) -> Supervisor:
        lease = float(self.options.environment.get("OMROEPER_LEASE_SECONDS") or lease_seconds())
        supervisor = Supervisor(
            self.layout,
            {**os.environ, **self.environment},
            frozen_after=2 * lease if self.options.end_frozen else None,
        )
        supervisor.urls, supervisor.ports = self.urls, self.ports
        for name, pool in programs.POOLS.items():
            self._programs[name] = programs.worker(name, pool, self.layout, supervisor.heartbeats)
        self._programs["beat"] = programs.beat(self.layout)
        self._programs["web"] = programs.web(self.ports["web"])
        if self._practises:
            self._programs["practice"] = programs.practice(
                self.layout,
                self.ports["smtp"],
                self.ports["town"],
                {name: self.ports[name] for name in FAR_SIDES},
                site_port=self.ports["web"],
                site=self.urls["site"],
            )
        return supervisor

    async def _start(self) -> None:
        wanted = [name for name in self.options.parts if name in self._programs]
        first = [name for name in ("redis", "practice") if name in self._programs and name in (*wanted, "redis")]
        migrating = asyncio.create_task(self._migrate())
        try:
            await self.start(*first)
            await migrating
        finally:
            migrating.cancel()
            await asyncio.gather(migrating, return_exceptions=True)
        await self.start(*(name for name in wanted if name not in first))

    async def _migrate(self) -> None:
        if self.options.migrate:
            await database.migrate(self.layout, {**os.environ, **self.environment})


async def run(options: Options, work: Callable[[Embedded], Awaitable[int]], *, stay: bool) -> int:
    """Starts an installation, does ``work`` in it, stays up if asked to until Ctrl-C, and stops everything.

    ``work`` finds the installation's settings in ``os.environ``, to load Django with. A first Ctrl-C (or SIGTERM, or
    the window being closed) cancels it and stops in good order; a second one kills what is still there.

    Returns:
        What ``work`` returned; 0 if it was ended while it was to stay up, 1 if it was ended before the work was done.

    Raises:
        CannotStart: with the sentence for the person at the terminal.
    """
    town = Embedded(options)

    async def session() -> int:
        async with town:
            os.environ.update(town.environment)
            code = await work(town)
            if stay:
                await asyncio.Event().wait()
            return code

    task = asyncio.create_task(session())
    asked = 0

    def ask() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            task.cancel()
        else:
            town.hurry()

    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, ask)
    try:
        return await task
    except asyncio.CancelledError:
        if not asked:
            raise
        return 0 if stay else 1
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
