"""The web process: limits in front, then the published site from memory, then Django. Also a sweeper of the ledger."""

# ruff: noqa: E402 - Django must be set up before anything that has models is imported

from __future__ import annotations

import os
from typing import cast
from urllib.parse import urlsplit

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.urls import Resolver404, resolve

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dispatcher.config.settings")
# Django gives each request a thread of its own: a connection kept in it would be nobody's to use again, or to close.
settings.DATABASES["default"]["CONN_MAX_AGE"] = 0
django_application = get_asgi_application()

from dispatcher.dispatching.sweeper import Sweeper
from dispatcher.portal.asgi_types import Application, Receive, Scope, Send
from dispatcher.portal.limits import Limited
from dispatcher.portal.published import Published

_sweeper = Sweeper()


def _known(path: str) -> bool:
    """Whether Django has a view for ``path``, or for it with the slash that it would add."""
    for each in (path, f"{path}/"):
        try:
            resolve(each)
        except Resolver404:
            continue
        return True
    return False


_base = urlsplit(settings.BASE_URL)
_requests = Limited(
    Published(
        cast(Application, django_application),
        settings.SITE_FOLDER,
        settings.ROOT / "dispatcher" / "assets" / "built",
        known=_known,
        prefix=_base.path,
        secure=_base.scheme == "https",
    )
)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """What the server (granian) runs."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    else:
        await _requests(scope, receive, send)


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            # Work that was left behind moves again even where every worker is gone and comes back later.
            _sweeper.start(f"web:{os.getpid()}")
            await send({"type": "lifespan.startup.complete"})
        else:
            _sweeper.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
