"""A web hook's far side at the level of bytes: takes JSON messages, and does at one moment what a fault says."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

REFUSED = "no server there"
BEFORE, AFTER, SILENCE, TRICKLE = "closes before it reads", "closes after it read", "says nothing", "an endless answer"
ANSWERS = {
    "500": "HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n",
    "404": "HTTP/1.1 404 No such hook\r\nContent-Length: 0\r\n\r\n",
    "429": "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n",
    "302": "HTTP/1.1 302 Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
    "garbage": "SSH-2.0-OpenSSH_9.2\r\n",
}


@dataclass
class WebhookFarSide:
    """``taken``: path and document of each message. ``connections``: how many brought one."""

    port: int = 0
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    connections: int = 0


@asynccontextmanager
async def webhook(fault: str = "") -> AsyncIterator[WebhookFarSide]:
    """The far side on a port of its own; refused, the port is closed."""
    far = WebhookFarSide()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if fault == BEFORE:
                return
            far.connections += 1
            length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
            body = await reader.readexactly(length)
            far.taken.append((head.split()[1], json.loads(body)))
            if fault == SILENCE:
                await reader.read()
            elif fault == TRICKLE:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
                while not reader.at_eof():
                    writer.write(b"x")
                    await asyncio.sleep(0.05)
            elif fault != AFTER:
                writer.write((ANSWERS.get(fault) or "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").encode())
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    far.port = server.sockets[0].getsockname()[1]
    if fault == REFUSED:
        server.close()
        await server.wait_closed()
    try:
        yield far
    finally:
        server.close()
