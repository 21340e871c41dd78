"""Whether the facts of an announcement stand in a copy of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from channels.contract import Fact

# Characters that a reader does not see and a service may add or drop: soft hyphen, zero-width space, word joiner,
# byte order mark. The zero-width joiners stay: they change what a word or emoji is.
_UNSEEN = re.compile("[\u00ad\u200b\u2060\ufeff]")
_SPACES = re.compile(r"\s+")  # for text, \s holds the no-break spaces too


def normalised(text: str) -> str:
    """``text`` as a reader compares it: NFC, every run of white space one space, nothing unseen."""
    return _SPACES.sub(" ", _UNSEEN.sub("", unicodedata.normalize("NFC", text))).strip()


@lru_cache(maxsize=1024)
def _pattern(fact: str) -> re.Pattern[str]:
    # A fact is a whole: "9.10" does not stand in "19.10", nor "niet" in "genieten".
    before = r"(?<!\w)" if fact[:1].isalnum() else ""
    after = r"(?!\w)" if fact[-1:].isalnum() else ""
    return re.compile(before + re.escape(fact) + after)


def missing(facts: Iterable[Fact], text: str) -> tuple[Fact, ...]:
    """Those of ``facts`` that do not stand in ``text`` as the writer wrote them, white space aside."""
    seen = normalised(text)
    return tuple(fact for fact in facts if not _pattern(normalised(fact.text)).search(seen))
