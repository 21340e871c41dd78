"""Hand in: a draft is ready, and someone else may look at it."""

from __future__ import annotations

from django.db import transaction
from pydantic import ValidationError

from dispatcher.acts.approve import NewerRevision
from dispatcher.acts.audit import record
from dispatcher.acts.rights import By, Right, need
from dispatcher.announcements import lifecycle
from dispatcher.announcements.models import Announcement, State
from dispatcher.announcements.source import AnnouncementSource
from dispatcher.announcements.unfinished import values_of


class NotWhole(Exception):
    """Something that every announcement must have is still missing in the draft: ``error`` says what."""

    def __init__(self, error: ValidationError) -> None:
        super().__init__("The draft is not finished yet. Open it, and hand it in from there: it says what is missing.")
        self.error = error


def hand_in(announcement: Announcement, *, by: By, revision: int) -> None:
    """Asks for review of the draft. ``revision`` is the number that was looked at.

    Raises:
        dispatcher.acts.rights.NotAllowed: someone of another role.
        NewerRevision: there is a newer one.
        NotWhole: it is not finished.
        dispatcher.announcements.lifecycle.IllegalMove: it is no draft (any more).
    """
    author = need(by, Right.SUBMIT, f"announcement {announcement.public_id}")
    with transaction.atomic():
        announcement = Announcement.objects.select_for_update().get(pk=announcement.pk)
        newest = announcement.revisions.order_by("-number")[0]
        if newest.number != revision:
            raise NewerRevision(revision, newest.number)
        try:
            AnnouncementSource.model_validate(values_of(announcement, newest))
        except ValidationError as error:
            raise NotWhole(error) from None
        lifecycle.move(announcement, State.IN_REVIEW)
        record(author, "submit", f"announcement {announcement.public_id}", revision=newest.number)
