"""The wire of an SMTP connection: replies in, commands out, TLS. Which messages it carries is ``smtp.Connection``'s."""

from __future__ import annotations

import asyncio
import re
import ssl
from abc import abstractmethod
from collections import deque
from time import monotonic
from typing import Generic, TypeVar, cast

from channels.kit.smtp_outcomes import Moment, Silence, enhanced_of

_LONGEST_REPLY = 64 * 1024  # octets of one reply, all its lines together: more is not SMTP
_REPLY_LINE = re.compile(rb"[2-5]\d\d(?:[ -]|\r?$)")

T = TypeVar("T")


class Reply:
    """A server's answer. ``text`` is what follows the code, lines joined by a space; ``lines`` are those lines."""

    __slots__ = ("code", "lines")

    def __init__(self, lines: list[bytes]) -> None:
        self.code = lines[-1][:3].decode()
        self.lines = [line[4:].decode(errors="replace").strip() for line in lines]

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    @property
    def enhanced(self) -> str:
        return enhanced_of(self.code, self.lines[0])


class Wire(asyncio.Protocol, Generic[T]):
    """Keeps a queue of the replies that are due: each for a command (``say``) or for a message (a ``T``)."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.extensions: dict[str, str] = {}
        self.gone = False
        self.waiting_since = 0.0  # since when the reply that is due has been due
        self._expected: deque[tuple[Moment, T | asyncio.Future[Reply]]] = deque()
        self._rest = b""
        self._lines: list[bytes] = []
        self._lost_because = ""

    @abstractmethod
    def message_answered(self, moment: Moment, message: T, lines: list[bytes]) -> None:
        """The reply that ``message`` was waiting for at ``moment``."""

    @abstractmethod
    def unasked(self, reply: Reply) -> None:
        """A reply to nothing."""

    @abstractmethod
    def lost(self, code: str, text: str, waiting: list[tuple[Moment, T]]) -> None:
        """The connection is of no more use; ``waiting`` are the messages whose replies were due."""

    # what asyncio tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=0)  # so that resume_writing means: the system has taken it all

    def eof_received(self) -> bool:
        self.lose(Silence.CLOSED, "the server closed the connection")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lose(Silence.CLOSED, str(exc) if exc else "the connection was closed")

    def data_received(self, data: bytes) -> None:
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if self.gone:
                return
            if not _REPLY_LINE.match(line):
                self.lose(Silence.GARBAGE, line.decode(errors="replace"))
                return
            self._lines.append(line)
            if line[3:4] != b"-":
                reply, self._lines = self._lines, []
                self._replied(reply)
        if len(self._rest) + sum(map(len, self._lines)) > _LONGEST_REPLY:
            self.lose(Silence.GARBAGE, "an endless reply")

    # conversation before and after the messages

    async def say(self, moment: Moment, line: str) -> Reply:
        """Sends one command and waits for its reply; an empty ``line`` waits for the greeting.

        Raises:
            ConnectionError: if the connection goes before that.
        """
        if self.gone:
            raise ConnectionResetError(self._lost_because)
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._expected.append((moment, future))
        if line:
            self.write(line.encode() + b"\r\n")
        return await future

    async def start_tls(self, context: ssl.SSLContext, host: str) -> None:
        """Goes on in TLS. What came in clear text after the server's 220 is dropped, and the connection with it.

        Raises:
            ConnectionError: if there was any such text: someone stands between us and the server (CVE-2011-0411).
            ssl.SSLError: if the handshake fails.
        """
        if self._rest or self._lines or self._expected or self.gone:
            self.drop()
            raise ConnectionAbortedError("clear text came after the server agreed to start TLS")
        assert self.transport is not None
        loop = asyncio.get_running_loop()
        secured = await loop.start_tls(self.transport, self, context, server_hostname=host)
        if secured is None:
            raise ConnectionResetError("the connection went during the TLS handshake")
        self.connection_made(secured)
        self.extensions = {}

    def drop(self) -> None:
        """Closes at once, without a word and without telling ``work``."""
        self.gone = True
        if self.transport is not None:
            self.transport.abort()

    async def quit(self, within: float = 2.0) -> None:
        """Says goodbye, and closes whatever the answer is."""
        try:
            async with asyncio.timeout(within):
                await self.say(Moment.QUIT, "QUIT")
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self.drop()

    def write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)

    def _replied(self, lines: list[bytes]) -> None:
        self.waiting_since = monotonic()
        if not self._expected:
            self.unasked(Reply(lines))
            return
        moment, target = self._expected.popleft()
        if not isinstance(target, asyncio.Future):
            self.message_answered(moment, target, lines)
        elif not target.done():
            target.set_result(Reply(lines))

    def lose(self, code: str, text: str) -> None:
        """Gives the connection up because of ``code`` (a reply's, or a ``Silence``), once."""
        if self.gone:
            return
        self.gone = True
        self._lost_because = text
        if self.transport is not None:
            self.transport.abort()
        waiting: list[tuple[Moment, T]] = []
        for moment, target in self._expected:
            if not isinstance(target, asyncio.Future):
                waiting.append((moment, target))
            elif not target.done():
                target.set_exception(ConnectionResetError(text))
        self._expected.clear()
        self.lost(code, text, waiting)
