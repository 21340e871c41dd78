"""Texts of the channels live in ``templates/``: one Jinja environment for all of them.

Escaping follows the ending: ``.html`` and ``.xml`` are escaped, ``.txt`` is not. An undefined name is an error, so that
a mistake shows when a copy is composed and not in a mailbox. Staff text is only ever a value, never a template.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_datetime
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from channels.contract import Fact, FactKind

FOLDER = Path(__file__).resolve().parents[2] / "templates"

# How a date, a time and both together are written. Other languages follow CLDR's long form.
_PATTERNS = {
    "nl": ("EEEE d MMMM y", "H.mm 'uur'", "EEEE d MMMM y, H.mm 'uur'"),
    "en": ("EEEE d MMMM y", "H:mm", "EEEE d MMMM y, H:mm"),
}
_WHOLE = frozenset({FactKind.DATE, FactKind.TIME, FactKind.PHONE, FactKind.AMOUNT})
_LONGEST_WHOLE = 34  # characters: beyond this a fact may break, or it would run off a telephone's screen
_TAG = re.compile(r"(<[^>]*>)")
_NO_FACTS_IN = ("<a", "<code", "<pre", "</a", "</code", "</pre")


@cache
def environment() -> Environment:
    """The environment, with the filters ``day``, ``clock``, ``moment`` and ``facts``."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(enabled_extensions=("html", "xml"), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"day": day, "clock": clock, "moment": moment, "facts": fact_spans}
    return made


def render(template: str, **values: object) -> str:
    """``template`` (a path under ``templates/``) filled with ``values``.

    Raises:
        jinja2.TemplateError: if it is not there, is no valid template, or uses a name that was not given.
    """
    return environment().get_template(template).render(**values)


def day(when: datetime, language: str, timezone: str) -> str:
    """The date of ``when`` in words: "dinsdag 17 maart 2026"."""
    return _written(when, language, timezone, 0, "EEEE d MMMM y")


def clock(when: datetime, language: str, timezone: str) -> str:
    """The time of ``when``: "9.10 uur"."""
    return _written(when, language, timezone, 1, "H:mm")


def moment(when: datetime, language: str, timezone: str) -> str:
    """Date and time of ``when``: "dinsdag 17 maart 2026, 9.10 uur"."""
    return _written(when, language, timezone, 2, "EEEE d MMMM y, H:mm")


def _written(when: datetime, language: str, timezone: str, which: int, otherwise: str) -> str:
    pattern = _PATTERNS.get(language.partition("-")[0], (otherwise,) * 3)[which]
    return format_datetime(when.astimezone(ZoneInfo(timezone)), pattern, locale=_locale(language))


@cache
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (ValueError, UnknownLocaleError):
        return Locale("en")


def unbroken(facts: Iterable[Fact]) -> list[str]:
    """Those of ``facts`` that must stay on one line, as written, the longest first."""
    whole = {fact.text for fact in facts if fact.kind in _WHOLE and len(fact.text) <= _LONGEST_WHOLE}
    return sorted(whole, key=lambda text: (-len(text), text))


def fact_spans(text: str | Markup, facts: Iterable[Fact]) -> Markup:
    """``text`` as HTML with each date, time, phone number and amount in ``<span class="fact">``, so that none breaks.

    Plain text is escaped; markup is taken as safe and left alone inside tags, links and code.
    """
    html = str(text) if isinstance(text, Markup) else str(escape(text))
    whole = [str(escape(fact)) for fact in unbroken(facts)]
    if not whole:
        return Markup(html)  # noqa: S704 - escaped above, or given as markup
    pattern = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, whole)) + r")(?!\w)")
    depth, pieces = 0, []
    for piece in _TAG.split(html):
        if piece.startswith("<"):
            if piece.lower().startswith(_NO_FACTS_IN):
                depth += -1 if piece.startswith("</") else 1
            pieces.append(piece)
        else:
            pieces.append(piece if depth else pattern.sub(r'<span class="fact">\g<0></span>', piece))
    return Markup("".join(pieces))  # noqa: S704 - only our own span was added
