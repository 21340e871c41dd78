"""One connection to the mail server that answers as the switchboard says: promptly, late, half, or not at all."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, cast

from dispatcher.practice import faults
from dispatcher.practice.faults import Moment

if TYPE_CHECKING:
    from dispatcher.practice.mail_server import MailServer

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
_ENHANCED = re.compile(rb"^(\d{3}[ -])\d\.\d+\.\d+ ", re.MULTILINE)


class Line(asyncio.Protocol, ABC):
    """Keeps answers in order and lets faults strike; ``Session`` adds what the commands mean.

    ``held`` stops reading on: an answer is on its way slowly, or will never come.
    """

    def __init__(self, server: MailServer) -> None:
        self.server = server
        self.held = False
        self.port = 0
        self.transport: asyncio.Transport
        self._answers: list[bytes] = []
        self._buffer = bytearray()
        self._pid: int | None = None
        self._pid_sought = False
        self._answered_message: int | None = None
        self._taken = 0
        self._discount = 0

    @abstractmethod
    def step(self) -> bool:
        """Handles the next command or message in the buffer; false when it is not complete yet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.port = transport.get_extra_info("peername")[1]
        self.server.lines.add(self)
        if self.server.name_peers:
            self.peer()
        self.meet(Moment.BANNER, b"220 practice.invalid ESMTP: an example town, nothing leaves this machine\r\n")
        self._pace()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        self.held = True
        self.server.lines.discard(self)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.held:
            self.advance()

    def advance(self) -> None:
        """Handles everything in the buffer and sends the answers in one piece (RFC 2920)."""
        while not self.held and self.step():
            if self.server.switchboard.on:
                self._pace()
        if not self.held:
            self.flush()

    def flush(self) -> None:
        if self._answers:
            self.transport.write(b"".join(self._answers))
            self._answers.clear()
        if self._answered_message is not None:
            self._discount, self._answered_message = self._answered_message, None
            if self.server.switchboard.on:
                self.act(self.server.switchboard.strike(Moment.AFTER_REPLY, self), b"")
            self._discount = 0

    def message_answered(self, taken: bool) -> None:
        """The answer to a message stands ready: when it has left, it is the moment after-reply."""
        self._taken += taken
        self._answered_message = int(taken)

    def meet(self, moment: Moment, answer: bytes, recipient: str = "") -> bool:
        """Answers what was read, as it should or as a fault has it; false where it is not to count."""
        if not self.server.switchboard.on:
            self._answers.append(answer)
            return True
        return self.act(self.server.switchboard.strike(moment, self, recipient), answer)

    def act(self, fault: faults.Fault | None, answer: bytes) -> bool:
        """Does what ``fault`` says in place of ``answer``; false where what was read is not to count."""
        match fault:
            case faults.Answer():
                self._answers.append(fault.line)
                if fault.close:
                    self.hang_up()
                return fault.code < 400
            case faults.Crowded():
                self._answers.append(b"421 4.7.0 Too many connections, try again later\r\n")
                self.hang_up()
                return False
            case faults.Greylist():
                self._answers.append(b"451 4.7.1 Greylisted, try again later\r\n")
                return False
            case faults.Silence(trickle=None):
                self.flush()
                self.held = True
                return False
            case faults.Silence(trickle=float(seconds)):
                self.flush()
                self.held = True
                self._trickle(self._fit(answer), seconds)
                return True
            case faults.Cut():
                self._answers.append(fault.send.encode("latin-1"))
                self.hang_up(reset=fault.how == "rst")
                return False
            case faults.Garbage():
                self._answers.append(fault.send.encode("latin-1"))
                return True
            case faults.Signal():
                self.server.send_signal(self, fault)
        self._answers.append(self._fit(answer))
        return True

    def hang_up(self, *, reset: bool = False) -> None:
        """Closes the connection once the answers have left."""
        self._answered_message = None
        self.flush()
        self.held = True
        if reset:
            plain: socket.socket = self.transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()
        else:
            self.transport.close()

    @property
    def taken_in_all(self) -> int:
        return self.server.taken - self._discount

    @property
    def taken_here(self) -> int:
        return self._taken - self._discount

    @property
    def connections(self) -> int:
        return len(self.server.lines)

    def peer(self) -> int | None:
        """The process at the other end, looked up once; ``None`` where it cannot be found."""
        if not self._pid_sought:
            self._pid_sought = True
            self._pid = self.server.find_peer(self)
        return self._pid

    @property
    def pid(self) -> int | None:
        """The process at the other end, if it was looked up."""
        return self._pid

    def _fit(self, answer: bytes) -> bytes:
        if "ENHANCEDSTATUSCODES" in self.server.switchboard.missing():
            return _ENHANCED.sub(rb"\1", answer)
        return answer

    def _pace(self) -> None:
        """Sends what stands ready before anything else is read, after the delay that a fault asks for."""
        delay = self.server.switchboard.delay(self) if self._answers and not self.held else 0
        if delay:
            self.held = True
            asyncio.get_running_loop().call_later(delay, self._go_on)
        elif not self.held:
            self.flush()

    def _go_on(self) -> None:
        if not self.transport.is_closing():
            self.held = False
            self.flush()
            self.advance()

    def _trickle(self, rest: bytes, seconds: float) -> None:
        if self.transport.is_closing():
            return
        if not rest:
            self._go_on()
            return
        self.transport.write(rest[:1])
        asyncio.get_running_loop().call_later(seconds, self._trickle, rest[1:], seconds)
