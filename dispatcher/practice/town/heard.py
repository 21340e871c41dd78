"""What each far side got of each announcement: followed as it comes in, so that a look costs only what is new."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

from dispatcher.practice.colleagues.peer import Colleagues
from dispatcher.practice.letter import open_letter
from dispatcher.practice.mail_server import MailServer
from dispatcher.practice.mailbox import Taken
from dispatcher.practice.push.peer import Push
from dispatcher.practice.push.phones import PUSH
from dispatcher.practice.timeline.peer import Timeline
from dispatcher.practice.timeline.store import Status
from dispatcher.practice.town.links import Links, Page

_AT_ONCE = 200  # lines that are read before others in this process get their turn


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy as its reader sees it. ``open`` leads to it; ``number`` names it at its far side.

    ``gone`` says that it was there and was taken away. ``edited`` is true where it says something else than at first.
    """

    language: str
    at: float
    title: str
    text: str
    open: str
    number: str = ""
    to: str = ""
    gone: bool = False
    edited: bool = False

    @property
    def whole(self) -> str:
        return f"{self.title}\n{self.text}"


@dataclass(slots=True)
class Heard:
    """What one far side got of one announcement: ``times`` messages for ``people``; the latest of each language.

    ``since`` is when the first one came.
    """

    since: float = 0.0
    times: int = 0
    people: set[str] = field(default_factory=set)
    latest: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def take(self, language: str, at: float, who: str, what: Any) -> None:
        self.since = self.since or at
        self.times += 1
        self.people.add(who)
        self.latest[language] = (at, what)

    def language(self, wanted: str) -> str:
        """The language to show: the one that is wanted where it was heard, else the one heard last."""
        return wanted if wanted in self.latest else max(self.latest, key=lambda each: self.latest[each][0])


class Source(ABC):
    """Follows one far side. ``by_slug`` is what it got, as far as it was read."""

    name: ClassVar[str]

    def __init__(self, links: Links) -> None:
        self.links = links
        self.by_slug: dict[str, Heard] = {}

    @abstractmethod
    async def look(self) -> None:
        """Reads what came in since the last look."""

    @abstractmethod
    def copy(self, what: Any, language: str, at: float) -> Copy:
        """The copy that ``what`` (of ``Heard.latest``) is."""

    def note(self, page: Page, language: str, at: float, who: str, what: Any) -> None:
        self.by_slug.setdefault(page.slug, Heard()).take(language or page.language, at, who, what)


class _Lines(Source):
    """Follows a list that only grows."""

    def __init__(self, links: Links, lines: list[Any]) -> None:
        super().__init__(links)
        self._lines = lines
        self._read = 0

    async def look(self) -> None:
        while self._read < len(self._lines):
            upto = min(len(self._lines), self._read + _AT_ONCE)
            lines, start, self._read = self._lines[self._read : upto], self._read, upto
            for number, line in enumerate(lines, start):
                self.read(number, line)
            await asyncio.sleep(0)

    @abstractmethod
    def read(self, number: int, line: Any) -> None:
        """Notes a line, where it is about an announcement."""


class Mails(_Lines):
    """What the mail server took."""

    name = "mail"

    def __init__(self, server: MailServer, links: Links) -> None:
        super().__init__(links, server.mailbox.taken)
        self._mailbox = server.mailbox

    def read(self, number: int, line: Taken) -> None:
        content = self._mailbox.content(line) or b""
        page, language = self.links.first_in_mail(content), ""
        if content and (page is None or not page.language):
            letter = open_letter(content)
            language = letter.language
            page = page or self.links.first(letter.text or letter.html or "")
        if page:
            self.note(page, page.language or language, line.time, line.recipient, number)

    def copy(self, what: int, language: str, at: float) -> Copy:
        taken = self._mailbox.taken[what]
        letter = open_letter(self._mailbox.content(taken) or b"")
        text = letter.text or ""
        return Copy(language, at, taken.subject, text, f"/message/{what}", str(what), taken.recipient)


class Pushes(_Lines):
    """What the push service took, and the phones could read."""

    name = "push"

    def __init__(self, push: Push, links: Links) -> None:
        super().__init__(links, push.record.taken)
        self._port = push.port

    def read(self, number: int, line: dict[str, Any]) -> None:
        notification = line.get("notification") if line["what"] == PUSH else None
        link = notification.get("navigate") if notification else None
        if notification and isinstance(link, str) and (page := self.links.first(link)):
            language = page.language or str(notification.get("lang") or "")
            self.note(page, language, line["time"], line["recipient"], number)

    def copy(self, what: int, language: str, at: float) -> Copy:
        line = self._lines[what]
        said = line["notification"]
        body = said.get("body") if isinstance(said.get("body"), str) else ""
        address = f"http://localhost:{self._port}/phone/{line['recipient']}"
        return Copy(language, at, said["title"], body, address, line["recipient"], line["name"])


class Hooks(_Lines):
    """What was posted to the colleagues' channel."""

    name = "colleagues"

    def __init__(self, colleagues: Colleagues, links: Links) -> None:
        super().__init__(links, colleagues.record.taken)
        self._port = colleagues.port

    def read(self, number: int, line: dict[str, Any]) -> None:
        if page := self.links.first(f"{line.get('title', '')}\n{line.get('text', '')}"):
            self.note(page, page.language, line["time"], line["recipient"], number)

    def copy(self, what: int, language: str, at: float) -> Copy:
        line = self._lines[what]
        address = f"http://localhost:{self._port}/"
        return Copy(language, at, line.get("title", ""), line.get("text", ""), address, to=line["recipient"])


class Posts(Source):
    """The posts of the timeline. What a post is about is known from all it ever said: a stranger may take the link."""

    name = "timeline"

    def __init__(self, timeline: Timeline, links: Links) -> None:
        super().__init__(links)
        self._timeline = timeline

    async def look(self) -> None:
        found: dict[str, Heard] = {}
        self.by_slug, waiting = found, list(self._timeline.store.everything())
        for status in waiting:
            pages = (self.links.last(version.text) for version in reversed(status.versions))
            if page := next(filter(None, pages), None):
                self.note(page, page.language or status.now.language, status.changed, "everybody", status)
                found[page.slug].since = min(found[page.slug].since, status.posted)

    def copy(self, what: Status, language: str, at: float) -> Copy:
        address = f"{self._timeline.base}/@losser/{what.id}"
        return Copy(language, at, "", what.now.text, address, what.id, gone=what.gone, edited=len(what.versions) > 1)


def sources(server: MailServer, peers: Iterable[object], links: Links) -> dict[str, Source]:
    """What follows each far side, by its name, in the order of the page."""
    found: list[Source] = [Mails(server, links)]
    for peer in peers:
        match peer:
            case Timeline():
                found.append(Posts(peer, links))
            case Push():
                found.append(Pushes(peer, links))
            case Colleagues():
                found.append(Hooks(peer, links))
    return {source.name: source for source in found}
