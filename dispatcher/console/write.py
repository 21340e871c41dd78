"""Write an announcement, and change one that was not approved yet. Without script a button refreshes the previews."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST

from dispatcher.acts.approve import NewerRevision
from dispatcher.acts.draft import draft
from dispatcher.acts.hand_in import hand_in
from dispatcher.acts.revise import NotRevisable, revise
from dispatcher.acts.rights import Right
from dispatcher.acts.submit import submit
from dispatcher.announcements.lifecycle import IllegalMove
from dispatcher.announcements.models import Announcement, State
from dispatcher.announcements.revisions import KeyReused
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.announcements.unfinished import DraftSource, values_of
from dispatcher.console import form as forms
from dispatcher.console.form import Form, FormProblems, Problem
from dispatcher.console.found import announced
from dispatcher.console.signed_in import staff
from dispatcher.console.writing import aside, choices
from dispatcher.dispatching.sent import newest_sent
from dispatcher.staff.roles import Actor
from dispatcher.web import errors, languages
from dispatcher.web.rendering import page

PRESSES = ("preview", "save", "submit")


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.DRAFT)
def write(request: HttpRequest, by: Actor) -> HttpResponse:
    """A new announcement."""
    if request.method != "POST":
        return show(request, forms.empty())
    form, press = forms.typed(request.POST), request.POST.get("press", "preview")
    if press not in PRESSES:
        return errors.bad_request(request, ValueError())
    if press == "preview":
        return show(request, form)
    key = f"form-{form.value('request_key')}"[:64] if form.value("request_key") else None
    try:
        if press == "submit":
            source = forms.read(form, AnnouncementSource, now=now())
            return _go("announcement", request, submit(source, by=by, request_key=key)[0], done="submit")
        unfinished = forms.read(form, DraftSource, now=now())
        return _go("edit", request, draft(unfinished, by=by, request_key=key), done="save")
    except FormProblems as wrong:
        return show(request, form, problems=wrong.problems, press=press)
    except KeyReused as before:
        # Pressed again after going back in the browser: what was stored first is kept, and changed on its own page.
        return show(request, form, before=before.announcement, status=HTTPStatus.CONFLICT)


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.DRAFT)
def edit(request: HttpRequest, by: Actor, public_id: str) -> HttpResponse:
    """A draft, or what is in review: storing makes the next version."""
    announcement = announced(public_id)
    newest = announcement.revisions.latest("number")
    if request.method != "POST":
        form = forms.stored(values_of(announcement, newest))
        return show(request, form, announcement, revision=newest.number)
    form, press = forms.typed(request.POST), request.POST.get("press", "preview")
    began = form.value("revision")
    if press not in PRESSES or not began.isdecimal():
        return errors.bad_request(request, ValueError())
    if press == "preview":
        return show(request, form, announcement, revision=int(began))
    whole = press == "submit" or announcement.state != State.DRAFT
    try:
        source = forms.read(form, AnnouncementSource if whole else DraftSource, now=now())
        stored = revise(announcement, source, by=by, revision=int(began))
        if press == "submit" and announcement.state == State.DRAFT:
            hand_in(announcement, by=by, revision=stored.number)
    except FormProblems as wrong:
        return show(request, form, announcement, problems=wrong.problems, press=press, revision=int(began))
    except NewerRevision as newer:
        return show(request, form, announcement, revision=newer.newest, newer=True, status=HTTPStatus.CONFLICT)
    except (NotRevisable, IllegalMove):
        return show(request, form, announcement, revision=int(began), moved=True, status=HTTPStatus.CONFLICT)
    return _go("announcement" if whole else "edit", request, announcement, done=press)


@require_POST
@staff(Right.DRAFT)
def preview(request: HttpRequest, by: Actor) -> HttpResponse:  # noqa: ARG001 - whoever may write may look
    """The previews of what stands in the form now, for its script."""
    public_id, correcting = request.POST.get("of", ""), "correcting" in request.POST
    announcement = announced(public_id) if public_id else None
    form = forms.typed(request.POST)
    if announcement is not None and correcting:
        before = newest_sent(announcement) or announcement.revisions.latest("number")
        form = forms.of_correction(form, values_of(announcement, before))
    return page(request, "console/aside.html", aside(form, announcement, aimed=not correcting))


def show(
    request: HttpRequest,
    form: Form,
    announcement: Announcement | None = None,
    *,
    problems: Sequence[Problem] = (),
    press: str = "",
    revision: int = 0,
    status: int = HTTPStatus.OK,
    **more: Any,
) -> HttpResponse:
    """The page with its form. ``press`` is what the button that found the problems was to do."""
    if problems and status == HTTPStatus.OK:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    correcting = bool(more.get("correcting"))
    done = request.GET.get("done", "") if request.method != "POST" else ""
    values = {
        "form": form,
        "announcement": announcement,
        "revision": revision,
        "problems": problems,
        "wrong": {each.field: each for each in reversed(problems)},
        "press": press,
        "saved": done == "save",
        "newer": False,
        "moved": False,
        "before": None,
        "correcting": False,
        "request_key": form.value("request_key") or secrets.token_hex(16),
        **choices(),
        **aside(form, announcement, aimed=not correcting),
        **more,
    }
    return page(request, "console/write.html", values, status=status)


def _go(route: str, request: HttpRequest, announcement: Announcement, **query: str) -> HttpResponse:
    where = languages.address(request, reverse(route, args=[announcement.public_id]), **query)
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)
