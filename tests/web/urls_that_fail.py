"""Addresses whose views fail, for the tests of what visitors then read."""

from typing import NoReturn

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, path

from dispatcher.config.urls import handler400, handler403, handler404, handler500
from dispatcher.config.urls import urlpatterns as ours

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def fail(request: HttpRequest) -> NoReturn:
    raise ValueError("resident-0001@practice.invalid")


def forbid(request: HttpRequest) -> NoReturn:
    raise PermissionDenied


def suspect(request: HttpRequest) -> NoReturn:
    raise SuspiciousOperation("resident-0001@practice.invalid")


urlpatterns: list[URLPattern | URLResolver] = [
    path("fail/", fail),
    path("forbid/", forbid),
    path("suspect/", suspect),
    *ours,
]
