"""The mail server of the practice town: its port, the lines open to it, the faults it has."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Literal

from dispatcher.practice.faults import Fault, Signal
from dispatcher.practice.journal import Journal
from dispatcher.practice.line import Line
from dispatcher.practice.loopback import bind_loopback
from dispatcher.practice.mailbox import Mailbox
from dispatcher.practice.peer import NotFound, parent_of, process_at, send_signal
from dispatcher.practice.smtp import Session
from dispatcher.practice.switchboard import Switchboard

Tls = Literal["none", "starttls", "implicit"]


class MailServer:
    """Takes mail on ``sockets`` (bound, not listening) and puts it in ``mailbox``.

    ``ssl_context`` is needed unless ``tls`` is ``none``. ``credentials`` are a name and a password that senders must
    log in with. ``name_peers`` looks the process id of each connection up and records it.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        journal: Journal,
        sockets: Sequence[socket.socket],
        *,
        tls: Tls = "none",
        ssl_context: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
        name_peers: bool = True,
    ) -> None:
        self.mailbox = mailbox
        self.journal = journal
        self.tls = tls
        self.ssl_context = ssl_context
        self.credentials = credentials
        self.name_peers = name_peers
        self.port: int = sockets[0].getsockname()[1]
        self.switchboard = Switchboard()
        self.lines: set[Line] = set()
        self.taken = 0
        self._sockets = list(sockets)
        self._servers: list[asyncio.Server] = []
        self._switching = asyncio.Lock()

    async def open(self) -> None:
        """Starts to listen."""
        context = self.ssl_context if self.tls == "implicit" else None
        loop = asyncio.get_running_loop()
        while self._sockets:
            server = await loop.create_server(lambda: Session(self), sock=self._sockets[0], ssl=context, backlog=1024)
            self._servers.append(server)
            self._sockets.pop(0)

    def _refuse(self, *, cut: bool) -> None:
        """Stops listening but keeps the port: connections are refused, and nobody else can take it."""
        if self._servers:
            self._stop_listening()
            self._sockets = bind_loopback(self.port)
        if cut:
            for line in list(self.lines):
                line.transport.abort()

    def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    async def switch(self, faults: Sequence[Fault], *, keep: bool = False) -> None:
        """Switches these faults on, in place of those that are on or, with ``keep``, beside them."""
        async with self._switching:
            if not keep:
                self.switchboard.remove()
            self.switchboard.add(faults, self.taken)
            self.journal.note("switched", on=self.switchboard.as_json())
            await self._match_port()

    async def switch_off(self, number: int) -> bool:
        """Switches the fault with this number off; whether there was one."""
        async with self._switching:
            was_on = self.switchboard.remove(number)
            self.journal.note("switched", on=self.switchboard.as_json())
            await self._match_port()
            return was_on

    async def _match_port(self) -> None:
        if refused := self.switchboard.refused:
            self._refuse(cut=refused.cut)
        elif not self._servers:
            await self.open()

    def faults_as_json(self) -> dict[str, Any]:
        return {"faults": self.switchboard.as_json(), "events": list(self.journal.latest)}

    def take(self, line: Line, content: bytes, sender: str, recipients: Sequence[str]) -> bool:
        """Records a message; false where the disk has no room for it."""
        try:
            self.mailbox.take(content, sender, recipients, line.port, line.pid)
        except OSError:
            return False
        self.taken += 1
        return True

    def find_peer(self, line: Line) -> int | None:
        """The process at the other end of ``line``, where it can be found."""
        try:
            return process_at(line.port, self.port)
        except NotFound:
            return None

    def send_signal(self, line: Line, fault: Signal) -> None:
        """Sends the fault's signal, and notes in the journal whom it hit or why nobody."""
        details: dict[str, Any] = {
            "signal": fault.signal,
            "moment": fault.moment.value,
            "to": fault.to,
            "port": line.port,
            "taken": self.taken,
        }
        try:
            peer = process_at(line.port, self.port)
            target = parent_of(peer) if fault.to == "parent" else peer
            send_signal(target, fault.signal)
        except NotFound as error:
            self.journal.note("signal not sent", why=str(error), **details)
        else:
            self.journal.note("signal sent", pid=target, peer=peer, **details)

    def close(self) -> None:
        """Stops listening and breaks every connection."""
        self._stop_listening()
        for held in self._sockets:
            held.close()
        for line in list(self.lines):
            line.transport.abort()
