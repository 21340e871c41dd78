"""``/console/queue/``: what waits, runs, is due later and why, failed, is in doubt, and who works on it. Live."""

from __future__ import annotations

from typing import Any

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from dispatcher.acts.rights import Right, may
from dispatcher.announcements.models import Announcement
from dispatcher.console.needs import hand_tasks, needs
from dispatcher.console.signed_in import staff
from dispatcher.dispatching import troubles, workers
from dispatcher.dispatching.desk import desk
from dispatcher.dispatching.models import Batch
from dispatcher.dispatching.workers import InHand
from dispatcher.staff.roles import Actor
from dispatcher.web import languages
from dispatcher.web.rendering import page

# Without the script the page loads itself anew after so many seconds; with it, it asks again after so many ms.
REFRESH_SECONDS = 10
PACE = 2000


@require_GET
@staff(Right.WATCH_QUEUE)
def queue(request: HttpRequest, by: Actor) -> HttpResponse:
    """The whole page."""
    return page(request, "console/queue.html", _values(request, by) | {"refresh": REFRESH_SECONDS})


@require_GET
@staff(Right.WATCH_QUEUE, by_itself=True)
def queue_state(request: HttpRequest, by: Actor) -> HttpResponse:
    """The part of the page that changes, for its script."""
    return page(request, "console/queue_state.html", _values(request, by))


def _values(request: HttpRequest, by: Actor) -> dict[str, Any]:
    stands = desk()
    held = workers.in_hand()
    at_work = workers.at_work(held)
    failing = sum(line.figures.failed + line.figures.unknown + line.figures.later for line in stands.lines)
    groups = troubles.groups(failing=failing)
    tasks = hand_tasks()
    return {
        "desk": stands,
        "workers": at_work,
        "strangers": _unlisted(held, at_work),
        "titles": titles_in_hand(held),
        "groups": groups,
        "tasks": tasks,
        "needs": needs(stands, at_work, groups, tasks),
        "last": _last() if stands.idle else None,
        "may": rights_of(by),
        "new_outlet_url": languages.address(request, reverse("settings-channels")),
        "pace": PACE,
        "state_url": languages.address(request, reverse("queue-state")),
    }


def rights_of(by: Actor) -> dict[str, bool]:
    """What ``by`` may do to outlets: pause, resume, again, settle, configure."""
    return {
        "pause": may(by, Right.PAUSE),
        "resume": may(by, Right.RESUME),
        "again": may(by, Right.TRY_AGAIN),
        "settle": may(by, Right.SETTLE),
        "configure": may(by, Right.CONFIGURE),
    }


def titles_in_hand(held: list[InHand]) -> dict[int, str]:
    """The titles of what is in hand, by dispatch."""
    dispatches = {each.batch.dispatch_id: each.batch.dispatch.revision_id for each in held}
    titles = troubles.titles_of(dispatches.values())
    spoken = languages.spoken()
    return {
        dispatch: titles.get((revision, spoken)) or titles.get((revision, ""), "")
        for dispatch, revision in dispatches.items()
    }


def _unlisted(held: list[InHand], listed: list[workers.AtWork]) -> list[InHand]:
    """What is held by a process that is not on the list (yet)."""
    names = {each.worker.name for each in listed}
    return [each for each in held if each.batch.leased_by not in names]


def _last() -> dict[str, Any] | None:
    """What went out last, for a queue in which nothing waits."""
    batch = Batch.objects.filter(moved_at__isnull=False).order_by("-moved_at").select_related("dispatch").first()
    if batch is None or batch.moved_at is None or batch.dispatch.announcement_id is None:
        return None
    accepted = Batch.objects.filter(dispatch=batch.dispatch).aggregate(n=Sum("accepted"))["n"] or 0
    announcement = Announcement.objects.get(pk=batch.dispatch.announcement_id)
    titles = troubles.titles_of([batch.dispatch.revision_id])
    return {
        "title": titles.get((batch.dispatch.revision_id, languages.spoken()))
        or titles.get((batch.dispatch.revision_id, ""), announcement.slug),
        "at": batch.moved_at,
        "accepted": accepted,
        "key": batch.dispatch.key,
    }
