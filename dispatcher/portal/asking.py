"""What the pages share on which strangers ask for something: who asks, and the page for who asks too much."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse

from dispatcher.acts.subscribe import Source
from dispatcher.audience import limits
from dispatcher.web import network
from dispatcher.web.rendering import page


def source(request: HttpRequest) -> Source:
    """The network, and the browser by the cookie that its forms need anyway."""
    cookie = request.META.get("CSRF_COOKIE", "")
    place = network.network(request)
    return Source(place, limits.hashed(f"browser:{cookie or place}"))


def too_many(request: HttpRequest, error: limits.TooMany) -> HttpResponse:
    """429: which limit, and when to come back."""
    values = {"what": error.limit.what, "wait": error.wait}
    response = page(request, "portal/too_many.html", values, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(error.wait)
    return response
