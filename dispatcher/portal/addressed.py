"""Pages behind a link that is someone's alone: the token in the address says whose, and is all that they need."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

import structlog
from django.http import HttpRequest, HttpResponse

from dispatcher.audience import refusals
from dispatcher.audience.models import Address
from dispatcher.audience.tokens import Purpose, read, verify
from dispatcher.web import errors, languages, network
from dispatcher.web.rendering import page

log = structlog.get_logger("omroeper.portal")

View = Callable[[HttpRequest, Address, str], HttpResponse]


def addressed(purpose: Purpose) -> Callable[[View], Callable[[HttpRequest, str], HttpResponse]]:
    """Gives a view the address that the token of ``purpose`` names, in the language of its owner, and the token.

    A wrong token gets one page for every cause, 404; too many from one network 429. The answer is never stored and
    its address not told to other sites.
    """

    def around(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, token: str) -> HttpResponse:
            address, reason = _owner(purpose, token)
            if address is None:
                response = _refuse(request, purpose, reason)
            else:
                languages.speak(request, address.subscriber.language)
                response = view(request, address, token)
            response["Referrer-Policy"] = "no-referrer"
            response["Cache-Control"] = "no-store"
            return response

        return answer

    return around


def refused(request: HttpRequest) -> HttpResponse:
    """The one page for a link that does not work (any more)."""
    return page(request, "portal/refused.html", status=HTTPStatus.NOT_FOUND)


def _owner(purpose: Purpose, token: str) -> tuple[Address | None, str]:
    """The address that ``token`` names; else why not, for the log alone."""
    public_id = read(purpose, token)
    if public_id is None:
        return None, "malformed"
    address = Address.objects.select_related("subscriber", "subscriber__district").filter(public_id=public_id).first()
    if address is None:
        return None, "unknown"
    if not verify(purpose, token, address.subscriber.epoch):
        return None, "signature"
    return address, ""


def _refuse(request: HttpRequest, purpose: Purpose, reason: str) -> HttpResponse:
    source = network.network(request)
    wait = refusals.seconds_to_wait(source)
    if wait:
        return errors.too_many(request, wait)
    count = refusals.count(source)
    log.info("token.refused", purpose=purpose, reason=reason, network=source)
    if count == refusals.MOST:
        log.warning("token.limited", network=source, refused=count)
    return refused(request)
