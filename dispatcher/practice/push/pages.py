"""The drawn phones of the practice town: a lock screen with notifications, the newest on top, live."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from aiohttp import web
from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime

from dispatcher.practice.push.phones import Phone
from dispatcher.practice.push.words import PHONES
from dispatcher.practice.rendering import TEMPLATES, Renderer, choose_language, remembering
from dispatcher.practice.words import Language

if TYPE_CHECKING:
    from dispatcher.practice.push.peer import Push

PHONES_TO_A_PAGE = 12
_ZONE = ZoneInfo("Europe/Amsterdam")
_DAY = {"nl": "EEEE d MMMM", "en": "EEEE d MMMM"}
_CLOCK = {"nl": "H.mm", "en": "H:mm"}


class PhonePages:
    """The pages of ``push``."""

    def __init__(self, push: Push) -> None:
        self._push = push
        self._renderer = Renderer(push.setting.assets, push.setting.home)

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        return [
            web.get("/", self._all),
            web.get("/phone/{id}", self._one),
            web.get("/phone.css", self._file),
            web.get("/phone.js", self._file),
        ]

    async def _all(self, request: web.Request) -> web.Response:
        """The phones that heard last, or those whose name has ``q`` in it."""
        phones, words = self._push.phones, request.query.get("q", "").strip().casefold()
        subscriptions = self._push.subscriptions
        with_something = phones.latest_first()
        fitting = (identity for identity, name in subscriptions.items() if words in name.casefold())
        shown = list(islice(fitting if words else with_something, PHONES_TO_A_PAGE))
        values = {
            "phones": [self._drawn(identity) for identity in shown],
            "with_something": len(with_something),
            "words": request.query.get("q", ""),
        }
        return self._page("phones.html", request, values)

    async def _one(self, request: web.Request) -> web.Response:
        identity = request.match_info["id"]
        if self._push.subscriptions.name(identity) is None:
            return self._page("problem.html", request, {"sentence": _words(request)["not_found"]}, status=404)
        return self._page("phone.html", request, {"phone": self._drawn(identity)})

    def _drawn(self, identity: str) -> dict[str, Any]:
        phone: Phone = self._push.phones[identity]
        return {
            "id": identity,
            "name": self._push.subscriptions.name(identity) or identity,
            "off": phone.off,
            "ended": phone.ended,
            "waiting": len(phone.waiting),
            "notifications": [_shown(line) for line in phone.newest_first],
        }

    def _page(self, template: str, request: web.Request, values: Mapping[str, Any], status: int = 200) -> web.Response:
        language = choose_language(request.query, request.cookies)
        faults = len(self._push.switchboard.on)
        body = self._renderer.render(
            template,
            language,
            request.path,
            request.query,
            {
                "faults_on": faults,
                "having_faults": [("push", self._push.words[language][1])] if faults else [],
                "p": PHONES[language],
                "now": datetime.now(_ZONE),
                "day": lambda when: _written(when, language, _DAY),
                "clock": lambda when: _written(when, language, _CLOCK),
                "at": lambda seconds: _written(datetime.fromtimestamp(seconds, _ZONE), language, _CLOCK),
                **values,
            },
        )
        response = web.Response(body=body, status=status, content_type="text/html", charset="utf-8")
        home = self._push.setting.home
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
            f"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self' {home}"
        )
        response.headers["Content-Language"] = language
        # What the page's script asks for: whether anything changed, without the clock.
        response.headers["ETag"] = f'"{sha256(f"{self._push.phones.changes} {faults}".encode()).hexdigest()[:16]}"'
        response.headers["Cache-Control"] = "no-store"
        if "lang" in request.query:
            response.headers["Set-Cookie"] = remembering(language)
        if request.headers.get("If-None-Match") == response.headers["ETag"]:
            return web.Response(status=304)
        return response

    async def _file(self, request: web.Request) -> web.Response:
        name = request.path.lstrip("/")
        kind = "text/css" if name.endswith(".css") else "text/javascript"
        return web.Response(body=(TEMPLATES / name).read_bytes(), content_type=kind, charset="utf-8")


def _shown(line: Mapping[str, Any]) -> dict[str, Any]:
    """A notification as a phone shows it: text only, and links to web pages only."""
    said = line["notification"] or {}
    actions = said.get("actions")
    return {
        "id": line["id"],
        "time": line["time"],
        "ttl": line["ttl"],
        "urgency": line["urgency"],
        "topic": line["topic"],
        "replaced": line["replaced"],
        "title": _text(said.get("title")),
        "body": _text(said.get("body")),
        "lang": _language(said.get("lang")),
        "dir": said.get("dir") if said.get("dir") in ("ltr", "rtl") else "auto",
        "navigate": _link(said.get("navigate")),
        "actions": [
            {"title": _text(action.get("title")), "navigate": _link(action.get("navigate"))}
            for action in (actions if isinstance(actions, list) else [])[:2]
            if isinstance(action, dict) and _link(action.get("navigate"))
        ],
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _language(value: object) -> str:
    """The language that a notification names, where it is one: a screen reader would trip over anything else."""
    try:
        Locale.parse(_text(value), sep="-")
    except (ValueError, UnknownLocaleError):
        return ""
    return _text(value)


def _link(value: object) -> str:
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else ""


def _words(request: web.Request) -> Mapping[str, str]:
    return PHONES[choose_language(request.query, request.cookies)]


def _written(when: datetime, language: Language, patterns: Mapping[str, str]) -> str:
    return format_datetime(when, patterns[language], locale=language)
