"""What a published site holds, and every page of it that follows from that: lists, feeds, banner, sitemap.

The manifest has one entry for each announcement, language and address. All functions here are pure: the same manifest,
shape and moment give the same bytes, so a site can be built again from the copies that made it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Literal
from urllib.parse import urlsplit

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.contract import Fact
from channels.kit.templates import FOLDER, render, unbroken

# Published pages name the style sheet: its number rises when pages written for the old classes would look wrong.
STYLE = "omroeper-1.css"
MANIFEST = ".omroeper/manifest.json"

_LATEST_FIRST = 50_000  # addresses that a sitemap may hold
_RIGHT_TO_LEFT = frozenset(("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))
_FOR_DATA = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)


class ManifestUnreadable(Exception):
    """The manifest is damaged, or missing where there are pages. The message is a sentence with the remedy."""


class Entry(BaseModel):
    """One copy on the site: an announcement in one language at one address (``path``, without slash around it).

    ``keys`` are the delivery keys under which it was accepted; ``moved`` is an early address that now leads on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    language: str
    announcement: str
    slug: str
    revision: int
    state: Literal["live", "corrected", "withdrawn"]
    kind: str
    title: str
    summary: str
    facts: tuple[Fact, ...]
    reason: str
    url: str
    published: datetime
    published_words: str
    updated: datetime
    expires: datetime | None
    topics: tuple[str, ...]
    early: bool
    practice: bool
    moved: bool = False
    keys: tuple[str, ...] = ()

    @property
    def rank(self) -> tuple[int, bool]:
        """What may replace what: a later revision an earlier one, a withdrawal the revision it withdraws."""
        return self.revision, self.state == "withdrawn"

    @property
    def feed_id(self) -> str:
        """Its permanent name in feeds (RFC 4287 section 4.2.6): not even a move of the site changes it."""
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{self.announcement}/{self.language}").urn

    def current(self, now: datetime) -> bool:
        """Whether readers should find it: public, not withdrawn, not expired."""
        return not self.early and self.state != "withdrawn" and (self.expires is None or self.expires > now)


class Manifest(BaseModel):
    """Every entry by its path."""

    model_config = ConfigDict(extra="forbid")

    version: Literal[1] = 1
    entries: dict[str, Entry] = Field(default_factory=dict)

    @classmethod
    def read(cls, content: bytes) -> Manifest:
        """The manifest that ``content`` holds.

        Raises:
            ManifestUnreadable: if it is none.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError:
            raise ManifestUnreadable(
                "The site's manifest cannot be read, so nothing was written. Rebuild the site from the ledger."
            ) from None

    def content(self) -> bytes:
        ordered = Manifest(entries=dict(sorted(self.entries.items())))
        return ordered.model_dump_json(indent=1).encode()

    def put(self, entry: Entry, key: str) -> Entry:
        """Stores ``entry``, with ``key`` and all keys that its address was accepted under before."""
        before = self.entries.get(entry.path)
        kept = entry.model_copy(update={"keys": tuple(sorted({*(before.keys if before else ()), *entry.keys, key}))})
        self.entries[entry.path] = kept
        return kept

    def by_key(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries.values() if key in entry.keys), None)

    def overtaken(self, announcement: str, language: str) -> list[tuple[Entry, Entry]]:
        """Early copies of an announcement whose public copy stands, each with that copy."""
        ours = [e for e in self.entries.values() if e.announcement == announcement and e.language == language]
        return [(early, public) for public in ours if not public.early for early in ours if early.early]

    def current(self, language: str, now: datetime) -> list[Entry]:
        """What readers of ``language`` should find, emergencies first, then the latest first."""
        found = [entry for entry in self.entries.values() if entry.language == language and entry.current(now)]
        return sorted(found, key=lambda e: (e.kind != "emergency", -e.published.timestamp(), e.slug))


@dataclass(frozen=True, slots=True)
class Shape:
    """What an administrator chose about the site. ``titles`` by language; the first language is the default one."""

    base_url: str
    languages: tuple[str, ...]
    titles: Mapping[str, str]
    list_length: int
    banner_length: int
    banner_days: int

    @property
    def prefix(self) -> str:
        """The path under which the site is served, without a slash at the end."""
        return urlsplit(self.base_url).path.rstrip("/")

    def title(self, language: str) -> str:
        return self.titles.get(language) or words(language)["site"]

    def frame(self, language: str) -> dict[str, object]:
        """What every page of the site needs."""
        return {
            "language": language,
            "direction": "rtl" if language.partition("-")[0] in _RIGHT_TO_LEFT else "ltr",
            "words": words(language),
            "site": self.title(language),
            "base_url": self.base_url,
            "prefix": self.prefix,
            "style": STYLE,
            "others": [place for place in self.homes() if place["language"] != language],
        }

    def homes(self) -> list[dict[str, object]]:
        """The list page of each language."""
        return [{"language": each, "words": words(each), "url": f"{self.base_url}/{each}/"} for each in self.languages]


@cache
def _all_words() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = json.loads((FOLDER / "website" / "words.json").read_text("utf-8"))
    return read


def words(language: str) -> dict[str, str]:
    """The words of pages in ``language``; English for readers of a language that we have no words for."""
    known = _all_words()
    return known.get(language) or known.get(language.partition("-")[0]) or known["en"]


def data(value: object) -> Markup:
    """``value`` as JSON that no container can be broken out of: not a script element, not an old parser of scripts."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Markup(text.translate(_FOR_DATA))  # noqa: S704 - no <, > or & is left in it


def pages(manifest: Manifest, shape: Shape, now: datetime) -> dict[str, bytes]:
    """Everything that follows from the manifest, by path: all of the site but the announcements' own pages."""
    practice = any(entry.practice for entry in manifest.entries.values())
    made: dict[str, str] = {}
    for language in shape.languages:
        frame = shape.frame(language) | {"practice": practice}
        current = manifest.current(language, now)
        made[f"{language}/index.html"] = render("website/list.html", **frame, entries=current[: shape.list_length])
        made[f"{language}/feed.atom"] = _feed(manifest, shape, frame, current)
    first = shape.languages[0]
    made["index.html"] = made[f"{first}/index.html"]
    made["banner.json"] = data(_banner(manifest, shape, now))
    made["banner.js"] = (FOLDER / "website" / "banner.js").read_text("utf-8")
    made["sitemap.xml"] = _sitemap(manifest)
    made["robots.txt"] = _robots(shape, practice=practice)
    made["404.html"] = render(
        "website/404.html", **shape.frame(first) | {"practice": practice}, languages=shape.homes()
    )
    return {path: content.encode() for path, content in made.items()}


def moved(entry: Entry, shape: Shape, url: str) -> bytes:
    """The small page that an early address becomes once the public one stands at ``url``."""
    frame = shape.frame(entry.language) | {"practice": entry.practice}
    return render("website/moved.html", **frame, url=url).encode()


def _feed(manifest: Manifest, shape: Shape, frame: Mapping[str, object], current: Iterable[Entry]) -> str:
    language = frame["language"]
    entries = sorted(current, key=lambda e: (e.updated, e.slug), reverse=True)[: shape.list_length]
    gone = [e for e in manifest.entries.values() if e.language == language and e.state == "withdrawn" and not e.early]
    withdrawn = sorted(gone, key=lambda e: (e.updated, e.slug), reverse=True)[: shape.list_length]
    updated = max((entry.updated for entry in (*entries, *withdrawn)), default=_NOTHING_YET)
    return render("website/feed.xml", **frame, entries=entries, withdrawn=withdrawn, updated=updated.isoformat())


def _banner(manifest: Manifest, shape: Shape, now: datetime) -> dict[str, object]:
    return {
        "version": 1,
        "language": shape.languages[0],
        "languages": {
            language: {
                "name": shape.title(language),
                "more": words(language)["more"],
                "close": words(language)["close"],
                "announcements": _shown(manifest, shape, language, now),
            }
            for language in shape.languages
        },
    }


def _shown(manifest: Manifest, shape: Shape, language: str, now: datetime) -> list[dict[str, object]]:
    shown = []
    for entry in manifest.current(language, now):
        until = entry.expires or entry.published + timedelta(days=shape.banner_days)
        if until > now:
            shown.append(
                {
                    "id": entry.feed_id,
                    "revision": entry.revision,
                    "kind": entry.kind,
                    "emergency": entry.kind == "emergency",
                    "mark": words(language)["practice"] if entry.practice else "",
                    "title": entry.title,
                    "summary": entry.summary,
                    "url": entry.url,
                    "facts": unbroken(entry.facts),
                    "until": until.isoformat(),
                }
            )
    return shown[: shape.banner_length]


def _sitemap(manifest: Manifest) -> str:
    public = [entry for entry in manifest.entries.values() if not entry.early and entry.state != "withdrawn"]
    entries = sorted(public, key=lambda e: (e.updated, e.path), reverse=True)[:_LATEST_FIRST]
    together: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda e: e.path):
        together.setdefault(entry.announcement, []).append(entry)
    return render("website/sitemap.xml", entries=entries, entries_by_announcement=together)


def _robots(shape: Shape, *, practice: bool) -> str:
    if practice:
        return "User-agent: *\nDisallow: /\n"
    return f"User-agent: *\nAllow: /\n\nSitemap: {shape.base_url}/sitemap.xml\n"
