"""A port of the practice town: what listens on it, and the faults that it has."""

from __future__ import annotations

import asyncio
import socket
import ssl
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from pydantic import BaseModel

from dispatcher.practice.journal import Journal
from dispatcher.practice.loopback import bind_loopback
from dispatcher.practice.wanted import Preset
from dispatcher.practice.words import Language

F = TypeVar("F", bound=BaseModel)


class Refusing(Protocol):
    """A fault that has the port closed; ``cut`` also breaks the connections that are open."""

    @property
    def cut(self) -> bool: ...


class Board(Protocol):
    """The faults that are on."""

    def remove(self, number: int | None = None) -> bool: ...

    def as_json(self) -> list[dict[str, Any]]: ...

    @property
    def refused(self) -> Refusing | None: ...


class Listener(ABC, Generic[F]):
    """A far side on ``sockets`` (bound, not listening), whose faults can be switched at any time.

    ``name`` is what it is called in addresses and on the command line; ``words`` by language how pages call it: by a
    title, and as the subject of a sentence. ``presets`` are its faults by a name to remember.
    """

    name: ClassVar[str]
    words: ClassVar[Mapping[Language, tuple[str, str]]]
    presets: ClassVar[Mapping[str, Preset]]

    def __init__(
        self, sockets: Sequence[socket.socket], journal: Journal, board: Board, context: ssl.SSLContext | None = None
    ) -> None:
        self.journal = journal
        self.port: int = sockets[0].getsockname()[1]
        self._sockets = list(sockets)
        self._board = board
        self._context = context
        self._servers: list[asyncio.Server] = []
        self._switching = asyncio.Lock()

    @abstractmethod
    def read_faults(self, wanted: object) -> list[F]:
        """Faults from JSON: one object or a list; ``{"preset": name, …}`` starts from a preset.

        Raises:
            FaultsInvalid: with all that is wrong.
        """

    @abstractmethod
    def add_faults(self, faults: Sequence[F]) -> None:
        """Puts faults on the board."""

    @abstractmethod
    def make_line(self) -> asyncio.Protocol:
        """What answers one connection."""

    @abstractmethod
    def transports(self) -> Iterable[asyncio.Transport]:
        """The connections that are open."""

    @property
    @abstractmethod
    def keeps(self) -> bool:
        """Whether it keeps what it takes, and not only counts it."""

    @property
    def board(self) -> Board:
        return self._board

    async def open(self) -> None:
        """Starts to listen."""
        loop = asyncio.get_running_loop()
        while self._sockets:
            server = await loop.create_server(self.make_line, sock=self._sockets[0], ssl=self._context, backlog=1024)
            self._servers.append(server)
            self._sockets.pop(0)

    async def switch(self, faults: Sequence[F], *, keep: bool = False) -> None:
        """Switches these faults on, in place of those that are on or, with ``keep``, beside them."""
        async with self._switching:
            if not keep:
                self._board.remove()
            self.add_faults(faults)
            self.journal.note("switched", on=self._board.as_json())
            await self._match_port()

    async def switch_off(self, number: int) -> bool:
        """Switches the fault with this number off; whether there was one."""
        async with self._switching:
            was_on = self._board.remove(number)
            self.journal.note("switched", on=self._board.as_json())
            await self._match_port()
            return was_on

    def faults_as_json(self) -> dict[str, Any]:
        return {"faults": self._board.as_json(), "events": list(self.journal.latest)}

    def close(self) -> None:
        """Stops listening and breaks every connection."""
        self._stop_listening()
        for held in self._sockets:
            held.close()
        self._hang_up()

    async def _match_port(self) -> None:
        if refused := self._board.refused:
            self._refuse(cut=refused.cut)
        elif not self._servers:
            await self.open()

    def _refuse(self, *, cut: bool) -> None:
        """Stops listening but keeps the port: connections are refused, and nobody else can take it."""
        if self._servers:
            self._stop_listening()
            self._sockets = bind_loopback(self.port)
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        for transport in list(self.transports()):
            transport.abort()

    def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()
