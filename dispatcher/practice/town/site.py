"""The product's public site, read over HTTP as any resident reads it, on this machine only."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from lxml import etree, html

from dispatcher.practice.town.facts import Told, says_withdrawn
from dispatcher.practice.town.links import Links

_PATIENCE = 3.0  # seconds
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
_ATOM = "{http://www.w3.org/2005/Atom}"


class Stands(StrEnum):
    """How a page stands: ``HERE``, ``WITHDRAWN`` (it says so), ``ABSENT`` (404, 410), ``UNREADABLE``."""

    HERE = "here"
    WITHDRAWN = "withdrawn"
    ABSENT = "absent"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class PublicPage:
    """A page as the public sees it.

    ``since`` (seconds since the epoch) is when the revision that it shows was made, as the page says itself; ``at`` is
    the same or, where it does not say, when the page was put there. 0 where unknown.
    """

    url: str
    stands: Stands
    told: Told | None = None
    revision: int = 0
    since: float = 0.0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Listed:
    """An announcement in the site's feed."""

    slug: str
    title: str
    at: float


class NotHere(ValueError):
    """The site is not on this machine: the practice town reads no other."""


class Site:
    """Reads the site at ``base``, such as ``http://localhost:8700``. ``links`` knows the addresses that it gives out.

    Raises:
        NotHere: ``base`` is not on this machine, or no web address.
    """

    def __init__(self, base: str, links: Links) -> None:
        parts = urlsplit(base)
        if parts.scheme != "http" or parts.hostname not in _LOOPBACK:
            raise NotHere(base)
        self.base = base.rstrip("/")
        self.links = links

    async def page(self, slug: str, language: str) -> PublicPage:
        """The page of an announcement in a language."""
        path = f"/{language}/{slug}/"
        status, body, modified = await self._get(path)
        url = f"{self.links.base}{path}"
        if status in (404, 410):
            return PublicPage(url, Stands.ABSENT)
        found = _read(body) if status == 200 else None
        if found is None:
            return PublicPage(url, Stands.UNREADABLE)
        told, revision, since = found
        stands = Stands.WITHDRAWN if told.withdrawn else Stands.HERE
        return PublicPage(url, stands, told, revision, since, since or modified)

    async def listed(self, language: str) -> list[Listed]:
        """What the feed of a language lists, in its order; nothing where it cannot be read."""
        status, body, _ = await self._get(f"/{language}/feed.atom")
        found = []
        with suppress(etree.XMLSyntaxError, ValueError, TypeError):
            root = etree.fromstring(body, etree.XMLParser(resolve_entities=False)) if status == 200 else ()
            for entry in (each for each in root if each.tag == f"{_ATOM}entry"):
                link = entry.find(f"{_ATOM}link[@rel='alternate']")
                if link is not None and (page := self.links.first(link.get("href", ""))):
                    published = datetime.fromisoformat(entry.findtext(f"{_ATOM}published") or "")
                    found.append(Listed(page.slug, entry.findtext(f"{_ATOM}title") or page.slug, published.timestamp()))
        return found

    async def _get(self, path: str) -> tuple[int, bytes, float]:
        """Status (0: no answer), body, and when it says that it was changed."""
        patience = aiohttp.ClientTimeout(total=_PATIENCE)
        with suppress(aiohttp.ClientError, OSError, asyncio.TimeoutError):
            async with (
                aiohttp.ClientSession(timeout=patience) as session,
                session.get(self.base + path, allow_redirects=False) as answer,
            ):
                return answer.status, await answer.read(), _moment(answer.headers.get("Last-Modified"))
        return 0, b"", 0.0


def _read(body: bytes) -> tuple[Told, int, float] | None:
    """What a page tells, its revision, and since when (0: it does not say); ``None`` where it is no announcement."""
    with suppress(etree.ParserError, ValueError):
        root = html.fromstring(body.decode("utf-8", "replace"))
        article, said = root.find(".//*[@id='announcement']"), root.find(".//meta[@name='omroeper-revision']")
        heading = None if article is None else article.find(".//h1")
        if article is None or heading is None or said is None:
            return None
        title = _words(heading)
        notice = article.find("./div[@class='note note--stop']")
        withdrawn = notice is not None and ":" in title and says_withdrawn(title.partition(":")[0])
        summary = article.find(".//p[@class='lead']")
        if summary is None:
            summary = article.find(".//section/p[@class='quiet']")
        told = Told(
            heading=title,
            title=title.partition(":")[2].strip() if withdrawn else title,
            summary="" if summary is None else _words(summary),
            whole=_words(article),
            links=frozenset(
                link for each in article.iter("a") if (link := each.get("href", "")).startswith(("http://", "https://"))
            ),
            withdrawn=withdrawn,
        )
        return told, int(said.get("content", "0")), _since(root)
    return None


def _since(root: Any) -> float:
    with suppress(ValueError, TypeError, KeyError):
        data = json.loads(root.findtext(".//script[@type='application/ld+json']") or "")
        return datetime.fromisoformat(data["dateModified"]).timestamp()
    return 0.0


def _moment(text: str | None) -> float:
    with suppress(ValueError, TypeError):
        return parsedate_to_datetime(text or "").timestamp()
    return 0.0


def _words(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())
