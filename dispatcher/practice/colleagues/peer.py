"""A receiver of web hooks, as a chat service for colleagues has them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from socket import socket
from typing import Any

from aiohttp import web

from dispatcher.practice.colleagues.pages import RoomPages
from dispatcher.practice.http_peer import HttpPeer, Setting

LONGEST = 16_383  # characters that a message may have: what Mattermost takes as it is shipped
_WORDS = 60  # characters of what nobody can read that are shown


class Colleagues(HttpPeer):
    """Takes messages into rooms, and shows them as a chat channel.

    ``POST /hook/ROOM``: Apprise's ``json://`` (``title``, ``message``), or whatever else is posted.
    ``POST /hooks/ROOM``: an incoming web hook as Slack and Mattermost have it: JSON with ``text``, else 400.
    ``GET /messages.json``: what was taken, oldest first; ``room`` narrows it down. ``/`` and ``/room/ROOM``: the chat.

    The key on record is the SHA-256 of the body, the recipient the room.
    """

    name = "colleagues"
    words = {"nl": ("Collega's", "Het kanaal van de collega's"), "en": ("Colleagues", "The colleagues' channel")}

    def __init__(self, sockets: Sequence[socket], setting: Setting) -> None:
        super().__init__(sockets, setting)
        self.pages = RoomPages(self)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.post("/hook/{room:.+}", self._hook),
            web.post("/hooks/{room:.+}", self._slack),
            web.get("/messages.json", self._messages),
            *self.pages.routes(),
        ]

    async def _hook(self, request: web.Request) -> web.Response:
        body = await request.read()
        said = _document(body)
        title, text = said.get("title"), said.get("message")
        if not isinstance(text, str):
            title, text = "", body.decode("utf-8", "replace")[:_WORDS]
        return self._taken(request, body, title=title if isinstance(title, str) else "", text=text)

    async def _slack(self, request: web.Request) -> web.Response:
        """With the words that Slack answers with."""
        body = await request.read()
        said = _document(body)
        text = said.get("text")
        if not said:
            return web.Response(status=400, text="invalid_payload")
        if not isinstance(text, str) or not text.strip():
            return web.Response(status=400, text="no_text")
        if len(text) > LONGEST:
            return web.Response(status=400, text="msg_too_long")
        return self._taken(request, body, title="", text=text)

    def _taken(self, request: web.Request, body: bytes, *, title: str, text: str) -> web.Response:
        room = request.match_info["room"]
        key = hashlib.sha256(body).hexdigest()
        self.take(request, key=key, recipient=room, what="hook", title=title, text=text)
        return web.Response(text="ok")

    async def _messages(self, request: web.Request) -> web.Response:
        room = request.query.get("room", "")
        found = [line for line in self.record.taken if not room or line["recipient"] == room]
        return web.json_response({"found": len(found), "messages": found})


def _document(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``; empty where there is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
