"""What a visitor reads when something is wrong, in their language, and what the log says about it.

A page of a failure holds a reference number and nothing about the failure; the log line with that number tells more.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from http import HTTPStatus

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse

from dispatcher.web import network
from dispatcher.web.rendering import page

log = structlog.get_logger("omroeper.web")

BUSY_SECONDS = 5


class FailureMiddleware:
    """Answers for exceptions of views: 503 where the database does not answer now, else 500."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Called by Django for what a view raised. What Django has an answer for (404, 403, 400) is left to it."""
        if isinstance(error, OperationalError | InterfaceError):
            return unavailable(request, error)
        return None


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: Django's handler, and what views call."""
    log.info("request.refused", why=type(exception).__name__, network=network.network(request))
    return page(request, "parts/errors/400.html", status=HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: Django's handler."""
    log.info("permission.refused", why=type(exception).__name__, network=network.network(request))
    return page(request, "parts/errors/403.html", status=HTTPStatus.FORBIDDEN)


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that is not from one of our pages: Django's ``CSRF_FAILURE_VIEW``."""
    route = request.resolver_match.route if request.resolver_match else ""
    log.info("csrf.refused", route=route, why=reason, network=network.network(request))
    return page(request, "parts/errors/csrf.html", status=HTTPStatus.FORBIDDEN)


def missing(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's handler
    """404: Django's handler."""
    return page(request, "parts/errors/404.html", status=HTTPStatus.NOT_FOUND)


def too_many(request: HttpRequest, wait: int) -> HttpResponse:
    """429: come back in ``wait`` seconds."""
    response = page(request, "parts/errors/429.html", {"wait": wait}, status=HTTPStatus.TOO_MANY_REQUESTS)
    response["Retry-After"] = str(wait)
    return response


def unavailable(request: HttpRequest, error: Exception) -> HttpResponse:
    """503: the database is locked or down. Nothing was changed."""
    log.warning("database.unavailable", error=type(error).__name__, path=request.path)
    response = page(request, "parts/errors/503.html", status=HTTPStatus.SERVICE_UNAVAILABLE)
    response["Retry-After"] = str(BUSY_SECONDS)
    return response


def failed(request: HttpRequest) -> HttpResponse:
    """500: Django's handler, called while the exception is being handled."""
    reference = secrets.token_hex(4)
    log.error("request.failed", reference=reference, path=request.path, exc_info=True)
    return page(request, "parts/errors/500.html", {"reference": reference}, status=HTTPStatus.INTERNAL_SERVER_ERROR)
