"""The pages of the practice town, from ``templates/practice``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dispatcher.practice.asgi import Request, Response
from dispatcher.practice.faults import PRESETS, read_faults
from dispatcher.practice.letter import open_letter
from dispatcher.practice.mail_server import MailServer
from dispatcher.practice.mailbox import Taken
from dispatcher.practice.words import PRESET_WORDS, WORDS, Language, count, moment

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "practice"
PAGE_SIZE = 50
NUMBERS = ("seconds", "trickle", "at_most", "after", "times")
"""The fields of a fault that the page lets people set, beside ``match``."""

# The fields by which faults are told apart.
_TELLING = ("kind", "moment", "code", "enhanced", "signal", "send", "taken", "extensions")
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def language_of(request: Request) -> Language:
    """As asked for in the address, else as asked for before, else Dutch."""
    wanted = request.query.get("lang") or request.cookies.get("practice_lang")
    return "en" if wanted == "en" else "nl"


def _named(fault: dict[str, Any], language: Language) -> tuple[str, str]:
    """A fault that is on: as the presets call it where one is like it, and in technical words."""
    technical = " ".join(str(fault[field]) for field in _TELLING[:5] if fault.get(field))
    for name, words in PRESET_WORDS.items():
        preset = read_faults({"preset": name})[0].model_dump(mode="json")
        if all(preset.get(field) == fault.get(field) for field in _TELLING):
            return words[language][0], technical
    return technical, technical


class Pages:
    """Renders each page; ``style`` is the name of the product's style sheet, where it is there to be used."""

    def __init__(self, server: MailServer, *, style: str | None) -> None:
        self._server = server
        self._environment = Environment(
            loader=FileSystemLoader([TEMPLATES, TEMPLATES.parent]),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(style=style)

    def _page(self, template: str, request: Request, values: dict[str, Any]) -> Response:
        language = language_of(request)
        query = {name: value for name, value in request.query.items() if name != "lang"}
        other = "nl" if language == "en" else "en"
        body = self._environment.get_template(template).render(
            t=WORDS[language],
            lang=language,
            other_url=f"?{urlencode({**query, 'lang': other})}",
            count=lambda number: count(number, language),
            moment=lambda seconds: moment(seconds, language),
            path=request.path,
            other=other,
            faults_on=len(self._server.switchboard.on),
            **values,
        )
        headers = {"content-security-policy": _POLICY, "content-language": language}
        if "lang" in request.query:
            headers["set-cookie"] = f"practice_lang={language}; Path=/; SameSite=Strict; HttpOnly"
        return Response(body.encode(), headers=headers)

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
            "page_url": lambda number: "/?" + urlencode({**kept, "page": number}),
            "mail_of": lambda address: "/?" + urlencode({"to": address}),
        }
        return self._page("mailbox.html", request, values)

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
            "mail_of": lambda address: "/?" + urlencode({"to": address}),
        }
        return self._page("addresses.html", request, values)

    def message(self, request: Request, number: int) -> Response:
        """One message as its reader sees it."""
        taken = self._server.mailbox.taken[number]
        content = self._server.mailbox.content(taken)
        letter = open_letter(content) if content is not None else None
        return self._page("message.html", request, {"number": number, "taken": taken, "letter": letter})

    def faults(
        self, request: Request, *, problems: Sequence[str] = (), preset: str = "", typed: dict[str, str] | None = None
    ) -> Response:
        """What is on, what happened, and what can be switched on. What was typed for ``preset`` stays."""
        language = language_of(request)
        offered = []
        for name, words in PRESET_WORDS.items():
            (fault,) = read_faults({"preset": name})
            settings = {field: getattr(fault, field) for field in NUMBERS if getattr(fault, field, None) is not None}
            if hasattr(fault, "times"):
                settings["times"] = fault.times or ""
            if PRESETS[name].get("moment") == "rcpt" or PRESETS[name]["kind"] == "greylist":
                settings["match"] = getattr(fault, "match", "*")
            if name == preset:
                settings |= typed or {}
            title, what = words[language]
            offered.append({"name": name, "title": title, "what": what, "settings": settings})
        state = self._server.faults_as_json()
        values = {
            "on": [(*_named(fault, language), fault) for fault in state["faults"]],
            "events": [self._event(event, language) for event in reversed(state["events"][-10:])],
            "offered": offered,
            "problems": problems,
            "preset": preset,
        }
        return self._page("faults.html", request, values)

    def _event(self, event: dict[str, Any], language: Language) -> tuple[str, str]:
        return moment(event["time"], language), WORDS[language][event["event"]].format_map(event)

    def problem(self, request: Request, sentence: str) -> Response:
        """A page that says why there is no other."""
        return self._page("problem.html", request, {"sentence": sentence})
