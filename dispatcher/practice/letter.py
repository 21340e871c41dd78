"""A message as its reader sees it: subject, text, HTML, headers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Letter:
    """``text`` and ``html`` are the two parts, ``None`` where there is no such part."""

    headers: tuple[tuple[str, str], ...]
    text: str | None
    html: str | None

    def header(self, name: str) -> str:
        """The first header of that name, decoded; empty where there is none."""
        return next((value for found, value in self.headers if found.lower() == name.lower()), "")

    @property
    def language(self) -> str:
        """The language it says that it is in (RFC 3282); empty where it names none, or several."""
        named = self.header("Content-Language").strip()
        return named if _LANGUAGE.fullmatch(named) else ""


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # an unknown or wrong charset: better read with holes than not at all
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else None


def open_letter(content: bytes) -> Letter:
    """Reads a message (RFC 5322, MIME). What cannot be understood is left out; nothing is raised."""
    message = message_from_bytes(content, policy=policy.default)
    headers = tuple((name, re.sub(r"\s*[\r\n]+\s*", " ", str(value))) for name, value in message.items())
    return Letter(headers=headers, text=_part(message, "plain"), html=_part(message, "html"))


def with_links_in_a_new_tab(html: str) -> str:
    """The HTML part for a closed frame: its links open beside it, where they may load."""
    base = '<base target="_blank">'
    return _HEAD.sub(lambda head: head[0] + base, html, count=1) if _HEAD.search(html) else html
