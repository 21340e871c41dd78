"""``/console/hand/``: what a person has to post, with the text to copy, and a form to tick each off."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dispatcher.acts import post_by_hand as acts
from dispatcher.acts.rights import Right, may
from dispatcher.console.signed_in import staff
from dispatcher.dispatching import handwork
from dispatcher.staff.roles import Actor
from dispatcher.web import languages
from dispatcher.web.rendering import page

OVERTAKEN = frozenset({"replaced", "withdrawn", "stopped", "expired"})


@require_GET
@staff(Right.READ)
def hand(request: HttpRequest, by: Actor) -> HttpResponse:
    """The whole page: what is open, and what was done last."""
    done = request.GET.get("done", "")
    return _show(request, by, {"done": done if done in {"yes", "undo"} else ""})


@require_POST
@staff(Right.POST_BY_HAND)
def hand_done(request: HttpRequest, by: Actor, number: int) -> HttpResponse:
    """Ticks a task off. A wrong address gets 422 and its field back, a task that was overtaken 409 and why."""
    url = request.POST.get("url", "")[:2_000]
    try:
        acts.done(number, by=by, url=url)
    except acts.AddressInvalid:
        wrong = {"number": number, "url": url}
        return _show(request, by, {"wrong": wrong}, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except acts.Overtaken as late:
        return _late(request, by, late.why)
    except acts.NotYet:
        return _late(request, by, "")
    except acts.NoSuchTask:
        raise Http404 from None
    return _back(request, "yes")


@require_POST
@staff(Right.POST_BY_HAND)
def hand_undo(request: HttpRequest, by: Actor, number: int) -> HttpResponse:
    """Opens a task again."""
    try:
        acts.undo(number, by=by)
    except acts.Overtaken as late:
        return _late(request, by, late.why)
    except acts.NotYet:
        return _late(request, by, "")
    except acts.NoSuchTask:
        raise Http404 from None
    return _back(request, "undo")


def _late(request: HttpRequest, by: Actor, why: str) -> HttpResponse:
    values = {"overtaken": why if why in OVERTAKEN else "closed"}
    return _show(request, by, values, status=HTTPStatus.CONFLICT)


def _back(request: HttpRequest, done: str) -> HttpResponse:
    return HttpResponseRedirect(languages.address(request, reverse("hand"), done=done), status=HTTPStatus.SEE_OTHER)


def _show(request: HttpRequest, by: Actor, values: dict[str, Any], *, status: int = HTTPStatus.OK) -> HttpResponse:
    shown = {
        "tasks": handwork.open_tasks(),
        "finished": handwork.done_tasks(),
        "may": may(by, Right.POST_BY_HAND),
        "done": "",
        "wrong": None,
        "overtaken": "",
    }
    return page(request, "console/hand.html", shown | values, status=status)
