"""What stands in front of Django, with an application behind it that tells what reached it.

Run by a real server: ``granian --interface asgi tests.support.edge:application``, with the folders in the environment.
"""

from __future__ import annotations

import os
from pathlib import Path

from dispatcher.portal.asgi_types import Receive, Scope, Send, answer
from dispatcher.portal.limits import Limited
from dispatcher.portal.published import Published


async def _tell(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads the whole body and says how long it was."""
    octets, more = 0, True
    while more:
        message = await receive()
        octets += len(message.get("body", b""))
        more = message.get("more_body", False)
    await answer(send, 200, [(b"content-type", b"text/plain")], f"{scope['path']} {octets}".encode())


application = Limited(
    Published(
        _tell,
        Path(os.environ["EDGE_SITE"]),
        Path(os.environ["EDGE_ASSETS"]),
        known=lambda path: path.startswith("/leave/"),
        prefix=os.environ.get("EDGE_PREFIX", ""),
        secure=bool(os.environ.get("EDGE_SECURE")),
    ),
    body_octets=100_000,
    body_seconds=float(os.environ.get("EDGE_BODY_SECONDS", "30")),
)
