"""Every page of a site that follows from its manifest: lists, feeds, banner, sitemap.

All functions here are pure: the same manifest, shape and moment give the same bytes, so a site can be built again from
the copies that made it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice
from urllib.parse import urlsplit

from markupsafe import Markup

from channels.kit.manifest import Entry, Manifest
from channels.kit.templates import FOLDER, render, unbroken

# Published pages name the style sheet: its number rises when pages written for the old classes would look wrong.
STYLE = "omroeper-1.css"

_LATEST_FIRST = 50_000  # addresses that a sitemap may hold
_RIGHT_TO_LEFT = frozenset(("ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"))
_FOR_DATA = str.maketrans({c: f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"})
_NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)


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
    current = {language: manifest.current(language, now) for language in shape.languages}
    for language in shape.languages:
        frame = shape.frame(language) | {"practice": practice}
        listed = current[language][: shape.list_length]
        made[f"{language}/index.html"] = render("website/list.html", **frame, entries=listed)
        made[f"{language}/feed.atom"] = _feed(manifest, shape, frame, current[language])
    first = shape.languages[0]
    made["index.html"] = made[f"{first}/index.html"]
    made["banner.json"] = data(_banner(current, shape, now))
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


def _banner(current: Mapping[str, Sequence[Entry]], shape: Shape, now: datetime) -> dict[str, object]:
    return {
        "version": 1,
        "language": shape.languages[0],
        "languages": {
            language: {
                "name": shape.title(language),
                "more": words(language)["more"],
                "close": words(language)["close"],
                "announcements": [_item(entry, until) for entry, until in _shown(current[language], shape, now)],
            }
            for language in shape.languages
        },
    }


def _shown(current: Iterable[Entry], shape: Shape, now: datetime) -> list[tuple[Entry, datetime]]:
    """What stands in the banner, each with when it goes."""
    untils = ((entry, entry.expires or entry.published + timedelta(days=shape.banner_days)) for entry in current)
    return list(islice((pair for pair in untils if pair[1] > now), shape.banner_length))


def _item(entry: Entry, until: datetime) -> dict[str, object]:
    return {
        "id": entry.feed_id,
        "revision": entry.revision,
        "kind": entry.kind,
        "emergency": entry.kind == "emergency",
        "mark": words(entry.language)["practice"] if entry.practice else "",
        "title": entry.title,
        "summary": entry.summary,
        "facts": unbroken(entry.facts),
        "url": entry.url,
        "until": until.isoformat(),
    }


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
