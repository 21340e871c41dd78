"""One line a request. Tokens and keys in addresses are never written, and queries neither."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

from dispatcher.web import network

log = structlog.get_logger("omroeper.access")

_SECRET = re.compile(r"(?<=/)(leave|confirm|preferences|login|console/follow)/[^/\s\"'?#]+")


def masked(text: str) -> str:
    """``text`` with what is secret in our addresses replaced: ``/leave/***``."""
    return _SECRET.sub(r"\1/***", text)


class AccessLogMiddleware:
    """Writes ``request`` with method, address, status, milliseconds and network."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        log.info(
            "request",
            method=request.method,
            path=masked(request.path),
            status=response.status_code,
            ms=round((time.perf_counter() - began) * 1000, 1),
            network=network.network(request),
        )
        return response
