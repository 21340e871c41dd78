"""Shortens a text to what a service allows, in the unit that the service counts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, takewhile

import regex

from channels.contract import Unit

_ELLIPSIS = "…"
_URL = regex.compile(r"(?i)\b(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]}'’”]")
# A number with its sign, its unit before it and its inner separators: "€ 1.250,00", "053 000 00 00", "9.10".
_NUMBER = r"(?:[+€$£-][ \u00a0]?)?\d(?:[\d.,:/()-]|[ \u00a0\u202f](?=\d))*"
# What is read in one breath with its number: a time, a sum, a share, a temperature.
_AFTER = r"(?:[ \u00a0](?:uur|euro|procent|%|°C|am|pm|a\.m\.|p\.m\.))?"
_PIECES = regex.compile(rf"(?P<url>{_URL.pattern})|(?P<number>{_NUMBER}{_AFTER})|(?P<grapheme>\X)", regex.I)
_SENTENCE_END = regex.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|\n\s*\n")
_EMOJI = regex.compile(r"[\p{Emoji_Presentation}\p{Regional_Indicator}\ufe0f\u20e3]")
_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that X counts as one
_ABBREVIATIONS = frozenset(
    """
    a.u.b. bijv. blz. ca. d.w.z. dhr. dr. drs. enz. evt. excl. fam. incl. ing. i.p.v. i.v.m. m.u.v. mevr. min. mr. nr.
    o.a. p/a. prof. resp. st. str. t.a.v. tel. z.o.z. e.g. etc. i.e. mrs. ms. no. vs.
    """.split()  # noqa: SIM905 - one list a reader can scan
)


@dataclass(frozen=True, slots=True)
class Shortened:
    """``text`` fits. ``cut`` says whether anything was left out; then it ends at a sentence, or in an ellipsis."""

    text: str
    cut: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stays whole: a URL, a number, a grapheme. ``end`` is where it ends, ``size`` how long all up to there is."""

    end: int
    size: int
    space: bool


def measure(text: str, unit: Unit, url_length: int | None = None) -> int:
    """How long the service finds ``text``: in ``unit``, each URL counted as ``url_length`` where that is given."""
    if url_length is None:
        return _size(text, unit)
    urls = _URL.findall(text)
    return _size(_URL.sub("", text), unit) + url_length * len(urls)


def shorten(text: str, length: int | None, unit: Unit = Unit.CHARACTERS, url_length: int | None = None) -> Shortened:
    """The longest beginning of ``text`` that fits in ``length``.

    It ends at a sentence where that keeps at least half of what fits, else at a word with an ellipsis, and never inside
    a URL, a number or a grapheme. Nothing is added but the ellipsis. ``length`` of ``None`` means no limit.
    """
    if length is None or measure(text, unit, url_length) <= length:
        return Shortened(text, cut=False)
    pieces = list(_pieces(text, unit, url_length))
    fitting = [piece for piece in pieces if piece.size <= length]
    if fitting:
        sentence = _last_sentence(text, fitting[-1].end)
        kept = next((piece.size for piece in fitting if piece.end >= sentence), 0)
        if sentence and kept * 2 >= length:
            return Shortened(text[:sentence].rstrip(), cut=True)
    room = length - _size(_ELLIPSIS, unit)
    return Shortened(_words(text, pieces, room, length), cut=True)


def _words(text: str, pieces: list[_Piece], room: int, length: int) -> str:
    """Whole words up to ``room`` and an ellipsis; where not even one word fits, as many whole pieces as do."""
    end = whole = 0
    for index, piece in enumerate(pieces):
        if piece.size > room:
            break
        whole = piece.end
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if not piece.space and (following is None or following.space):
            end = piece.end
    end = end or whole
    if end == 0:
        return _ELLIPSIS if room >= 0 and length > 0 else ""
    return text[:end].rstrip().rstrip(",;:–-") + _ELLIPSIS


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, in order."""
    ends = [0, *_sentence_ends(text), len(text)]
    parts = (text[start:end].strip() for start, end in pairwise(ends))
    return [part for part in parts if part]


def _last_sentence(text: str, limit: int) -> int:
    """Where the last whole sentence within ``limit`` ends; 0 where there is none."""
    return max(takewhile(lambda end: end <= limit, _sentence_ends(text)), default=0)


def _sentence_ends(text: str) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text):
        word = text[max(0, match.end() - 12) : match.end()].rsplit(None, 1)[-1:]
        if not word or word[0].lower() in _ABBREVIATIONS or text[match.end() :].lstrip()[:1].islower():
            continue
        yield match.end()


def _pieces(text: str, unit: Unit, url_length: int | None) -> Iterator[_Piece]:
    size = 0
    for match in _PIECES.finditer(text):
        part = match.group()
        is_url = match.lastgroup == "url"
        size += url_length if is_url and url_length is not None else _size(part, unit)
        yield _Piece(match.end(), size, part.isspace())


def _size(text: str, unit: Unit) -> int:
    if unit is Unit.BYTES:
        return len(text.encode())
    if unit is Unit.GRAPHEMES:
        return len(regex.findall(r"\X", text))
    if unit is Unit.WEIGHTED:
        return sum(_weight(grapheme) for grapheme in regex.findall(r"\X", unicodedata.normalize("NFC", text)))
    return len(text)


def _weight(grapheme: str) -> int:
    """As X counts (its configuration v3): two for an emoji, however it is put together, else by code point."""
    if _EMOJI.search(grapheme):
        return 2
    return sum(1 if any(first <= ord(sign) <= last for first, last in _LIGHT) else 2 for sign in grapheme)
