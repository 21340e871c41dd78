"""``/preferences/`` and ``/login/<token>``: the way back to their choices for who lost the link."""

from __future__ import annotations

from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from dispatcher.acts.log_in import ask_for_link, use_link
from dispatcher.audience import log_in as links
from dispatcher.audience.addresses import AddressInvalid, normal_form
from dispatcher.audience.limits import TooMany
from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose, make
from dispatcher.portal.addressed import addressed, refused
from dispatcher.portal.asking import too_many
from dispatcher.portal.masking import masked
from dispatcher.portal.reached import reached
from dispatcher.web import languages, network
from dispatcher.web.rendering import page


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """A form for an e-mail address. Posting answers 202 with the same page for every address, known or not."""
    if request.method != "POST":
        return page(request, "portal/log_in_ask.html", {"typed": "", "wrong": False})
    typed = request.POST.get("email", "")[:400]
    try:
        email = normal_form(typed)
        ask_for_link(email, network=network.network(request))
    except AddressInvalid:
        values = {"typed": typed, "wrong": True}
        return page(request, "portal/log_in_ask.html", values, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except TooMany as error:
        return too_many(request, error)
    return page(request, "portal/log_in_asked.html", {"email": masked(email)}, status=HTTPStatus.ACCEPTED)


@require_http_methods(["GET", "HEAD", "POST"])
@addressed(Purpose.LOGIN)
def log_in(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Looking shows a button and uses nothing up, as mail scanners look at every link. Posting uses the link, once."""
    if request.method == "POST" and use_link(address, token):
        lasting = make(Purpose.PREFERENCES, address.public_id, address.subscriber.epoch)
        onward = languages.address(request, reverse("preferences", args=[lasting]))
        return HttpResponseRedirect(onward, status=HTTPStatus.SEE_OTHER)
    if links.used(token):
        return refused(request)
    return page(request, "portal/log_in.html", {"token": token, "at": reached(address)})
