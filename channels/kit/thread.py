"""A long text as posts that follow each other."""

from __future__ import annotations

from channels.contract import Limits
from channels.kit.shorten import shorten

_ELLIPSIS = "…"


def split(text: str, limits: Limits, most: int) -> tuple[list[str], bool]:
    """``text`` as at most ``most`` parts that fit ``limits`` each, and whether that is all of it.

    A part ends at a sentence where it can, else at a word with an ellipsis.
    """
    parts: list[str] = []
    rest = text.strip()
    while rest and len(parts) < most:
        part = shorten(rest, limits.length, limits.unit, limits.url_length)
        kept = part.text if rest.startswith(part.text) else part.text.removesuffix(_ELLIPSIS)
        if not kept:
            return parts, False
        parts.append(part.text)
        rest = rest[len(kept) :].strip()
    return parts, not rest
