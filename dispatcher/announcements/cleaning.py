"""Characters that a text may hold: what cannot be seen, or changes what is seen, is taken out at input.

Python's mail classes refuse a subject with U+2028 or U+0085, a bidi control shows a link as another one, and an
invisible letter makes two equal titles different. So everything is cleaned once, before it is measured and stored.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import idna

_JOINER = "\u200d"
_JOINERS = "\u200c" + _JOINER
# Format characters that are drawn: number and verse signs of Arabic, Syriac and Kaithi.
_DRAWN_FORMAT = re.compile("[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
# Letters, marks and symbols without a shape of their own: Hangul fillers, Khmer inherent vowels, the grapheme
# joiner, the empty braille cell, and all variation selectors but the two for text and emoji style.
_SHAPELESS = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef]"
)
_STYLE_SELECTORS = "\ufe0e\ufe0f"
_KEPT_SPACES = "\u00a0\u202f"  # a no-break space keeps "€ 12" or "17.00 uur" on one line
# More marks than any script stacks on one letter in writing, and far fewer than text that spills over its lines.
_MARKS_LIMIT = 4


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text that is fit to store. ``changed`` lists the code points that were taken out or became a space or line."""

    text: str
    changed: tuple[str, ...] = ()


def code_point(character: str) -> str:
    """How Unicode writes a character's number: ``U+202E``."""
    return f"U+{ord(character):04X}"


def clean(text: str, *, lines: bool = False) -> Cleaned:
    """``text`` in NFC without controls, bidi controls, invisible characters and piled-up marks.

    Without ``lines`` (titles, summaries, labels, names) the result is one line with single spaces. With ``lines``
    (the body) line ends become LF, the paragraph separator an empty line, and tabs stay. Cleaning what is clean
    changes nothing. Joiners stay where a script or an emoji needs them (RFC 5892 A.1 and A.2; Unicode TR 51).
    """
    changed: list[str] = []
    text = text.replace("\r\n", "\n")
    before = None
    while text != before:  # taking a mark out can bring two others together
        before = text
        text = _filtered(unicodedata.normalize("NFC", text), lines, changed)
    text = _lines(text) if lines else re.sub(" {2,}", " ", text).strip()
    return Cleaned(text, tuple(dict.fromkeys(changed)))


def _lines(text: str) -> str:
    """Two spaces before a line end are Markdown's line break; more or fewer of them mean nothing."""
    trimmed = ((line.rstrip(" \t"), line.endswith("  ")) for line in text.split("\n"))
    return "\n".join(line + "  " if line and broken else line for line, broken in trimmed).strip("\n").rstrip()


def _filtered(text: str, lines: bool, changed: list[str]) -> str:
    kept: list[str] = []
    marks = 0
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MARKS_LIMIT:
            replacement = ""
        elif category[0] in "CZM" or _SHAPELESS.match(character):
            replacement = _replacement(text, index, category, lines)
        else:
            replacement = character
        if replacement != character and not (lines and character == "\r"):
            changed.append(code_point(character))
        kept.append(replacement)
    return "".join(kept)


def _replacement(text: str, index: int, category: str, lines: bool) -> str:
    character = text[index]
    if category in ("Cc", "Zl", "Zp"):
        return _line_replacement(character, lines)
    if category == "Zs":
        return character if character in _KEPT_SPACES else " "
    return character if _is_seen(text, index, category) else ""


def _is_seen(text: str, index: int, category: str) -> bool:
    """Whether the character at ``index`` has a shape, or shapes its neighbours."""
    character = text[index]
    if category == "Cf":
        return bool(_DRAWN_FORMAT.match(character)) or (character in _JOINERS and _joins(text, index))
    if character in _STYLE_SELECTORS:
        before = text[index - 1] if index else " "
        return before.isdigit() or unicodedata.category(before)[0] in "SP"
    noncharacter = (ord(character) & 0xFFFE) == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
    return category not in ("Cs", "Co") and not noncharacter and not _SHAPELESS.match(character)


def _line_replacement(character: str, lines: bool) -> str:
    if not lines:
        return " "
    if character == "\u2029":
        return "\n\n"
    if character in "\r\n\x0b\x0c\x85\u2028":
        return "\n"
    return character if character == "\t" else " "


def _joins(text: str, index: int) -> bool:
    """Whether the joiner at ``index`` does something: in an emoji sequence, or between letters of a script with it."""
    before, after = text[max(0, index - 3) : index].rstrip(_STYLE_SELECTORS)[-1:], text[index + 1 : index + 2]
    if not before or not after:
        return False
    if text[index] == _JOINER and unicodedata.category(after) == "So":
        return unicodedata.category(before) in ("So", "Sk")  # Sk: skin tones
    try:
        # A window is enough: the rule looks at the next letter on each side, past marks that do not join.
        start = max(0, index - 8)
        return idna.valid_contextj(text[start : index + 9], index - start)
    except (ValueError, IndexError):
        return False
