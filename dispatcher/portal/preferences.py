"""``/preferences/<token>``: what we hold about a subscriber, and what they may change about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dispatcher.acts.choose import choose
from dispatcher.audience.models import Address, District, Topic
from dispatcher.audience.tokens import Purpose, make
from dispatcher.portal.addressed import addressed
from dispatcher.portal.masking import masked
from dispatcher.web import languages
from dispatcher.web.rendering import page


def _topics() -> list[tuple[str, str]]:
    language = languages.spoken()
    return [(topic.slug, topic.names.get(language) or topic.slug) for topic in Topic.objects.all()]


def _districts() -> list[tuple[str, str]]:
    return [(district.slug, district.name) for district in District.objects.all()]


class Choices(forms.Form):
    """The form. ``topics`` and ``district`` are slugs; an empty district is the whole town."""

    topics = forms.MultipleChoiceField(choices=_topics, required=False)
    district = forms.ChoiceField(choices=_districts, required=False)
    language = forms.ChoiceField(choices=settings.LANGUAGES)


@require_http_methods(["GET", "HEAD", "POST"])
@addressed(Purpose.PREFERENCES)
def preferences(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Shows the choices; posting saves them and comes back. A choice that we do not offer is refused, 422."""
    if request.method != "POST":
        return _show(request, address, token, _chosen(address), saved="saved" in request.GET)
    form = Choices(request.POST)
    if not form.is_valid():
        return _show(request, address, token, _chosen(address), wrong=list(form.errors), status=422)
    choose(
        address.subscriber,
        topics=list(Topic.objects.filter(slug__in=form.cleaned_data["topics"])),
        district=District.objects.filter(slug=form.cleaned_data["district"]).first(),
        language=form.cleaned_data["language"],
    )
    return HttpResponseRedirect(
        languages.address(request, reverse("preferences", args=[token]), saved="1"), status=HTTPStatus.SEE_OTHER
    )


def _chosen(address: Address) -> dict[str, Any]:
    subscriber = address.subscriber
    return {
        "topics": set(subscriber.topics.values_list("slug", flat=True)),
        "district": subscriber.district.slug if subscriber.district else "",
        "language": subscriber.language,
    }


def _show(
    request: HttpRequest,
    address: Address,
    token: str,
    chosen: dict[str, Any],
    *,
    saved: bool = False,
    wrong: list[str] | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    values = {
        "masked": masked(address),
        "token": token,
        "leave_token": make(Purpose.LEAVE, address.public_id, address.subscriber.epoch),
        "state": address.state,
        "state_at": address.state_at,
        "group": address.subscriber.group,
        "since": address.subscriber.created_at,
        "chosen": chosen,
        "topics": _topics(),
        "districts": _districts(),
        "languages": settings.LANGUAGES,
        "saved": saved,
        "wrong": wrong or [],
    }
    return page(request, "portal/preferences.html", values, status=status)
