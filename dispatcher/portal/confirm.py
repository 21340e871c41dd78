"""``/confirm/<token>``: a new subscriber says with a button that the address is theirs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from dispatcher.acts.confirm import ConfirmedTooLate, too_late
from dispatcher.acts.confirm import confirm as confirm_address
from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose, make
from dispatcher.portal.addressed import addressed, refused
from dispatcher.portal.reached import reached
from dispatcher.web.rendering import page


@require_http_methods(["GET", "HEAD", "POST"])
@addressed(Purpose.CONFIRM)
def confirm(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Looking shows a button and changes nothing. Posting confirms, once; after that the page says that it was done."""
    done = False
    if request.method == "POST":
        try:
            done = confirm_address(address)
        except ConfirmedTooLate:
            return refused(request)
    elif too_late(address):
        return refused(request)
    values = {
        "at": reached(address),
        "token": token,
        "preferences": make(Purpose.PREFERENCES, address.public_id, address.subscriber.epoch),
        "state": address.state,
        "done": done,
    }
    return page(request, "portal/confirm.html", values)
