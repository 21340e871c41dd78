"""How the practice town's pages are made from ``templates/practice``: the same look and policy for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dispatcher.practice.words import WORDS, Language, count, moment

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "practice"
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LANGUAGE_COOKIE = "practice_lang"


def choose_language(query: Mapping[str, str], cookies: Mapping[str, str]) -> Language:
    """As asked for in the address, else as asked for before, else Dutch."""
    return "en" if (query.get("lang") or cookies.get(LANGUAGE_COOKIE)) == "en" else "nl"


def remembering(language: Language) -> str:
    """The cookie that keeps a language once chosen. Cookies know no ports: it holds on all pages of the town."""
    return f"{LANGUAGE_COOKIE}={language}; Path=/; SameSite=Strict; HttpOnly"


class Renderer:
    """Renders templates in a language. ``assets`` is the folder with the product's style sheet and scripts, if any.

    ``home`` is the address of the town's own pages, empty where these are they.
    """

    def __init__(self, assets: Path | None, home: str = "") -> None:
        styles = sorted(assets.glob("omroeper*.css")) if assets else []
        scripts = sorted(assets.glob("follow*.js")) if assets else []
        self._environment = Environment(
            loader=FileSystemLoader([TEMPLATES, TEMPLATES.parent]),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            style=styles[-1].name if styles else None, script=scripts[-1].name if scripts else None, home=home
        )

    def render(
        self, template: str, language: Language, path: str, query: Mapping[str, str], values: Mapping[str, Any]
    ) -> bytes:
        """A page at ``path``, which was asked for with ``query``."""
        other = "nl" if language == "en" else "en"
        kept = {name: value for name, value in query.items() if name != "lang"}
        page = self._environment.get_template(template).render(
            t=WORDS[language],
            lang=language,
            other=other,
            other_url=f"?{urlencode({**kept, 'lang': other})}",
            count=lambda number: count(number, language),
            moment=lambda seconds: moment(seconds, language),
            path=path,
            **values,
        )
        return page.encode()
