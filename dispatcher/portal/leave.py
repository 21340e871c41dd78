"""``/leave/<token>``: stop the messages to one address, with a button or with a mail program's own (RFC 8058)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from dispatcher.acts.leave import leave as leave_address
from dispatcher.acts.rejoin import rejoin
from dispatcher.audience.leaving import may_return
from dispatcher.audience.models import Address, AddressState
from dispatcher.audience.tokens import Purpose
from dispatcher.portal.addressed import addressed
from dispatcher.portal.reached import reached
from dispatcher.web import errors, languages
from dispatcher.web.rendering import page


# Mail programs post without a page of ours (RFC 8058, 3.1); the token itself proves who asks.
@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@addressed(Purpose.LEAVE)
def leave(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Looking shows a button and changes nothing, as mail scanners look at every link. Posting leaves."""
    if request.method != "POST":
        return _show(request, address, token)
    if request.POST.get("List-Unsubscribe") == "One-Click":
        leave_address(address, cause="one-click")
        return HttpResponse("You will get no more messages.\n", content_type="text/plain; charset=utf-8")
    if request.POST.get("leave") == "yes":
        leave_address(address, cause="button")
        return HttpResponseRedirect(languages.address(request, reverse("leave", args=[token])), status=303)
    return errors.bad_request(request, ValueError())


@require_http_methods(["POST"])
@addressed(Purpose.LEAVE)
def undo(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Undoes leaving where that is possible, and goes back to the page that says how it stands."""
    rejoin(address)
    return HttpResponseRedirect(languages.address(request, reverse("leave", args=[token]), undone="1"), status=303)


def _show(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    values = {
        "at": reached(address),
        "token": token,
        "left": address.state == AddressState.LEFT,
        "may_return": may_return(address),
        "undone": "undone" in request.GET and address.state != AddressState.LEFT,
    }
    return page(request, "portal/leave.html", values)
