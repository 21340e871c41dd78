"""The pages' Jinja environment, and how a view renders one."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined

from dispatcher.town.reading import town
from dispatcher.web import languages, people, wording

# As assets/build.py names what it builds.
STYLE, SCRIPT, ICON = "omroeper-1.css", "follow-1.js", "bell.svg"
WRITE_SCRIPT, COPY_SCRIPT = "write-1.js", "copy-1.js"


def environment(**options: Any) -> Environment:
    """What Django's Jinja2 backend builds once (``TEMPLATES``): strict about undefined names, translated."""
    strict = {"undefined": StrictUndefined, "autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    made = Environment(**options | strict, extensions=["jinja2.ext.i18n"])  # noqa: S701 - it stands in the line above
    made.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    made.filters |= {
        "number": wording.number,
        "day": wording.day,
        "clock": wording.clock,
        "seconds": wording.seconds,
        "moment": wording.moment,
        "near": wording.near,
        "iso": wording.iso,
        "since": wording.since,
        "language_name": wording.language_name,
        "listed": wording.listed,
        "person": people.person,
    }
    made.globals["url"] = lambda name, *values: reverse(name, args=values)
    return made


def page(
    request: HttpRequest, template: str, values: Mapping[str, Any] | None = None, *, status: int = HTTPStatus.OK
) -> HttpResponse:
    """``template`` as a page that nobody stores and no search engine lists: all of ours are about someone."""
    language = languages.spoken()
    site = get_script_prefix()
    common = {
        "style_url": f"{site}assets/{STYLE}",
        "script_url": f"{site}assets/{SCRIPT}",
        "write_script_url": f"{site}assets/{WRITE_SCRIPT}",
        "copy_script_url": f"{site}assets/{COPY_SCRIPT}",
        "icon_url": f"{site}assets/{ICON}",
        "site_url": f"{site}{language}/",
        "practice": settings.PRACTICE,
        "me": getattr(request, "employee", None),  # who is signed in, where the page asked
        "language": language,
        "others": {
            code: (name, f"{request.path}?{languages.PARAMETER}={code}") for code, name in languages.others().items()
        },
        "town": town().name_in(language),
        "address": lambda path, **query: languages.address(request, path, **query),
    }
    response = HttpResponse(render_to_string(template, {**common, **(values or {})}, request), status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    response["Content-Language"] = language
    return response
