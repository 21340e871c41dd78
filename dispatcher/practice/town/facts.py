"""Whether two texts say the same: the practice town's own look at titles, dates, times, numbers, amounts and links.

Not the product's: who judges the product's copies must not ask the product how to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dispatcher.practice.town.links import urls_in

_DAYS = (
    "maandag|dinsdag|woensdag|donderdag|vrijdag|zaterdag|zondag|"
    "monday|tuesday|wednesday|thursday|friday|saturday|sunday"
)
_MONTHS = (
    "januari|februari|maart|april|mei|juni|juli|augustus|september|oktober|november|december|"
    "january|february|march|may|june|july|august|october"
)
_AMOUNT = r"€\s?\d[\d.]*(?:,\d\d)?|\b\d+(?:[.,]\d+)?\seuro\b|\b\d+\s?%"
_DATE = (
    rf"(?:\b(?:{_DAYS}),?\s)?\b\d{{1,2}}\s(?:{_MONTHS})\b(?:\s\d{{4}}\b)?|"
    rf"\b(?:{_MONTHS})\s\d{{1,2}}\b(?:,?\s\d{{4}}\b)?|\b\d{{1,2}}-\d{{1,2}}-\d{{4}}\b|\b\d{{4}}-\d\d-\d\d\b"
)
_PHONE = r"(?<![\d/])(?:\+\d\d\s?|0)\d(?:[\s-]?\d){7,9}(?!\d)"
_TIME = r"(?<![\d.])\d{1,2}[.:]\d\d(?![\d.]\d)(?:\s(?:uur|am|pm)\b)?|\b\d{1,2}\s(?:uur|am|pm)\b"
_FACT = re.compile("|".join((_AMOUNT, _DATE, _PHONE, _TIME)), re.IGNORECASE)
_OPENING_WORDS = 6


@dataclass(frozen=True, slots=True)
class Told:
    """What everyone should hear: the yardstick. ``whole`` is all that its page says, ``links`` where it leads.

    ``heading`` is the title as it stands on the page; of one that was withdrawn it says so.
    """

    heading: str
    title: str
    summary: str
    whole: str
    links: frozenset[str]
    withdrawn: bool = False

    @property
    def facts(self) -> list[str]:
        """The facts that stand in every copy: those of title and summary."""
        return facts_in(f"{self.title}\n{self.summary}")


@dataclass(frozen=True, slots=True)
class Compared:
    """How a copy compares. ``missing`` are facts that it should have, ``strange`` facts and links that it should not.

    ``title``, ``opening`` and ``withdrawn`` are false where it should say that and does not.
    """

    title: bool = True
    opening: bool = True
    withdrawn: bool = True
    missing: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @property
    def same(self) -> bool:
        return self.title and self.opening and self.withdrawn and not self.missing and not self.strange


def facts_in(text: str) -> list[str]:
    """Dates, times, phone numbers and amounts, each once, as they are written."""
    found = (" ".join(fact.split()) for fact in _FACT.findall(_without_links(text)))
    return list(dict.fromkeys(found))


def compare(text: str, told: Told, ours: Iterable[str]) -> Compared:
    """How ``text``, a copy, compares with what should be told. ``ours`` are web addresses that may be linked to."""
    said, whole = _plain(text), _plain(told.whole)
    allowed = {*told.links, *ours}
    strange = [fact for fact in facts_in(text) if _plain(fact) not in whole]
    strange += [url for url in dict.fromkeys(urls_in(text)) if _place(url) not in {_place(link) for link in allowed}]
    opening = " ".join(told.summary.split()[:_OPENING_WORDS])
    return Compared(
        title=_plain(told.title) in said,
        opening=_plain(opening) in said,
        withdrawn=not told.withdrawn or says_withdrawn(said.partition(_plain(told.title))[0]),
        missing=[fact for fact in told.facts if _plain(fact) not in said],
        strange=strange,
    )


def says_withdrawn(text: str) -> bool:
    """Whether what stands before a title says that it no longer holds."""
    return bool(re.search(r"\b(ingetrokken|withdrawn)\b", text, re.IGNORECASE))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def _without_links(text: str) -> str:
    for url in urls_in(text):
        text = text.replace(url, " ")
    return text


def _place(url: str) -> str:
    """Whose address it is: a link that leads to somebody else shows, personal links to our own pages do not."""
    return urlsplit(url).netloc.casefold()
