"""The pages of the practice town, from ``templates/practice``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dispatcher.practice import faults_page
from dispatcher.practice.asgi import Request, Response
from dispatcher.practice.letter import open_letter
from dispatcher.practice.listener import Listener
from dispatcher.practice.mail_server import MailServer
from dispatcher.practice.mailbox import Taken
from dispatcher.practice.rendering import POLICY, Renderer, choose_language, remembering
from dispatcher.practice.words import Language

PAGE_SIZE = 50


def language_of(request: Request) -> Language:
    """As asked for in the address, else as asked for before, else Dutch."""
    return choose_language(request.query, request.cookies)


class Pages:
    """Renders each page of the town's own. ``far_sides`` are those that have faults, ``server`` one of them."""

    def __init__(self, server: MailServer, far_sides: Mapping[str, Listener[Any]], renderer: Renderer) -> None:
        self._server = server
        self._far_sides = far_sides
        self._renderer = renderer

    def page(self, template: str, request: Request, values: dict[str, Any], *, scripts: bool = False) -> Response:
        """A page from a template, with what every page has. ``scripts`` lets it run the scripts of this server."""
        language = language_of(request)
        faults = {name: len(far_side.board.as_json()) for name, far_side in self._far_sides.items()}
        body = self._renderer.render(
            template,
            language,
            request.path,
            request.query,
            {
                "faults_on": sum(faults.values()),
                "having_faults": [
                    (name, self._far_sides[name].words[language][1]) for name, number in faults.items() if number
                ],
                "far_sides": [
                    (name, far_side.words[language][0], faults[name]) for name, far_side in self._far_sides.items()
                ],
                **values,
            },
        )
        policy = f"{POLICY}; script-src 'self'; connect-src 'self'" if scripts else POLICY
        headers = {"content-security-policy": policy, "content-language": language}
        if "lang" in request.query:
            headers["set-cookie"] = remembering(language)
        return Response(body, headers=headers)

    def mailbox(self, request: Request) -> Response:
        """What was taken, newest first, a page at a time."""
        words, recipient = request.query.get("q", ""), request.query.get("to", "")
        page = max(1, request.number("page", 1, 10**9))
        found, messages = self._server.mailbox.page((page - 1) * PAGE_SIZE, PAGE_SIZE, words=words, recipient=recipient)
        kept = {name: value for name, value in (("q", words), ("to", recipient)) if value}
        values = {
            "found": found,
            "messages": messages,
            "words": words,
            "recipient": recipient,
            "page": page,
            "pages": max(1, -(-found // PAGE_SIZE)),
            "page_url": lambda number: "/mailbox?" + urlencode({**kept, "page": number}),
            "mail_of": lambda address: "/mailbox?" + urlencode({"to": address}),
        }
        return self.page("mailbox.html", request, values)

    def addresses(self, request: Request) -> Response:
        """Each address that got mail: how much, and the latest subject."""
        totals: dict[str, int] = {}
        latest: dict[str, Taken] = {}
        for _, taken in self._server.mailbox.newest(words=request.query.get("q", "")):
            totals[taken.recipient] = totals.get(taken.recipient, 0) + 1
            latest.setdefault(taken.recipient, taken)
        names = sorted(totals)
        page = max(1, request.number("page", 1, 10**9))
        kept = {"q": request.query["q"]} if request.query.get("q") else {}
        values = {
            "found": len(names),
            "rows": [(n, totals[n], latest[n]) for n in names[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]],
            "words": request.query.get("q", ""),
            "page": page,
            "pages": max(1, -(-len(names) // PAGE_SIZE)),
            "page_url": lambda number: "/addresses?" + urlencode({**kept, "page": number}),
            "mail_of": lambda address: "/mailbox?" + urlencode({"to": address}),
        }
        return self.page("addresses.html", request, values)

    def message(self, request: Request, number: int) -> Response:
        """One message as its reader sees it."""
        taken = self._server.mailbox.taken[number]
        content = self._server.mailbox.content(taken)
        letter = open_letter(content) if content is not None else None
        return self.page("message.html", request, {"number": number, "taken": taken, "letter": letter})

    def faults(
        self,
        request: Request,
        far_side: Listener[Any],
        *,
        problems: Sequence[str] = (),
        preset: str = "",
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        """What is on at a far side, what happened, and what can be switched on."""
        values = faults_page.shown(far_side, language_of(request), problems, preset, typed or {})
        return self.page("faults.html", request, values)

    def problem(self, request: Request, sentence: str) -> Response:
        """A page that says why there is no other."""
        return self.page("problem.html", request, {"sentence": sentence})
