"""Which announcement a text is about: every copy links to the page, and the page's address names the announcement."""

from __future__ import annotations

import re
from typing import NamedTuple

_URL = re.compile(r"https?://[^\s<>\"]*[^\s<>\".,;:!?)\]}'’”]")


class Page(NamedTuple):
    """A page of the site. ``language`` is empty where its address does not say: the page of those who hear it early."""

    slug: str
    language: str


class Links:
    """Knows the pages of the site at ``base`` (no slash at its end) by their addresses."""

    def __init__(self, base: str) -> None:
        self.base = base
        path = r"(?:(?P<language>[a-z]{2,3}(?:-[a-z0-9]{2,8})?)|early/[A-Za-z0-9_-]{8,200})/(?P<slug>[a-z0-9-]{1,80})/"
        self._page = re.compile(re.escape(base) + "/" + path)
        self._encoded = re.compile(self._page.pattern.encode())

    def first(self, text: str) -> Page | None:
        """The first page that ``text`` links to."""
        return _page(self._page.search(text))

    def last(self, text: str) -> Page | None:
        """The last page that ``text`` links to: the form of short messages, which end with it."""
        return _page(max(self._page.finditer(text), key=lambda found: found.start(), default=None))

    def first_in_mail(self, content: bytes) -> Page | None:
        """The first page that a mail links to, read from its source: lines that were folded (RFC 2045, 6.7) unfolded.

        Mails whose parts are in Base64 say nothing here.
        """
        found = self._encoded.search(content.replace(b"=\r\n", b"").replace(b"=3D", b"="))
        return Page(found["slug"].decode(), (found["language"] or b"").decode()) if found else None


def _page(found: re.Match[str] | None) -> Page | None:
    return Page(found["slug"], found["language"] or "") if found else None


def urls_in(text: str) -> list[str]:
    """The web addresses in ``text``."""
    return _URL.findall(text)
