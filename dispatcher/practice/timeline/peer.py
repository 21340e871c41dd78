"""A server that speaks Mastodon's API and shows its posts to the public."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence

from aiohttp import web

from dispatcher.practice.http_peer import HttpPeer, Setting
from dispatcher.practice.timeline.api import Api
from dispatcher.practice.timeline.pages import TimelinePages
from dispatcher.practice.timeline.store import Store


class Timeline(HttpPeer):
    """Keeps the posts of ``@losser`` in its folder, over all starts.

    On record are ``post``, ``repeat`` (an Idempotency-Key used again), ``edit`` and ``delete``, each with the key that
    the post was made under and the post's ``id``.
    """

    name = "timeline"
    words = {"nl": ("Tijdlijn", "De tijdlijn"), "en": ("Timeline", "The timeline")}

    def __init__(self, sockets: Sequence[socket.socket], setting: Setting) -> None:
        super().__init__(sockets, setting)
        self.store = Store(setting.folder)
        self.base = f"http://localhost:{self.port}"

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [*Api(self).routes(), *TimelinePages(self).routes()]

    def close(self) -> None:
        super().close()
        self.store.close()
