"""Revise: change the text of what has not been approved yet. Each change is the next revision."""

from __future__ import annotations

from django.db import transaction

from dispatcher.acts.approve import NewerRevision
from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import revisions
from dispatcher.announcements.models import Announcement, Revision, State
from dispatcher.announcements.source import AnnouncementSource

REVISABLE = frozenset({State.DRAFT, State.IN_REVIEW})


class NotRevisable(Exception):
    """It was approved, or is over: its text changes by a correction."""

    def __init__(self, state: str) -> None:
        super().__init__(f"The announcement is {state}. Stop it first, or correct it.")
        self.state = state


def revise(announcement: Announcement, source: AnnouncementSource, *, by: By, revision: int) -> Revision:
    """Stores ``source`` as the next revision, with its kind, audience and times; the state stays.

    ``revision`` is the number that the writer began with. Where ``source`` changes nothing, the newest one is it.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        NewerRevision: someone else stored one meanwhile. Nothing was stored.
        NotRevisable: it is not a draft or in review any more.
    """
    author = need(by, Right.DRAFT, f"announcement {announcement.public_id}")
    with transaction.atomic():
        stored = Announcement.objects.select_for_update().get(pk=announcement.pk)
        newest = stored.revisions.order_by("-number")[0]
        if stored.state not in REVISABLE:
            raise NotRevisable(stored.state)
        if newest.number != revision:
            raise NewerRevision(revision, newest.number)
        before = _aims(stored)
        revisions.aim(stored, source)
        if before == _aims(stored) and revisions.says_the_same(newest, source):
            return newest
        stored.save(update_fields=list(before))
        added = revisions.add_revision(stored, source, author)
        record(author, "revise", f"announcement {stored.public_id}", revision=added.number)
    return added


def _aims(announcement: Announcement) -> dict[str, object]:
    names = ("kind", "audience", "topics", "districts", "stages", "publish_at", "expires_at")
    return {name: getattr(announcement, name) for name in names}
