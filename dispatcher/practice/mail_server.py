"""The mail server of the practice town: its port, the lines open to it, the faults it has."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any, Literal

from dispatcher.practice.faults import PRESETS, Fault, Signal, read_faults
from dispatcher.practice.journal import Journal
from dispatcher.practice.line import Line
from dispatcher.practice.listener import Listener
from dispatcher.practice.mailbox import Mailbox
from dispatcher.practice.peer import NotFound, parent_of, process_at, send_signal
from dispatcher.practice.smtp import Session
from dispatcher.practice.switchboard import Switchboard
from dispatcher.practice.wanted import Preset
from dispatcher.practice.words import PRESET_WORDS

Tls = Literal["none", "starttls", "implicit"]


class MailServer(Listener[Fault]):
    """Takes mail on ``sockets`` (bound, not listening) and puts it in ``mailbox``.

    ``ssl_context`` is needed unless ``tls`` is ``none``. ``credentials`` are a name and a password that senders must
    log in with. ``name_peers`` looks the process id of each connection up and records it.
    """

    name = "mail"
    words = {"nl": ("Mail", "De mailserver"), "en": ("Mail", "The mail server")}
    presets = {name: Preset(PRESETS[name], words) for name, words in PRESET_WORDS.items()}

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
        self.switchboard = Switchboard()
        super().__init__(sockets, journal, self.switchboard, ssl_context if tls == "implicit" else None)
        self.mailbox = mailbox
        self.tls = tls
        self.ssl_context = ssl_context
        self.credentials = credentials
        self.name_peers = name_peers
        self.lines: set[Line] = set()
        self.taken = 0

    @property
    def keeps(self) -> bool:
        return self.mailbox.keep

    def read_faults(self, wanted: object) -> list[Fault]:
        return read_faults(wanted)

    def add_faults(self, faults: Sequence[Fault]) -> None:
        self.switchboard.add(faults, self.taken)

    def make_line(self) -> asyncio.Protocol:
        return Session(self)

    def transports(self) -> Iterable[asyncio.Transport]:
        return [line.transport for line in self.lines]

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
