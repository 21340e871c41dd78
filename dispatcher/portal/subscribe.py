"""``/subscribe/``: a resident says what they want to hear about, for where, in which language, and how."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from channels.kit.push_address import PushAddress, PushAddressInvalid
from dispatcher.acts.subscribe import subscribe as ask
from dispatcher.audience.addresses import AddressInvalid, normal_form
from dispatcher.audience.limits import TooMany
from dispatcher.dispatching import push
from dispatcher.portal import pushing
from dispatcher.portal.asking import source, too_many
from dispatcher.portal.choosing import Choices, districts, topics
from dispatcher.portal.masking import masked
from dispatcher.web import languages
from dispatcher.web.rendering import page

# In the order of the page. ``way`` is about both ways to hear together.
FIELDS = ("topics", "district", "way", "email", "push", "language")


class Wish(Choices):
    """The form: a choice, and where to hear. ``push`` is the browser's subscription, which the page's script fills in.

    Errors come as codes; the page has the words.
    """

    email = forms.CharField(required=False, max_length=400)
    push = forms.CharField(required=False)

    def clean_email(self) -> str:
        """The normal form; empty where none was given."""
        try:
            return normal_form(self.cleaned_data["email"]) if self.cleaned_data["email"] else ""
        except AddressInvalid:
            raise forms.ValidationError("invalid") from None

    def clean_push(self) -> PushAddress | None:
        """The device; ``None`` where none was given."""
        try:
            return push.read(self.cleaned_data["push"]) if self.cleaned_data["push"] else None
        except PushAddressInvalid as error:
            raise forms.ValidationError(error.field) from None

    def wrong(self) -> list[str]:
        """The fields that need another answer, in the order of the page."""
        found = set(self.errors)
        if not found & {"email", "push"} and not (self.cleaned_data["email"] or self.cleaned_data["push"]):
            found.add("way")
        return [field for field in FIELDS if field in found]


@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form. Posting asks for confirmation where the announcements are to go, and answers 202 with the same page
    for every address, known or not. What is wrong is answered with 422 and the form as it was filled in.
    """
    if request.method != "POST":
        return _form(request, {"topics": set(), "district": "", "language": languages.spoken(), "email": ""})
    form = Wish(request.POST)
    wrong = form.wrong()
    if wrong:
        return _form(request, _typed(request), wrong=wrong)
    email, device = form.cleaned_data["email"], form.cleaned_data["push"]
    try:
        ask(email=email, device=device, choice=form.choice(), source=source(request))
    except TooMany as error:
        return too_many(request, error)
    asked = {
        "email": masked(email) if email else "",
        "device": device is not None,
        "topics": [topic.name for topic in topics() if topic.slug in form.cleaned_data["topics"]],
        "push": pushing.for_page(),
        "phone": pushing.phone(device),
    }
    return page(request, "portal/subscribe_asked.html", asked, status=HTTPStatus.ACCEPTED)


def _typed(request: HttpRequest) -> dict[str, Any]:
    """What was filled in, as it was, right or wrong; a device is asked for again."""
    return {
        "topics": set(request.POST.getlist("topics")),
        "district": request.POST.get("district", ""),
        "language": request.POST.get("language", ""),
        "email": request.POST.get("email", "")[:400],
    }


def _form(request: HttpRequest, typed: dict[str, Any], *, wrong: list[str] | None = None) -> HttpResponse:
    values = {
        "typed": typed,
        "wrong": wrong or [],
        "topics": topics(),
        "districts": districts(),
        "languages": settings.LANGUAGES,
        "email_offered": push.is_served("email"),
        "push": pushing.for_page(),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
    return pushing.allowed(page(request, "portal/subscribe.html", values, status=status))
