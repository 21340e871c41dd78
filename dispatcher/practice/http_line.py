"""One connection to an HTTP far side, and what faults do to the requests on it."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from dispatcher.practice.http_faults import Answer, Cut, HttpFault, Moment, Signal, Silence
from dispatcher.practice.peer import NotFound, process_at

if TYPE_CHECKING:
    from dispatcher.practice.http_peer import HttpPeer

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class HttpLine(RequestHandler):
    """aiohttp's handler of a connection, with faults at its beginning. As ``Asked`` it has no method and path yet."""

    method, path = "", ""

    def __init__(self, far_side: HttpPeer, server: web.Server) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), keepalive_timeout=75)
        self.far_side = far_side
        self.port = 0
        self.open_transport: asyncio.Transport
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._deaf = False
        self._pid: int | None = None
        self._pid_sought = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.open_transport = cast(asyncio.Transport, transport)
        self.port = transport.get_extra_info("peername")[1]
        self.far_side.lines.add(self)
        match self.far_side.switchboard.strike(Moment.CONNECT, self):
            case Cut() as cut:
                self.hang_up(cut)
            case Silence():
                self._deaf = True
            case Signal() as signal:
                self.far_side.send_signal(self, signal)

    def connection_lost(self, exc: BaseException | None) -> None:
        self.far_side.lines.discard(self)
        if not self.lost.done():
            self.lost.set_result(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._deaf:
            super().data_received(data)

    def hang_up(self, cut: Cut) -> None:
        """Breaks the connection, after what the fault sends first."""
        transport = self.open_transport
        if cut.send:
            transport.write(cut.send.encode("latin-1"))
        if cut.how == "rst":
            plain: socket.socket = transport.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            transport.abort()
        else:
            transport.close()

    def peer(self) -> int | None:
        """The process at the other end, looked up once; ``None`` where it cannot be found."""
        if not self._pid_sought:
            self._pid_sought = True
            try:
                self._pid = process_at(self.port, self.far_side.port)
            except NotFound:
                self._pid = None
        return self._pid


class Exchange:
    """One request and its answer, with the faults that strike on the way."""

    def __init__(self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        self.request = request
        self.method, self.path = request.method, request.path
        self._handler = handler
        self._line = cast(HttpLine, request.protocol)
        self._far_side = self._line.far_side

    def peer(self) -> int | None:
        return self._line.peer()

    async def run(self) -> web.StreamResponse:
        """The answer, as the far side gives it or as a fault has it."""
        board = self._far_side.switchboard
        if not board.on:
            return await self._handler(self.request)
        if fault := board.strike(Moment.BEFORE_BODY, self):
            return await self._struck(fault)
        if self.request.can_read_body:
            if fault := board.strike(Moment.IN_BODY, self):
                await self.request.content.readany()
                return await self._struck(fault)
            await self.request.read()
        delay = board.delay(self)
        if fault := board.strike(Moment.AFTER_BODY, self):
            return await self._struck(fault, delay)
        answer = await self._handler(self.request)
        await asyncio.sleep(delay)
        if fault := board.strike(Moment.AFTER_ANSWER, self):
            await answer.prepare(self.request)
            await answer.write_eof()
            await self._act(fault, answer)
        return answer

    async def _struck(self, fault: HttpFault, delay: float = 0) -> web.StreamResponse:
        """What becomes of a request that a fault struck before it was answered."""
        takes = isinstance(fault, Signal) or _takes(fault)
        answer = await self._handler(self.request) if takes else web.Response(status=204)
        await asyncio.sleep(delay)
        return await self._act(fault, answer)

    async def _act(self, fault: HttpFault, answer: web.StreamResponse) -> web.StreamResponse:
        match fault:
            case Answer():
                other = web.Response(status=fault.status, headers=fault.headers, body=fault.body.encode())
                if fault.close:
                    other.force_close()
                return other
            case Silence(trickle=seconds):
                if seconds is not None:
                    await self._trickle(answer, seconds)
                await self._line.lost
            case Cut():
                self._line.hang_up(fault)
                await self._line.lost
            case Signal():
                self._far_side.send_signal(self._line, fault)
        return answer

    async def _trickle(self, answer: web.StreamResponse, seconds: float) -> None:
        transport = self._line.open_transport
        for byte in _on_the_wire(answer):
            if transport.is_closing():
                return
            transport.write(bytes([byte]))
            await asyncio.sleep(seconds)


def _takes(fault: HttpFault) -> bool:
    return isinstance(fault, Answer | Silence | Cut) and fault.moment == Moment.AFTER_BODY and fault.taken


def _on_the_wire(answer: web.StreamResponse) -> bytes:
    body = answer.body if isinstance(answer, web.Response) and isinstance(answer.body, bytes) else b""
    lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() != "content-length"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode("latin-1") + body
