"""``/console/sign-in/`` and out. With a password; in the practice town with one click, as a role."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from dispatcher.acts import sign_in as acts
from dispatcher.console import signed_in
from dispatcher.staff.roles import Role
from dispatcher.web import errors, languages, network
from dispatcher.web.rendering import page


@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """The page, and what its form sends. A wrong pair gets one sentence, whatever is wrong with it."""
    if request.method != "POST":
        signed_in.recognise(request)
        return _show(request, {})
    email, password = request.POST.get("email", "")[:254], request.POST.get("password", "")[:1000]
    try:
        employee = acts.sign_in(request, email=email, password=password, network=network.network(request))
    except acts.TooManyTries as wait:
        minutes = -(-wait.wait // 60)
        answer = _show(request, {"email": email, "minutes": minutes}, status=HTTPStatus.TOO_MANY_REQUESTS)
        answer["Retry-After"] = str(wait.wait)
        return answer
    if employee is None:
        return _show(request, {"email": email, "refused": True}, status=HTTPStatus.FORBIDDEN)
    signed_in.begin(request, employee)
    return _go_on(request)


@require_POST
def sign_in_for_practice(request: HttpRequest) -> HttpResponse:
    """In as the example employee of a role. There is no such address outside the practice town."""
    role = request.POST.get("role", "")
    if role not in set(Role):
        return errors.bad_request(request, ValueError())
    signed_in.begin(request, acts.sign_in_for_practice(Role(role)))
    return _go_on(request)


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session; pressed twice is fine."""
    employee = signed_in.recognise(request)
    if employee is not None:
        acts.sign_out(employee)
    auth.logout(request)
    return HttpResponseRedirect(languages.address(request, reverse("sign-in"), out="1"), status=HTTPStatus.SEE_OTHER)


def _show(request: HttpRequest, more: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    values = {
        "email": "",
        "refused": False,
        "minutes": 0,
        "out": "out" in request.GET,
        "next": _next(request),
        "roles": list(Role) if settings.PRACTICE else [],
    }
    return page(request, "console/sign_in.html", values | more, status=status)


def _go_on(request: HttpRequest) -> HttpResponse:
    where = _next(request) or languages.address(request, reverse("announcements"))
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


def _next(request: HttpRequest) -> str:
    """Where someone wanted to go: a page of ours, or nothing."""
    asked = request.POST.get("next") or request.GET.get("next", "")
    ours = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    return asked if ours and asked.startswith(reverse("announcements")) else ""
