"""The facts of a text: what must read the same in every copy, because a reader acts on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from phonenumbers import PhoneNumberMatcher

from dispatcher.announcements import wording
from dispatcher.announcements.links import EMAIL, URL, url_end

PHONE_REGION = "NL"
# Groups of digits that turned out to be no phone number, after which the search for them ends.
_PHONE_TRIES = 5_000


class FactKind(StrEnum):
    """What a fact is. The values are those that channels use."""

    DATE = "date"
    TIME = "time"
    PHONE = "phone"
    AMOUNT = "amount"
    ADDRESS = "address"
    URL = "url"
    EMAIL = "email"
    NEGATION = "negation"


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that must read the same in every copy. ``text`` is how the writer wrote it."""

    kind: FactKind
    text: str


def facts(text: str, language: str) -> tuple[Fact, ...]:
    """The facts of plain ``text`` in the order in which they stand, each once.

    Found are: web and e-mail addresses; phone numbers that can exist (seen from the Netherlands); dates with a
    number or the name of a month, and days of the week; times and hours; amounts of euros and percentages; streets
    with a number, post boxes and postcodes; and in Dutch and English the words that deny. Dates in numbers are read
    day first. Words such as "tomorrow" are no facts: they change their meaning by themselves.
    """
    remaining = text
    found: list[tuple[int, Fact]] = []
    for kind, find in _finders(language):
        spans = list(find(remaining))
        found.extend((start, Fact(kind, text[start:end])) for start, end in spans)
        remaining = _masked(remaining, spans)
    found.sort(key=lambda placed: placed[0])
    return tuple(dict.fromkeys(fact for _, fact in found))


_Span = tuple[int, int]
_Finder = Callable[[str], Iterable[_Span]]


def _finders(language: str) -> list[tuple[FactKind, _Finder]]:
    """Who looks first, for text that two could claim: a postcode holds a year, a phone number may hold a time."""
    base = language.split("-", 1)[0]
    finders: list[tuple[FactKind, _Finder]] = [
        (FactKind.URL, _urls),
        (FactKind.EMAIL, _matches(EMAIL)),
        (FactKind.ADDRESS, _matches(wording.STREET_BEFORE_POSTCODE)),
        (FactKind.ADDRESS, _matches(wording.POSTCODE)),
        (FactKind.ADDRESS, _matches(wording.STREET)),
        (FactKind.ADDRESS, _matches(wording.BOX)),
        (FactKind.AMOUNT, _matches(wording.AMOUNT)),
        (FactKind.DATE, _numeric_dates),
        (FactKind.DATE, _matches(wording.calendar(base).date)),
        (FactKind.PHONE, _phones),
        (FactKind.TIME, _matches(wording.TIME)),
        (FactKind.TIME, _matches(wording.TIME_AFTER_WORD, "clock")),
        (FactKind.PHONE, _matches(wording.SHORT_NUMBER)),
    ]
    if base in wording.NEGATIONS:
        finders.append((FactKind.NEGATION, _matches(wording.NEGATIONS[base])))
    return finders


def _masked(text: str, spans: list[_Span]) -> str:
    """``text`` with NULs, which no pattern matches, where something was found: positions stay what they are."""
    pieces, done = [], 0
    for start, end in spans:
        pieces += [text[done:start], "\0" * (end - start)]
        done = end
    return "".join([*pieces, text[done:]])


def _matches(pattern: re.Pattern[str], group: str | int = 0) -> _Finder:
    return lambda text: (match.span(group) for match in pattern.finditer(text))


def _urls(text: str) -> Iterable[_Span]:
    return ((match.start(), url_end(text, match.start(), match.end())) for match in URL.finditer(text))


def _numeric_dates(text: str) -> Iterable[_Span]:
    for match in wording.NUMERIC_DATE.finditer(text):
        month, day = int(match["month"] or match["m"]), int(match["day"] or match["d"])
        if 1 <= month <= 12 and 1 <= day <= 31:
            yield match.span()


def _phones(text: str) -> Iterable[_Span]:
    return ((match.start, match.end) for match in PhoneNumberMatcher(text, PHONE_REGION, max_tries=_PHONE_TRIES))
