"""One HTTP/1.1 connection to a push service: a request out, its answer in, then the next one.

A general client knows less than we must: it raises the same error before and after the last octet left, and costs more
than the encryption. This one does a single thing. It has one request on the wire at a time, never follows a redirect,
and gives up the connection on anything that is not plain HTTP.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Generic, Protocol, TypeVar, cast

from channels.kit.push_outcomes import Silence

LONGEST_HEAD = 32 * 1024  # octets of status line and headers
LONGEST_BODY = 1024 * 1024  # octets of an answer's body that are read before the connection is given up
KEPT = 2048  # octets of a body that are kept: only its beginning is ever shown
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: |$)")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;.*)?")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status line with its headers (names in lower case) and the beginning of its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""


class NotHttp(Exception):
    """What came is no HTTP/1.1 answer."""


class _Body:
    """Takes a body off the octets that come in, by its stated length, in chunks, or until the end."""

    def __init__(self, status: int, headers: Mapping[str, str]) -> None:
        self.chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        length = headers.get("content-length", "")
        if length and not (length.isascii() and length.isdigit() and len(length) < 16):
            raise NotHttp
        if status in {204, 304}:
            self.left: int | None = 0
        else:
            self.left = 0 if self.chunked else (int(length) if length else None)
        self.until_close = self.left is None
        self.kept = bytearray()
        self.size = 0
        self.done = self.left == 0 and not self.chunked
        self._trailer = False

    def feed(self, data: bytearray) -> None:
        """Takes what belongs to the body off the front of ``data``."""
        while data and not self.done:
            if self.left is None or self.left:
                piece = data[: self.left]
                del data[: len(piece)]
                self.size += len(piece)
                self.kept += piece[: max(0, KEPT - len(self.kept))]
                if self.left is not None:
                    self.left -= len(piece)
                    self.done = not self.left and not self.chunked
            elif not self._next_chunk(data):
                return

    def _next_chunk(self, data: bytearray) -> bool:
        """Reads the line between two chunks; false where more has to come first."""
        line, found, _ = bytes(data[:256]).partition(b"\r\n")
        if not found:
            if len(data) >= 256:
                raise NotHttp
            return False
        del data[: len(line) + 2]
        if self._trailer:
            self.done = not line
        elif line or self.size == 0:
            size = _CHUNK.fullmatch(line)
            if size is None:
                raise NotHttp
            self.left = int(size.group(1), 16)
            self._trailer = self.left == 0
        return True


T = TypeVar("T")


class Owner(Protocol[T]):
    """Whom a connection tells what came of its request."""

    def answered(self, connection: Wire[T], job: T, answer: Answer) -> None: ...

    def lost(self, connection: Wire[T], job: T | None, silence: Silence, words: str) -> None: ...


class Wire(asyncio.Protocol, Generic[T]):
    """A connection that carries jobs of ``T``, one at a time. ``job`` is the one on the wire, if any."""

    def __init__(self, owner: Owner[T]) -> None:
        self.owner = owner
        self.job: T | None = None
        self.since = 0.0  # when the job was written, or the connection came to rest
        self.gone = False
        self._held = False  # octets of the request are still with us
        self._transport: asyncio.Transport | None = None
        self._data = bytearray()
        self._answer: Answer | None = None
        self._body: _Body | None = None

    def post(self, job: T, request: bytes) -> None:
        """Writes ``request``; the owner hears what came of it."""
        assert self._transport is not None
        assert self.job is None
        self.job, self.since = job, monotonic()
        self._transport.write(request)

    def drop(self) -> None:
        """Closes without a word."""
        self.gone = True
        self.job = None
        if self._transport is not None:
            self._transport.abort()

    def expire(self) -> None:
        """The answer took too long. What was read of it counts: a status line is an answer."""
        self._lose(Silence.TIMEOUT, "gave no answer in time")

    # what asyncio tells us

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=0)  # so that resume_writing means: the system has taken it all

    def pause_writing(self) -> None:
        self._held = True

    def resume_writing(self) -> None:
        self._held = False

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose(
            Silence.CUT_AFTER, f"closed the connection ({type(exc).__name__})" if exc else "closed the connection"
        )

    def eof_received(self) -> bool:
        self._lose(Silence.CUT_AFTER, "closed the connection")
        return False

    def data_received(self, data: bytes) -> None:
        if self.gone:
            return
        if self.job is None:
            self._lose(Silence.GARBAGE, "spoke without being asked")
            return
        self._data += data
        try:
            while self._answer is None and self._read_head():
                pass
            if self._body is not None:
                self._body.feed(self._data)
        except NotHttp:
            self._lose(Silence.GARBAGE, "gave an answer that is no HTTP")
            return
        if self._body is not None and (self._body.done or self._body.size > LONGEST_BODY):
            self._complete(reusable=self._body.done and not self._data)

    def _read_head(self) -> bool:
        """Reads status line and headers. True where that was an interim answer (RFC 9110 section 15.2)."""
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > LONGEST_HEAD or (len(self._data) > 8 and not self._data.startswith(b"HTTP/1.")):
                raise NotHttp
            return False
        lines = bytes(self._data[:end]).split(b"\r\n")
        del self._data[: end + 4]
        status = _STATUS.match(lines[0])
        if status is None:
            raise NotHttp
        headers: dict[str, str] = {}
        for line in lines[1:]:
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name or name.strip() != name:
                raise NotHttp
            headers[name.lower()] = value.strip(" \t")
        code = int(status.group(1))
        if code < 200:
            return True
        if lines[0].startswith(b"HTTP/1.0"):
            headers.setdefault("connection", "close")
        self._answer = Answer(code, headers)
        self._body = _Body(code, headers)
        return False

    def _complete(self, *, reusable: bool) -> None:
        job, answer, body = self.job, self._answer, self._body
        assert job is not None
        assert answer is not None
        assert body is not None
        self.job = self._answer = self._body = None
        self.since = monotonic()
        if not reusable or body.until_close or "close" in answer.headers.get("connection", "").lower():
            self.drop()
        self.owner.answered(self, job, Answer(answer.status, answer.headers, bytes(body.kept)))

    def _lose(self, silence: Silence, words: str) -> None:
        if self.gone:
            return
        if self._answer is not None and self.job is not None:
            self._complete(reusable=False)
            return
        if silence is Silence.CUT_AFTER and self._held:
            silence = Silence.CUT_BEFORE
        job = self.job
        self.drop()
        self.owner.lost(self, job, silence, words)
