"""Open connections to one server that outlive the runs they carry."""

from __future__ import annotations

import asyncio
from time import monotonic

from channels.kit.egress import Egress
from channels.kit.smtp import Connection
from channels.kit.smtp_open import Endpoint, open_connection

_RESTRAINT = 60.0  # seconds: how long fewer connections are used after the server asked for it


class Pool:
    """Connections to one server. ``limit`` is how many a run has at once, ``messages`` how many one carries."""

    def __init__(self, endpoint: Endpoint, egress: Egress, *, limit: int, messages: int, idle_seconds: float) -> None:
        self.endpoint = endpoint
        self.messages = messages
        self._egress = egress
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._idle: list[tuple[float, Connection]] = []
        self._ceiling = limit
        self._ceiling_until = 0.0
        self.proven = False  # it let us in before: until then connections are opened one at a time

    @property
    def ceiling(self) -> int:
        """How many connections a run may have now."""
        return self._ceiling if monotonic() < self._ceiling_until else self._limit

    def restrain(self, connections: int) -> None:
        """The server wants fewer: at most ``connections`` for a while."""
        self._ceiling = max(1, min(connections, self.ceiling))
        self._ceiling_until = monotonic() + _RESTRAINT

    async def open(self) -> Connection:
        """Raises: NotOpened."""
        connection = await open_connection(self.endpoint, self._egress)
        self.proven = True
        return connection

    async def take(self) -> list[Connection]:
        """The idle connections that are still good, at most as many as a run may have."""
        if self._idle:
            # The loop may have stood still since they fell idle: two turns let it see what the server did meanwhile.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        resting, self._idle = self._idle, []
        good: list[Connection] = []
        for since, connection in reversed(resting):
            if connection.gone:
                continue
            if monotonic() - since > self._idle_seconds or len(good) >= self.ceiling:
                connection.drop()
                continue
            connection.reused, connection.finished = True, 0
            good.append(connection)
        return good

    def give_back(self, connection: Connection) -> None:
        connection.work = None
        if not connection.gone:
            self._idle.append((monotonic(), connection))

    async def close(self) -> None:
        """Says goodbye on every idle connection."""
        resting, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for _, connection in resting if not connection.gone))
