"""The one way to read what the municipality is called and in which languages it speaks.

Every page and message asks for it, so each process keeps the answer for ``KEPT_SECONDS``: a change is seen everywhere
within that time. Where nothing was set up, or the database is away, the settings' defaults hold.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings
from django.db import DatabaseError

from dispatcher.town.models import Town

KEPT_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class TownFacts:
    """``names`` has one for each of ``languages``; the first language is the one to fall back on."""

    names: Mapping[str, str]
    languages: tuple[str, ...]

    def name_in(self, language: str) -> str:
        """The name in ``language``, else in the first language."""
        return self.names.get(language) or self.names[self.languages[0]]


_kept: tuple[float, TownFacts] | None = None


def town() -> TownFacts:
    """The municipality, as it was at most ``KEPT_SECONDS`` ago."""
    global _kept  # noqa: PLW0603 - one answer a process is the point
    if _kept is None or time.monotonic() - _kept[0] > KEPT_SECONDS:
        try:
            found = _read()
        except DatabaseError:  # asked again only after a while: a database that is away may take seconds to say so
            found = _kept[1] if _kept else _defaults()
        _kept = time.monotonic(), found
    return _kept[1]


def forget() -> None:
    """The next question is put to the database: for whoever has just changed it."""
    global _kept  # noqa: PLW0603
    _kept = None


def _defaults() -> TownFacts:
    return TownFacts(dict(settings.TOWN), tuple(code for code, _ in settings.LANGUAGES))


def _read() -> TownFacts:
    row = Town.objects.filter(pk=Town.ONE).first()
    usual = _defaults()
    if row is None:
        return usual
    spoken = tuple(code for code in row.languages if code in usual.languages) or usual.languages
    return TownFacts({code: row.names.get(code) or usual.names[code] for code in spoken}, spoken)
