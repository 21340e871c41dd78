"""The pages of the colleagues' channel: a chat, the newest at the end, live."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aiohttp import web
from markupsafe import Markup, escape

from dispatcher.practice.colleagues.words import ROOMS
from dispatcher.practice.rendering import TEMPLATES, Renderer, choose_language, remembering

if TYPE_CHECKING:
    from dispatcher.practice.colleagues.peer import Colleagues

SHOWN = 60
_LINK = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'’”]")


class RoomPages:
    """The pages of ``colleagues``."""

    def __init__(self, colleagues: Colleagues) -> None:
        self._colleagues = colleagues
        self._renderer = Renderer(colleagues.setting.assets, colleagues.setting.home)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get("/", self._all),
            web.get("/room/{room:.+}", self._room),
            web.get("/colleagues.css", self._style),
            web.get("/live.js", self._script),
        ]

    async def _all(self, request: web.Request) -> web.Response:
        return self._page(request, self._colleagues.record.taken, room="")

    async def _room(self, request: web.Request) -> web.Response:
        room = request.match_info["room"]
        lines = [line for line in self._colleagues.record.taken if line["recipient"] == room]
        return self._page(request, lines, room=room, status=200 if lines else 404)

    def _page(self, request: web.Request, lines: list[dict[str, Any]], *, room: str, status: int = 200) -> web.Response:
        language = choose_language(request.query, request.cookies)
        rooms = Counter(line["recipient"] for line in self._colleagues.record.taken)
        faults = len(self._colleagues.switchboard.on)
        values = {
            "w": ROOMS[language],
            "room": room,
            "rooms": [(name, f"/room/{quote(name)}") for name in sorted(rooms)],
            "messages": [_shown(line) for line in lines[-SHOWN:]],
            "faults_on": faults,
            "having_faults": [(self._colleagues.name, self._colleagues.words[language][1])] if faults else [],
        }
        body = self._renderer.render("colleagues.html", language, request.path, request.query, values)
        home = self._colleagues.setting.home
        headers = {
            "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
            "img-src 'self' data:; font-src 'self'; form-action 'self'; base-uri 'none'; "
            f"frame-ancestors 'self' {home}",
            "Content-Language": language,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            # What the page's script asks for: whether anything changed.
            "ETag": f'"{rooms.total()}-{faults}-{language}"',
        }
        if "lang" in request.query:
            headers["Set-Cookie"] = remembering(language)
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304)
        return web.Response(body=body, status=status, headers=headers, content_type="text/html", charset="utf-8")

    async def _style(self, request: web.Request) -> web.Response:  # noqa: ARG002 - as every handler
        return web.Response(body=(TEMPLATES / "colleagues.css").read_bytes(), content_type="text/css", charset="utf-8")

    async def _script(self, request: web.Request) -> web.Response:  # noqa: ARG002 - as every handler
        return web.Response(body=(TEMPLATES / "phone.js").read_bytes(), content_type="text/javascript", charset="utf-8")


def _shown(line: Mapping[str, Any]) -> dict[str, Any]:
    text = "\n\n".join(part for part in (line.get("title", ""), line.get("text", "")) if part)
    return {"room": line["recipient"], "time": line["time"], "html": _html(text), "attempt": line["attempt"]}


def _html(text: str) -> Markup:
    """``text`` with its web addresses as links that leave the frame, if it is shown in one."""
    pieces, at = [], 0
    for match in _LINK.finditer(text):
        url = escape(match.group())
        pieces += [str(escape(text[at : match.start()])), f'<a href="{url}" target="_top" rel="noreferrer">{url}</a>']
        at = match.end()
    return Markup("".join([*pieces, str(escape(text[at:]))]))  # noqa: S704 - all of it was escaped above
