"""``/console/``: what was announced, and how it stands. Open in the practice town only, as there is no sign-in yet."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from dispatcher.announcements.models import Announcement, Revision
from dispatcher.dispatching.models import Dispatch
from dispatcher.web import languages
from dispatcher.web.rendering import page

SHOWN = 50


@require_GET
def announcements(request: HttpRequest) -> HttpResponse:
    """The newest announcements with their dispatches."""
    if not settings.PRACTICE:
        raise Http404
    newest = Announcement.objects.prefetch_related(
        Prefetch("revisions", Revision.objects.prefetch_related("texts")),
        Prefetch("dispatches", Dispatch.objects.select_related("revision").order_by("-pk")),
    ).order_by("-pk")[:SHOWN]
    rows = [{"announcement": each, "title": _title(each), "dispatches": each.dispatches.all()} for each in newest]
    return page(request, "console/announcements.html", {"rows": rows})


def _title(announcement: Announcement) -> str:
    revision = list(announcement.revisions.all())[-1]
    texts = {text.language: text.title for text in revision.texts.all()}
    return texts.get(languages.spoken()) or texts[revision.language]
