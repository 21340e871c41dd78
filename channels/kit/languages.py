"""What a language asks of whatever shows it."""

from __future__ import annotations

from functools import cache

from babel import Locale, UnknownLocaleError


@cache
def direction(language: str) -> str:
    """``rtl`` or ``ltr``: how ``language`` (BCP 47) is written. One that is not known is taken for ``ltr``."""
    try:
        return Locale.parse(language, sep="-").text_direction
    except (ValueError, UnknownLocaleError):
        return "ltr"
