"""Correct what is out: write, look at what changes and who hears it, send."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from dispatcher.acts.approve import NewerRevision
from dispatcher.acts.correct import NotOutYet
from dispatcher.acts.correct import correct as send_correction
from dispatcher.acts.reach import held
from dispatcher.acts.rights import Right
from dispatcher.announcements.lifecycle import IllegalMove
from dispatcher.announcements.models import Announcement, Revision
from dispatcher.announcements.revisions import says_the_same
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.announcements.unfinished import values_of
from dispatcher.console import form as forms
from dispatcher.console.changes import changes
from dispatcher.console.form import Form, FormProblems, Problem
from dispatcher.console.found import announced
from dispatcher.console.signed_in import staff
from dispatcher.console.write import show
from dispatcher.console.writing import heard_by, tips
from dispatcher.dispatching.sent import newest_sent
from dispatcher.staff.roles import Actor
from dispatcher.web import errors, languages
from dispatcher.web.rendering import page

PRESSES = ("preview", "back", "check", "send")


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.CORRECT)
def correct(request: HttpRequest, by: Actor, public_id: str) -> HttpResponse:
    """The form with what went out; then what changes and who hears it; then the dispatch."""
    announcement = announced(public_id)
    newest = newest_sent(announcement)
    if newest is None or announcement.state not in {"going-out", "live", "corrected"}:
        return _not_now(request, announcement)
    if request.method != "POST":
        form = forms.stored(values_of(announcement, newest))
        form.typed |= {name: "" for name in form.typed if name.endswith(".change")}
        return _write(request, form, announcement, newest.number)
    press, began = request.POST.get("press", "preview"), request.POST.get("revision", "")
    if press not in PRESSES or not began.isdecimal():
        return errors.bad_request(request, ValueError())
    form = forms.of_correction(forms.typed(request.POST), values_of(announcement, newest))
    if int(began) != newest.number:
        return _write(request, form, announcement, newest.number, newer=True, status=HTTPStatus.CONFLICT)
    if press in {"preview", "back"}:
        return _write(request, form, announcement, newest.number)
    try:
        source = forms.read(form, AnnouncementSource, now=now(), aimed=False)
        _complete(newest, source)
        if press == "check":
            return _check(request, form, announcement, newest, source)
        dispatch = send_correction(announcement, source, by=by, revision=newest.number)
    except FormProblems as wrong:
        return _write(request, form, announcement, newest.number, problems=wrong.problems, press="check")
    except NewerRevision as newer:
        return _write(request, form, announcement, newer.newest, newer=True, status=HTTPStatus.CONFLICT)
    except (NotOutYet, IllegalMove):
        return _not_now(request, announcement)
    where = languages.address(request, reverse("follow", args=[dispatch.key]))
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


def _complete(newest: Revision, source: AnnouncementSource) -> None:
    """What the act would refuse, as findings in the form.

    Raises:
        FormProblems: a language is gone, or nothing changed.
    """
    there = set(newest.texts.values_list("language", flat=True))
    gone = sorted(there - set(source.texts))
    problems = [Problem(f"{language}.title", "language-missing") for language in gone]
    if not gone and says_the_same(newest, source):
        problems.append(Problem(f"{newest.language}.title", "nothing-changed"))
    problems += [Problem(f"{language}.change", "missing") for language, text in source.texts.items() if not text.change]
    if problems:
        raise FormProblems(problems)


def _write(request: HttpRequest, form: Form, announcement: Announcement, revision: int, **more: Any) -> HttpResponse:
    return show(request, form, announcement, revision=revision, correcting=True, **more)


def _check(
    request: HttpRequest, form: Form, announcement: Announcement, newest: Revision, source: AnnouncementSource
) -> HttpResponse:
    values = {
        "announcement": announcement,
        "title": source.texts[source.language].title,
        "revision": newest.number,
        "changes": changes(newest, source),
        "notes": {language: text.change for language, text in source.texts.items()},
        "hidden": [(name, value) for name, value in form.hidden() if name not in {"press", "revision"}],
        "tips": tips(source),
        **heard_by(held(announcement)),
    }
    return page(request, "console/correct_check.html", values)


def _not_now(request: HttpRequest, announcement: Announcement) -> HttpResponse:
    values = {"announcement": announcement}
    return page(request, "console/not_now.html", values, status=HTTPStatus.CONFLICT)
