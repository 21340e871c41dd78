"""A far side for SMTP at the level of bytes: a raw socket server that records all and misbehaves on demand."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CLOSE = "close"  # FIN
RESET = "reset"  # RST
SILENCE = "silence"  # no answer for as long as the client waits
TRICKLE = "trickle"  # an answer that never ends, a byte at a time
HOLD = "hold"  # no answer yet: it comes together with the next one

EXTENSIONS = ("PIPELINING", "SIZE 10240000", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8")
SECURE_EXTENSIONS = (*EXTENSIONS, "STARTTLS", "AUTH PLAIN LOGIN")

Script = Callable[[str, "Session", str], str | None]
"""Called at ``connect``, at each verb, at ``text`` (a line of a message) and at ``dot``. Gives a reply, one of the
words above, or ``None`` for the usual answer."""


def as_usual(moment: str, session: Session, line: str) -> str | None:
    return None


@dataclass
class Received:
    """A message that the far side took (or read to its dot). ``raw`` is as on the wire, ``content`` unstuffed."""

    session: int
    sender: str
    recipient: str
    raw: bytes
    taken: bool = True

    @property
    def content(self) -> bytes:
        lines = self.raw.split(b"\r\n")
        return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


@dataclass
class Session:
    number: int
    raw: bytearray = field(default_factory=bytearray)
    said: list[str] = field(default_factory=list)  # commands, in order
    sender: str = ""
    recipients: list[str] = field(default_factory=list)
    messages: int = 0
    secure: bool = False


@dataclass
class SmtpFarSide:
    """What it was told and how it answers. Faults come from ``script``."""

    script: Script = as_usual
    extensions: tuple[str, ...] = EXTENSIONS
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    pause: dict[str, float] = field(default_factory=dict)  # seconds before the answer at a moment
    port: int = 0
    sessions: list[Session] = field(default_factory=list)
    messages: list[Received] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    @property
    def taken(self) -> list[Received]:
        return [message for message in self.messages if message.taken]

    @property
    def connections(self) -> int:
        return len(self.sessions)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(len(self.sessions), secure=self.implicit)
        self.sessions.append(session)
        self.writers.append(writer)
        try:
            await _Talk(self, session, reader, writer).run()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass  # the client went, or the test is over
        finally:
            writer.close()

    async def close_idle(self) -> None:
        """Closes every connection from this side."""
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in self.writers), return_exceptions=True)


class _Talk:
    def __init__(
        self, far: SmtpFarSide, session: Session, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.far, self.session, self.reader, self.writer = far, session, reader, writer

    async def run(self) -> None:
        if not await self.answer("connect", "", "220 far.example ESMTP"):
            return
        while True:
            line = await self.line()
            verb = line.split(" ")[0].split(":")[0].upper()
            self.session.said.append(line)
            if not await self.command(verb, line):
                return

    async def line(self) -> str:
        raw = await self.reader.readuntil(b"\n")
        self.session.raw += raw
        return raw.decode().rstrip("\r\n")

    async def command(self, verb: str, line: str) -> bool:
        session = self.session
        usual = "250 2.0.0 OK"
        if verb == "EHLO":
            usual = "\r\n".join(["250-far.example", *(f"250-{e}" for e in self.far.extensions), "250 HELP"])
        elif verb == "MAIL":
            usual = "503 5.5.1 nested MAIL" if session.sender else "250 2.1.0 OK"
        elif verb == "RCPT":
            usual = "250 2.1.5 OK" if session.sender else "503 5.5.1 need MAIL first"
        elif verb == "DATA":
            usual = "354 go on" if session.recipients else "554 5.5.1 no valid recipients"
        elif verb == "STARTTLS":
            usual = "220 2.0.0 ready"
        elif verb == "AUTH":
            usual = "235 2.7.0 welcome" if line.upper().startswith("AUTH PLAIN") else "334 VXNlcm5hbWU6"
        elif verb == "QUIT":
            usual = "221 2.0.0 bye"
        elif verb not in ("NOOP", "RSET", "HELO"):
            usual = "500 5.5.2 unknown"
        said = await self.answer(verb, line, usual)
        if said.startswith("2") or said == HOLD:
            await self.follow(verb, line)
        elif verb == "AUTH" and said.startswith("334"):
            self.session.said += [await self.line()]
            await self.say("334 UGFzc3dvcmQ6")
            self.session.said += [await self.line()]
            return bool(await self.answer("password", line, "235 2.7.0 welcome"))
        if said.rpartition("\n")[2].startswith("354"):
            return await self.text()
        return bool(said) and verb != "QUIT"

    async def follow(self, verb: str, line: str) -> None:
        argument = line.partition("<")[2].partition(">")[0]
        if verb == "MAIL":
            self.session.sender, self.session.recipients = argument or "<>", []
        elif verb == "RCPT":
            self.session.recipients.append(argument)
        elif verb == "RSET":
            self.session.sender, self.session.recipients = "", []
        elif verb == "STARTTLS":
            assert self.far.tls is not None
            await self.writer.start_tls(self.far.tls)
            self.session.secure = True

    async def text(self) -> bool:
        session = self.session
        raw = bytearray()
        while True:
            line = await self.reader.readuntil(b"\n")
            session.raw += line
            if line == b".\r\n":
                break
            raw += line
            if (fault := self.far.script("text", session, "")) is not None and not await self.carry_out(fault):
                return False
        received = Received(
            session.number, session.sender, ",".join(session.recipients), bytes(raw), taken=bool(session.recipients)
        )
        self.far.messages.append(received)
        session.sender, session.recipients = "", []
        session.messages += 1
        said = await self.answer("dot", "", "250 2.0.0 Ok: queued" if received.taken else "554 5.5.1 nobody")
        received.taken = received.taken and said[:1] in ("2", HOLD[0], "")
        return bool(said)

    async def answer(self, moment: str, line: str, usual: str) -> str:
        """Answers, and returns what was said; empty when the conversation is over."""
        if moment in self.far.pause:
            await asyncio.sleep(self.far.pause[moment])
        chosen = self.far.script(moment, self.session, line)
        if chosen is None:
            await self.say(usual)
            return usual
        return chosen if await self.carry_out(chosen) else ""

    async def carry_out(self, chosen: str) -> bool:
        if chosen == CLOSE:
            return False
        if chosen == RESET:
            self.writer.transport.abort()
            return False
        if chosen == SILENCE:
            await self.reader.read(-1)
            return False
        if chosen == TRICKLE:
            while not self.writer.is_closing():
                self.writer.write(b"2")
                await self.writer.drain()
                await asyncio.sleep(0.02)
            return False
        if chosen != HOLD:
            await self.say(chosen)
        return True

    async def say(self, reply: str) -> None:
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()


@asynccontextmanager
async def far_side(
    script: Script | None = None,
    *,
    extensions: tuple[str, ...] = EXTENSIONS,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
) -> AsyncIterator[SmtpFarSide]:
    """A far side on a port of its own on loopback."""
    far = SmtpFarSide(extensions=extensions, tls=tls, implicit=implicit)
    if script is not None:
        far.script = script
    server = await asyncio.start_server(far.serve, "127.0.0.1", 0, ssl=tls if implicit else None, limit=2**20)
    far.port = server.sockets[0].getsockname()[1]
    try:
        yield far
    finally:
        server.close()
        for writer in far.writers:
            writer.transport.abort()
        await server.wait_closed()


def at(moment: str, answer: str, *, messages: int = 0, session: int | None = None) -> Script:
    """A script with one fault: ``answer`` at ``moment``, once ``messages`` have been read in that session."""

    def script(now: str, current: Session, _: str) -> str | None:
        hit = now == moment and current.messages >= messages and session in (None, current.number)
        return answer if hit else None

    return script
