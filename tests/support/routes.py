"""Every address of the web process, found in its URL map, so that a test of all pages forgets no new one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose, make
from dispatcher.dispatching.models import Delivery, Dispatch, Outlet


def _named(patterns: list[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from _named(each.url_patterns)
        else:
            yield each


def routes() -> list[URLPattern]:
    """The routes of the map, in its order; each has a name."""
    found = list(_named(get_resolver().url_patterns))
    assert all(route.name for route in found), "every route has a name"
    return found


def address(route: URLPattern, made: Dispatch, person: Address) -> str:
    """An address of the route that names things that are there."""
    name = str(route.name)
    purpose = next((p for p in Purpose if name.startswith(p.value)), Purpose.LEAVE)
    values: dict[str, Callable[[], str]] = {
        "token": lambda: make(purpose, person.public_id, person.subscriber.epoch),
        "key": lambda: made.key,
        "public_id": lambda: str(made.announcement and made.announcement.public_id),
        "name": lambda: Outlet.objects.earliest("pk").name,
        "slug": lambda: "losser" if "districts" in name else "road-works",
        "channel": lambda: "email",
        "number": lambda: str(Delivery.objects.earliest("pk").pk if Delivery.objects.exists() else 1),
    }
    return reverse(name, kwargs={each: values[each]() for each in route.pattern.converters})
