"""What a subscriber does on their page with where they hear: take one away, put it back, add a device, stop all."""

from __future__ import annotations

from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from channels.kit.push_address import PushAddressInvalid
from dispatcher.acts.leave import leave, leave_all
from dispatcher.acts.rejoin import rejoin, rejoin_all
from dispatcher.acts.subscribe import add_device
from dispatcher.audience.limits import TooMany
from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose
from dispatcher.dispatching import push
from dispatcher.portal.addressed import addressed
from dispatcher.portal.asking import source, too_many
from dispatcher.portal.preferences import back, show

_of_subscriber = addressed(Purpose.PREFERENCES)


@require_http_methods(["POST"])
@_of_subscriber
def remove(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Nothing more goes to one of the subscriber's addresses, which ``address`` names. Can be put back."""
    return _one(request, address, token, lambda chosen: leave(chosen, cause="button"), "removed")


@require_http_methods(["POST"])
@_of_subscriber
def restore(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Puts back an address that was taken away, where that is possible."""
    return _one(request, address, token, rejoin, "restored")


@require_http_methods(["POST"])
@_of_subscriber
def device(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Adds this device, whose subscription is ``push``; it gets a message with the button that starts it."""
    try:
        add_device(address.subscriber, push.read(request.POST.get("push", "")), source(request))
    except PushAddressInvalid:
        return show(request, address, token, wrong=["push"])
    except TooMany as error:
        return too_many(request, error)
    return back(request, token, "device")


@require_http_methods(["POST"])
@_of_subscriber
def stop(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Nothing more goes to any address of the subscriber. Can be undone as a whole."""
    leave_all(address.subscriber)
    return back(request, token, "stopped")


@require_http_methods(["POST"])
@_of_subscriber
def resume(request: HttpRequest, address: Address, token: str) -> HttpResponse:
    """Undoes ``stop``."""
    rejoin_all(address.subscriber)
    return back(request, token, "resumed")


def _one(
    request: HttpRequest, address: Address, token: str, act: Callable[[Address], object], done: str
) -> HttpResponse:
    chosen = address.subscriber.addresses.filter(public_id=request.POST.get("address", "")[:32]).first()
    if chosen is None:
        raise Http404
    act(chosen)
    return back(request, token, done)
