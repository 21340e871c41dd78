"""In which language a page speaks, without a cookie: as asked for in the address, else as the browser prefers."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

PARAMETER = "lang"
_NAMES: dict[str, str] = dict(settings.LANGUAGES)


class LanguageMiddleware:
    """Speaks the language of ``?lang=``, else the first one of Accept-Language that we have, else Dutch."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(asked_for(request) or _preferred(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", spoken())
            patch_vary_headers(response, ["Accept-Language"])
            return response


def asked_for(request: HttpRequest) -> str | None:
    """The language that the address names, where we have it."""
    wanted = request.GET.get(PARAMETER, "")
    return wanted if wanted in _NAMES else None


def speak(request: HttpRequest, language: str) -> None:
    """From here on the page speaks ``language``, unless its address asks for another one or we do not have it."""
    if asked_for(request) is None and language in _NAMES:
        translation.activate(language)


def spoken() -> str:
    """The language that the page speaks now."""
    return translation.get_language() or settings.LANGUAGE_CODE


def others() -> dict[str, str]:
    """The other languages there are, each with its own name for itself."""
    return {code: name for code, name in _NAMES.items() if code != spoken()}


def address(request: HttpRequest, path: str, **query: str) -> str:
    """``path`` with ``query``, in the language that this page's address asks for, if it does."""
    language = asked_for(request)
    wanted = ({PARAMETER: language} if language else {}) | query
    return f"{path}?{urlencode(wanted)}" if wanted else path


def _preferred(request: HttpRequest) -> str:
    for wanted, _ in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        if (code := wanted.partition("-")[0]) in _NAMES:
            return code
    return settings.LANGUAGE_CODE
