"""``/console/``: what was announced, and how it stands."""

from __future__ import annotations

from django.db.models import Count, Prefetch
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dispatcher.acts.rights import Right, may
from dispatcher.announcements.models import Announcement, Revision, State
from dispatcher.console.signed_in import staff
from dispatcher.dispatching.models import Dispatch
from dispatcher.staff.roles import Actor
from dispatcher.web import languages
from dispatcher.web.rendering import page

SHOWN = 50


@require_GET
@staff(Right.READ)
def announcements(request: HttpRequest, by: Actor) -> HttpResponse:
    """The newest announcements with their dispatches; ``?state=`` shows those of one state."""
    wanted = request.GET.get("state", "")
    state = State(wanted) if wanted in set(State) else None
    counts = dict(Announcement.objects.values_list("state").annotate(number=Count("pk")))
    found = Announcement.objects.filter(state=state) if state else Announcement.objects.all()
    newest = found.prefetch_related(
        Prefetch("revisions", Revision.objects.prefetch_related("texts")),
        Prefetch("dispatches", Dispatch.objects.select_related("revision").order_by("-pk")),
    ).order_by("-pk")[:SHOWN]
    values = {
        "rows": [{"announcement": each, "title": _title(each), "dispatches": each.dispatches.all()} for each in newest],
        "counts": [(each, counts[each]) for each in State if counts.get(each)],
        "all": sum(counts.values()),
        "state": state,
        "shown": SHOWN,
        "may_write": may(by, Right.DRAFT),
    }
    return page(request, "console/announcements.html", values)


def _title(announcement: Announcement) -> str:
    revision = list(announcement.revisions.all())[-1]
    texts = {text.language: text.title for text in revision.texts.all()}
    return texts.get(languages.spoken()) or texts[revision.language]
