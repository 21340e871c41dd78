"""``/console/outlets/<name>/``: one outlet, how it stands, and what can be done about it.

Each act has a page that asks first: what it does and to how many. Pressed twice it does nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_http_methods

from dispatcher.acts import outlets as acts
from dispatcher.acts.models import AuditEntry
from dispatcher.acts.rights import Right
from dispatcher.console.needs import waits
from dispatcher.console.queue import PACE, REFRESH_SECONDS, rights_of, titles_in_hand
from dispatcher.console.signed_in import staff
from dispatcher.dispatching import troubles, workers
from dispatcher.dispatching.desk import line_of
from dispatcher.dispatching.models import DeliveryState, Outlet
from dispatcher.staff.roles import Actor
from dispatcher.web import languages
from dispatcher.web.rendering import page

# What was done to an outlet, as the audit names it; the page of an outlet shows the newest of these.
SHOWN_ACTS = ("pause", "resume", "try again", "settle unknown", "add outlet", "change outlet")
SHOWN = 10
DONE = ("pause", "resume", "try-again", "settle")
HOW = ("accepted", "resend", "give-up")


@require_GET
@staff(Right.WATCH_QUEUE)
def outlet(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """The whole page."""
    done = request.GET.get("done", "")
    values = _values(request, by, _find(name)) | {"done": done if done in DONE else "", "refresh": REFRESH_SECONDS}
    return page(request, "console/outlet.html", values)


@require_GET
@staff(Right.WATCH_QUEUE, by_itself=True)
def outlet_state(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """The part of the page that changes, for its script."""
    return page(request, "console/outlet_state.html", _values(request, by, _find(name)))


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.PAUSE)
def pause(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """Asks why, and pauses."""
    return _act(
        request, name, "pause", lambda found: acts.pause(found, by=by, reason=request.POST.get("reason", "").strip())
    )


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.RESUME)
def resume(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """Asks, and lets it go on."""
    return _act(request, name, "resume", lambda found: acts.resume(found, by=by))


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.TRY_AGAIN)
def try_again(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """Asks, and makes due now what waits for a later attempt, or what failed for one ``reason``."""
    asked = request.POST if request.method == "POST" else request.GET
    reason = asked.get("reason", "")
    groups = [each for each in _groups(_find(name)) if each.reason == reason and each.state == DeliveryState.REJECTED]
    if reason and request.method != "POST" and not groups:
        raise Http404
    if not reason:
        groups = [each for each in _groups(_find(name)) if each.state == DeliveryState.DUE]
    more = {"reason": reason, "count": sum(each.retryable for each in groups)}
    return _act(request, name, "try-again", lambda found: acts.try_again(found, by=by, reason=reason or None), **more)


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.SETTLE)
def settle(request: HttpRequest, by: Actor, name: str) -> HttpResponse:
    """Asks what somebody found out about what is in doubt, and settles it so."""
    how = request.POST.get("how", "")
    found = _find(name)
    if request.method == "POST" and how not in HOW:
        return _ask(request, found, "settle", {"missing": True}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _act(request, name, "settle", lambda found: acts.settle_unknown(found, by=by, how=how))


def _act(request: HttpRequest, name: str, act: str, do: Callable[[Outlet], object], **more: Any) -> HttpResponse:
    """The page that asks; or, once it was answered, the act and the way back to the outlet's page."""
    found = _find(name)
    if request.method != "POST":
        return _ask(request, found, act, more)
    try:
        do(found)
    except ValueError as refused:  # what failed for this reason cannot be sent again
        return _ask(request, found, act, more | {"refused": str(refused)}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    where = languages.address(request, reverse("outlet", args=[name]), done=act)
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


def _ask(
    request: HttpRequest, found: Outlet, act: str, more: dict[str, Any], *, status: int = HTTPStatus.OK
) -> HttpResponse:
    line = line_of(found)
    counts = {
        "pause": waits(line.figures),
        "resume": waits(line.figures),
        "try-again": 0,
        "settle": line.figures.unknown,
    }
    values = {"line": line, "act": act, "count": counts[act], "reason": "", "missing": False, "refused": ""}
    return page(request, "console/outlet_act.html", values | more, status=status)


def _find(name: str) -> Outlet:
    found = Outlet.objects.filter(name=name).first()
    if found is None:
        raise Http404
    return found


def _groups(found: Outlet) -> list[troubles.Group]:
    figures = line_of(found).figures
    return troubles.groups(found.pk, failing=figures.failed + figures.unknown + figures.later)


def _values(request: HttpRequest, by: Actor, found: Outlet) -> dict[str, Any]:
    held = workers.in_hand(found.pk)
    history = AuditEntry.objects.filter(subject=f"outlet {found.name}", act__in=SHOWN_ACTS).order_by("-pk")[:SHOWN]
    return {
        "line": line_of(found),
        "at": now(),
        "held": held,
        "titles": titles_in_hand(held),
        "groups": _groups(found),
        "recent": troubles.recent(found.pk),
        "history": list(history),
        "may": rights_of(by),
        "pace": PACE,
        "state_url": languages.address(request, reverse("outlet-state", args=[found.name])),
    }
