"""Forms on pages that tell nobody their own address.

Pages behind a token or key have ``Referrer-Policy: no-referrer``, and browsers then send ``Origin: null`` with their
forms (Fetch, "append a request Origin header"). Sec-Fetch-Site, which no page can set, says where a form came from.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class OriginMiddleware:
    """Gives a form of our own its origin back, before Django's check of origins and form tokens.

    A browser too old for Sec-Fetch-Site gets it on trust: the check of its form token and SameSite cookie stays.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("Origin") == "null" and request.headers.get("Sec-Fetch-Site", "same-origin") == (
            "same-origin"
        ):
            request.META["HTTP_ORIGIN"] = f"{request.scheme}://{request.get_host()}"
        return self.get_response(request)
