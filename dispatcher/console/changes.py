"""What a correction changes, field by field, with the words that go and the words that come."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from dispatcher.announcements.models import Revision, RevisionText
from dispatcher.announcements.revisions import texts_by_language, unstored
from dispatcher.announcements.source import AnnouncementSource

_WORDS = re.compile(r"\s+|[^\s]+")
FIELDS = ("title", "summary", "body", "links", "image", "contact")
LONGEST = 4_000  # pieces: beyond these the old and the new text stand whole beside each other


@dataclass(frozen=True, slots=True)
class Changed:
    """One field. ``parts`` are pieces of text, each ``same``, ``gone`` or ``new``."""

    field: str
    parts: list[tuple[str, str]]


def changes(before: Revision, source: AnnouncementSource) -> dict[str, list[Changed]]:
    """By language, what of ``before`` reads differently in ``source``. A language that is new has all its fields."""
    old = texts_by_language(before)
    _, new = unstored(before.announcement, source)
    return {language: found for language in new if (found := list(_of_text(old, new, language)))}


def _of_text(old: Mapping[str, RevisionText], new: Mapping[str, RevisionText], language: str) -> Iterator[Changed]:
    for field in FIELDS:
        was = _plain(old[language], field) if language in old else ""
        now = _plain(new[language], field)
        if was != now:
            yield Changed(field, _parts(was, now))


def _plain(text: RevisionText, field: str) -> str:
    if field == "links":
        return "\n".join(f"{link['label']}: {link['url']}" for link in text.links)
    if field == "image":
        return f"{text.image_url}\n{text.image_alt}".strip()
    return str(getattr(text, field))


def _parts(was: str, now: str) -> list[tuple[str, str]]:
    old, new = _WORDS.findall(was), _WORDS.findall(now)
    if len(old) + len(new) > LONGEST:
        return [("gone", was), ("new", now)]
    parts = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts.append(("same", "".join(old[a:b])))
            continue
        parts += [(name, "".join(piece)) for name, piece in (("gone", old[a:b]), ("new", new[c:d])) if piece]
    return parts
