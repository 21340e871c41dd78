"""``/console/follow/<key>/``: one dispatch, live. Whoever has its address may look; nothing can be done but stop it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from dispatcher.acts.stop import TooLate
from dispatcher.acts.stop import stop as stop_dispatch
from dispatcher.announcements.models import RevisionText
from dispatcher.console.signed_in import recognise
from dispatcher.console.standing import standing
from dispatcher.console.thread import thread
from dispatcher.dispatching.models import Dispatch
from dispatcher.web import languages
from dispatcher.web.rendering import page

# Without the script the page loads itself anew after so many seconds.
REFRESH_SECONDS = 10

View = Callable[[HttpRequest, Dispatch], HttpResponse]


def keyed(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    """Gives a view the dispatch that the key in the address names. The key is the permission, so nobody is told it."""

    @wraps(view)
    def answer(request: HttpRequest, key: str) -> HttpResponse:
        dispatch = Dispatch.objects.select_related("announcement", "revision").filter(key=key).first()
        if dispatch is None or dispatch.announcement is None:
            raise Http404
        recognise(request, sign_of_life=False)
        response = view(request, dispatch)
        response["Referrer-Policy"] = "no-referrer"
        return response

    return answer


@require_GET
@keyed
def follow(request: HttpRequest, dispatch: Dispatch) -> HttpResponse:
    """The whole page."""
    return _show(request, dispatch)


@require_GET
@keyed
def state(request: HttpRequest, dispatch: Dispatch) -> HttpResponse:
    """The part of the page that changes, for its script."""
    return page(request, "console/state.html", _values(request, dispatch))


@require_POST
@keyed
def stop(request: HttpRequest, dispatch: Dispatch) -> HttpResponse:
    """Stops the dispatch while its grace lasts; afterwards 409, and the page says what can be done instead."""
    try:
        employee = recognise(request)
        # The key in the address is the permission, whoever has it; a name is better than none.
        stop_dispatch(dispatch, by=employee.actor.name if employee else "follow page")
    except TooLate:
        return _show(request, dispatch, too_late=True, status=HTTPStatus.CONFLICT)
    return HttpResponseRedirect(languages.address(request, reverse("follow", args=[dispatch.key])), status=303)


def _show(
    request: HttpRequest, dispatch: Dispatch, *, too_late: bool = False, status: int = HTTPStatus.OK
) -> HttpResponse:
    values = _values(request, dispatch) | {"too_late": too_late, "refresh": REFRESH_SECONDS}
    return page(request, "console/follow.html", values, status=status)


def _values(request: HttpRequest, dispatch: Dispatch) -> dict[str, Any]:
    stands = standing(dispatch)
    revision = dispatch.revision
    assert revision is not None
    texts: dict[str, RevisionText] = {text.language: text for text in revision.texts.all()}
    shown = texts.get(languages.spoken()) or texts[revision.language]
    return {
        "stands": stands,
        "thread": thread(stands),
        "announcement": dispatch.announcement,
        "revision": revision,
        "title": shown.title,
        "title_language": shown.language,
        "languages": sorted(texts, key=lambda code: code != revision.language),
        "state_url": languages.address(request, reverse("follow-state", args=[dispatch.key])),
    }
