"""What lives as long as a worker process: one event loop, one database thread, and the channels it has opened."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar, cast

import structlog
from django.db import DatabaseError, close_old_connections, connection

from dispatcher.dispatching.outlets import OpenChannels
from dispatcher.dispatching.together import Together, Work
from dispatcher.dispatching.vault import WorkerVault

log = structlog.get_logger("omroeper.process")

# What must not be lost is written again while the database is away, this often, in the end a second apart.
DATABASE_TRIES = 30

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class WorkerProcess:
    """Runs coroutines on a loop that stays, and database work on a thread of one, so that its connection stays too.

    ``stopping`` is set when the process was asked to end: whoever hands over looks at it before each group.
    """

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.channels = OpenChannels(lambda outlet_id: WorkerVault(outlet_id, self))
        self.name = f"{socket.gethostname()}:{os.getpid()}"
        self.stopping = threading.Event()
        self._database = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._together: dict[Work[Any, Any], Together[Any, Any]] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs ``work`` to its end. Called from the one thread that Celery gives a process."""
        asyncio.set_event_loop(self.loop)
        return self.loop.run_until_complete(work)

    async def ledger(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls ``function`` in the database thread."""
        return await self.loop.run_in_executor(self._database, lambda: function(*args, **kwargs))

    async def together(self, work: Work[T, R], item: T, *, insist: bool = False) -> R:
        """``work`` for ``item``, in one transaction with what others in this process ask of it at the same moment.

        ``insist``: again and again while the database is away, as ``insist`` does.

        Raises:
            DatabaseError: as ``work`` does. And what ``work`` gave in the place of a result.
        """
        known = self._together.get(work)
        if known is None:
            known = self._together[work] = Together(self.ledger, self.insist if insist else self.ledger, work)
        return cast(R, await known(item))

    async def insist(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls ``function`` in the database thread, again and again while the database is away: half a minute or more.

        Raises:
            DatabaseError: it stayed away.
        """
        for attempt in range(DATABASE_TRIES):
            try:
                return await self.ledger(function, *args, **kwargs)
            except DatabaseError as error:
                log.warning("database.away", error=str(error)[:200], attempt=attempt)
                await self.drop_connection()
                if attempt == DATABASE_TRIES - 1:
                    raise
                await asyncio.sleep(min(1.0, 0.05 * 2**attempt))
        raise AssertionError("unreachable")

    async def refresh_connection(self) -> None:
        """Lets go of a database connection that has broken, between two pieces of work."""
        await self.ledger(close_old_connections)

    async def drop_connection(self) -> None:
        """Closes the database connection after an error in it; the next use opens a new one."""
        await self.ledger(_close_connection)


def _close_connection() -> None:
    connection.close()  # looked up in the thread that runs this: each thread has a connection of its own


_process: WorkerProcess | None = None


def current() -> WorkerProcess:
    """This process's, made at first use: after the fork, never before."""
    global _process  # noqa: PLW0603 - one a process is the point
    if _process is None:
        _process = WorkerProcess()
    return _process
