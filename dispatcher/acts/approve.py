"""Approve: the announcement goes out. The dispatch is written in the same transaction."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, FourEyes, NotAllowed, Right, may, name_of, refuse
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, Kind, Revision, State
from dispatcher.dispatching import ring, stages
from dispatcher.dispatching.models import Dispatch, DispatchAct
from dispatcher.staff.roles import Role


class NewerRevision(Exception):
    """Someone changed the text after the revision that was to be approved: look at the newer one first."""

    def __init__(self, approved: int, newest: int) -> None:
        super().__init__(f"You approved version {approved}; meanwhile there is version {newest}. Look at that one.")
        self.newest = newest


def approve(
    announcement: Announcement,
    *,
    by: By,
    revision: int | None = None,
    grace: float | None = None,
) -> Dispatch:
    """Approves the newest revision and orders its first dispatch.

    It starts at its publish time and never before the grace in which it can be stopped (``GRACE_SECONDS``, none for an
    emergency). ``revision`` is the number that the approver looked at. Approving what is approved gives its dispatch.
    A duty officer may approve an emergency alone; the audit then says ``alone``.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        dispatcher.acts.rights.FourEyes: the approver wrote a version of it.
        NewerRevision: the approver looked at an older one.
        dispatcher.announcements.lifecycle.IllegalMove: it is not in review (any more).
    """
    try:
        return _approve(announcement, by, revision, grace)
    except NotAllowed as refused:  # written down after the transaction, which was undone
        raise refuse(by, refused, f"announcement {announcement.public_id}") from None


def _approve(announcement: Announcement, by: By, revision: int | None, grace: float | None) -> Dispatch:
    with transaction.atomic():
        announcement = Announcement.objects.select_for_update().get(pk=announcement.pk)
        newest = Revision.objects.filter(announcement=announcement).order_by("-number")[0]
        if revision is not None and revision != newest.number:
            raise NewerRevision(revision, newest.number)
        pressed_before = newest.dispatches.filter(act=DispatchAct.ANNOUNCE, ended_at=None).first()
        if pressed_before is not None:
            return pressed_before
        urgent = announcement.kind == Kind.EMERGENCY
        author, alone = name_of(by), _alone(announcement, by)
        lifecycle.move(announcement, State.APPROVED)
        moment = now()
        waiting = timedelta(seconds=0 if urgent else settings.GRACE_SECONDS if grace is None else grace)
        dispatch = Dispatch.objects.create(
            announcement=announcement,
            revision=newest,
            act=DispatchAct.ANNOUNCE,
            urgent=urgent,
            stages=stages.stages_of(announcement, announcement.stages),
            created_at=moment,
            created_by=author,
            start_at=max(moment + waiting, announcement.publish_at or moment),
            expires_at=announcement.expires_at,
        )
        details = {"revision": newest.number, "dispatch": dispatch.key} | ({"alone": True} if alone else {})
        record(author, "approve", f"announcement {announcement.public_id}", **details)
        ring.plan(dispatch)
    return dispatch


def _alone(announcement: Announcement, by: By) -> bool:
    """Whether ``by`` approves a text of their own, as a duty officer may in an emergency.

    Raises:
        NotAllowed: someone of another role.
        FourEyes: a text of their own, where that is not allowed.
    """
    urgent = announcement.kind == Kind.EMERGENCY
    right = Right.APPROVE_EMERGENCY if urgent else Right.APPROVE
    if not may(by, right):
        raise NotAllowed(right)
    if isinstance(by, str) or not announcement.revisions.filter(created_by=by.name).exists():
        return False
    if urgent and Role.DUTY_OFFICER in by.roles:
        return True
    raise FourEyes(right)
