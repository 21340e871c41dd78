"""The part of a public address that names an announcement: made by us from its title, for good."""

from __future__ import annotations

import re
import unicodedata

from anyascii import anyascii

from dispatcher.announcements.models import Announcement

LIMIT = 80
_FALLBACK = "announcement"
# Names that a published folder has of its own, and those that some file systems keep for devices.
_TAKEN = re.compile(r"index|early|feed|feeds|static|assets|banner|sitemap|robots|con|prn|aux|nul|(?:com|lpt)\d")


def slug_of(title: str) -> str:
    """``title`` as ``[a-z0-9-]{1,80}``: in Latin letters, cut between words."""
    letters = "".join(" " if unicodedata.category(letter).startswith("S") else letter for letter in title)  # no emoji
    slug = re.sub(r"[^a-z0-9]+", "-", anyascii(letters).lower()).strip("-")
    if len(slug) > LIMIT:
        slug = slug[: LIMIT + 1].rpartition("-")[0] or slug[:LIMIT]
    slug = slug.strip("-") or _FALLBACK
    return f"{slug}-1" if _TAKEN.fullmatch(slug) else slug


def free_slug(title: str) -> str:
    """The slug of ``title``, with the lowest number behind it that makes it one that no announcement has."""
    wanted = slug_of(title)
    taken = set(
        Announcement.objects.filter(slug__startswith=wanted[: LIMIT - 8]).values_list("slug", flat=True).iterator()
    )
    slug, number = wanted, 1
    while slug in taken:
        number += 1
        ending = f"-{number}"
        slug = wanted[: LIMIT - len(ending)].rstrip("-") + ending
    return slug
