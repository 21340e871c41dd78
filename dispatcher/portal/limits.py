"""What a request may weigh and how long it may take, before any of our code reads it.

A server in front may set these limits too; without one, a client with a huge header or a body that never ends would
hold memory and places that others need.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from dispatcher.portal.asgi_types import Application, Headers, Message, Receive, Scope, Send, answer


class _BodyTooLarge(Exception):
    """More octets came than a body may have."""


class _BodyTooSlow(Exception):
    """The body was not complete in time."""


_REFUSALS = {
    408: b"The request took too long to arrive.\n",
    413: b"The request is too large.\n",
    431: b"The headers of the request are too large.\n",
}


@dataclass(frozen=True, slots=True)
class Limited:
    """ASGI application in front of ``inner``.

    ``header_octets`` counts the address as well (431 above it), ``body_octets`` what is announced and what really comes
    (413), ``body_seconds`` runs from the request's arrival until its body is complete (408).
    """

    inner: Application
    header_octets: int = 32 * 1024
    body_octets: int = 2 * 1024 * 1024
    body_seconds: float = 30.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        weight = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
        weight += sum(len(name) + len(value) + 4 for name, value in scope["headers"])
        if weight > self.header_octets:
            await _refuse(send, 431)
        elif _announced(scope["headers"]) > self.body_octets:
            await _refuse(send, 413)
        else:
            await self._watch(scope, receive, send)

    async def _watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        until = time.monotonic() + self.body_seconds
        seen, complete, started = 0, False, False

        async def watched_receive() -> Message:
            nonlocal seen, complete
            if complete:
                return await receive()
            try:
                async with asyncio.timeout(max(0.0, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise _BodyTooSlow from None
            seen += len(message.get("body", b""))
            if seen > self.body_octets:
                raise _BodyTooLarge
            complete = not message.get("more_body", False)
            return message

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.inner(scope, watched_receive, watched_send)
        except (_BodyTooLarge, _BodyTooSlow) as error:
            if started:
                raise
            await _refuse(send, 413 if isinstance(error, _BodyTooLarge) else 408)


def _announced(headers: Headers) -> int:
    """The body's length as the client states it; nothing stated counts as nothing."""
    for name, value in headers:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(send: Send, status: int) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
        # What is left of the request will not be read.
        (b"connection", b"close"),
    ]
    await answer(send, status, headers, _REFUSALS[status])
