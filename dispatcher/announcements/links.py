"""What a link is: one definition for the links in bodies, for link fields, and for the facts of a text."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import idna

# Quantifiers are bounded and a match can only begin where a word begins: the work is linear in the text.
URL = re.compile(r"(?<![\w@./-])(?:https?://|www\.)[^\s<>\"“”„]{1,2000}", re.IGNORECASE)
EMAIL = re.compile(
    r"(?<![\w.!#$%&'*+/=?^`{|}~-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_][\w-]{1,62}"
)
_SCHEMES = ("http", "https", "mailto", "tel")


def url_end(text: str, start: int, end: int) -> int:
    """Where the URL that matched at ``start`` really ends: without the sentence's own punctuation and brackets."""
    opened = text.count("(", start, end)
    closed = text.count(")", start, end)
    while end > start:
        last = text[end - 1]
        if last == ")" and closed > opened:
            closed -= 1
        elif last not in ".,;:!?'’*_]}…":
            break
        end -= 1
    return end


def with_scheme(url: str) -> str:
    """``www.losser.nl`` as people write it, with the scheme that makes it a link."""
    return f"https://{url}" if url[:4].lower() == "www." else url


def is_link(url: str) -> bool:
    """Whether readers may be sent to ``url``: an absolute http(s) address with a host, or a mail or phone link.

    A user name before the host (``https://losser.nl@evil.example``) only serves to show another host than the real
    one; a relative address leads nowhere in a mail.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    if parts.scheme in ("mailto", "tel"):
        return bool(parts.path) and not parts.netloc
    return parts.scheme in _SCHEMES and bool(host) and "@" not in parts.netloc and "\\" not in url


def normal_url(url: str) -> str:
    """The address with scheme and host as they are on the wire: lower case, the host as A-label (RFC 5891).

    Raises:
        ValueError: when it is not an absolute http or https address with a host that can exist.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not is_link(url) or re.search(r"[\s<>\"\\]", url):
        raise ValueError(f"'{url[:80]}' is not a link")
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode()  # an idna.IDNAError is a ValueError
    if not re.fullmatch(r"(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?|\[?[0-9a-f:.]+\]?", host):
        raise ValueError(f"'{host[:80]}' is not a host")
    netloc = (f"[{host}]" if ":" in host else host) + (f":{parts.port}" if parts.port else "")
    return parts._replace(netloc=netloc).geturl()
