"""``/confirm/<token>``: a new subscriber says with a button that the address is theirs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from dispatcher.acts.confirm import ConfirmedTooLate, too_late
from dispatcher.acts.confirm import confirm as confirm_address
from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose
from dispatcher.portal.addressed import addressed, refused
from dispatcher.portal.masking import masked
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
    return page(
        request,
        "portal/confirm.html",
        {"masked": masked(address), "token": token, "state": address.state, "done": done},
    )
