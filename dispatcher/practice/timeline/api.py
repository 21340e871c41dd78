"""Mastodon's API, as far as a municipality's account needs it."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from dispatcher.practice.timeline.limits import WINDOWS, RateLimit, iso
from dispatcher.practice.timeline.store import Status
from dispatcher.practice.timeline.text import MAX_CHARACTERS, URL_CHARACTERS, as_html, length

if TYPE_CHECKING:
    from dispatcher.practice.timeline.peer import Timeline

TOKEN = "practice-town"  # noqa: S105 - of the practice town, which nobody but this machine reaches
READ_ONLY = "practice-town-read-only"
ACCOUNT, ACCOUNT_ID = "losser", "109000000000000001"
VISIBILITIES = ("public", "unlisted", "private", "direct")
_PUBLIC = frozenset({"public", "unlisted"})

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Api:
    """Answers programs about the posts of ``timeline``."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._limits = {name: RateLimit(*window) for name, window in WINDOWS.items()}

    def routes(self) -> Iterable[web.AbstractRouteDef]:
        one = r"/api/v1/statuses/{id:\w+}"
        return [
            web.post("/api/v1/statuses", self._writing(self._post)),
            web.get(one, self._limited(self._get)),
            web.put(one, self._writing(self._put)),
            web.delete(one, self._writing(self._delete)),
            web.get(f"{one}/source", self._limited(self._source)),
            web.get(f"{one}/history", self._limited(self._history)),
            web.get("/api/v1/accounts/verify_credentials", self._limited(self._account)),
            web.get(r"/api/v1/accounts/{id:\w+}/statuses", self._limited(self._statuses)),
            web.get("/api/v2/instance", self._limited(self._instance)),
        ]

    def _limited(self, handler: Handler) -> Handler:
        async def limited(request: web.Request) -> web.Response:
            limits = [self._limits["all"], *([self._limits["delete"]] if request.method == "DELETE" else [])]
            within = [limit.use() for limit in limits]
            answer = await handler(request) if all(within) else _error(429, "Too many requests")
            answer.headers.update(limits[-1].headers)
            return answer

        return limited

    def _writing(self, handler: Handler) -> Handler:
        async def writing(request: web.Request) -> web.Response:
            token = _token(request)
            if token == READ_ONLY:
                return _error(403, "This action is outside the authorized scopes")
            if token != TOKEN:
                return _error(401, "The access token is invalid")
            return await handler(request)

        return self._limited(writing)

    async def _post(self, request: web.Request) -> web.Response:
        key = request.headers.get("Idempotency-Key", "")
        known = self._timeline.store.by_key(key)
        if known is not None:  # a repeat: the first post, whatever the new body says
            self._timeline.take(request, key=key, recipient=f"@{ACCOUNT}", what="repeat", id=known.id)
            return web.json_response(self.entity(known))
        values = await _values(request)
        text, spoiler = str(values.get("status") or ""), str(values.get("spoiler_text") or "")
        visibility = str(values.get("visibility") or "public")
        reply_to = str(values["in_reply_to_id"]) if values.get("in_reply_to_id") else None
        if problem := _problem(text, spoiler):
            return _error(422, f"Validation failed: {problem}")
        if visibility not in VISIBILITIES:
            return _error(422, "Validation failed: Visibility is not included in the list")
        if reply_to and self._timeline.store.get(reply_to) is None:
            return _error(404, "The post you are trying to reply to does not appear to exist.")
        status = self._timeline.store.post(
            text,
            language=str(values.get("language") or "nl"),
            visibility=visibility,
            reply_to=reply_to,
            key=key,
            spoiler=spoiler,
        )
        self._timeline.take(request, key=key, recipient=f"@{ACCOUNT}", what="post", id=status.id)
        return web.json_response(self.entity(status))

    async def _get(self, request: web.Request) -> web.Response:
        status = self._find(request)
        return web.json_response(self.entity(status)) if status else _not_found()

    async def _put(self, request: web.Request) -> web.Response:
        status = self._find(request)
        if status is None:
            return _not_found()
        values = await _values(request)
        text, spoiler = str(values.get("status") or ""), str(values.get("spoiler_text") or "")
        if problem := _problem(text, spoiler):
            return _error(422, f"Validation failed: {problem}")
        language = str(values.get("language") or status.now.language)
        if (text, language, spoiler) != (status.now.text, status.now.language, status.now.spoiler):
            self._timeline.store.edit(status, text, language=language, spoiler=spoiler)
        self._timeline.take(request, key=status.key, recipient=f"@{ACCOUNT}", what="edit", id=status.id)
        return web.json_response(self.entity(status))

    async def _delete(self, request: web.Request) -> web.Response:
        status = self._find(request)
        if status is None:
            return _not_found()
        self._timeline.store.delete(status)
        self._timeline.take(request, key=status.key, recipient=f"@{ACCOUNT}", what="delete", id=status.id)
        return web.json_response({**self.entity(status), "text": status.now.text})

    async def _source(self, request: web.Request) -> web.Response:
        if _token(request) not in (TOKEN, READ_ONLY):
            return _error(401, "The access token is invalid")
        status = self._find(request)
        if status is None:
            return _not_found()
        return web.json_response({"id": status.id, "text": status.now.text, "spoiler_text": status.now.spoiler})

    async def _history(self, request: web.Request) -> web.Response:
        status = self._find(request)
        if status is None:
            return _not_found()
        account = self._account_entity()
        return web.json_response(
            [
                {
                    "content": as_html(version.text, self._timeline.base),
                    "spoiler_text": version.spoiler,
                    "sensitive": False,
                    "created_at": iso(version.at),
                    "account": account,
                    "media_attachments": [],
                    "emojis": [],
                }
                for version in status.versions
            ]
        )

    async def _account(self, request: web.Request) -> web.Response:
        if _token(request) not in (TOKEN, READ_ONLY):
            return _error(401, "The access token is invalid")
        scopes = ["read", "write"] if _token(request) == TOKEN else ["read"]
        return web.json_response({**self._account_entity(), "source": {"privacy": "public"}, "scopes": scopes})

    async def _statuses(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != ACCOUNT_ID:
            return _not_found()
        limit = request.query.get("limit", "20")
        most = min(int(limit), 40) if limit.isdecimal() else 20
        older_than = request.query.get("max_id", "")
        found = [
            self.entity(status)
            for status in self._timeline.store.newest()
            if self._sees(request, status)
            and (not older_than.isdecimal() or int(status.id) < int(older_than))
            and not (request.query.get("exclude_replies") == "true" and status.reply_to)
        ]
        return web.json_response(found[:most])

    async def _instance(self, request: web.Request) -> web.Response:  # noqa: ARG002 - as every handler
        return web.json_response(
            {
                "domain": f"localhost:{self._timeline.port}",
                "title": "Oefenstad",
                "version": "4.5.0 (compatible; practice town)",
                "languages": ["nl", "en"],
                "configuration": {
                    "statuses": {
                        "max_characters": MAX_CHARACTERS,
                        "max_media_attachments": 4,
                        "characters_reserved_per_url": URL_CHARACTERS,
                    }
                },
            }
        )

    def entity(self, status: Status) -> dict[str, Any]:
        """A post as the API gives it."""
        return {
            "id": status.id,
            "uri": f"{self._timeline.base}/users/{ACCOUNT}/statuses/{status.id}",
            "url": f"{self._timeline.base}/@{ACCOUNT}/{status.id}",
            "created_at": iso(status.posted),
            "edited_at": iso(status.edited) if status.edited is not None else None,
            "in_reply_to_id": status.reply_to,
            "visibility": status.visibility,
            "language": status.now.language,
            "sensitive": False,
            "spoiler_text": status.now.spoiler,
            "content": as_html(status.now.text, self._timeline.base),
            "account": self._account_entity(),
            "media_attachments": [],
            "mentions": [],
            "tags": [],
            "emojis": [],
            "reblog": None,
        }

    def _account_entity(self) -> dict[str, Any]:
        return {
            "id": ACCOUNT_ID,
            "username": ACCOUNT,
            "acct": ACCOUNT,
            "display_name": "Gemeente Losser (oefenstad)",
            "url": f"{self._timeline.base}/@{ACCOUNT}",
            "bot": False,
        }

    def _find(self, request: web.Request) -> Status | None:
        status = self._timeline.store.get(request.match_info["id"])
        return status if status is not None and self._sees(request, status) else None

    def _sees(self, request: web.Request, status: Status) -> bool:
        return status.visibility in _PUBLIC or _token(request) in (TOKEN, READ_ONLY)


def _problem(text: str, spoiler: str) -> str:
    if not text.strip():
        return "Text can't be blank"
    if length(text) + length(spoiler) > MAX_CHARACTERS:
        return f"Text character limit of {MAX_CHARACTERS} exceeded"
    return ""


def _token(request: web.Request) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""


async def _values(request: web.Request) -> Mapping[str, Any]:
    """The body's fields: JSON or a form."""
    if request.content_type == "application/json":
        try:
            values = json.loads(await request.read())
        except ValueError:
            raise web.HTTPBadRequest(text='{"error": "Bad JSON"}', content_type="application/json") from None
        return values if isinstance(values, dict) else {}
    return {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


def _not_found() -> web.Response:
    return _error(404, "Record not found")


def _error(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
