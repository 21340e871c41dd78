"""The web side of the practice town, an ASGI application: the mailbox for people, faults and counts for programs.

=====================  ==========================================================================================
``GET /``              the town (``town/web_town.py``); ``/mailbox``, ``/addresses``, ``/message/N``, ``/faults``: pages
``GET /mail.json``     what was taken: ``to``, ``key``, ``q``, ``offset``, ``limit``; ``by=recipient`` or ``key`` counts
``GET /faults/PEER``   the faults that are on, what happened to them, and the presets; PEER is a far side: mail, …
``PUT /faults/PEER``   switches these on in place of what is on: a fault, a preset, or a list of them
``POST /faults/PEER``  the same, beside what is on
``DELETE``             of ``/faults/PEER`` switches all off, of ``/faults/PEER/N`` one
``GET /health``        that it works, on which port, and how much it took
=====================  ==========================================================================================
"""

from __future__ import annotations

import logging
import mimetypes
import re
from collections import Counter
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from dispatcher.practice.asgi import (
    Receive,
    Refused,
    Request,
    Response,
    Send,
    as_json,
    read_request,
    send_response,
)
from dispatcher.practice.letter import open_letter, with_links_in_a_new_tab
from dispatcher.practice.listener import Listener
from dispatcher.practice.mail_server import MailServer
from dispatcher.practice.pages import Pages, language_of
from dispatcher.practice.rendering import TEMPLATES, Renderer
from dispatcher.practice.town.heard import sources
from dispatcher.practice.town.links import Links
from dispatcher.practice.town.site import Site
from dispatcher.practice.town.web_town import WebTown
from dispatcher.practice.web_faults import WebFaults
from dispatcher.practice.words import WORDS

_FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; frame-ancestors 'self'; "
    "sandbox allow-popups allow-popups-to-escape-sandbox"
)
_LIMIT = 1000
_log = logging.getLogger(__name__)

Handler = Callable[..., Awaitable[Response]]


class Web:
    """Answers requests about ``server`` and the other far sides, ``peers``.

    ``assets`` is the folder with the product's style sheet and fonts, if any; ``site`` is the public site, if the town
    was told where it is.
    """

    def __init__(
        self,
        server: MailServer,
        assets: Path | None,
        peers: Sequence[Listener[Any]] = (),
        site: Site | None = None,
    ) -> None:
        self._server = server
        self._assets = assets.resolve() if assets else None
        far_sides: dict[str, Listener[Any]] = {far_side.name: far_side for far_side in (server, *peers)}
        self._ports = {f"{peer.name}_port": peer.port for peer in peers}
        self._pages = Pages(server, far_sides, Renderer(self._assets))
        followed = sources(server, peers, site.links if site else Links(""))
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("GET", re.compile("/mailbox"), self._mailbox),
            ("GET", re.compile("/addresses"), self._addresses),
            ("GET", re.compile(r"/message/(?P<number>\d{1,9})"), self._message),
            ("GET", re.compile(r"/message/(?P<number>\d{1,9})/html"), self._html),
            ("GET", re.compile(r"/message/(?P<number>\d{1,9})/source"), self._source),
            *WebFaults(far_sides, self._pages).routes,
            ("GET", re.compile(r"/mail\.json"), self._mail),
            ("GET", re.compile("/health"), self._health),
            *WebTown(far_sides, followed, site, self._pages).routes,
            ("GET", re.compile(r"/(?P<name>(?:practice|town|phone)\.css)"), self._style),
            ("GET", re.compile("/assets/(?P<name>.+)"), self._asset),
        ]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            request = await read_request(scope, receive)
            response = await self._respond(request)
        except Refused as error:
            response = as_json({"errors": [error.sentence]}, error.status)
        except Exception:
            _log.exception("The practice town could not answer %s %s", scope["method"], scope["path"])
            response = as_json({"errors": ["Something went wrong; see the log."]}, HTTPStatus.INTERNAL_SERVER_ERROR)
        await send_response(response, send, head_only=scope["method"] == "HEAD")

    async def _respond(self, request: Request) -> Response:
        request.check_origin()
        method = "GET" if request.method == "HEAD" else request.method
        methods = set()
        for allowed, pattern, handler in self._routes:
            if match := pattern.fullmatch(request.path):
                methods.add(allowed)
                if allowed == method:
                    return await handler(request, **match.groupdict())
        if methods:
            raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, f"Use {' or '.join(sorted(methods))} here.")
        page = self._pages.problem(request, WORDS[language_of(request)]["missing_page"])
        return replace(page, status=HTTPStatus.NOT_FOUND)

    async def _mailbox(self, request: Request) -> Response:
        return self._pages.mailbox(request)

    async def _addresses(self, request: Request) -> Response:
        return self._pages.addresses(request)

    def _content(self, number: str) -> bytes:
        if int(number) < len(self._server.mailbox.taken):
            content = self._server.mailbox.content(self._server.mailbox.taken[int(number)])
            if content is not None:
                return content
        raise Refused(HTTPStatus.NOT_FOUND, "There is no such message, or its content was not kept.")

    async def _message(self, request: Request, number: str) -> Response:
        if int(number) < len(self._server.mailbox.taken):
            return self._pages.message(request, int(number))
        page = self._pages.problem(request, WORDS[language_of(request)]["missing_page"])
        return replace(page, status=HTTPStatus.NOT_FOUND)

    async def _html(self, _request: Request, number: str) -> Response:
        html = with_links_in_a_new_tab(open_letter(self._content(number)).html or "")
        return Response(html.encode(), headers={"content-security-policy": _FRAME_POLICY})

    async def _source(self, _request: Request, number: str) -> Response:
        disposition = f'attachment; filename="message-{int(number)}.eml"'
        return Response(self._content(number), "message/rfc822", headers={"content-disposition": disposition})

    async def _mail(self, request: Request) -> Response:
        mailbox = self._server.mailbox
        wanted = {
            "words": request.query.get("q", ""),
            "recipient": request.query.get("to", ""),
            "key": request.query.get("key", ""),
        }
        by = request.query.get("by", "")
        if by:
            if by not in {"recipient", "key", "subject"}:
                raise Refused(HTTPStatus.BAD_REQUEST, "by is one of recipient, key, subject.")
            counts = Counter(getattr(taken, by) for _, taken in mailbox.newest(**wanted))
            return as_json({"count": counts.total(), f"by_{by}": counts})
        start = request.number("offset", 0, 10**9)
        found, page = mailbox.page(start, request.number("limit", 100, _LIMIT), **wanted)
        return as_json({"count": found, "messages": [{"number": n, **taken._asdict()} for n, taken in page]})

    async def _health(self, request: Request) -> Response:  # noqa: ARG002 - as every handler
        server = self._server
        return as_json(
            {
                "status": "ok",
                "smtp_port": server.port,
                **self._ports,
                "taken": len(server.mailbox.taken),
                "keeps": server.mailbox.keep,
            }
        )

    async def _style(self, request: Request, name: str) -> Response:  # noqa: ARG002 - as every handler
        return Response((TEMPLATES / name).read_bytes(), "text/css; charset=utf-8")

    async def _asset(self, request: Request, name: str) -> Response:  # noqa: ARG002 - as every handler
        path = (self._assets / name).resolve() if self._assets else None
        if path is None or self._assets is None or not path.is_relative_to(self._assets) or not path.is_file():
            raise Refused(HTTPStatus.NOT_FOUND, "There is no such file.")
        return Response(path.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream")
