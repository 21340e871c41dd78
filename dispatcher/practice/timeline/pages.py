"""The public pages of the timeline, and what a stranger may do to it for practice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from aiohttp import web
from markupsafe import Markup

from dispatcher.practice.http_peer import from_our_page
from dispatcher.practice.rendering import POLICY, Renderer, choose_language, remembering
from dispatcher.practice.timeline.api import ACCOUNT
from dispatcher.practice.timeline.store import Status
from dispatcher.practice.timeline.text import as_html
from dispatcher.practice.timeline.words import TIMELINE

if TYPE_CHECKING:
    from dispatcher.practice.timeline.peer import Timeline

SHOWN = 40
_FORGED = {"nl": "De gemeente geeft vandaag gratis geld weg.", "en": "The municipality gives away money today."}


class TimelinePages:
    """``/@losser``, ``/@losser/<id>`` and ``/tamper/<id>`` (a form: ``do`` is ``edit`` or ``delete``)."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._renderer = Renderer(timeline.setting.assets, timeline.setting.home)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get("/", self._home),
            web.get(f"/@{ACCOUNT}", self._account),
            web.get(rf"/@{ACCOUNT}/{{id:\w+}}", self._status),
            web.post(r"/tamper/{id:\w+}", self._tamper),
        ]

    async def _home(self, request: web.Request) -> web.Response:  # noqa: ARG002 - as every handler
        raise web.HTTPSeeOther(f"/@{ACCOUNT}")

    async def _account(self, request: web.Request) -> web.Response:
        public = [status for status in self._timeline.store.newest() if status.visibility == "public"]
        posts = [self._shown(status) for status in public[:SHOWN]]
        return self._page("timeline.html", request, {"posts": posts})

    async def _status(self, request: web.Request) -> web.Response:
        status = self._timeline.store.get(request.match_info["id"])
        if status is None or status.visibility not in ("public", "unlisted"):
            return self._page("timeline_missing.html", request, {}, status=404)
        return self._page("timeline_post.html", request, {"post": self._shown(status)})

    async def _tamper(self, request: web.Request) -> web.Response:
        status = self._timeline.store.get(request.match_info["id"])
        if not from_our_page(request):
            raise web.HTTPForbidden(text="This came from another site's page.")
        if status is None:
            raise web.HTTPNotFound(text="There is no such post.")
        do = str((await request.post()).get("do", ""))
        if do == "delete":
            self._timeline.store.delete(status, stranger=True)
            raise web.HTTPSeeOther(f"/@{ACCOUNT}")
        if do != "edit":
            raise web.HTTPBadRequest(text="do is edit or delete.")
        forged = _FORGED["en" if status.now.language == "en" else "nl"]
        self._timeline.store.edit(status, forged, language=status.now.language, stranger=True)
        raise web.HTTPSeeOther(f"/@{ACCOUNT}/{status.id}")

    def _shown(self, status: Status) -> dict[str, Any]:
        return {
            "id": status.id,
            "html": self._html(status.now.text),
            "language": status.now.language,
            "posted": status.posted,
            "edited": status.edited,
            "stranger": status.stranger,
            "reply": bool(status.reply_to),
            "before": [(version.at, self._html(version.text)) for version in reversed(status.versions[:-1])],
        }

    def _html(self, text: str) -> Markup:
        return Markup(as_html(text, self._timeline.base))  # noqa: S704 - as_html escapes what it is given

    def _page(self, template: str, request: web.Request, values: dict[str, Any], *, status: int = 200) -> web.Response:
        language = choose_language(request.query, request.cookies)
        values = {"w": TIMELINE[language], "faults_on": 0, "having_faults": [], **values}
        body = self._renderer.render(template, language, request.path, request.query, values)
        headers = {"Content-Security-Policy": POLICY, "Content-Language": language, "Cache-Control": "no-store"}
        headers |= {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}
        if "lang" in request.query:
            headers["Set-Cookie"] = remembering(language)
        return web.Response(body=body, status=status, headers=headers, content_type="text/html", charset="utf-8")
