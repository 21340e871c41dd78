"""Approve: the announcement goes out. The dispatch is written in the same transaction."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from dispatcher.acts.audit import record
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, Kind, Revision, State
from dispatcher.dispatching import ring, stages
from dispatcher.dispatching.models import Dispatch, DispatchAct


class NewerRevision(Exception):
    """Someone changed the text after the revision that was to be approved: look at the newer one first."""

    def __init__(self, approved: int, newest: int) -> None:
        super().__init__(f"You approved version {approved}; meanwhile there is version {newest}. Look at that one.")
        self.newest = newest


def approve(
    announcement: Announcement,
    *,
    by: str,
    revision: int | None = None,
    grace: float | None = None,
) -> Dispatch:
    """Approves the newest revision and orders its first dispatch.

    It starts at its publish time and never before the grace in which it can be stopped (``GRACE_SECONDS``, none for an
    emergency). ``revision`` is the number that the approver looked at. Approving what is approved gives its dispatch.

    Raises:
        NewerRevision: the approver looked at an older one.
        dispatcher.announcements.lifecycle.IllegalMove: it is not in review (any more).
    """
    with transaction.atomic():
        announcement = Announcement.objects.select_for_update().get(pk=announcement.pk)
        newest = Revision.objects.filter(announcement=announcement).order_by("-number")[0]
        if revision is not None and revision != newest.number:
            raise NewerRevision(revision, newest.number)
        pressed_before = newest.dispatches.filter(act=DispatchAct.ANNOUNCE, ended_at=None).first()
        if pressed_before is not None:
            return pressed_before
        lifecycle.move(announcement, State.APPROVED)
        urgent = announcement.kind == Kind.EMERGENCY
        moment = now()
        waiting = timedelta(seconds=0 if urgent else settings.GRACE_SECONDS if grace is None else grace)
        dispatch = Dispatch.objects.create(
            announcement=announcement,
            revision=newest,
            act=DispatchAct.ANNOUNCE,
            urgent=urgent,
            stages=stages.stages_of(announcement, announcement.stages),
            created_at=moment,
            created_by=by,
            start_at=max(moment + waiting, announcement.publish_at or moment),
            expires_at=announcement.expires_at,
        )
        record(by, "approve", f"announcement {announcement.public_id}", revision=newest.number, dispatch=dispatch.key)
        ring.plan(dispatch)
    return dispatch
