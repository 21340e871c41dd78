"""A receiver of web hooks, as a chat service for colleagues has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from aiohttp import web

from dispatcher.practice.http_peer import HttpPeer


class Colleagues(HttpPeer):
    """Takes whatever is posted to ``/hook/<room>``; the key on record is the message's SHA-256."""

    name = "colleagues"
    words = {"nl": ("Collega's", "Het kanaal van de collega's"), "en": ("Colleagues", "The colleagues' channel")}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [web.post("/hook/{room:.+}", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        key = hashlib.sha256(body).hexdigest()
        self.take(request, key=key, recipient=request.match_info["room"], what="hook")
        return web.Response(text="ok")
