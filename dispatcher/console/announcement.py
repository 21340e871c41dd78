"""One announcement: its text, its versions, what happened, and what can be done with it by who looks."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from dispatcher.acts.approve import NewerRevision, approve
from dispatcher.acts.hand_in import NotWhole, hand_in
from dispatcher.acts.models import AuditEntry
from dispatcher.acts.reach import held, reach
from dispatcher.acts.return_to_writer import REASON_LIMIT, ReasonMissing, return_to_writer
from dispatcher.acts.rights import Right, may
from dispatcher.acts.withdraw import withdraw as take_back
from dispatcher.announcements import text as markdown
from dispatcher.announcements.lifecycle import MOVES, IllegalMove
from dispatcher.announcements.models import Announcement, Kind, Revision, State
from dispatcher.announcements.revisions import texts_by_language
from dispatcher.announcements.unfinished import values_of
from dispatcher.audience.models import District, Topic
from dispatcher.console import form as forms
from dispatcher.console.found import announced
from dispatcher.console.signed_in import staff
from dispatcher.console.writing import aside, heard_by
from dispatcher.dispatching.models import Dispatch, DispatchAct
from dispatcher.dispatching.sent import newest_sent
from dispatcher.staff.roles import Actor, Role
from dispatcher.web import errors, languages
from dispatcher.web.rendering import page

OUT = frozenset({State.GOING_OUT, State.LIVE, State.CORRECTED})
DONE = ("submit", "save", "return")


@require_GET
@staff(Right.READ)
def announcement(request: HttpRequest, by: Actor, public_id: str) -> HttpResponse:
    """The page; ``?version=`` shows an older version."""
    done = request.GET.get("done", "")
    return _show(request, by, announced(public_id), done=done if done in DONE else "")


@require_POST
@staff(Right.READ)
def approve_it(request: HttpRequest, by: Actor, public_id: str) -> HttpResponse:
    """Approves the version that was looked at, and goes to where it can be followed and stopped."""
    found, revision = announced(public_id), request.POST.get("revision", "")
    if not revision.isdecimal():
        return errors.bad_request(request, ValueError())
    try:
        dispatch = approve(found, by=by, revision=int(revision))
    except NewerRevision:
        return _show(request, by, found, trouble="newer", status=HTTPStatus.CONFLICT)
    except IllegalMove:
        return _show(request, by, found, trouble="moved", status=HTTPStatus.CONFLICT)
    where = languages.address(request, reverse("follow", args=[dispatch.key]))
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


@require_POST
@staff(Right.SUBMIT)
def hand_in_it(request: HttpRequest, by: Actor, public_id: str) -> HttpResponse:
    """Asks for a check of a draft."""
    found, revision = announced(public_id), request.POST.get("revision", "")
    if not revision.isdecimal():
        return errors.bad_request(request, ValueError())
    try:
        hand_in(found, by=by, revision=int(revision))
    except NewerRevision:
        return _show(request, by, found, trouble="newer", status=HTTPStatus.CONFLICT)
    except IllegalMove:
        return _show(request, by, found, trouble="moved", status=HTTPStatus.CONFLICT)
    except NotWhole:
        return _show(request, by, found, trouble="not-whole", status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _back(request, found, done="submit")


@require_POST
@staff(Right.RETURN)
def return_it(request: HttpRequest, by: Actor, public_id: str) -> HttpResponse:
    """Gives it back to its writer, with what must change."""
    found, reason = announced(public_id), request.POST.get("reason", "")
    try:
        return_to_writer(found, by=by, reason=reason)
    except ReasonMissing:
        return _show(request, by, found, trouble="reason", status=HTTPStatus.UNPROCESSABLE_ENTITY)
    except IllegalMove:
        return _show(request, by, found, trouble="moved", status=HTTPStatus.CONFLICT)
    return _back(request, found, done="return")


@require_http_methods(["GET", "HEAD", "POST"])
@staff(Right.WITHDRAW)
def withdraw(request: HttpRequest, by: Actor, public_id: str) -> HttpResponse:
    """Asks why, and says what happens on each outlet and to how many; posting does it."""
    found = announced(public_id)
    newest = newest_sent(found)
    if newest is None or State.WITHDRAWN not in MOVES[State(found.state)]:
        return page(request, "console/not_now.html", {"announcement": found}, status=HTTPStatus.CONFLICT)
    texts = texts_by_language(newest)
    reasons = {language: request.POST.get(f"reason.{language}", "").strip()[:300] for language in texts}
    missing = [language for language, reason in reasons.items() if not reason] if request.method == "POST" else []
    if request.method == "POST" and not missing:
        try:
            dispatch = take_back(found, by=by, reason=reasons)
        except IllegalMove:
            found.refresh_from_db()
            return page(request, "console/not_now.html", {"announcement": found}, status=HTTPStatus.CONFLICT)
        where = languages.address(request, reverse("follow", args=[dispatch.key]))
        return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)
    values = {
        "announcement": found,
        "title": (texts.get(languages.spoken()) or texts[newest.language]).title,
        "reasons": reasons,
        "missing": missing,
        **heard_by(held(found)),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if missing else HTTPStatus.OK
    return page(request, "console/withdraw.html", values, status=status)


def _back(request: HttpRequest, found: Announcement, **query: str) -> HttpResponse:
    where = languages.address(request, reverse("announcement", args=[found.public_id]), **query)
    return HttpResponseRedirect(where, status=HTTPStatus.SEE_OTHER)


def _show(
    request: HttpRequest,
    by: Actor,
    found: Announcement,
    *,
    done: str = "",
    trouble: str = "",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    found.refresh_from_db()
    revisions = list(found.revisions.order_by("-number"))
    shown = _version(request, revisions)
    texts = texts_by_language(shown)
    dispatches = list(found.dispatches.select_related("revision").order_by("-pk"))
    values = {
        "announcement": found,
        "revision": shown,
        "newest": revisions[0],
        "revisions": revisions,
        "title": (texts.get(languages.spoken()) or texts[shown.language]).title,
        "texts": [(text, markdown.body_html(text.body, language)) for language, text in texts.items()],
        "topics": _names(Topic, found.topics),
        "districts": _names(District, found.districts),
        "dispatches": dispatches,
        "stoppable": _stoppable(dispatches),
        "history": AuditEntry.objects.filter(subject=f"announcement {found.public_id}").exclude(act="refused"),
        "acts": acts(by, found, revisions),
        "done": done,
        "trouble": trouble,
        "reason": request.POST.get("reason", "")[:REASON_LIMIT],
        **_copies(found, shown),
        **heard_by(reach(found) if not dispatches else held(found)),
    }
    return page(request, "console/announcement.html", values, status=status)


def _copies(found: Announcement, shown: Revision) -> dict[str, Any]:
    """How every outlet will have it, while that is still to be decided."""
    if found.state not in {State.DRAFT, State.IN_REVIEW}:
        return {"previews": [], "tips": []}
    return aside(forms.stored(values_of(found, shown)), found, aimed=False)


def acts(by: Actor, found: Announcement, revisions: list[Revision]) -> dict[str, bool]:
    """What ``by`` can do with the announcement as it stands. ``own``: they may not approve, as they wrote it."""
    state = State(found.state)
    urgent = found.kind == Kind.EMERGENCY
    approving = Right.APPROVE_EMERGENCY if urgent else Right.APPROVE
    wrote = any(revision.created_by == by.name for revision in revisions)
    own = wrote and not (urgent and Role.DUTY_OFFICER in by.roles)
    reviewing = state == State.IN_REVIEW and may(by, approving)
    return {
        "edit": state in {State.DRAFT, State.IN_REVIEW} and may(by, Right.DRAFT),
        "submit": state == State.DRAFT and may(by, Right.SUBMIT),
        "approve": reviewing and not own,
        "own": reviewing and own,
        "return": state == State.IN_REVIEW and may(by, Right.RETURN),
        "correct": state in OUT and may(by, Right.CORRECT),
        "withdraw": State.WITHDRAWN in MOVES[state] and may(by, Right.WITHDRAW),
    }


def _version(request: HttpRequest, revisions: list[Revision]) -> Revision:
    wanted = request.GET.get("version", "")
    if not wanted or request.method == "POST":
        return revisions[0]
    for revision in revisions:
        if str(revision.number) == wanted:
            return revision
    raise Http404


def _stoppable(dispatches: list[Dispatch]) -> Dispatch | None:
    newest = dispatches[0] if dispatches else None
    may_stop = newest is not None and newest.act in {DispatchAct.ANNOUNCE, DispatchAct.UPDATE}
    return newest if newest and may_stop and newest.ended_at is None and newest.start_at > now() else None


def _names(model: Any, slugs: list[str]) -> list[str]:
    rows = model.objects.filter(slug__in=slugs)
    spoken = languages.spoken()
    return [
        (row.names.get(spoken) or next(iter(row.names.values()))) if isinstance(row, Topic) else row.name
        for row in rows
    ]
