"""A server that speaks Mastodon's API."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from dispatcher.practice.http_peer import HttpPeer


class Timeline(HttpPeer):
    """Takes posts; the key on record is the Idempotency-Key."""

    name = "timeline"
    words = {"nl": ("Tijdlijn", "De tijdlijn"), "en": ("Timeline", "The timeline")}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [web.post("/api/v1/statuses", self._take)]

    async def _take(self, request: web.Request) -> web.Response:
        await request.read()
        line = self.take(request, key=request.headers.get("Idempotency-Key", ""), recipient="losser", what="post")
        return web.json_response({"id": str(line["attempt"])})
