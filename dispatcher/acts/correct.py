"""Correct: a new revision, heard by exactly those who have the old one."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from dispatcher.acts.approve import NewerRevision
from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import lifecycle, revisions
from dispatcher.announcements.files import AnnouncementSource
from dispatcher.announcements.models import Announcement, Kind, State
from dispatcher.dispatching import ring, sent
from dispatcher.dispatching.models import Dispatch, DispatchAct


class LanguageMissing(Exception):
    """People read the announcement in a language that its correction does not have."""

    def __init__(self, languages: list[str]) -> None:
        super().__init__(
            f"The announcement went out in {', '.join(languages)} too. Add the correction in "
            f"{'that language' if len(languages) == 1 else 'those languages'}."
        )
        self.languages = languages


class NothingChanged(Exception):
    """The correction says what the newest revision that went out says."""


class NotOutYet(Exception):
    """There is nothing to correct: it has not gone out."""

    def __init__(self) -> None:
        super().__init__("It has not gone out yet. Stop it ('omroeper stop'), change the text, and announce that.")


def correct(
    announcement: Announcement,
    source: AnnouncementSource,
    *,
    by: By,
    grace: float | None = None,
    revision: int | None = None,
) -> Dispatch:
    """Adds the revision and orders the dispatch that corrects what went out.

    ``revision`` is the number that went out when the writer began.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        NewerRevision: somebody else corrected it meanwhile.
        LanguageMissing: a language of the newest revision has no text in ``source``.
        NothingChanged: the text is the same.
        NotOutYet: its first dispatch is still to come, or was stopped.
        dispatcher.announcements.lifecycle.IllegalMove: the announcement is not out any more.
    """
    author = need(by, Right.CORRECT, f"announcement {announcement.public_id}")
    with transaction.atomic():
        announcement = Announcement.objects.select_for_update().get(pk=announcement.pk)
        newest = sent.newest_sent(announcement)
        if newest is None or announcement.state == State.APPROVED:
            raise NotOutYet
        if revision is not None and revision != newest.number:
            raise NewerRevision(revision, newest.number)
        missing = sorted(set(newest.texts.values_list("language", flat=True)) - set(source.texts))
        if missing:
            raise LanguageMissing(missing)
        if revisions.says_the_same(newest, source):
            raise NothingChanged(f"Version {newest.number} says the same. Nothing was sent.")
        lifecycle.move(announcement, State.GOING_OUT)
        added = revisions.add_revision(announcement, source, author)
        urgent = announcement.kind == Kind.EMERGENCY
        moment = now()
        waiting = timedelta(seconds=0 if urgent else settings.GRACE_SECONDS if grace is None else grace)
        first = announcement.dispatches.order_by("pk")[0]
        dispatch = Dispatch.objects.create(
            announcement=announcement,
            revision=added,
            act=DispatchAct.UPDATE,
            urgent=urgent,
            stages=first.stages,
            created_at=moment,
            created_by=author,
            start_at=moment + waiting,
            expires_at=announcement.expires_at,
        )
        record(
            author, "correct", f"announcement {announcement.public_id}", revision=added.number, dispatch=dispatch.key
        )
        ring.plan(dispatch)
    return dispatch
