"""What the template of the town shows of a board: texts cut and marked, sentences, links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from markupsafe import Markup, escape

from dispatcher.practice.town.board import Board, Column, State
from dispatcher.practice.town.heard import Copy
from dispatcher.practice.town.links import urls_in
from dispatcher.practice.town.site import Stands
from dispatcher.practice.town.words import TOWN
from dispatcher.practice.words import Language, count

_ZONE = ZoneInfo("Europe/Amsterdam")
_CLOCK: Mapping[Language, str] = {"nl": "H.mm 'uur'", "en": "H:mm"}
_LOCK: Mapping[Language, str] = {"nl": "H.mm", "en": "H:mm"}
_DAY: Mapping[Language, str] = {"nl": "EEEE d MMMM", "en": "EEEE d MMMM"}
_MOST = 330  # characters of a long text that are shown
_LINK_SHOWN = 30  # characters of an address that are shown, as Mastodon does


def board_values(board: Board, language: Language) -> dict[str, Any]:
    """The values of the template for a board."""
    words = TOWN[language]
    page = board.page
    told = page.told if page else None
    return {
        "slug": board.announcement.slug,
        "title": told.title if told else board.announcement.title,
        "title_language": board.language,
        "revision": page.revision if page and told else 0,
        "withdrawn": bool(page and page.stands is Stands.WITHDRAWN),
        "facts": board.facts,
        "told": told,
        "verdict": _verdict(board, words),
        "findings": [_finding(column, words) for column in board.standing(State.DIFFERS)],
        "columns": [_column(column, board, language) for column in board.columns],
    }


def _verdict(board: Board, words: Mapping[str, str]) -> tuple[str, list[str]]:
    """How all stands: the look of the note, and its sentences."""
    if not board.standing(State.YARDSTICK):
        return "info", [words["cannot"]]
    same, wrong = board.standing(State.SAME), board.standing(State.DIFFERS, State.OLDER, State.GONE)
    total = 1 + len(same) + len(wrong)
    said = [_said(state, board, words) for state in (State.DIFFERS, State.GONE, State.OLDER, State.NOTHING)]
    rest = [sentence for sentence in said if sentence]
    if wrong:
        agreed = words["some_same"].format(total - len(wrong), total) if same else words["none_same"]
        return "differs", [agreed, *rest]
    if not same:
        return "info", [words["one_heard"], *rest]
    return "same", [words["all_same"].format(total), *rest]


def _said(state: State, board: Board, words: Mapping[str, str]) -> str:
    places = [words[f"the_{column.place}"] for column in board.standing(state)]
    return words[f"says_{state}"].format(", ".join(places)) if places else ""


def _finding(column: Column, words: Mapping[str, str]) -> dict[str, Any]:
    """What is wrong with a copy: what it says and should not, what it does not say and should."""
    compared = column.compared
    assert compared is not None
    lacks = [("lacks_title", compared.title), ("lacks_opening", compared.opening)]
    lacks.append(("lacks_withdrawn", compared.withdrawn))
    return {
        "place": words[f"the_{column.place}"],
        "strange": compared.strange,
        "missing": compared.missing,
        "lacks": [words[name] for name, there in lacks if not there],
    }


def _column(column: Column, board: Board, language: Language) -> dict[str, Any]:
    words, copy, place = TOWN[language], column.copy, column.place
    strange = column.compared.strange if column.compared else []
    drawn = {
        "title": marked(copy.title, column.facts, strange) if copy else "",
        "text": [marked(part, column.facts, strange) for part in _excerpt(place, copy)] if copy else [],
        "to": copy.to if copy else "",
        "language": copy.language if copy else board.language,
        "edited": words["edited"].format(_at(copy.at, language, _CLOCK)) if copy and copy.edited else "",
        "number": copy.number if copy else "",
    }
    return {
        "place": place,
        "state": str(column.state),
        "here": copy is not None and column.state is not State.GONE,
        "how_many": _how_many(column, language),
        "at": words["at"].format(_at(copy.at, language, _CLOCK)) if copy and copy.at else "",
        "lock": _at(copy.at, language, _LOCK) if copy else "",
        "day": _at(copy.at, language, _DAY) if copy else "",
        "why_not": _why_not(column, board, words),
        "drawn": drawn,
        "open": copy.open if copy and column.state is not State.GONE else "",
    }


def _how_many(column: Column, language: Language) -> str:
    words, heard = TOWN[language], column.heard
    if column.place in ("website", "timeline"):
        return words["public"] if column.copy and column.state is not State.GONE else ""
    if heard is None or column.place == "colleagues":
        return ""
    one = {"mail": "mails", "push": "phones"}[column.place]
    number = len(heard.people)
    sentence = words[f"{one}_one"] if number == 1 else words[one].format(count(number, language))
    if column.place == "mail" and heard.times > number:  # a correction: some heard more than once
        people = words["people_one"] if number == 1 else words["people"].format(count(number, language))
        sentence = f"{people}, {words['mails'].format(count(heard.times, language))}"
    return sentence


def _why_not(column: Column, board: Board, words: Mapping[str, str]) -> str:
    if column.state is State.GONE:
        return words[f"gone_{column.place}"]
    if column.place == "website" and column.state is State.ALONE:
        return words["unread_website" if board.page else "no_site"]
    return words[f"none_{column.place}"] if column.state is State.NOTHING else ""


def _excerpt(place: str, copy: Copy) -> list[str]:
    """The paragraphs of a copy that fit a drawing."""
    text = copy.text.replace("\r\n", "\n").partition("\n-- \n")[0]
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    if place == "mail":
        parts = [part for part in parts if part != copy.title and not part.startswith("***")]
    shown: list[str] = []
    left = _MOST
    for part in parts:
        if left < 40:
            break
        shown.append(part if len(part) <= left else f"{part[:left].rsplit(None, 1)[0].rstrip('- ')} …")
        left -= len(part)
    return shown


def marked(text: str, good: Iterable[str], strange: Iterable[str]) -> Markup:
    """``text`` with the facts that agree marked, those that do not marked as wrong, and links as they are drawn."""
    wrong = {_key(each): "town__bad town__bad--link" if "://" in each else "town__bad" for each in strange}
    marks = wrong | {_key(each): "town__good" for each in good}
    links = {_key(url): "town__link" for url in urls_in(text)}
    known = links | marks
    if not known:
        return escape(text)
    spaced = (r"\s+".join(map(re.escape, key.split())) for key in sorted(known, key=len, reverse=True))
    pieces, at = [], 0
    for found in re.finditer("|".join(spaced), text, re.IGNORECASE):
        kind = known[_key(found[0])]
        words = _shortened(found[0]) if kind == "town__link" else found[0]
        pieces += [escape(text[at : found.start()]), Markup('<span class="{}">{}</span>').format(kind, words)]
        at = found.end()
    return Markup("").join([*pieces, escape(text[at:])])


def _key(text: str) -> str:
    return " ".join(text.casefold().split())


def _shortened(url: str) -> str:
    bare = url.partition("://")[2]
    return bare if len(bare) <= _LINK_SHOWN else f"{bare[:_LINK_SHOWN]}…"


def _at(seconds: float, language: Language, patterns: Mapping[Language, str]) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, _ZONE), patterns[language], locale=language)
