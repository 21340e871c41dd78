"""How facts are written, as patterns: names of months and days in any language, the rest in Dutch and English.

Every quantifier is bounded and a match begins only where a word or number begins: the work is linear in the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import get_day_names, get_month_names

SPACE = "[ \t\u00a0\u202f]"
_DASH = "[-–—]"
_BEFORE = r"(?<![\w.,:/€$£-])"  # no part of a longer number, word or path
_AFTER = r"(?![\w/]|[-–.,:]\d)"

NUMERIC_DATE = re.compile(
    rf"{_BEFORE}(?:(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})"
    rf"|(?P<d>\d{{1,2}})(?P<mark>[-/.])(?P<m>\d{{1,2}})(?P=mark)(?P<y>\d{{4}}|\d{{2}})){_AFTER}"
)

_CLOCK = r"(?:2[0-4]|[01]?\d)[:.][0-5]\d"
_CLOCK_OR_HOUR = r"(?:2[0-4]|[01]?\d)(?:[:.][0-5]\d)?"
_UNIT = rf"{SPACE}?(?:uur|uren|Uhr|hours?|hrs?|[ap]m|[ap]\.m\.)(?!\w)"
_TO = rf"(?:{SPACE}?{_DASH}{SPACE}?|{SPACE}(?:tot|to|until|till|en|and|of|or){SPACE})"
_AT = "om|vanaf|tot|van|voor|na|rond|at|from|until|till|before|after|by|around"
TIME = re.compile(
    rf"{_BEFORE}(?:{_CLOCK_OR_HOUR}(?:{_UNIT})?{_TO}){{0,3}}{_CLOCK_OR_HOUR}{_UNIT}"
    rf"|{_BEFORE}{_CLOCK}(?:{_TO}{_CLOCK}){{1,3}}{_AFTER}"
    rf"|{_BEFORE}(?:2[0-4]|[01]?\d):[0-5]\d{_AFTER}"
    r"|\b(?:noon|midnight|middernacht)\b",
    re.IGNORECASE,
)
# "17.00" alone could be a price or a version; after such a word it is a time.
TIME_AFTER_WORD = re.compile(rf"\b(?:{_AT}){SPACE}(?P<clock>{_CLOCK}){_AFTER}", re.IGNORECASE)

_NUMBER = r"(?:\d{1,3}(?:[.,]\d{3}){1,4}(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,4})?)(?!\d)"
MULTIPLIERS = {
    "duizend": 10**3,
    "thousand": 10**3,
    "miljoen": 10**6,
    "million": 10**6,
    "miljard": 10**9,
    "billion": 10**9,
}
_TIMES = rf"(?:{SPACE}(?:{'|'.join(MULTIPLIERS)})\b)?"
AMOUNT = re.compile(
    rf"(?<![\w.,])(?:(?:€|EUR(?!\w)){SPACE}?{_NUMBER}(?:,{_DASH})?{_TIMES}"
    rf"|{_NUMBER}{_TIMES}{SPACE}?(?:euro(?:['’]?s)?(?!\w)|EUR(?!\w)|€|%|procent(?!\w)|per{SPACE}?cent(?!\w)))",
    re.IGNORECASE,
)

_STREETS = (
    "straat|weg|laan|plein|markt|dijk|kade|hof|pad|dreef|singel|gracht|park|steeg|brink|kamp|veld|allee|baan|ring"
    "|wal|poort|boulevard|akker|esch|bult|kolk|hoek|passage|plantsoen|horst|maten|stroom"
)
_CAPITALISED = r"(?:[^\W\d_a-z][\w'’-]{0,40}|[A-Z][a-z]{0,4}\.)"
_HOUSE = rf"\d{{1,5}}(?:{SPACE}?[a-zA-Z](?!\w|\.\w)|[-/]\d{{1,4}})?(?!\w|[.,:]\d|{SPACE}?(?:uur|%))"
# The street's last word ends as Dutch streets do; capitalised words and "van der" may stand before it.
STREET = re.compile(
    rf"(?<![\w-])(?:{_CAPITALISED}{SPACE}(?:(?:van|der|den|de|het|ter|ten|op){SPACE}){{0,3}}){{0,3}}"
    rf"(?=[^\W\d_a-z])[\w'’-]{{0,40}}(?i:{_STREETS}){SPACE}{_HOUSE}"
)
_POSTCODE = rf"[1-9]\d{{3}}{SPACE}?(?!S[ADS])[A-Z]{{2}}(?!\w|{SPACE}?\d)"
POSTCODE = re.compile(rf"(?<![\w.,-]){_POSTCODE}")
# Any capitalised word and number that a postcode follows.
STREET_BEFORE_POSTCODE = re.compile(rf"(?<![\w-]){_CAPITALISED}{SPACE}{_HOUSE}(?=,?{SPACE}{_POSTCODE})")
BOX = re.compile(rf"\b(?:Postbus|P\.?{SPACE}?O\.?{SPACE}?Box){SPACE}\d{{1,6}}(?!\w)", re.IGNORECASE)

# Numbers that people call but that no numbering plan lists.
SHORT_NUMBER = re.compile(r"(?<![\w.,:€-])(?:112|113|144)(?![\w-]|[.,:]\d)")

NEGATIONS = {
    "nl": re.compile(r"\b(?:niet|geen|nooit|niemand|niets|nergens|zonder)\b", re.IGNORECASE),
    "en": re.compile(
        r"\b(?:not|no|never|nobody|none|nothing|nowhere|without|cannot|"
        r"(?:is|are|was|were|do|does|did|has|have|had|ca|wo|could|should|would|must|need)n['’]t)\b",
        re.IGNORECASE,
    ),
}


@dataclass(frozen=True)
class Calendar:
    """The words for months and days of one language, as the patterns that find dates written with them."""

    months: dict[str, int]  # by lower-case name without full stop
    weekdays: dict[str, int]  # Monday is 0
    date: re.Pattern[str]


@lru_cache(maxsize=16)
def calendar(language: str) -> Calendar:
    """The calendar words of ``language`` (BCP 47), or of English where the language is not known."""
    try:
        locale = Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        locale = Locale("en")
    months: dict[str, int] = {}
    widths: tuple[Literal["wide", "abbreviated"], ...] = ("abbreviated", "wide")
    for width in widths:
        for context in ("format", "stand-alone"):
            names = get_month_names(width, "format" if context == "format" else "stand-alone", locale=locale)
            months |= {name.lower().rstrip("."): number for number, name in names.items() if not name.isdigit()}
    months |= {"sept": 9} if locale.language in ("nl", "en") else {}
    weekdays = {name.lower(): number for number, name in get_day_names("wide", locale=locale).items()}
    return Calendar(months, weekdays, _date_pattern(months, weekdays, month_first=locale.language == "en"))


def _date_pattern(months: dict[str, int], weekdays: dict[str, int], *, month_first: bool) -> re.Pattern[str]:
    month = rf"(?:{_words(months)})(?!\w)"
    weekday = rf"(?<!\w)(?:{_words(weekdays)})(?:en|s)?(?!\w)"
    day = r"(?<![\d.,:/€-])(?:3[01]|[12]\d|0?[1-9])(?:st|nd|rd|th|ste|de|e)?(?![\w:]|[.,]\d)"
    to = (
        rf"(?:{SPACE}?(?:t/m|{_DASH}|,){SPACE}?(?:(?:en|and|of|or){SPACE})?"
        rf"|{SPACE}(?:tot{SPACE}en{SPACE}met|tot|en|of|to|and|or|until|till|through){SPACE})"
    )
    named_day = rf"(?:{weekday},?{SPACE}(?:the{SPACE})?)?{day}"
    year = rf"(?:[.,]?{SPACE}\d{{4}}(?!\w|[.,]\d))?"
    forms = [
        rf"{named_day}(?:{to}{named_day}){{0,4}}\.?{SPACE}(?:of{SPACE})?{month}{year}",
        rf"(?<!\w){month}\.?{SPACE}\d{{4}}(?!\w|[.,]\d)",
        weekday,
    ]
    if month_first:
        dayed = rf"(?:{weekday},?{SPACE})?(?<!\w){month}{SPACE}(?:the{SPACE})?{day}"
        forms.insert(0, rf"{dayed}(?:{to}{day}(?!{SPACE}{month})){{0,4}}{year}")
    return re.compile("|".join(forms), re.IGNORECASE)


def _words(names: dict[str, int]) -> str:
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
