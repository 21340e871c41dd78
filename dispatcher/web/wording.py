"""Numbers, moments and lists as the page's language writes them: "6.318", "dinsdag 17 maart, 9.10 uur"."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

from babel import Locale
from babel.dates import format_datetime
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from babel.units import format_unit
from django.utils import timezone

from dispatcher.web.languages import spoken

# How a day, a day of another year, a time, and a time to the second are written.
_PATTERNS = {
    "nl": ("EEEE d MMMM", "EEEE d MMMM y", "H.mm 'uur'", "H.mm.ss 'uur'"),
    "en": ("EEEE d MMMM", "EEEE d MMMM y", "H:mm", "H:mm:ss"),
}


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(language)


def number(value: float) -> str:
    """A number with its thousands marked."""
    return format_decimal(value, locale=_locale(spoken()))


def percent(share: float) -> str:
    """A share of one as a whole percentage."""
    return format_percent(share, locale=_locale(spoken()))


def day(when: datetime) -> str:
    """The day; with its year where that is not this year."""
    local = timezone.localtime(when)
    return _written(local, 0 if local.year == timezone.localtime().year else 1)


def clock(when: datetime) -> str:
    """The time of day."""
    return _written(timezone.localtime(when), 2)


def seconds(when: datetime) -> str:
    """The time of day, to the second."""
    return _written(timezone.localtime(when), 3)


def moment(when: datetime) -> str:
    """The day and the time."""
    return f"{day(when)}, {clock(when)}"


def near(when: datetime) -> str:
    """The time alone where it is within half a day, else day and time."""
    return clock(when) if abs(when - timezone.now()) < timedelta(hours=12) else moment(when)


def since(when: datetime) -> str:
    """How long ago that is: "34 sec", "2 u 10 min", "3 dagen"."""
    seconds = max(0, int((timezone.now() - when).total_seconds()))
    for unit, size, below in (("second", 1, 120), ("minute", 60, 5_400), ("hour", 3_600, 172_800)):
        if seconds < below:
            whole, rest = divmod(seconds, size)
            words = format_unit(whole, f"duration-{unit}", "short", locale=_locale(spoken()))
            if unit == "hour" and rest >= 60:
                words += f" {format_unit(rest // 60, 'duration-minute', 'short', locale=_locale(spoken()))}"
            return words
    return format_unit(seconds // 86_400, "duration-day", "long", locale=_locale(spoken()))


def iso(when: datetime) -> str:
    """The moment for machines: the value of ``<time datetime>``."""
    return timezone.localtime(when).isoformat(timespec="seconds")


def language_name(code: str) -> str:
    """What the page's language calls the language ``code``."""
    named = Locale.parse(code, sep="-").get_display_name(_locale(spoken())) or code
    return named[0].upper() + named[1:]


def listed(words: Iterable[str]) -> str:
    """A list in a sentence: "a, b en c"."""
    return format_list(list(words), locale=_locale(spoken()))


def _written(local: datetime, which: int) -> str:
    return format_datetime(local, _PATTERNS[spoken()][which], locale=_locale(spoken()))
