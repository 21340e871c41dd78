"""Who is signed in, and the one way to say that a page is for employees: ``@staff(Right.READ)``."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from dispatcher.acts.rights import FourEyes, NotAllowed, Right, need
from dispatcher.staff.models import Employee
from dispatcher.staff.roles import Actor
from dispatcher.web import languages
from dispatcher.web.rendering import page

P = ParamSpec("P")
Page = Callable[Concatenate[HttpRequest, P], HttpResponse]
StaffPage = Callable[Concatenate[HttpRequest, Actor, P], HttpResponse]

BACKEND = "django.contrib.auth.backends.ModelBackend"
BEGAN, SEEN = "began", "seen"  # seconds since 1970, in the session
_NOTED_EVERY = 60  # seconds: a sign of life is not worth a write to the database each time


def staff(right: Right, *, by_itself: bool = False) -> Callable[[StaffPage[P]], Page[P]]:
    """Gives a view the signed-in employee as an ``Actor``, after the request and before what the address names.

    Whoever is not signed in is sent to the sign-in page and comes back from there; a form that was sent is not
    done (403, and says so). A role that may not do ``right``, and every ``NotAllowed`` that the view lets out, gets
    403 with the roles that may. ``by_itself``: the page asks without anyone pressing anything, which is no sign of
    life.
    """

    def around(view: StaffPage[P]) -> Page[P]:
        @wraps(view)
        def answer(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            employee = recognise(request, sign_of_life=not by_itself)
            if employee is None:
                return _to_the_door(request)
            try:
                need(employee.actor, right, request.path[:80])
                return view(request, employee.actor, *args, **kwargs)
            except NotAllowed as refused:
                return not_allowed(request, refused)

        return answer

    return around


def recognise(request: HttpRequest, *, sign_of_life: bool = True) -> Employee | None:
    """The employee who is signed in, if any; pages then show who that is. Ends a session that is too old or idle."""
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    employee = auth.get_user(request)
    if not isinstance(employee, Employee):
        return None
    now = int(time.time())
    began, seen = request.session.get(BEGAN, 0), request.session.get(SEEN, 0)
    if now - began > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE_SECONDS:
        auth.logout(request)
        return None
    if sign_of_life and now - seen > _NOTED_EVERY:
        request.session[SEEN] = now
    request.employee = employee  # type: ignore[attr-defined]
    return employee


def begin(request: HttpRequest, employee: Employee) -> None:
    """Signs the employee in on this browser, under a new session id. Sessions that are over are cleared away."""
    auth.login(request, employee, backend=BACKEND)
    request.session[BEGAN] = request.session[SEEN] = int(time.time())
    type(request.session).clear_expired()


def not_allowed(request: HttpRequest, refused: NotAllowed) -> HttpResponse:
    """403: who may do it instead."""
    values = {"roles": refused.roles, "own": isinstance(refused, FourEyes)}
    return page(request, "console/not_allowed.html", values, status=HTTPStatus.FORBIDDEN)


def _to_the_door(request: HttpRequest) -> HttpResponse:
    if request.method not in {"GET", "HEAD"}:
        return page(request, "console/signed_out.html", status=HTTPStatus.FORBIDDEN)
    back = languages.address(request, reverse("sign-in"), next=request.get_full_path())
    return HttpResponseRedirect(back, status=HTTPStatus.SEE_OTHER)
