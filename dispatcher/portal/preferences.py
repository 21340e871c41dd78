"""``/preferences/<token>``: what we hold about a subscriber, and what they may change about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dispatcher.acts.choose import choose
from dispatcher.audience.leaving import may_return
from dispatcher.audience.models import Address, AddressState
from dispatcher.audience.tokens import Purpose
from dispatcher.portal import pushing
from dispatcher.portal.addressed import addressed
from dispatcher.portal.choosing import Choices, districts, topics
from dispatcher.portal.reached import all_reached
from dispatcher.web import languages
from dispatcher.web.rendering import page

# What the page says was just done, as its address names it.
DONE = ("saved", "removed", "restored", "stopped", "resumed", "device")


@require_http_methods(["GET", "HEAD", "POST"])
@addressed(Purpose.PREFERENCES)
def preferences(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Shows the choices; posting saves them and comes back. A choice that we do not offer is refused, 422."""
    if request.method != "POST":
        return show(request, address, token)
    form = Choices(request.POST)
    if not form.is_valid():
        return show(request, address, token, wrong=list(form.errors))
    choice = form.choice()
    choose(address.subscriber, topics=choice.topics, district=choice.district, language=choice.language)
    return back(request, token, "saved")


def back(request: HttpRequest, token: str, done: str) -> HttpResponse:
    """To the page, which then says what was ``done`` (one of ``DONE``)."""
    path = reverse("preferences", args=[token])
    return HttpResponseRedirect(languages.address(request, path, done=done), status=HTTPStatus.SEE_OTHER)


def _chosen(address: Address) -> dict[str, Any]:
    subscriber = address.subscriber
    return {
        "topics": set(subscriber.topics.values_list("slug", flat=True)),
        "district": subscriber.district.slug if subscriber.district else "",
        "language": subscriber.language,
    }


def show(request: HttpRequest, address: Address, token: str, *, wrong: list[str] | None = None) -> HttpResponse:
    """The page; with ``wrong``, the fields of a form that was refused, it answers 422."""
    person = address.subscriber
    everywhere = all_reached(person)
    stops = any(each.state in {AddressState.ACTIVE, AddressState.PENDING} for each in everywhere)
    done = request.GET.get("done", "")
    values = {
        "token": token,
        "reached": everywhere,
        "here": next(each for each in everywhere if each.public_id == address.public_id),
        "stops": stops,
        "resumes": not stops and any(may_return(each) for each in person.addresses.filter(state_reason="all")),
        "group": person.group,
        "since": person.created_at,
        "chosen": _chosen(address),
        "topics": topics(),
        "districts": districts(),
        "languages": settings.LANGUAGES,
        "push": pushing.for_page(),
        "done": done if done in DONE and not wrong else "",
        "wrong": wrong or [],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return pushing.allowed(page(request, "portal/preferences.html", values, status=status))
